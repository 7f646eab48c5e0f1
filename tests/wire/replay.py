"""A service to which a recorded conversation with Windows is sent, fed with what the recorded pipelines wrote.

Each exchange gives the service's own answer and in how far it differs from the recorded one. Ids, times and
addresses are not compared; ids that a recorded server chose are given to ours.
"""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import yaml

from provisioner.wire import clixml, namespaces, records
from provisioner.wire.contents import Await, Caller, Happened
from provisioner.wire.fragments import FRAGMENT_HEADER_BYTES, Defragmenter, MalformedFragment, Message
from provisioner.wire.psrp import KeyOffered, MetadataRequested, PipelineRequested
from provisioner.wire.service import Answer, Service
from provisioner.wire.settings import ServiceSettings
from provisioner.wire.winrs import ProcessRequested, Programs
from tests.shared_data import shared
from tests.wire.recorded import AnyKey

KINDS = {
    0x10002: "SESSION_CAPABILITY",
    0x10006: "ENCRYPTED_SESSION_KEY",
    0x21005: "RUNSPACEPOOL_STATE",
    0x21006: "CREATE_PIPELINE",
    0x21009: "APPLICATION_PRIVATE_DATA",
    0x2100B: "RUNSPACEPOOL_INIT_DATA",
    0x41004: "PIPELINE_OUTPUT",
    0x41005: "ERROR_RECORD",
    0x41006: "PIPELINE_STATE",
    0x41007: "DEBUG",
    0x41008: "VERBOSE",
    0x41009: "WARNING",
    0x41010: "PROGRESS",
    0x41011: "INFORMATION",
    0x41100: "PIPELINE_HOST_CALL",
}
_TEXTS = {"DEBUG": "Debug", "VERBOSE": "Verbose", "WARNING": "Warning"}
_STREAM = f"{{{namespaces.SHELL}}}Stream"
#: Elements whose text is part of the shape.
_TOLD = frozenset(
    {
        "Action",
        "Value",
        "ExitCode",
        "ResourceUri",
        "ResourceURI",
        "InputStreams",
        "OutputStreams",
        "IdleTimeOut",
    }
)
#: Recordings in which the shell was ended between two requests by something that was not recorded.
ENDED_BETWEEN = frozenset({"psrp_is_alive_invalid_selectors.yml"})
_PREPARING = "Preparing modules for first use."


@dataclass(frozen=True, slots=True)
class Exchange:
    """One recorded request and its response."""

    request: str
    response: str

    @property
    def verb(self) -> str:
        """Last word of the request's action."""
        found = re.search(r"Action[^>]*>[^<]*/(\w+)<", self.request)
        return found[1] if found else ""


def exchanges(name: str) -> list[Exchange]:
    """Read a recording."""
    text = shared("wire-traces", name).read_text(encoding="utf-8")
    messages = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["messages"]
    return [Exchange(item["request"], item.get("response") or "") for item in messages]


def shape(envelope: str | bytes) -> Any:
    """Reduce an envelope to names, order, attributes and the texts that say what it is."""

    def walk(element: ET.Element) -> Any:
        name = element.tag.rpartition("}")[2]
        told = (element.text or "").strip() if name in _TOLD else ""
        attributes = {
            key: value if key in {"Name", "State", "End", "Code"} else ""
            for key, value in element.attrib.items()
        }
        return [element.tag, attributes, told, [walk(child) for child in element]]

    return walk(ET.fromstring(envelope))


def prefixes(envelope: str | bytes) -> list[str]:
    """Name the prefixes the root declares, in order."""
    text = envelope if isinstance(envelope, str) else envelope.decode()
    return re.findall(r"xmlns:(\w+)", text[: text.index("<s:Header")])


def messages(envelope: str | bytes) -> list[Message]:
    """Give the PSRP messages of a ReceiveResponse."""
    found: list[Message] = []
    defragmenter = Defragmenter()
    for stream in ET.fromstring(envelope).iter(_STREAM):
        try:
            found += defragmenter.feed(base64.b64decode(stream.text or ""))
        except MalformedFragment:
            return []  # output of a process
    return found


def begun_messages(recorded: Iterable[Exchange]) -> list[list[Message]]:
    """Give for each exchange the PSRP messages whose first fragment its response brought, as wholes."""
    parts: dict[tuple[int, int], list[bytes]] = {}
    for number, exchange in enumerate(recorded):
        if namespaces.POWERSHELL_URI not in exchange.request or not exchange.response:
            continue
        for stream in ET.fromstring(exchange.response).iter(_STREAM):
            for object_id, is_first, fragment in _fragments(base64.b64decode(stream.text or "")):
                begun = [key for key in parts if key[1] == object_id]
                key = (number, object_id) if is_first or not begun else begun[-1]
                parts.setdefault(key, []).append(fragment)
    found: list[list[Message]] = [[] for _ in recorded]
    for (number, _), fragments in parts.items():
        found[number] += Defragmenter().feed(b"".join(fragments))
    return found


def _fragments(data: bytes) -> Iterator[tuple[int, bool, bytes]]:
    """Cut a stream: number of the object, whether it begins here, bytes with the header."""
    while len(data) >= FRAGMENT_HEADER_BYTES:
        object_id, flags = int.from_bytes(data[:8]), data[16]
        end = FRAGMENT_HEADER_BYTES + int.from_bytes(data[17:FRAGMENT_HEADER_BYTES])
        yield object_id, bool(flags & 1), data[:end]
        data = data[end:]


def kinds(envelope: str | bytes) -> list[str]:
    """Name the PSRP messages of a ReceiveResponse."""
    return [KINDS.get(message.type, hex(message.type)) for message in messages(envelope)]


@dataclass
class Replay:
    """One conversation."""

    service: Service = field(init=False)
    answers: dict[int, Answer] = field(default_factory=dict)
    waiting: set[int] = field(default_factory=set)
    begun: list[tuple[uuid.UUID, uuid.UUID]] = field(default_factory=list)
    understood: list[Any] = field(default_factory=list)
    _forced: list[uuid.UUID] = field(default_factory=list)
    _ticket: int = 0

    def __post_init__(self) -> None:
        self.service = Service(
            ServiceSettings(), "14393.2248", self._new_id, Programs(lambda path: ":" in path)
        )

    def _new_id(self) -> uuid.UUID:
        return self._forced.pop(0) if self._forced else uuid.uuid4()

    def send(self, exchange: Exchange) -> int:
        """Send a request; an id the recorded server chose is ours too."""
        chosen = re.findall(r'(?:<rsp:(?:ShellId|CommandId)|Name="ShellId")>([^<]+)<', exchange.response)[:1]
        own = re.search(r"<rsp:(?:Shell|CommandLine)[^>]*(?:ShellId|CommandId)=", exchange.request)
        is_new = exchange.verb in {"Create", "Command"}
        self._forced = [uuid.UUID(text) for text in chosen] if is_new and not own else []
        self._ticket += 1
        caller = Caller("HOST\\vagrant", "10.0.2.2")
        self._apply(self.service.handle(self._ticket, exchange.request.encode(), caller, 0.0))
        return self._ticket

    def feed(self, exchange: Exchange, told: Iterable[Message]) -> None:
        """Let what runs produce what it produced in the recording; ``told`` is what a pipeline began to say."""
        named = re.search(r'DesiredStream CommandId="([^"]+)"', exchange.request)
        shell_id, command_id = next(
            (begun for begun in self.begun if named and begun[1] == uuid.UUID(named[1])), self.begun[-1]
        )
        shell = self.service.command_shell(shell_id)
        if shell is None:
            for message in told:
                self._feed_message(shell_id, command_id, message)
        else:
            response = exchange.response
            for stream in ET.fromstring(response).iter(_STREAM):
                shell.write(command_id, stream.get("Name") or "", base64.b64decode(stream.text or ""))
            code = re.search(r"<rsp:ExitCode>(\d+)<", response)
            if code:
                shell.finish(command_id, int(code[1]))
        self._apply(self.service.pump(shell_id))

    def _feed_message(self, shell_id: uuid.UUID, pipeline_id: uuid.UUID, message: Message) -> None:
        pool = self.service.pool(shell_id)
        assert pool is not None
        kind = KINDS[message.type]
        value: Any = clixml.read(message.data, lambda _text: "secret") if message.data else None
        match kind:
            case "PIPELINE_OUTPUT":
                pool.write_output(pipeline_id, value)
            case "DEBUG" | "VERBOSE" | "WARNING":
                text = value.extended["InformationalRecord_Message"]
                pool.write_text(pipeline_id, _TEXTS[kind], text, _invocation(value.extended))
            case "ERROR_RECORD":
                pool.write_error(pipeline_id, _error(value.extended))
            case "INFORMATION":
                moment = datetime(2020, 1, 1, tzinfo=UTC)
                record = records.InformationDetails("text", "source", moment, "user", "computer", 1, 1)
                pool.write_information(pipeline_id, record)
            case "PROGRESS" if value.extended["Activity"] != _PREPARING:
                pool.write_progress(pipeline_id, value.extended["Activity"], "x", 50)
            case "PIPELINE_HOST_CALL":
                call = value.extended
                is_told = call["ci"] == clixml.Primitive("I64", records.NO_ANSWER)
                arguments = call["mp"].value
                if call["mi"].text == "SetShouldExit":
                    pool.set_should_exit(pipeline_id, arguments[0])
                else:
                    make = pool.tell_host if is_told else pool.call_host
                    make(pipeline_id, call["mi"].text, call["mi"].value, arguments)
            case "PIPELINE_STATE":
                if value.extended["PipelineState"] == records.STATE_COMPLETED:
                    pool.complete(pipeline_id)
                else:
                    pool.fail(pipeline_id, _error(value.extended["ExceptionAsErrorRecord"].extended))

    def expire(self, ticket: int) -> None:
        """Let the time of a request pass."""
        self.waiting.discard(ticket)
        self._apply(self.service.expire(ticket))

    def _apply(self, outcomes: Iterable[Any]) -> None:
        for outcome in outcomes:
            match outcome:
                case Answer(ticket):
                    self.answers[ticket] = outcome
                    self.waiting.discard(ticket)
                case Await(ticket):
                    self.waiting.add(ticket)
                case Happened(shell_id, event):
                    self.understood.append(event)
                    self._happened(shell_id, event)

    def _happened(self, shell_id: uuid.UUID, event: Any) -> None:
        match event:
            case PipelineRequested() | MetadataRequested():
                self.begun.append((shell_id, event.pipeline_id))
            case ProcessRequested():
                self.begun.append((shell_id, event.command_id))
            case KeyOffered(public_key):
                pool = self.service.pool(shell_id)
                assert pool is not None
                pool.session_key = AnyKey()
                pool.give_key(public_key)
                self._apply(self.service.pump(shell_id))


def _invocation(told: Mapping[str, Any]) -> records.Invocation | None:
    """Take out of a recorded record which command wrote it."""
    if not told.get("InformationalRecord_SerializeInvocationInfo"):
        return None
    return _command(told, told["InvocationInfo_CommandOrigin"].text, "InvocationInfo_")


def _command(told: Mapping[str, Any], origin: str, prefix: str) -> records.Invocation:
    kind, iteration = told.get("CommandInfo_CommandType"), told.get("InvocationInfo_PipelineIterationInfo")
    return records.Invocation(
        name=told[f"{prefix}InvocationName"],
        kind=kind.text if kind else "Cmdlet" if told.get("MyCommand") else "",
        definition=told.get("CommandInfo_Definition") or told.get("MyCommand") or "",
        origin=origin,
        iteration=tuple(iteration.value) if iteration else (),
        line=told[f"{prefix}Line"],
        line_number=told[f"{prefix}ScriptLineNumber"],
        offset=told[f"{prefix}OffsetInLine"],
        position=told[f"{prefix}PositionMessage"],
        pipeline_length=told[f"{prefix}PipelineLength"],
        pipeline_position=told[f"{prefix}PipelinePosition"],
        expects_input=told[f"{prefix}ExpectingInput"],
        history_id=told[f"{prefix}HistoryId"].value,
        bound=tuple((told[f"{prefix}BoundParameters"].value or {}).items()),
        arguments=tuple(told[f"{prefix}UnboundArguments"].value or ()),
    )


def _error(told: Mapping[str, Any]) -> records.ErrorDetails:
    """Take out of a recorded error what a command would have said."""
    exception, who = told["Exception"], told["InvocationInfo"]
    invocation = None
    if who is not None:
        own = {**who.properties, **{key: told[key] for key in told if key.startswith("CommandInfo_")}}
        own["InvocationInfo_PipelineIterationInfo"] = told.get("PipelineIterationInfo")
        invocation = _command(own, who.properties["CommandOrigin"], "")
    return records.ErrorDetails(
        message=exception.properties["Message"],
        error_id=told["FullyQualifiedErrorId"],
        category=told["ErrorCategory_Message"].partition(":")[0],
        exception_types=exception.type_names,
        activity=told["ErrorCategory_Activity"],
        target=told["TargetObject"],
        target_name=told["ErrorCategory_TargetName"],
        target_type=told["ErrorCategory_TargetType"],
        invocation=invocation,
        stack=told.get("ErrorDetails_ScriptStackTrace") or "",
        details=told.get("ErrorDetails_Message"),
    )


def replay(name: str) -> Iterator[tuple[Exchange, Answer | None, Replay]]:
    """Send a recording request by request; give each exchange with our answer, None when ours would still wait."""
    run, recorded = Replay(), exchanges(name)
    for exchange, told in zip(recorded, begun_messages(recorded), strict=True):
        is_of_command = "<rsp:ReceiveResponse" in exchange.response and "CommandId" in exchange.request
        if is_of_command:
            run.feed(exchange, told)
        if name in ENDED_BETWEEN and 'Code="2150858843"' in exchange.response:
            run.service.remove_all()
        ticket = run.send(exchange)
        if ticket in run.waiting and 'Code="2150858793"' in exchange.response:
            run.expire(ticket)
        yield exchange, run.answers.get(ticket), run
