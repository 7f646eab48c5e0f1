"""Describes a neutral value as the recordings describe what real PowerShell read.

Only what the reader knows: classes and values, items, entries and members. What .NET makes of a class it knows (an
address, a credential) is not.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from provisioner.wire.clixml import Primitive, Structure
from provisioner.wire.clixml.scalars import write_number, write_single
from provisioner.wire.clixml.values import Span

_TAGS = {
    "C": "System.Char",
    "By": "System.Byte",
    "SB": "System.SByte",
    "I16": "System.Int16",
    "U16": "System.UInt16",
    "U32": "System.UInt32",
    "I64": "System.Int64",
    "U64": "System.UInt64",
    "Sg": "System.Single",
    "D": "System.Decimal",
    "Version": "System.Version",
    "URI": "System.Uri",
    "SBK": "System.String",
    "XD": "System.Xml.XmlDocument",
    "PR": "System.Management.Automation.ProgressRecord",
    "SS": "System.Security.SecureString",
}
_CLASSES: dict[type, str] = {
    bool: "System.Boolean",
    str: "System.String",
    int: "System.Int32",
    float: "System.Double",
    bytes: "System.Byte[]",
    datetime: "System.DateTime",
    timedelta: "System.TimeSpan",
    uuid.UUID: "System.Guid",
}
_LISTS = {
    "LST": "System.Collections.ArrayList",
    "IE": "System.Collections.ArrayList",
    "QUE": "System.Collections.Queue",
    "STK": "System.Collections.Stack",
}
_BAG = "System.Management.Automation.PSCustomObject"
_MADE_AGAIN = {
    "System.Management.Automation.PSCredential",
    "System.Net.IPAddress",
    "System.Management.Automation.SwitchParameter",
}


def class_of(value: Any) -> str:
    """Name the .NET class of what was read."""
    match value:
        case None:
            return "null"
        case Primitive(tag):
            return _TAGS[tag]
        case Structure(value=list()):
            return _LISTS[value.tag]
        case Structure(value=dict()):
            return "System.Collections.Hashtable"
        case Structure(value=None):
            return _BAG
        case Structure():
            return class_of(value.value)
    return next(name for kind, name in _CLASSES.items() if isinstance(value, kind))


def text_of(value: Any) -> str | None:  # noqa: C901 - one case per kind
    """Return what ToString() gives in the invariant culture; None where only .NET knows."""
    match value:
        case bool():
            return str(value)
        case float():
            return write_number(value).replace("INF", "Infinity")
        case Primitive("Sg", number):
            return write_single(number).replace("INF", "Infinity")
        case bytes():
            return " ".join(map(str, value))
        case datetime():
            return f"{value.month:02d}/{value.day:02d}/{value.year:04d} {value:%H:%M:%S}"
        case timedelta():
            return _span(value)
        case Primitive("C", number):
            return chr(number)
        case Primitive("D", Decimal() as number):
            return format(number, "f")
        case Primitive("SS" | "XD" | "PR", _) | None:
            return None
        case Primitive(_, inner):
            return str(inner)
        case Structure():
            return (
                text_of(value.value) if not isinstance(value.value, list | dict | type(None)) else value.text
            )
    return str(value)


def _span(value: timedelta) -> str:
    tick = abs(value.ticks) % 10 if isinstance(value, Span) else 0
    is_negative = value.ticks < 0 if isinstance(value, Span) else value < timedelta(0)
    sign, value = ("-", -value) if is_negative else ("", value)
    hours, rest = divmod(value.seconds, 3600)
    days = f"{value.days}." if value.days else ""
    fraction = f".{value.microseconds:06d}{tick}" if value.microseconds or tick else ""
    return f"{sign}{days}{hours:02d}:{rest // 60:02d}:{rest % 60:02d}{fraction}"


def disagreement(value: Any, described: dict[str, Any], path: str = "$") -> str:
    """Tell where a value is not what was described; empty when it is."""
    if class_of(value) != described["type"]:
        return f"{path}: {class_of(value)} is no {described['type']}"
    text = text_of(value)
    if (
        text is not None
        and "string" in described
        and described["type"] != _BAG
        and text != described["string"]
    ):
        return f"{path}: {text!r} is not {described['string']!r}"
    if not isinstance(value, Structure):
        return ""
    return _names(value, described, path) or _parts(value, described, path)


def _names(value: Structure, described: dict[str, Any], path: str) -> str:
    if not value.type_names or value.type_names[0] in _MADE_AGAIN:
        return ""
    wanted = [
        name if name.startswith("Deserialized.") else f"Deserialized.{name}" for name in value.type_names
    ]
    found = described.get("type_names", [])[: len(wanted)]
    return f"{path}: {wanted} are not {found}" if found != wanted else ""


def _parts(value: Structure, described: dict[str, Any], path: str) -> str:
    inner = value.value
    if isinstance(inner, list) and "items" in described:
        items = inner[::-1] if value.tag == "STK" else inner
        if len(items) != len(described["items"]):
            return f"{path}: {len(items)} items, not {len(described['items'])}"
        for number, (item, other) in enumerate(zip(items, described["items"], strict=True)):
            if found := disagreement(item, other, f"{path}[{number}]"):
                return found
    if isinstance(inner, dict) and "entries" in described:
        entries = {_key(entry["key"]): entry["value"] for entry in described["entries"]}
        if {str(text_of(key) or key) for key in inner} != set(entries):
            return f"{path}: keys {sorted(map(str, inner))} are not {sorted(entries)}"
        for key, item in inner.items():
            if found := disagreement(item, entries[str(text_of(key) or key)], f"{path}{{{key}}}"):
                return found
    if inner is None and "properties" in described:
        return _members(value, described["properties"], path)
    return ""


def _key(described: dict[str, Any]) -> str:
    return str(described.get("string", ""))


def _members(value: Structure, described: list[dict[str, Any]], path: str) -> str:
    members = {**value.extended, **value.properties}
    others = {item["name"]: item.get("value") for item in described}
    if list(members) != list(others):
        return f"{path}: members {list(members)} are not {list(others)}"
    for name, member in members.items():
        other = others[name]
        if (
            isinstance(other, dict)
            and "type" in other
            and (found := disagreement(member, other, f"{path}.{name}"))
        ):
            return found
    return ""
