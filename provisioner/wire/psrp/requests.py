"""Reads what the messages of a client say.

Each function takes the value of a payload and refuses what the real server refuses: a field that is missing or of
another type. Enumerations are taken as numbers, as objects and as names. Names are compared as PowerShell does.

Source: MS-PSRP 2.2.2, 2.2.3; mandatory fields as measured on a real server.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from provisioner.wire.clixml import Primitive, Structure
from provisioner.wire.psrp.events import Call, HostInfo

_STREAMS: Final = ("error", "warning", "verbose", "debug", "information")
#: Bits of RemoteStreamOptions.
_INVOCATION_BITS: Final = {1: "error", 2: "warning", 4: "debug", 8: "verbose"}
_RESULT_TYPES: Final = (
    "none",
    "output",
    "error",
    "warning",
    "verbose",
    "debug",
    "information",
    "all",
    "null",
)
_OUTPUT: Final = 1
_ERROR: Final = 2
_ALL: Final = 7
_NULL: Final = 8
_MISSING: Final = object()

_PROTOCOL_MAJOR: Final = 2
_PROTOCOL_MINOR: Final = 3
_SERIALIZATION_MAJOR: Final = 1


class Refused(Exception):
    """A field is missing, or of another type than the server takes."""


@dataclass(frozen=True, slots=True)
class Capability:
    """A client's SESSION_CAPABILITY. ``version`` is the protocol version both ends speak."""

    version: str
    is_compatible: bool


@dataclass(frozen=True, slots=True)
class Opening:
    """A client's INIT_RUNSPACEPOOL."""

    minimum: int
    maximum: int
    sets_threads: bool
    host: HostInfo


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A client's CREATE_PIPELINE."""

    calls: tuple[Call, ...]
    expects_input: bool
    host: HostInfo
    is_nested: bool
    adds_to_history: bool
    invocation_streams: frozenset[str]


@dataclass(frozen=True, slots=True)
class HostResponse:
    """A client's answer to a host call."""

    call_id: int
    value: Any
    error: Any


def _field(value: Any, name: str, default: Any = _MISSING) -> Any:
    if not isinstance(value, Structure):
        raise Refused(f"{name} of no object")
    members: Mapping[str, Any] = value.extended
    if name in members:
        return members[name]
    folded = name.casefold()
    for key, item in members.items():
        if key.casefold() == folded:
            return item
    if default is _MISSING:
        raise Refused(f"{name} is missing")
    return default


def _typed(value: Any, name: str, kind: type) -> Any:
    found = _field(value, name)
    # A bool is an int in Python and none in .NET.
    if not isinstance(found, kind) or isinstance(found, bool) is not (kind is bool):
        raise Refused(f"{name} is no {kind.__name__}")
    return found


def _long(value: Any, name: str) -> int:
    match _field(value, name):
        case Primitive("I64", int() as number):
            return number
        case int() as number if not isinstance(number, bool):
            return number
    raise Refused(f"{name} is no number")


def _enumeration(value: Any, name: str, names: tuple[str, ...] = ()) -> int:
    found = _field(value, name)
    if isinstance(found, Structure):
        found = found.value
    if isinstance(found, str) and found.casefold() in names:
        return names.index(found.casefold())
    if not isinstance(found, int) or isinstance(found, bool):
        raise Refused(f"{name} is no enumeration")
    return found


def _version(value: Any, name: str) -> tuple[int, ...]:
    match _field(value, name):
        case Primitive("Version", str() as text):
            return tuple(map(int, text.split(".")))
    raise Refused(f"{name} is no version")


def _items(value: Any, name: str) -> list[Any]:
    found = value.value if isinstance(value, Structure) else value
    if not isinstance(found, list):
        raise Refused(f"{name} is no list")
    return found


def capability(value: Any) -> Capability:
    """Read SESSION_CAPABILITY. An older client is answered in its own version, a newer one in the server's."""
    protocol = _version(value, "protocolversion")
    major, minor = protocol[:2]
    _version(value, "PSVersion")
    serialization = _version(value, "SerializationVersion")
    spoken = min(minor, _PROTOCOL_MINOR) if major == _PROTOCOL_MAJOR else _PROTOCOL_MINOR
    return Capability(
        f"{_PROTOCOL_MAJOR}.{spoken}",
        major == _PROTOCOL_MAJOR and serialization[0] == _SERIALIZATION_MAJOR,
    )


def opening(value: Any) -> Opening:
    """Read INIT_RUNSPACEPOOL."""
    minimum, maximum = _typed(value, "MinRunspaces", int), _typed(value, "MaxRunspaces", int)
    threads = _enumeration(value, "PSThreadOptions")
    _enumeration(value, "ApartmentState")
    host = _host(_field(value, "HostInfo"))
    _field(value, "ApplicationArguments")
    if not 1 <= minimum <= maximum:
        raise Refused("the size of the pool")
    return Opening(minimum, maximum, threads != 0, host)


def connecting(value: Any) -> tuple[int, int] | None:
    """Read CONNECT_RUNSPACEPOOL: the size that the client wants the pool to have, if it says one."""
    if not isinstance(value, Structure):
        return None  # an empty string
    if _field(value, "MinRunspaces", None) is None and _field(value, "MaxRunspaces", None) is None:
        return None
    minimum, maximum = _typed(value, "MinRunspaces", int), _typed(value, "MaxRunspaces", int)
    if not 1 <= minimum <= maximum:
        raise Refused("the size of the pool")
    return minimum, maximum


def count(value: Any, name: str) -> int:
    """Read the number of SET_MAX_RUNSPACES or SET_MIN_RUNSPACES."""
    return int(_typed(value, name, int))


def call_id(value: Any) -> int:
    """Read the number that the answer to a question repeats."""
    return _long(value, "ci")


def public_key(value: Any) -> bytes:
    """Read PUBLIC_KEY."""
    try:
        return base64.b64decode(_typed(value, "PublicKey", str), validate=True)
    except binascii.Error:
        raise Refused("PublicKey is no base64") from None


def host_response(value: Any) -> HostResponse:
    """Read RUNSPACEPOOL_HOST_RESPONSE or PIPELINE_HOST_RESPONSE."""
    _enumeration(value, "mi")
    return HostResponse(call_id(value), _field(value, "mr", None), _field(value, "me", None))


def command_patterns(value: Any) -> tuple[str, ...]:
    """Read GET_COMMAND_METADATA; no name means every command."""
    names = _field(value, "Name")
    _enumeration(value, "CommandType")
    _field(value, "Namespace")
    _field(value, "ArgumentList")
    found = tuple(_items(names, "Name")) if names is not None else ()
    if not all(isinstance(name, str) for name in found):
        raise Refused("Name is no list of strings")
    return found or ("*",)


def pipeline(value: Any) -> Pipeline:
    """Read CREATE_PIPELINE."""
    shell = _field(value, "PowerShell")
    streams = _enumeration(value, "RemoteStreamOptions")
    _enumeration(value, "ApartmentState")
    _typed(shell, "IsNested", bool)
    _field(shell, "History")
    _typed(shell, "RedirectShellErrorOutputPipe", bool)
    return Pipeline(
        calls=tuple(_calls(shell)),
        expects_input=not _typed(value, "NoInput", bool),
        host=_host(_field(value, "HostInfo")),
        is_nested=_typed(value, "IsNested", bool),
        adds_to_history=_typed(value, "AddToHistory", bool),
        invocation_streams=frozenset(name for bit, name in _INVOCATION_BITS.items() if streams & bit),
    )


def _host(value: Any) -> HostInfo:
    return HostInfo(
        has_host=not _typed(value, "_isHostNull", bool),
        has_ui=not _typed(value, "_isHostUINull", bool),
        has_raw_ui=not _typed(value, "_isHostRawUINull", bool),
        uses_runspace_host=_typed(value, "_useRunspaceHost", bool),
    )


def _calls(shell: Structure) -> Iterator[Call]:
    """Yield the commands of all statements; ExtraCmds, where there are any, repeat those of Cmds."""
    only = _field(shell, "Cmds")
    extra = _field(shell, "ExtraCmds", None)
    statements = [_field(item, "Cmds") for item in _items(extra, "ExtraCmds")] if extra is not None else []
    for statement in statements or [only]:
        commands = _items(statement, "Cmds")
        if not commands:
            raise Refused("Cmds is empty")
        for number, command in enumerate(commands, 1):
            yield _call(command, ends_statement=bool(statements) and number == len(commands))


def _call(command: Any, *, ends_statement: bool) -> Call:
    scope = _field(command, "UseLocalScope")
    if scope is not None and not isinstance(scope, bool):
        raise Refused("UseLocalScope is no bool")
    arguments = _field(command, "Args")
    return Call(
        name=_typed(command, "Cmd", str),
        parameters=tuple(map(_parameter, [] if arguments is None else _items(arguments, "Args"))),
        is_script=_typed(command, "IsScript", bool),
        ends_statement=ends_statement,
        merged=_merged(command),
    )


def _parameter(argument: Any) -> tuple[str | None, Any]:
    """Read one argument; its name may carry a dash and a colon."""
    name = _field(argument, "N")
    value = _field(argument, "V")
    if name is None:
        return None, value
    if not isinstance(name, str) or not name:
        raise Refused("the name of an argument")
    return name.lstrip("-").removesuffix(":"), value


def _merged(command: Any) -> frozenset[str]:
    """Tell which streams go into the output; the first three fields are those of PowerShell 2."""
    mine, target = (_enumeration(command, name, _RESULT_TYPES) for name in ("MergeMyResult", "MergeToResult"))
    _enumeration(command, "MergePreviousResults", _RESULT_TYPES)
    if (mine, target) != (0, 0) and (mine not in range(_ERROR, _NULL) or target not in {_OUTPUT, _NULL}):
        raise Refused("no such way to merge")
    found = set(_STREAMS) if mine == _ALL else {"error"} if mine == _ERROR else set()
    if target != _OUTPUT:
        found.clear()
    for name in _STREAMS:
        field = f"Merge{name.capitalize()}"
        if (
            _field(command, field, None) is not None
            and _enumeration(command, field, _RESULT_TYPES) == _OUTPUT
        ):
            found.add(name)
    return frozenset(found)
