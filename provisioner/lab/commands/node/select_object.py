"""Select-Object: objects with some of the properties, the first of them, or both.

Calculated properties are script blocks, which a node does not run.
"""

from __future__ import annotations

import fnmatch
from typing import Any

from provisioner.lab.commands.base import Invocation
from provisioner.lab.values import (
    EnumValue,
    ErrorRecord,
    Int64,
    PsObject,
    TerminatingError,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
)

TYPE = "Microsoft.PowerShell.Commands.SelectObjectCommand"
_CUSTOM = "System.Management.Automation.PSCustomObject"
#: .NET's names of the values that Python has types of its own for; subclasses before their base.
_NAMES: tuple[tuple[type, str], ...] = (
    (bool, "System.Boolean"),
    (UInt8, "System.Byte"),
    (UInt16, "System.UInt16"),
    (UInt32, "System.UInt32"),
    (UInt64, "System.UInt64"),
    (Int64, "System.Int64"),
    (int, "System.Int32"),
    (float, "System.Double"),
    (str, "System.String"),
    (dict, "System.Collections.Hashtable"),
)


async def run(invocation: Invocation) -> None:
    """Write what is selected; a property that an object does not have becomes null."""
    expanded = invocation.parameters.get("ExpandProperty")
    patterns = [_pattern(item) for item in invocation.parameters.get("Property") or ()]
    left = invocation.parameters.get("First")
    async for value in invocation.input:
        if left is not None:
            if left <= 0:
                return
            left -= 1
        if expanded:
            _expand(value, expanded, invocation)
            continue
        invocation.output.write(_selected(value, patterns) if patterns else value)


def _expand(value: Any, name: str, invocation: Invocation) -> None:
    known = {**value.properties, **value.extended} if isinstance(value, PsObject) else {}
    if isinstance(value, str):
        known = {"Length": len(value)}
    found = [item for other, item in known.items() if other.casefold() == name.casefold()]
    if not found:
        invocation.output.error(
            ErrorRecord(
                f'Property "{name}" cannot be found.',
                f"ExpandPropertyNotFound,{TYPE}",
                "InvalidArgument",
                "System.Management.Automation.PSArgumentException",
                "Select-Object",
                value,
            )
        )
        return
    for item in found[0] if isinstance(found[0], list) else [found[0]]:
        invocation.output.write(item)


def _pattern(item: Any) -> str:
    if isinstance(item, str):
        return item
    kind = _type_name(item)
    raise TerminatingError(
        ErrorRecord(
            f"Cannot convert {kind} to one of the following types {{System.String, "
            "System.Management.Automation.ScriptBlock}.",
            f"DictionaryKeyUnknownType,{TYPE}",
            "InvalidArgument",
            "System.NotSupportedException",
            "Select-Object",
        )
    )


def _selected(value: Any, patterns: list[str]) -> PsObject:
    known = {**value.properties, **value.extended} if isinstance(value, PsObject) else {}
    if isinstance(value, str):
        known = {"Length": len(value)}
    by_name = {name.casefold(): name for name in known}
    chosen: dict[str, Any] = {}
    for pattern in patterns:
        if any(mark in pattern for mark in "*?["):
            wanted = pattern.casefold()
            chosen.update(
                (name, known[name]) for folded, name in by_name.items() if fnmatch.fnmatchcase(folded, wanted)
            )
        else:
            name = by_name.get(pattern.casefold(), pattern)
            chosen.setdefault(name, known.get(name))
    return PsObject((f"Selected.{_type_name(value)}", _CUSTOM, "System.Object"), extended=chosen)


def _type_name(value: Any) -> str:
    match value:
        case PsObject(type_names=(first, *_)):
            return first
        case EnumValue():
            return value.type_name
    return next((name for kind, name in _NAMES if isinstance(value, kind)), "System.Object")
