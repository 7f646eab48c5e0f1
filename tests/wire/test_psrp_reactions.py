"""A client's odd and broken messages get the reactions that a real server was recorded with.

A hand-made client spoke to a real server over its out-of-process transport. What belongs to that transport, and what
WS-Management does in another way, stands in the table with its reason; a case that stands there and agrees after
all fails.
"""

from __future__ import annotations

import uuid
from typing import Any

from provisioner.wire.clixml import Structure, read
from provisioner.wire.psrp import MetadataRequested, PipelineRequested
from provisioner.wire.psrp.message_types import MessageType
from tests.shared_data import shared
from tests.wire.recorded import Answered, Sent, Stage, conversation, read_lines

_PACKET = (
    "the packet layer of the other transport; WS-Management refuses a broken envelope before PSRP sees it"
)
_DELETE = (
    "closing is WS-Management's Delete or terminate: the stream on which the last state would travel is gone"
)
_BROKEN_PACKETS = """
    pk_empty pk_garbage pk_unknown pk_noguid pk_badguid pk_b64 pk_nostream pk_emptydata pk_dataack pk_upper
    pk_command_twice pipeline_before_open
"""
_OTHER = {
    **dict.fromkeys(_BROKEN_PACKETS.split(), _PACKET),
    "close_running": _DELETE,
    "close_pool": _DELETE,
    "pl_guid_mismatch": "real Windows runs such pipelines over WS-Management, as other recordings show",
}
#: Of 7.6 and of Windows PowerShell 5.1 these differ by nature; 5.1 alone says that it prepares modules.
_NOT_COMPARED = {MessageType.APPLICATION_PRIVATE_DATA, MessageType.PROGRESS_RECORD}


def _shown(answer: Answered) -> tuple[str, uuid.UUID | None, bytes]:
    message = answer.message
    data = message.data
    if message.type == MessageType.PIPELINE_STATE:
        value = read(data)
        data = f"{value.extended['PipelineState']} {len(value.extended)}".encode()
    return MessageType(message.type).name, answer.guid, data


def _spoken(answers: list[Answered]) -> list[tuple[str, uuid.UUID | None, bytes]]:
    return [_shown(answer) for answer in answers if answer.message.type not in _NOT_COMPARED]


def _differs(case: dict[str, Any]) -> str:
    """Tell how our pool differs from the recorded one; empty when it does not."""
    stage, recorded = Stage(), []
    for item in conversation(case["events"]):
        if isinstance(item, Answered):
            recorded.append(item)
            stage.feed(item)
            continue
        try:
            stage.send(item)
        except AssertionError:
            return f"no such packet: {item.kind}"
    ran = {
        event.pipeline_id
        for event in stage.events
        if isinstance(event, PipelineRequested | MetadataRequested)
    }
    if _spoken(recorded) != _spoken(stage.answers):
        return f"{_spoken(recorded)} <> {_spoken(stage.answers)}"
    if ran != {answer.guid for answer in recorded} - {None}:
        return f"ran {len(ran)}"
    return "left over" if stage.unfed else ""


def _cases() -> list[dict[str, Any]]:
    path = shared("powershell-goldens", "psrp_server_reactions", "cases.jsonl")
    return read_lines(path.read_text(encoding="utf-8"))


def test_every_reaction_is_the_recorded_one() -> None:
    cases = _cases()
    different = {case["id"]: difference for case in cases if (difference := _differs(case))}
    assert different.keys() == _OTHER.keys(), {
        name: text[:1500] for name, text in different.items() if name not in _OTHER
    }
    assert len(cases) > 130


def test_input_arrives_as_the_recorded_server_showed_it() -> None:
    (case,) = (case for case in _cases() if case["id"] == "input_ok")
    stage = Stage()
    for item in conversation(case["events"]):
        if isinstance(item, Sent):
            stage.send(item)
    # An element of null is no message; an empty payload is null.
    assert stage.inputs() == [1, "two", None, Structure((), extended={"a": "b"})]


def test_input_that_nobody_expects_is_dropped() -> None:
    for case in _cases():
        if case["id"] in {"input_though_noinput", "input_after_end", "input_bogus"}:
            stage = Stage()
            for item in conversation(case["events"]):
                if isinstance(item, Sent):
                    stage.send(item)
            assert stage.inputs() == [], case["id"]


def test_switches_and_names_arrive_as_the_recorded_server_took_them() -> None:
    found = {}
    for case in _cases():
        if case["id"].startswith("args_"):
            stage = Stage()
            for item in conversation(case["events"]):
                if isinstance(item, Sent):
                    stage.send(item)
            for event in stage.events:
                if isinstance(event, PipelineRequested):
                    found[case["id"]] = event.calls[0].parameters
    assert found["args_dash_name"][0][0] == "InputObject"
    assert found["args_dash_colon_name"][0][0] == "InputObject"
    assert found["args_nil"] == ()
    assert {"args_no_name", "args_empty_name", "args_no_value"}.isdisjoint(found)
