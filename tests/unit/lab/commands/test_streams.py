"""Debug and information records: who sees them, and how they travel."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.lab.commands.recording import call, make_node, run


@pytest.mark.parametrize(("named", "seen"), [({}, []), ({"Debug": True}, ["detail"]), ({"Debug": False}, [])])
async def test_a_debug_record_is_there_for_who_asks(
    tmp_path: Path, named: dict[str, bool], seen: list[str]
) -> None:
    recorded = await run(make_node(tmp_path), call("Write-Debug", "detail", **named))
    assert recorded.debugs == seen


@pytest.mark.parametrize(("action", "count"), [("SilentlyContinue", 1), ("Continue", 1), ("Ignore", 0)])
async def test_an_information_record_is_always_there_but_for_who_ignores_it(
    tmp_path: Path, action: str, count: int
) -> None:
    node = make_node(tmp_path)
    written = call("Write-Information", {"a": 1}, Tags=["one", "two"], InformationAction=action)
    recorded = await run(node, written)
    assert len(recorded.informations) == count
    for record in recorded.informations:
        assert (record.data, record.tags) == ({"a": 1}, ("one", "two"))
        assert (record.user, record.computer) == ("HV01\\provisioner", node.computer_name)


async def test_records_of_an_earlier_command_pass_the_later_ones(tmp_path: Path) -> None:
    recorded = await run(
        make_node(tmp_path),
        call("Write-Information", "told"),
        call("Write-Output", "kept", ends=True),
        call("Write-Debug", "detail", Debug=True),
        call("Out-Null"),
    )
    assert [record.data for record in recorded.informations] == ["told"]
    assert recorded.debugs == ["detail"]
