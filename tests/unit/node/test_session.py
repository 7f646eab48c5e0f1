"""A session turns error records into errors that name node and command."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from provisioner.errors import CommandError, ConnectError
from provisioner.node.session import Session
from provisioner.transport.base import Command, Pipeline, Result
from tests.unit.node.nodes import NAME, error, fails, gives, session, transport

PIPELINE = Pipeline((Command("Get-Service"), Command("Select-Object")))


async def test_a_terminating_error_is_raised_with_its_id_and_category() -> None:
    with pytest.raises(
        CommandError, match=r"hv01: Get-Service \| Select-Object failed: no \[Id,Cmd, ObjectNotFound\]"
    ) as raised:
        await session(lambda _: Result(terminated=error(category="ObjectNotFound"))).run(PIPELINE)
    assert (raised.value.error_id, raised.value.category) == ("Id,Cmd", "ObjectNotFound")


async def test_run_leaves_other_errors_in_the_result_and_ask_raises_them() -> None:
    failing = session(lambda _: fails())
    assert len((await failing.run(PIPELINE)).errors) == 1
    with pytest.raises(CommandError):
        await failing.ask(PIPELINE)


async def test_ask_returns_the_output() -> None:
    assert await session(lambda _: gives(1, 2)).ask(PIPELINE) == (1, 2)


async def test_after_a_broken_connection_open_connects_again() -> None:
    answers: Iterator[Result | ConnectError] = iter([ConnectError("hv01", "memory", "cut"), gives("back")])

    def answer(_: Pipeline) -> Result:
        found = next(answers)
        if isinstance(found, ConnectError):
            raise found
        return found

    wire = transport(answer)
    broken = Session(NAME, wire)
    with pytest.raises(ConnectError):
        await broken.ask(PIPELINE)
    await broken.open()
    assert await broken.ask(PIPELINE) == ("back",)
    await broken.close()
    assert not wire.is_open
