"""The bodies of shell messages: XML of responses, and what requests ask for.

Pure functions and values. Element names and order as in recordings of real servers.

Source: MS-WSMV 2.2.4.37 (Shell), 3.1.4.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.etree import ElementTree as ET

from provisioner.wire import faults
from provisioner.wire import namespaces as ns
from provisioner.wire.contents import CommandStart, Opening
from provisioner.wire.xml_text import escaped, quoted

_R: Final = f"{{{ns.SHELL}}}"
_PS: Final = f"{{{ns.POWERSHELL}}}"
_STATE: Final = ns.SHELL + "/CommandState/"
#: Body of the response to a Connect to a command: all it has to say comes by Receive.
COMMAND_CONNECTED: Final = "<rsp:ConnectResponse/>"
_NO_BACKSLASH: Final = {ord("\\"): None}
_RSP: Final = f' xmlns:rsp="{ns.SHELL}"'


@dataclass(frozen=True, slots=True)
class ShellView:
    """What a shell shows of itself. Times in seconds."""

    shell_id: str
    resource_uri: str
    owner: str
    client_address: str
    process_id: int
    idle_timeout_s: float
    input_streams: str
    output_streams: str
    state: str
    run_time_s: float
    inactivity_s: float
    is_classic: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    working_directory: str = ""


def _lapse(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"P{days}DT{hours}H{minutes}M{rest}S"


def _asked_for(view: ShellView) -> str:
    """Write what Windows repeats of a Create: not Name and Lifetime, and no backslash of a variable's name."""
    variables = "".join(
        f'<rsp:Variable Name="{quoted(name.translate(_NO_BACKSLASH))}">{quoted(value)}</rsp:Variable>'
        for name, value in view.environment.items()
    )
    environment = f"<rsp:Environment>{variables}</rsp:Environment>" if variables else ""
    folder = escaped(view.working_directory)
    return environment + (f"<rsp:WorkingDirectory>{folder}</rsp:WorkingDirectory>" if folder else "")


def shell_element(view: ShellView, *, is_full: bool) -> str:
    """Write ``<rsp:Shell>``; ``is_full`` adds what Get and Enumerate show besides. A classic shell tells less."""
    more = (
        "<rsp:MemoryUsed>46MB</rsp:MemoryUsed><rsp:ChildProcesses>0</rsp:ChildProcesses>" if is_full else ""
    )
    process = f"<rsp:ProcessId>{view.process_id}</rsp:ProcessId>"
    details = (
        "<rsp:MaxIdleTimeOut>PT2147483.647S</rsp:MaxIdleTimeOut>"
        "<rsp:Locale>en-US</rsp:Locale><rsp:DataLocale>en-US</rsp:DataLocale>"
        "<rsp:CompressionMode>NoCompression</rsp:CompressionMode><rsp:ProfileLoaded>Yes</rsp:ProfileLoaded>"
        "<rsp:Encoding>UTF8</rsp:Encoding><rsp:BufferMode>Block</rsp:BufferMode>"
        f"<rsp:State>{view.state}</rsp:State>"
    )
    return (
        f"<rsp:Shell{_RSP}><rsp:ShellId>{view.shell_id}</rsp:ShellId>"
        f"<rsp:ResourceUri>{escaped(view.resource_uri)}</rsp:ResourceUri>"
        f"<rsp:Owner>{escaped(view.owner)}</rsp:Owner>"
        f"<rsp:ClientIP>{escaped(view.client_address)}</rsp:ClientIP>"
        f"{'' if view.is_classic else process}{_asked_for(view)}"
        f"<rsp:IdleTimeOut>PT{view.idle_timeout_s:.3f}S</rsp:IdleTimeOut>"
        f"<rsp:InputStreams>{view.input_streams}</rsp:InputStreams>"
        f"<rsp:OutputStreams>{view.output_streams}</rsp:OutputStreams>"
        f"{'' if view.is_classic else details}"
        f"<rsp:ShellRunTime>{_lapse(view.run_time_s)}</rsp:ShellRunTime>"
        f"<rsp:ShellInactivity>{_lapse(view.inactivity_s)}</rsp:ShellInactivity>{more}</rsp:Shell>"
    )


def created(view: ShellView, address: str) -> str:
    """Write the body of a CreateResponse."""
    return (
        f"<x:ResourceCreated><a:Address>{escaped(address)}</a:Address><a:ReferenceParameters>"
        f"<w:ResourceURI>{escaped(view.resource_uri)}</w:ResourceURI><w:SelectorSet>"
        f'<w:Selector Name="ShellId">{view.shell_id}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
        f"</x:ResourceCreated>{shell_element(view, is_full=False)}"
    )


def command_created(command_id: str) -> str:
    """Write the body of a CommandResponse."""
    return f"<rsp:CommandResponse><rsp:CommandId>{command_id}</rsp:CommandId></rsp:CommandResponse>"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a command is: the last word of its state (empty when it is not told), and its streams that ended."""

    state: str = ""
    exit_code: int | None = None
    ended_streams: tuple[str, ...] = ()


def received(pieces: Iterable[tuple[str, bytes]], command_id: str | None, progress: Progress) -> str:
    """Write the body of a ReceiveResponse. ``pieces`` are stream and data."""
    attribute = f' CommandId="{command_id}"' if command_id else ""
    streams = "".join(
        f'<rsp:Stream Name="{name}"{attribute}>{base64.b64encode(part).decode()}</rsp:Stream>'
        for name, part in pieces
    )
    ends = "".join(
        f'<rsp:Stream Name="{name}"{attribute} End="true"></rsp:Stream>' for name in progress.ended_streams
    )
    state = ""
    if progress.state:
        code = "" if progress.exit_code is None else f"<rsp:ExitCode>{progress.exit_code}</rsp:ExitCode>"
        state = f'<rsp:CommandState{attribute} State="{_STATE}{progress.state}">{code}</rsp:CommandState>'
    return f"<rsp:ReceiveResponse>{streams}{ends}{state}</rsp:ReceiveResponse>"


def connected(input_streams: str, output_streams: str, response: bytes) -> str:
    """Write the body of a ConnectResponse."""
    return (
        f"<rsp:ConnectResponse><rsp:InputStreams>{input_streams}</rsp:InputStreams>"
        f"<rsp:OutputStreams>{output_streams}</rsp:OutputStreams>"
        f'<connectResponseXml xmlns="{ns.POWERSHELL}">{base64.b64encode(response).decode()}'
        "</connectResponseXml></rsp:ConnectResponse>"
    )


def enumerated(items: Iterable[str]) -> str:
    """Write the body of an EnumerateResponse that holds everything at once."""
    joined = "".join(items)
    found = f"<w:Items>{joined}</w:Items>" if joined else ""
    return (
        "<n:EnumerateResponse><n:EnumerationContext></n:EnumerationContext>"
        f"{found}<w:EndOfSequence/></n:EnumerateResponse>"
    )


def command_element(command_id: str, command_line: str) -> str:
    """Write one item of an enumeration of commands: a command runs until its end has been fetched."""
    return (
        f"<rsp:Command{_RSP}><rsp:CommandId>{command_id}</rsp:CommandId>"
        f"<rsp:CommandLine>{escaped(command_line)}</rsp:CommandLine>"
        "<rsp:CommandState>Running</rsp:CommandState></rsp:Command>"
    )


def decode(element: ET.Element | None) -> bytes:
    """Read base64 text; an absent element is no data."""
    return b"" if element is None else decode_text(element.text or "")


def decode_text(text: str) -> bytes:
    """Read base64.

    Raises:
        WSManFault: It is none.
    """
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError):
        raise faults.schema_violation("A value is not base64.") from None


def opening(shell: ET.Element, options: Mapping[str, str]) -> Opening:
    """Read what a Create asks for."""
    variables = shell.findall(f"{_R}Environment/{_R}Variable")
    return Opening(
        input_streams=tuple(element_text(shell, "InputStreams").split()),
        output_streams=tuple(element_text(shell, "OutputStreams").split()),
        environment={item.get("Name") or "": item.text or "" for item in variables},
        working_directory=element_text(shell, "WorkingDirectory"),
        options=options,
        creation=decode(shell.find(f"{_PS}creationXml")),
    )


def connect_data(connect: ET.Element) -> bytes:
    """Read ``connectXml``."""
    return decode(connect.find(f"{_PS}connectXml"))


def command_start(command_line: ET.Element, options: Mapping[str, str]) -> CommandStart:
    """Read what a Command asks for."""
    return CommandStart(
        command_line.findtext(f"{_R}Command") or "",
        tuple(part.text or "" for part in command_line.findall(f"{_R}Arguments")),
        options,
    )


def read_id(element: ET.Element, name: str) -> uuid.UUID | None:
    """Read a GUID attribute; None when it is absent.

    Raises:
        WSManFault: It is there and no GUID.
    """
    text = element.get(name)
    if text is None:
        return None
    try:
        return uuid.UUID(text)
    except ValueError:
        raise faults.invalid_parameter(f"{name} is no GUID.") from None


def element_text(parent: ET.Element, name: str) -> str:
    """Text of a child in the shell namespace, or empty."""
    return (parent.findtext(f"{_R}{name}") or "").strip()


def stream_elements(send: ET.Element) -> list[ET.Element]:
    """Return the streams of a Send."""
    return send.findall(f"{_R}Stream")


def desired_stream(receive: ET.Element) -> ET.Element:
    """Return the DesiredStream of a Receive."""
    found = receive.find(f"{_R}DesiredStream")
    if found is None:
        raise faults.schema_violation("Receive has no DesiredStream.")
    return found


def filter_selectors(enumerate_element: ET.Element) -> Mapping[str, str]:
    """Read the selectors of a SelectorFilter; empty when there is none."""
    found = enumerate_element.find(f"{{{ns.WSMAN}}}Filter/{{{ns.WSMAN}}}SelectorSet")
    return {} if found is None else {item.get("Name") or "": (item.text or "").strip() for item in found}
