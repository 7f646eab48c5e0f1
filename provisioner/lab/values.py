"""Values that simulated commands take and give, independent of how they travel.

Commands give Python values (None, bool, str, int = Int32, float = Double, bytes = Byte[], datetime, list =
Object[], dict = Hashtable) or the classes here where .NET knows more than Python does. ``wire/clixml`` turns
them into CLIXML. Parameters arrive in the same forms.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


class UInt8(int):
    """System.Byte."""


class UInt16(int):
    """System.UInt16."""


class UInt32(int):
    """System.UInt32."""


class UInt64(int):
    """System.UInt64."""


class Int64(int):
    """System.Int64."""


class SecureString(str):
    """System.Security.SecureString; travels encrypted, and is not shown by mistake."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "SecureString(...)"


@dataclass(frozen=True, slots=True)
class EnumValue:
    """A .NET enumeration value; travels as Int32 with its type names and text."""

    type_name: str
    text: str
    number: int


@dataclass(slots=True)
class PsObject:
    """A .NET object.

    ``type_names``: most derived first, System.Object last. ``properties`` are adapted ones (``<Props>``),
    ``extended`` note properties (``<MS>``). ``text`` is what ToString() gives.
    """

    type_names: tuple[str, ...]
    properties: dict[str, Any] = field(default_factory=dict)
    extended: dict[str, Any] = field(default_factory=dict)
    text: str | None = None


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """A PowerShell error record.

    ``error_id`` is the FullyQualifiedErrorId, ``category`` the name of the ErrorCategory, ``reason`` and
    ``exception_type`` the .NET exception (short, full name), ``activity`` the command.
    """

    message: str
    error_id: str
    category: str
    exception_type: str = "System.Exception"
    activity: str = ""
    target: Any = None

    @property
    def reason(self) -> str:
        """Short name of the exception."""
        return self.exception_type.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class TextRecord:
    """A record of text among the output, where the client merged its stream.

    ``kind`` is Warning, Verbose or Debug.
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class InformationRecord:
    """What a command wrote to the information stream: any value, who wrote it where and when, and its tags."""

    data: Any
    source: str
    when: datetime
    user: str
    computer: str
    tags: tuple[str, ...] = ()


class TerminatingError(Exception):
    """Ends a pipeline (state Failed) with ``record``.

    Inside a script it ends one statement, and the script too only if it ``ends_script``: what was thrown, an error
    under ``-ErrorAction Stop``, text that cannot be run.
    """

    def __init__(self, record: ErrorRecord, *, ends_script: bool = False) -> None:
        self.record = record
        self.ends_script = ends_script
        super().__init__(record.message)


class ScriptExit(Exception):
    """A script ended by ``exit``; the host is told ``code``, and nothing after it runs."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class CommandCall:
    """One command of a pipeline as the client sent it.

    ``parameters`` in order; a name of None is positional; a switch has the value True. ``merged`` names the
    streams that go into its output.
    """

    name: str
    parameters: tuple[tuple[str | None, Any], ...] = ()
    is_script: bool = False
    ends_statement: bool = False
    merged: frozenset[str] = frozenset()
