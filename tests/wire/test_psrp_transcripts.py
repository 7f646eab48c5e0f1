"""The pool takes part in recorded conversations of real PowerShell ends, in the place of the real server.

The recorded client's messages are fed to it as they were sent. Whatever its pipelines ask to be run is not run: they
are made to say what the recorded server said. The messages that leave the pool are the recorded ones: the same
types in the same order, to the same pipelines, with the same elements down to the last one.

The recorded server is PowerShell 7.6, the pool is Windows PowerShell 5.1; what 5.1 lays out in another way, as
recordings of it show, is left out on both sides.
"""

from __future__ import annotations

import tracemalloc
import uuid
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from provisioner.wire.fragments import Defragmenter, Message
from provisioner.wire.psrp import (
    HostAnswered,
    InputArrived,
    InputEnded,
    KeyOffered,
    MetadataRequested,
    PipelineRequested,
    RunspacePool,
)
from provisioner.wire.psrp.message_types import MessageType
from tests.shared_data import shared
from tests.wire.recorded import Answered, Sent, Stage, conversation, read_lines

#: Members that only one of the two versions has.
_OF_ONE_VERSION = {
    "writeErrorStream": "5.1 marks what came through a stream",
    "WriteWarningStream": "5.1 marks what came through a stream",
    "WriteVerboseStream": "5.1 marks what came through a stream",
    "WriteDebugStream": "5.1 marks what came through a stream",
    "Statement": "new in InvocationInfo of PowerShell 7",
}
_OTHER = {
    "close_while_running": "closing a pool is WS-Management's Delete: nobody is there to be told of the stop",
    "config_bad_file": "the server's own configuration file is missing; the lab's endpoints have none",
    "workdir_args": "a pipeline that the server's command line asks for, before the client's first",
    "deserialized_again": "a string that script code touched is wrapped in an object; written bare here",
    "output_text": "character references that no parser of XML takes; escaped here, and read back the same",
}


def _names() -> list[str]:
    folder = Path(__file__).parents[3] / "shared" / "powershell-goldens" / "psrp"
    return sorted(path.name.removesuffix(".raw.jsonl") for path in folder.glob("*.raw.jsonl")) or [
        "open_close"
    ]


def _items(name: str) -> list[Sent | Answered]:
    path = shared("powershell-goldens", "psrp", f"{name}.raw.jsonl")
    return list(conversation(read_lines(path.read_text(encoding="utf-8"))))


def _replayed(items: list[Sent | Answered]) -> Stage:
    opening = next((item.data for item in items if isinstance(item, Sent)), b"")
    stage = Stage(has_key=b'"protocolversion">2.4<' in opening)
    for item in items:
        if isinstance(item, Sent):
            stage.send(item)
        else:
            stage.feed(item)
    return stage


def _shape(data: bytes) -> Any:
    """Reduce a payload to its elements with their names, to the last one; an exception to its three parts."""

    def walk(element: ET.Element) -> Any:
        name = element.get("N")
        if name == "Exception":
            return element.tag, name, tuple(part.tag for part in element)
        return (
            element.tag,
            name,
            tuple(walk(part) for part in element if part.get("N") not in _OF_ONE_VERSION),
        )

    try:
        return walk(ET.fromstring(data)) if data else ()
    except ET.ParseError:
        return data


def _envelope(answer: Answered) -> tuple[str, int, uuid.UUID | None, uuid.UUID | None]:
    message = answer.message
    return MessageType(message.type).name, message.destination, answer.guid, message.pipeline_id


def _is_own(answer: Answered) -> bool:
    """Tell whether only 5.1 says this: that it prepares modules, once."""
    return answer.message.type == MessageType.PROGRESS_RECORD and b"Preparing modules" in answer.message.data


def _said(items: list[Sent | Answered]) -> list[Answered]:
    """Return the server's messages without the states that follow a Close of the pool: Delete leaves them unsaid."""
    closed = items.index(Sent("Close", None)) if Sent("Close", None) in items else len(items)
    return [
        item
        for number, item in enumerate(items)
        if isinstance(item, Answered)
        and (number < closed or item.message.type != MessageType.RUNSPACEPOOL_STATE)
    ]


@pytest.mark.parametrize("name", _names())
def test_a_recorded_conversation_takes_its_course(name: str) -> None:
    items = _items(name)
    stage = _replayed(items)
    recorded, ours = _said(items), [answer for answer in stage.answers if not _is_own(answer)]
    difference = ""
    if [_envelope(answer) for answer in recorded] != [_envelope(answer) for answer in ours]:
        difference = "other messages"
    for theirs, own in zip(recorded, ours, strict=False):
        # What the two versions say of themselves is compared with recordings of 5.1 elsewhere.
        if theirs.message.type == MessageType.APPLICATION_PRIVATE_DATA:
            continue
        if _shape(theirs.message.data) != _shape(own.message.data):
            difference = difference or f"{_shape(theirs.message.data)} <> {_shape(own.message.data)}"
    assert stage.unfed == []
    assert bool(difference) == (name in _OTHER), difference


def _client_messages(items: list[Sent | Answered]) -> list[Message]:
    streams: dict[uuid.UUID | None, Defragmenter] = {}
    return [
        message
        for item in items
        if isinstance(item, Sent) and item.kind == "Data"
        for message in streams.setdefault(item.guid, Defragmenter()).feed(item.data)
    ]


def test_every_message_of_the_recorded_clients_is_understood() -> None:
    sent: Counter[str] = Counter()
    understood: Counter[str] = Counter()
    kinds = {
        "CREATE_PIPELINE": PipelineRequested,
        "GET_COMMAND_METADATA": MetadataRequested,
        "PIPELINE_INPUT": InputArrived,
        "END_OF_PIPELINE_INPUT": InputEnded,
        "PIPELINE_HOST_RESPONSE": HostAnswered,
        "PUBLIC_KEY": KeyOffered,
    }
    for name in _names():
        if name == "input_early_end":
            continue  # its input goes on after the pipeline's end
        items = _items(name)
        stage = _replayed(items)
        sent.update(MessageType(message.type).name for message in _client_messages(items))
        for kind, event in kinds.items():
            understood[kind] += sum(isinstance(item, event) for item in stage.events)
    if not sent["CREATE_PIPELINE"]:
        pytest.skip("no recordings")
    assert {kind: sent[kind] for kind in kinds} == {kind: understood[kind] for kind in kinds}
    assert sent["CREATE_PIPELINE"] > 150


def test_what_clients_say_of_pipelines_is_read() -> None:
    def requests(name: str) -> list[PipelineRequested]:
        return [event for event in _replayed(_items(name)).events if isinstance(event, PipelineRequested)]

    (statements,) = requests("statements")
    assert [call.ends_statement for call in statements.calls] == [True, True, False, True]
    assert [request.adds_to_history for request in requests("history")].count(True) > 0
    assert requests("host_read")[0].host.has_ui
    assert not requests("host_null_readhost")[0].host.has_host
    assert requests("streams_all")[0].invocation_streams == {"error", "warning", "verbose", "debug"}
    nested = requests("nested_pipeline")
    assert [call.name for request in nested for call in request.calls] == [
        'Start-Sleep 1; "outer"',
        '"inner"',
    ]


def test_an_error_that_nobody_asked_to_explain_is_short() -> None:
    """Without AddInvocationInfo a record has no invocation in single fields."""
    items = _items("invocation_settings")
    (record,) = (
        answer.message.data
        for answer in _replayed(items).answers
        if answer.message.type == MessageType.ERROR_RECORD
        and b"InvocationInfo_Line" not in answer.message.data
    )
    assert b'"SerializeExtendedInfo">false<' in record


def test_a_pool_is_small_while_nobody_uses_it() -> None:
    opening = next(item.data for item in _items("open_close") if isinstance(item, Sent))
    RunspacePool("20348.1").receive(None, opening)
    tracemalloc.start()
    try:
        pools = [RunspacePool("20348.1") for _ in range(200)]
        for pool in pools:
            pool.receive(None, opening)
            pool.outgoing()
        size = tracemalloc.get_traced_memory()[0] / len(pools)
    finally:
        tracemalloc.stop()
    assert size < 10_000
