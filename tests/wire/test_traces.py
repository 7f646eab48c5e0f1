"""The server understands what real clients sent to real Windows, and its answers have the same shape."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from provisioner.wire import faults, namespaces, records
from provisioner.wire.contents import Await, Caller, Happened
from provisioner.wire.envelope import parse_request
from provisioner.wire.fragments import Defragmenter
from provisioner.wire.psrp import InputEnded, MetadataRequested, PipelineRequested, StopRequested
from provisioner.wire.service import Answer, Service
from provisioner.wire.settings import ServiceSettings
from tests.shared_data import shared

_KINDS = {
    0x10002: "SESSION_CAPABILITY",
    0x21005: "RUNSPACEPOOL_STATE",
    0x21009: "APPLICATION_PRIVATE_DATA",
    0x2100B: "RUNSPACEPOOL_INIT_DATA",
    0x41004: "PIPELINE_OUTPUT",
    0x41005: "ERROR_RECORD",
    0x41006: "PIPELINE_STATE",
    0x41008: "VERBOSE",
    0x41009: "WARNING",
    0x41010: "PROGRESS",
}


def _exchanges(name: str) -> list[tuple[str, str]]:
    text = shared("wire-traces", name).read_text(encoding="utf-8")
    messages = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["messages"]
    return [(item["request"], item.get("response") or "") for item in messages]


def _service() -> Service:
    return Service(ServiceSettings(), "14393.2248", uuid.uuid4)


def _shape(envelope: str | bytes) -> Any:
    """Reduce an envelope to element names, their order and their attributes' names."""
    root = ET.fromstring(envelope)

    def walk(element: ET.Element) -> Any:
        return (element.tag, sorted(element.attrib), [walk(child) for child in element])

    return walk(root)


def _prefixes(envelope: str | bytes) -> list[str]:
    text = envelope if isinstance(envelope, str) else envelope.decode()
    return re.findall(r"xmlns:(\w+)", text[: text.index("<s:Header")])


def _messages(envelope: str | bytes) -> list[str]:
    """Name the PSRP messages of a ReceiveResponse, one per Stream element."""
    found = []
    defragmenter = Defragmenter()
    for stream in ET.fromstring(envelope).iter(f"{{{namespaces.SHELL}}}Stream"):
        data = base64.b64decode(stream.text or "")
        found += [_KINDS.get(message.type, hex(message.type)) for message in defragmenter.feed(data)]
    return found


def test_every_recorded_request_parses() -> None:
    count = 0
    for path in sorted(Path(shared("wire-traces")).glob("*.yml")):
        for request, _ in _exchanges(path.name):
            parsed = parse_request(request.encode())
            assert parsed.action
            assert parsed.message_id.startswith("uuid:")
            assert parsed.machine
            count += 1
    assert count > 150


class _Replay:
    """A service to which a recorded conversation is sent, and whose pipelines write what the recording has."""

    def __init__(self) -> None:
        self.service = _service()
        self.answers: dict[int, Answer] = {}
        self.waiting: list[int] = []
        self.pipelines: dict[uuid.UUID, uuid.UUID] = {}
        self._ticket = 0

    def send(self, request: str) -> int:
        self._ticket += 1
        self._apply(
            self.service.handle(self._ticket, request.encode(), Caller("HOST\\vagrant", "10.0.2.2"), 0.0)
        )
        return self._ticket

    def expire(self, ticket: int) -> None:
        self._apply(self.service.expire(ticket))

    def pump(self, shell_id: uuid.UUID) -> None:
        self._apply(self.service.pump(shell_id))

    def _apply(self, outcomes: list[Any]) -> None:
        for outcome in outcomes:
            match outcome:
                case Answer(ticket):
                    self.answers[ticket] = outcome
                case Await(ticket):
                    self.waiting.append(ticket)
                case Happened(shell_id, PipelineRequested(pipeline_id) | MetadataRequested(pipeline_id)):
                    self.pipelines[pipeline_id] = shell_id
                case Happened(_, InputEnded() | StopRequested()):
                    pass

    def feed(self, kind: str) -> None:
        """Let the youngest pipeline produce a message of this kind."""
        pipeline_id, shell_id = list(self.pipelines.items())[-1]
        pool = self.service.pool(shell_id)
        assert pool is not None
        match kind:
            case "PIPELINE_OUTPUT":
                pool.write_output(pipeline_id, "x")
            case "PIPELINE_STATE":
                pool.complete(pipeline_id)
            case "FAILED":
                pool.fail(pipeline_id, records.ErrorDetails("m", "id", "NotSpecified"))


def _compared(response: str, answer: Answer) -> None:
    ours, theirs = _shape(answer.body), _shape(response)
    if "ActivityId" not in response:  # the newer recordings have none
        header = ours[2][0][2]
        header[:] = [item for item in header if not item[0].endswith("ActivityId")]
    assert ours == theirs
    assert _prefixes(answer.body) == _prefixes(response)


def _wanted(name: str) -> Iterator[tuple[str, str]]:
    yield from _exchanges(name)


@pytest.mark.parametrize("name", ["psrp_open_runspace.yml", "psrp_disconnect_runspaces.yml"])
def test_opening_and_closing_has_the_recorded_shape(name: str) -> None:
    replay = _Replay()
    opened: dict[str, list[str]] = {}
    for request, response in _wanted(name):
        verb = parse_request(request.encode()).verb
        ticket = replay.send(request)
        if ticket in replay.waiting:
            replay.expire(ticket)  # the recording needed one Receive more for the opening messages
            continue
        answer = replay.answers[ticket]
        if verb == "Receive":
            # How the opening messages are spread over two or three Receives is a matter of timing.
            session = parse_request(request.encode()).selector("ShellId") or ""
            opened.setdefault(session, []).extend(_messages(answer.body))
            if _messages(response) != _messages(answer.body):
                continue
        _compared(response, answer)
    assert all(
        kinds[:3] == ["SESSION_CAPABILITY", "APPLICATION_PRIVATE_DATA", "RUNSPACEPOOL_STATE"]
        for kinds in opened.values()
    )


@pytest.mark.parametrize(
    ("name", "produced"),
    [
        ("client_execute_ps.yml", ["PIPELINE_OUTPUT"] * 8 + ["PIPELINE_STATE"]),
        ("psrp_error_failed.yml", ["PIPELINE_OUTPUT", "FAILED"]),
    ],
)
def test_a_pipeline_has_the_recorded_messages_and_shape(name: str, produced: list[str]) -> None:
    replay = _Replay()
    for request, response in _exchanges(name):
        ticket = replay.send(request)
        if ticket not in replay.answers or parse_request(request.encode()).verb == "Command":
            for kind in produced:
                replay.feed(kind)
            replay.pump(list(replay.pipelines.values())[-1])
        _compared(response, replay.answers[ticket])
        assert _messages(response) == _messages(replay.answers[ticket].body)


def test_a_long_poll_ends_with_the_recorded_fault() -> None:
    replay = _Replay()
    for request, response in _exchanges("psrp_long_running_cmdlet.yml"):
        if "Receive" in parse_request(request.encode()).verb and "TimedOut" in response:
            break
        ticket = replay.send(request)
    # Windows sent no progress record here: it had been fetched before.
    first = replay.send(request)
    assert _messages(replay.answers[first].body) == ["PROGRESS"]
    ticket = replay.send(request)
    assert replay.waiting == [ticket]
    replay.expire(ticket)
    _compared(response, replay.answers[ticket])
    assert b"2150858793" in replay.answers[ticket].body


def test_an_unknown_shell_gets_the_recorded_fault() -> None:
    request, response = _exchanges("psrp_is_alive_invalid_selectors.yml")[-1]
    replay = _Replay()
    ticket = replay.send(request)
    _compared(response, replay.answers[ticket])
    reason = re.findall(r"<s:Text[^>]*>([^<]*)<", response)
    assert re.findall(r"<s:Text[^>]*>([^<]*)<", replay.answers[ticket].body.decode()) == reason


def test_the_settings_have_the_recorded_shape() -> None:
    ((request, response),) = _exchanges("wsman_update_envelope_size_500.yml")
    replay = _Replay()
    ticket = replay.send(request)
    _compared(response, replay.answers[ticket])
    assert b"<cfg:MaxEnvelopeSizekb>500</cfg:MaxEnvelopeSizekb>" in replay.answers[ticket].body


def test_application_private_data_is_byte_for_byte_that_of_windows_powershell() -> None:
    response = _exchanges("psrp_open_runspace.yml")[1][1]
    replay = _Replay()
    for request, _ in _exchanges("psrp_open_runspace.yml")[:2]:
        ticket = replay.send(request)

    def payloads(envelope: str | bytes) -> list[bytes]:
        streams = ET.fromstring(envelope).iter(f"{{{namespaces.SHELL}}}Stream")
        return [base64.b64decode(stream.text or "") for stream in streams]

    assert payloads(replay.answers[ticket].body) == payloads(response)


def test_what_the_recorded_scripts_were_arrives_as_scripts() -> None:
    found = []
    for path in sorted(Path(shared("wire-traces")).glob("psrp_*.yml")):
        replay = _Replay()
        for request, _ in _exchanges(path.name):
            parsed = parse_request(request.encode())
            if parsed.verb in {"Create", "Command"}:
                found += _requested(replay, request)
            if parsed.verb == "Command":
                for pipeline_id, shell_id in replay.pipelines.items():
                    pool = replay.service.pool(shell_id)
                    assert pool is not None
                    pool.complete(pipeline_id)
    assert any(call.is_script for call in found)
    assert all(isinstance(call.name, str) for call in found)
    assert len(found) > 10


def _requested(replay: _Replay, request: str) -> list[Any]:
    outcomes = replay.service.handle(10_000 + len(request), request.encode(), Caller("u", "a"), 0.0)
    replay._apply(outcomes)
    return [
        call
        for outcome in outcomes
        if isinstance(outcome, Happened) and isinstance(outcome.event, PipelineRequested)
        for call in outcome.event.calls
    ]


def test_fault_codes_are_those_of_the_recordings() -> None:
    seen = set()
    for path in Path(shared("wire-traces")).glob("*.yml"):
        seen |= {
            int(code) for code in re.findall(r'WSManFault[^>]*Code="(\d+)"', path.read_text(encoding="utf-8"))
        }
    assert {faults.timed_out().code, faults.no_such_shell().code, faults.no_such_command().code} <= seen
