"""Reads what the messages of a client say.

Each function takes the value of a payload and refuses what the real server refuses: a field that is missing or of
another type. Enumerations are taken as whatever PowerShell converts to a number, and as names. Names are compared
as PowerShell does; a field may stand among the adapted properties too, where it is looked up by its name.

Source: MS-PSRP 2.2.2, 2.2.3; mandatory fields as measured on a real server, conversions as RemotingDecoder of
PowerShell has them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from provisioner.wire.clixml import Primitive, Structure
from provisioner.wire.psrp.events import Call, HostInfo

_STREAMS: Final = ("error", "warning", "verbose", "debug", "information")
#: Bits of RemoteStreamOptions.
_INVOCATION_BITS: Final = {1: "error", 2: "warning", 4: "debug", 8: "verbose"}


def _numbered(names: str) -> dict[str, int]:
    return {name: number for number, name in enumerate(names.split())}


_RESULT_TYPES: Final = _numbered("none output error warning verbose debug information all null")
_THREAD_OPTIONS: Final = _numbered("default usenewthread reusethread usecurrentthread")
_APARTMENTS: Final = _numbered("sta mta unknown")
_STREAM_OPTIONS: Final = {
    "addinvocationinfotoerrorrecord": 1,
    "addinvocationinfotowarningrecord": 2,
    "addinvocationinfotodebugrecord": 4,
    "addinvocationinfotoverboserecord": 8,
    "addinvocationinfo": 15,
}
_COMMAND_TYPES: Final = {
    "alias": 0x1,
    "function": 0x2,
    "filter": 0x4,
    "cmdlet": 0x8,
    "externalscript": 0x10,
    "application": 0x20,
    "script": 0x40,
    "workflow": 0x80,
    "configuration": 0x100,
    "all": 0x1FF,
}
_NO_NAMES: Final[Mapping[str, int]] = {}
_OUTPUT: Final = 1
_ERROR: Final = 2
_ALL: Final = 7
_NULL: Final = 8
#: What a command may take over from the one before it: nothing, or output and error.
_PREVIOUS: Final = frozenset({0, _OUTPUT | _ERROR})
_MISSING: Final = object()
_ABSENT: Final = object()
_DASHES: Final = "-\u2013\u2014\u2015"
_INT32: Final = range(-(1 << 31), 1 << 31)
_WHOLE_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,10}\Z")
_NUMBERS: Final = frozenset({"C", "By", "SB", "I16", "U16", "U32", "I64", "U64", "Sg", "D"})
#: Classes that a table of private data may hold; Int16 is not among them.
_FRIENDLY: Final = (bool, str, int, float, bytes, datetime, timedelta, UUID)
_FRIENDLY_TAGS: Final = (_NUMBERS - {"I16"}) | {"Version", "URI", "SBK", "XD", "PR"}
#: Fields of HostInfo; a field that is not sent has its default, and an unknown one is refused.
_HOST_FLAGS: Final = ("_isHostNull", "_isHostUINull", "_isHostRawUINull", "_useRunspaceHost")

#: Older versions that the server itself speaks then, each exactly.
_OLD_PROTOCOLS: Final[Mapping[tuple[int, ...], str]] = {(2, 2): "2.2", (2, 1): "2.1", (2, 0): "2.0"}
_PROTOCOL: Final = (2, 3)
_CONNECT_MINOR: Final = 2
_POWERSHELL_MAJOR: Final = 2
_SERIALIZATION: Final = (1, 1)


class Refused(Exception):
    """A field is missing, or of another type than the server takes."""


@dataclass(frozen=True, slots=True)
class Capability:
    """A client's SESSION_CAPABILITY.

    ``version`` is the protocol version both ends speak. ``can_connect`` is whether such a client may take over a
    pool of another.
    """

    version: str
    is_compatible: bool
    can_connect: bool


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
    folded = name.casefold()
    for members in (value.extended, value.properties):
        if name in members:
            return members[name]
        for key, item in members.items():
            if key.casefold() == folded:
                return item
    if default is _MISSING:
        raise Refused(f"{name} is missing")
    return default


def _note(value: Any, name: str) -> Any:
    """Return a field that the server takes for a note property without asking."""
    return _field(Structure((), extended=value.extended) if isinstance(value, Structure) else value, name)


def _base(value: Any) -> Any:
    """Return what an object wraps."""
    while isinstance(value, Structure) and value.value is not None:
        value = value.value
    return value


def _typed(value: Any, name: str, kind: type) -> Any:
    found = _base(_field(value, name))
    # A bool is an int in Python and none in .NET.
    if not isinstance(found, kind) or isinstance(found, bool) is not (kind is bool):
        raise Refused(f"{name} is no {kind.__name__}")
    return found


def _text(value: Any, name: str) -> str | None:
    return None if _field(value, name) is None else str(_typed(value, name, str))


def _long(found: Any, name: str) -> int:
    match found:
        case Primitive("I64", int() as number):
            return number
    raise Refused(f"{name} is no number")


def _enumeration(value: Any, name: str, names: Mapping[str, int] = _NO_NAMES) -> int:
    found = _field(value, name)
    if isinstance(found, str):
        return _named(found, names)
    number = _number(found)
    if number is None or number not in _INT32:
        raise Refused(f"{name} is no enumeration")
    return number


def _named(text: str, names: Mapping[str, int]) -> int:
    """Read what Enum.Parse reads: a number, or names with commas between."""
    text = text.strip()
    if _WHOLE_NUMBER.match(text) and int(text) in _INT32:
        return int(text)
    number = 0
    for part in text.split(","):
        known = names.get(part.strip().casefold())
        if known is None:
            raise Refused("no name of the enumeration")
        number |= known
    return number


def _number(found: Any) -> int | None:
    """Convert as PowerShell does: nothing is zero, and fractions are rounded to the even neighbour."""
    found = _base(found)
    if isinstance(found, Primitive) and found.tag in _NUMBERS:
        found = found.value
    match found:
        case None:
            return 0
        case int():
            return int(found)
        case str() if _WHOLE_NUMBER.match(found.strip()):
            return int(found)
        case float() | Decimal():
            try:
                return round(found)
            except (ValueError, ArithmeticError):
                return None
    return None


def _version(value: Any, name: str) -> tuple[int, ...] | None:
    match _base(_field(value, name)):
        case Primitive("Version", str() as text):
            return tuple(map(int, text.split(".")))
        case None:
            return None
    raise Refused(f"{name} is no version")


def _items(found: Any, name: str) -> list[Any]:
    """Return what can be enumerated: of nothing there is nothing, and a text is a list of characters."""
    match _base(found):
        case list() as items:
            return items
        case None | "" | b"":
            return []
        case str() | bytes() as units:
            return [Primitive("C", unit) for unit in units]
        case dict() as table if not table:
            return []
    raise Refused(f"{name} is no list")


def capability(value: Any) -> Capability | None:
    """Read SESSION_CAPABILITY: None when a version is null, over which the real server stumbles for good.

    An older client is answered in its own version, a newer one in the server's.
    """
    versions = tuple(
        _version(value, name) for name in ("protocolversion", "PSVersion", "SerializationVersion")
    )
    protocol, powershell, serialization = versions
    if protocol is None or powershell is None or serialization is None:
        return None
    major, minor = protocol[:2]
    is_readable = powershell[0] == _POWERSHELL_MAJOR and (
        serialization[0] == _SERIALIZATION[0] and serialization[1] >= _SERIALIZATION[1]
    )
    spoken = _OLD_PROTOCOLS.get(protocol)
    is_known = spoken is not None or (major == _PROTOCOL[0] and minor >= _PROTOCOL[1])
    return Capability(
        spoken or ".".join(map(str, _PROTOCOL)),
        is_compatible=is_known and is_readable,
        can_connect=major == _PROTOCOL[0] and minor >= _CONNECT_MINOR and is_readable,
    )


def opening(value: Any) -> Opening:
    """Read INIT_RUNSPACEPOOL."""
    _check_table(_base(_field(value, "ApplicationArguments")))
    minimum, maximum = _typed(value, "MinRunspaces", int), _typed(value, "MaxRunspaces", int)
    threads = _enumeration(value, "PSThreadOptions", _THREAD_OPTIONS)
    _enumeration(value, "ApartmentState", _APARTMENTS)
    host = _host(_field(value, "HostInfo"))
    if not 1 <= minimum <= maximum:
        raise Refused("the size of the pool")
    return Opening(minimum, maximum, threads != 0, host)


def _check_table(table: Any) -> None:
    """Refuse what is no table of plain values: its keys are texts, and no two of them differ in case alone."""
    if table is None:
        return
    if not isinstance(table, dict) or not all(isinstance(key, str) for key in table):
        raise Refused("ApplicationArguments is no table")
    if len({key.casefold() for key in table}) != len(table):
        raise Refused("ApplicationArguments has a key twice")
    for item in table.values():
        _check_plain(item)


def _check_plain(value: Any) -> None:
    base = _base(value)
    if isinstance(base, dict):
        _check_table(base)
    elif isinstance(base, list) and (not isinstance(value, Structure) or value.tag in {"LST", "IE"}):
        for item in base:
            _check_plain(item)
    elif not (
        base is None
        or isinstance(base, _FRIENDLY)
        or (isinstance(base, Primitive) and base.tag in _FRIENDLY_TAGS)
    ):
        raise Refused("ApplicationArguments holds objects")


def connecting(value: Any) -> tuple[int, int] | None:
    """Read CONNECT_RUNSPACEPOOL: the size that the client thinks the pool has, if it says both ends of it."""
    if not isinstance(value, Structure):
        return None  # an empty string
    if any(_field(value, name, _ABSENT) is _ABSENT for name in ("MinRunspaces", "MaxRunspaces")):
        return None
    minimum, maximum = _typed(value, "MinRunspaces", int), _typed(value, "MaxRunspaces", int)
    if -1 in {minimum, maximum} or minimum > maximum:
        raise Refused("the size of the pool")
    return minimum, maximum


def count(value: Any, name: str) -> int:
    """Read the number of SET_MAX_RUNSPACES or SET_MIN_RUNSPACES: an Int32 and nothing that could become one."""
    found = _note(value, name)
    if not isinstance(found, int) or isinstance(found, bool):
        raise Refused(f"{name} is no int")
    return found


def call_id(value: Any) -> int:
    """Read the number that the answer to a question repeats."""
    return _long(_note(value, "ci"), "ci")


def public_key(value: Any) -> bytes:
    """Read PUBLIC_KEY."""
    try:
        return base64.b64decode(_typed(value, "PublicKey", str), validate=True)
    except binascii.Error:
        raise Refused("PublicKey is no base64") from None


def host_response(value: Any) -> HostResponse:
    """Read RUNSPACEPOOL_HOST_RESPONSE or PIPELINE_HOST_RESPONSE."""
    number = _long(_base(_field(value, "ci")), "ci")
    _enumeration(value, "mi")
    return HostResponse(number, _field(value, "mr", None), _field(value, "me", None))


def command_patterns(value: Any) -> tuple[str, ...]:
    """Read GET_COMMAND_METADATA; no name means every command."""
    _enumeration(value, "CommandType", _COMMAND_TYPES)
    found = _field(value, "Name")
    names, modules = (_items(_field(value, name), name) for name in ("Name", "Namespace"))
    _items(_field(value, "ArgumentList"), "ArgumentList")
    if not all(isinstance(name, str | None) for name in (*map(_base, names), *map(_base, modules))):
        raise Refused("Name or Namespace is no list of strings")
    return ("*",) if found is None or not names else tuple(_base(name) or "" for name in names)


def pipeline(value: Any, *, reads_nested: bool = True) -> Pipeline:
    """Read CREATE_PIPELINE; whether it is nested is looked at from protocol version 2.2 on."""
    host = _host(_field(value, "HostInfo"))
    _enumeration(value, "ApartmentState", _APARTMENTS)
    streams = _enumeration(value, "RemoteStreamOptions", _STREAM_OPTIONS)
    shell = _field(value, "PowerShell")
    calls = tuple(_calls(shell))
    _typed(shell, "IsNested", bool)
    _text(shell, "History")
    _typed(shell, "RedirectShellErrorOutputPipe", bool)
    return Pipeline(
        calls=calls,
        expects_input=not _typed(value, "NoInput", bool),
        host=host,
        is_nested=reads_nested and _typed(value, "IsNested", bool),
        adds_to_history=_typed(value, "AddToHistory", bool),
        invocation_streams=frozenset(name for bit, name in _INVOCATION_BITS.items() if streams & bit),
    )


def _host(value: Any) -> HostInfo:
    """Read HostInfo, whose names are compared letter by letter."""
    if not isinstance(value, Structure) or isinstance(value.value, list | dict | str):
        raise Refused("HostInfo is no object")
    flags = dict.fromkeys(_HOST_FLAGS, False)
    for name, found in (*value.extended.items(), *value.properties.items()):
        if name == "_hostDefaultData":
            _check_host_data(found)
        elif name in flags and isinstance(found, bool):
            flags[name] = found
        else:
            raise Refused(f"{name} of HostInfo")
    no_host, no_ui, no_raw_ui, uses_runspace_host = flags.values()
    return HostInfo(not no_host, not no_ui, not no_raw_ui, uses_runspace_host)


def _check_host_data(value: Any) -> None:
    """Refuse what is no table of numbers to values with the names of their classes."""
    if not isinstance(value, Structure):
        raise Refused("_hostDefaultData is no object")
    members = {**value.extended, **value.properties}
    table = _base(members.pop("data", {}))
    if members or not isinstance(table, dict):
        raise Refused("_hostDefaultData is no table")
    for key, item in table.items():
        if not isinstance(key, int) or isinstance(key, bool):
            raise Refused("a key of data")
        if item is not None and (not isinstance(_field(item, "T"), str) or _field(item, "V") is None):
            raise Refused("a value of data")


def _calls(shell: Any) -> Iterator[Call]:
    """Yield the commands of all statements; ExtraCmds, where there are any, repeat those of Cmds."""
    extra = _items(_field(shell, "ExtraCmds", None), "ExtraCmds")
    statements = [_commands(item) for item in extra]
    only = _commands(shell)
    for statement in statements or [only]:
        for number, call in enumerate(statement, 1):
            ends = bool(statements) and number == len(statement)
            yield replace(call, ends_statement=ends)


def _commands(item: Any) -> list[Call]:
    found = [_call(command) for command in _items(_field(item, "Cmds"), "Cmds")]
    if not found:
        raise Refused("Cmds is empty")
    return found


def _call(command: Any) -> Call:
    if _base(_field(command, "UseLocalScope")) is not None:
        _typed(command, "UseLocalScope", bool)
    return Call(
        name=_typed(command, "Cmd", str),
        is_script=_typed(command, "IsScript", bool),
        merged=_merged(command),
        parameters=tuple(map(_parameter, _items(_field(command, "Args"), "Args"))),
        ends_statement=False,
    )


def _parameter(argument: Any) -> tuple[str | None, Any]:
    """Read one argument. A name that begins with a dash is a token: one colon and blanks may stand behind it."""
    name = _text(argument, "N")
    value = _field(argument, "V")
    if name is None:
        return None, value
    if not name.strip():
        raise Refused("the name of an argument")
    if name[0] in _DASHES:
        name = name.rstrip()[1:].removesuffix(":")
    return name, value


def _merged(command: Any) -> frozenset[str]:
    """Tell which streams go into the output; the first three fields are those of PowerShell 2."""
    mine, target = (_enumeration(command, name, _RESULT_TYPES) for name in ("MergeMyResult", "MergeToResult"))
    if (mine, target) != (0, 0) and (
        mine in {0, _OUTPUT} or target not in {_OUTPUT, _NULL} or (mine == _ERROR and target != _OUTPUT)
    ):
        raise Refused("no such way to merge")
    if _enumeration(command, "MergePreviousResults", _RESULT_TYPES) not in _PREVIOUS:
        raise Refused("no such way to merge what came before")
    streams = {name: target if mine in {_ALL, _RESULT_TYPES[name]} else 0 for name in _STREAMS}
    for name in _STREAMS:
        field = f"Merge{name.capitalize()}"
        if _field(command, field, _ABSENT) is not _ABSENT:
            streams[name] = _enumeration(command, field, _RESULT_TYPES)
    return frozenset(name for name, to in streams.items() if to == _OUTPUT)
