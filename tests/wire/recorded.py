"""Conversations recorded between PowerShell's ends over its out-of-process transport, message by message.

A line is a packet: Data carries fragments of the pool (the guid of zeros) or of a pipeline, Command makes a pipeline,
Signal stops it, Close forgets it. Their acknowledgements are no part of PSRP.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from provisioner.wire import records
from provisioner.wire.clixml import Primitive, Structure, read
from provisioner.wire.fragments import Defragmenter, MalformedFragment, Message
from provisioner.wire.psrp import (
    Event,
    InputArrived,
    KeyOffered,
    MetadataRequested,
    PipelineRequested,
    RunspacePool,
    StopRequested,
)
from provisioner.wire.psrp.message_types import MessageType

_PACKET = re.compile(r"<(\w+)([^>]*?)(?:/>|>([^<]*)</\1>)")
_GUID = re.compile(r"PSGuid='\{?([0-9A-Fa-f-]{36})\}?'")
_POOL = uuid.UUID(int=0)
_TEXTS = {
    MessageType.WARNING_RECORD: "Warning",
    MessageType.VERBOSE_RECORD: "Verbose",
    MessageType.DEBUG_RECORD: "Debug",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """A packet of the client; ``guid`` None is the pool."""

    kind: str
    guid: uuid.UUID | None
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Answered:
    """A message of the server; ``guid`` None is the pool."""

    guid: uuid.UUID | None
    message: Message


def conversation(lines: Iterable[dict[str, Any]]) -> Iterator[Sent | Answered]:
    """Yield what both ends said until the client closed its end."""
    streams: dict[uuid.UUID | None, Defragmenter] = {}
    for line in lines:
        if line["dir"] == "c2s_eof":
            return
        if line["dir"] not in {"c2s", "s2c"}:
            continue
        for kind, attributes, text in _PACKET.findall(str(line["raw"])):
            found = _GUID.search(attributes)
            if found is None:
                continue
            guid = uuid.UUID(found[1])
            if line["dir"] == "c2s":
                data = base64.b64decode(text) if kind == "Data" else b""
                yield Sent(kind, None if guid == _POOL else guid, data)
            elif kind == "Data":
                yield from _answers(streams, None if guid == _POOL else guid, text)


def _answers(
    streams: dict[uuid.UUID | None, Defragmenter], guid: uuid.UUID | None, text: str
) -> Iterator[Answered]:
    try:
        for message in streams.setdefault(guid, Defragmenter()).feed(base64.b64decode(text)):
            yield Answered(guid, message)
    except (MalformedFragment, binascii.Error):
        # Some long answers of the opening are cut in the recording; they are compared elsewhere.
        streams.pop(guid, None)


class AnyKey:
    """A key that takes every secure string: the recorded ones cannot be decrypted by anybody any more."""

    def wrap(self, public_key: bytes) -> bytes:
        """Refuse what is no public key of Windows' crypto API."""
        if len(public_key) < 100 or public_key[8:12] != b"RSA1":
            raise ValueError("no public key")
        return bytes(268)

    def encrypt(self, text: str) -> bytes:
        """Encrypt to nothing."""
        return text.encode().ljust(16, b"\0")[:16]

    def decrypt(self, data: bytes) -> str:
        """Decrypt to a fixed text."""
        return "secret" if data else ""


def _members(value: Any) -> dict[str, Any]:
    assert isinstance(value, Structure)
    return dict(value.extended)


def _invocation(members: dict[str, Any]) -> records.Invocation | None:
    info = members.get("InvocationInfo")
    has_command = info is not None and info.properties["MyCommand"] is not None
    if "InvocationInfo_BoundParameters" not in members:
        return records.Invocation("?", kind="Cmdlet" if has_command else "") if info is not None else None
    iteration = members.get("PipelineIterationInfo") or members["InvocationInfo_PipelineIterationInfo"]
    arguments, bound = (
        members[f"InvocationInfo_{name}"].value for name in ("UnboundArguments", "BoundParameters")
    )
    return records.Invocation(
        name=members.get("CommandInfo_Name") or "",
        kind=members["CommandInfo_CommandType"].text if "CommandInfo_CommandType" in members else "",
        origin=members["InvocationInfo_CommandOrigin"].text,
        iteration=tuple(iteration.value),
        bound=tuple(bound.items()),
        arguments=tuple(arguments),
    )


def error_details(value: Any) -> records.ErrorDetails:
    """Read an error record back to what the server was told."""
    members = _members(value)
    exception = members["Exception"]
    names = exception.type_names if isinstance(exception, Structure) else ("System.Exception",)
    return records.ErrorDetails(
        message=value.text or "",
        error_id=members["FullyQualifiedErrorId"],
        category=members["ErrorCategory_Message"].partition(":")[0],
        exception_types=names,
        activity=members["ErrorCategory_Activity"],
        target=members["TargetObject"],
        invocation=_invocation(members),
        stack=members.get("ErrorDetails_ScriptStackTrace") or "",
        details=members.get("ErrorDetails_Message"),
    )


def share_key(pool: RunspacePool) -> None:
    """Let the client have the key of a pool before it says anything."""
    pool.session_key = AnyKey()
    pool.give_key(bytes(8) + b"RSA1" + bytes(100))
    pool.outgoing()


class Stage:
    """One pool, and somebody who runs its pipelines as a recording says they ran.

    ``has_key`` is for recordings of protocol version 2.4, whose secure strings need no key.
    """

    def __init__(self, *, is_administrator: bool = False, has_key: bool = False) -> None:
        self.pool = RunspacePool("20348.1", is_administrator=is_administrator)
        self.pool.session_key = AnyKey()
        if has_key:
            share_key(self.pool)
        self.events: list[Event] = []
        self.answers: list[Answered] = []
        self._running: set[uuid.UUID] = set()
        self._stopping: set[uuid.UUID] = set()
        self._postponed: list[Answered] = []

    def send(self, packet: Sent) -> None:
        """Let the client send a packet."""
        match packet:
            case Sent("Data", guid, data):
                self._happened(self.pool.receive(guid, data))
            case Sent("Command", uuid.UUID() as guid):
                self.pool.command(guid, b"")
            case Sent("Signal", uuid.UUID() as guid):
                self._happened(self.pool.signal(guid, forget=False))
            case Sent("Close", uuid.UUID() as guid):
                self._happened(self.pool.signal(guid, forget=True))
            case Sent("Close", None):
                return  # WS-Management's Delete: nobody is there to be told
            case _:
                raise AssertionError(packet)
        self._flush()

    def feed(self, answer: Answered) -> None:
        """Let a pipeline do what it was recorded to do; what the pool says by itself is not fed."""
        self._postponed.append(answer)
        self._flush()

    @property
    def unfed(self) -> list[Answered]:
        """What no pipeline could be made to say."""
        return self._postponed

    def _happened(self, events: Iterable[Event]) -> None:
        for event in events:
            self.events.append(event)
            match event:
                case PipelineRequested(pipeline_id) | MetadataRequested(pipeline_id):
                    self._running.add(pipeline_id)
                case StopRequested(pipeline_id):
                    self._stopping.add(pipeline_id)
                case KeyOffered(public_key):
                    self._happened(self.pool.give_key(public_key))
                case _:
                    pass

    def _flush(self) -> None:
        self._collect()
        blocked: set[uuid.UUID | None] = set()
        waiting, self._postponed = self._postponed, []
        for answer in waiting:
            if answer.guid in blocked or not self._play(answer):
                blocked.add(answer.guid)
                self._postponed.append(answer)
            self._collect()

    def _collect(self) -> None:
        for guid, chunk in self.pool.outgoing():
            stream, data = Defragmenter(), b""
            while not chunk.is_sent:
                data += chunk.take(32768)
            self.answers += [Answered(guid, message) for message in stream.feed(data)]

    def _play(self, answer: Answered) -> bool:
        guid, kind, data = answer.guid, answer.message.type, answer.message.data
        if kind == MessageType.USER_EVENT:
            self.pool.send_event(_event(read(data)))
            return True
        if guid is None:
            return True  # the pool's own words
        if guid not in self._running:
            return False
        if kind == MessageType.PIPELINE_STATE:
            return self._end(guid, _members(read(data)))
        self._say(guid, kind, read(data, lambda _text: "secret") if data else None)
        return True

    def _end(self, guid: uuid.UUID, members: dict[str, Any]) -> bool:
        match members["PipelineState"]:
            case records.STATE_STOPPED if guid not in self._stopping:
                return False
            case records.STATE_STOPPED:
                self._happened(self.pool.stopped(guid))
            case records.STATE_FAILED:
                self._happened(self.pool.fail(guid, error_details(members["ExceptionAsErrorRecord"])))
            case _:
                self._happened(self.pool.complete(guid))
        return True

    def _say(self, guid: uuid.UUID, kind: int, value: Any) -> None:
        match kind:
            case MessageType.PIPELINE_OUTPUT:
                self.pool.write_output(guid, value)
            case MessageType.ERROR_RECORD:
                self.pool.write_error(guid, error_details(value))
            case MessageType.WARNING_RECORD | MessageType.VERBOSE_RECORD | MessageType.DEBUG_RECORD:
                text = _TEXTS[MessageType(kind)]
                self.pool.write_text(guid, text, value.text or "", _invocation(_members(value)))
            case MessageType.PROGRESS_RECORD:
                members = _members(value)
                self.pool.write_progress(
                    guid,
                    members["Activity"],
                    members["StatusDescription"],
                    members["PercentComplete"],
                    operation=members["CurrentOperation"],
                )
            case MessageType.INFORMATION_RECORD:
                self.pool.write_information(guid, _information(_members(value)))
            case MessageType.PIPELINE_HOST_CALL:
                self._call_host(guid, _members(value))
            case _:
                raise AssertionError(hex(kind))

    def _call_host(self, guid: uuid.UUID, members: dict[str, Any]) -> None:
        method, parameters = members["mi"], members["mp"].value
        if method.text == "SetShouldExit":
            self.pool.set_should_exit(guid, parameters[0])
        elif members["ci"] == Primitive("I64", records.NO_ANSWER):
            self.pool.tell_host(guid, method.text, method.value, parameters)
        else:
            assert self.pool.call_host(guid, method.text, method.value, parameters) is not None

    def inputs(self, guid: uuid.UUID | None = None) -> list[Any]:
        """Values that arrived as input."""
        return [
            event.value
            for event in self.events
            if isinstance(event, InputArrived) and guid in {None, event.pipeline_id}
        ]


def _event(value: Any) -> records.EventDetails:
    members = {name.removeprefix("PSEventArgs."): item for name, item in _members(value).items()}
    return records.EventDetails(
        number=members["EventIdentifier"],
        source=members["SourceIdentifier"],
        when=members["TimeGenerated"],
        runspace_id=members["RunspaceId"],
        sender=members["Sender"],
        arguments=tuple(members["SourceArgs"].value),
        data=members["MessageData"],
    )


def _information(members: dict[str, Any]) -> records.InformationDetails:
    return records.InformationDetails(
        data=members["MessageData"],
        source=members["Source"],
        when=datetime(2020, 1, 1, tzinfo=UTC),
        user=members["User"],
        computer=members["Computer"],
        process_id=1,
        thread_id=2,
        tags=tuple(members["Tags"].value),
    )


def read_lines(text: str) -> list[dict[str, Any]]:
    """Read JSON lines."""
    return [json.loads(line) for line in text.splitlines()]
