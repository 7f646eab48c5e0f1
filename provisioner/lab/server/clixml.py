"""Values of simulated commands to what the wire writes, and back.

Pure functions between ``lab.values`` and the neutral values of ``wire.clixml``.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from provisioner.lab import values
from provisioner.wire.clixml import Primitive, Structure, enum_structure
from provisioner.wire.records import (
    ErrorDetails,
    InformationDetails,
    Invocation,
    error_record,
    information,
    informational,
)

_TAGS: Final[Mapping[type, str]] = {
    values.UInt8: "By",
    values.UInt16: "U16",
    values.UInt32: "U32",
    values.UInt64: "U64",
    values.Int64: "I64",
}
_CLASSES: Final[Mapping[str, type]] = {tag: kind for kind, tag in _TAGS.items()}
_NET_NAMES: Final[Mapping[type, str]] = {
    bool: "Boolean",
    str: "String",
    int: "Int32",
    float: "Double",
    bytes: "Byte[]",
    datetime: "DateTime",
    timedelta: "TimeSpan",
    uuid.UUID: "Guid",
    list: "Object[]",
    tuple: "Object[]",
    dict: "Hashtable",
    values.UInt8: "Byte",
    values.UInt16: "UInt16",
    values.UInt32: "UInt32",
    values.UInt64: "UInt64",
    values.Int64: "Int64",
}
#: The process and the thread in which simulated commands run.
_PROCESS: Final = 4196
_THREAD: Final = 12
_BASES: Final = ("System.Exception", "System.Object")


def to_wire(value: Any) -> Any:
    """Turn a value of a command into a neutral one. An unknown type is left to the writer to refuse."""
    tag = _TAGS.get(type(value))
    if tag is not None:
        return Primitive(tag, int(value))
    match value:
        case values.EnumValue(type_name, text, number):
            return enum_structure(type_name, text, number)
        case values.PsObject(type_names, properties, extended, text):
            return Structure(
                type_names,
                properties={name: to_wire(item) for name, item in properties.items()},
                extended={name: to_wire(item) for name, item in extended.items()},
                text=text,
            )
        case values.SecureString():
            return Primitive("SS", str(value))
        case values.ErrorRecord():
            return error_record(error_details(value))
        case values.TextRecord(kind, text):
            return informational(kind, text, is_merged=True)
        case values.InformationRecord():
            return information(information_details(value), is_merged=True)
        case dict():
            return {to_wire(key): to_wire(item) for key, item in value.items()}
        case list() | tuple():
            return [to_wire(item) for item in value]
        case _:
            return value


def from_wire(value: Any) -> Any:
    """Turn a neutral value from a client into what commands take.

    Numbers keep their width where commands can tell (Byte, UInt16, UInt32, UInt64, Int64); other primitives
    become the nearest Python value; a list is a list whatever its class.
    """
    match value:
        case Primitive("SS", text):
            return values.SecureString(text)
        case Primitive("D", inner):
            return format(inner, "f")
        case Primitive(tag, inner):
            kind = _CLASSES.get(tag)
            if kind is not None:
                return kind(inner)
            return chr(inner) if tag == "C" else inner
        case Structure():
            return _object_from_wire(value)
        case dict():
            return {from_wire(key): from_wire(item) for key, item in value.items()}
        case list():
            return [from_wire(item) for item in value]
        case _:
            return value


def _object_from_wire(value: Structure) -> Any:
    if isinstance(value.value, list | dict):
        return from_wire(value.value)
    if isinstance(value.value, int) and "System.Enum" in value.type_names:
        return values.EnumValue(value.type_names[0], value.text or str(value.value), value.value)
    if value.value is not None:
        return from_wire(value.value)
    return values.PsObject(
        value.type_names,
        {name: from_wire(item) for name, item in value.properties.items()},
        {name: from_wire(item) for name, item in value.extended.items()},
        value.text,
    )


def error_details(record: values.ErrorRecord) -> ErrorDetails:
    """Turn an error record of a command into what the wire sends."""
    types = tuple(dict.fromkeys((record.exception_type, *_BASES)))
    name, kind = _describe(record.target)
    return ErrorDetails(
        message=record.message,
        error_id=record.error_id,
        category=record.category,
        exception_types=types,
        activity=record.activity,
        target=to_wire(record.target),
        target_name=name,
        target_type=kind,
        invocation=_invocation(record),
    )


def information_details(record: values.InformationRecord) -> InformationDetails:
    """Turn an information record of a command into what the wire sends; all come from one process."""
    return InformationDetails(
        data=to_wire(record.data),
        source=record.source,
        when=record.when,
        user=record.user,
        computer=record.computer,
        process_id=_PROCESS,
        thread_id=_THREAD,
        tags=record.tags,
    )


def _invocation(record: values.ErrorRecord) -> Invocation | None:
    """Tell who wrote an error; the error ids of functions end with their names, those of cmdlets with classes."""
    if not record.activity:
        return None
    is_function = record.error_id.rpartition(",")[2] == record.activity
    return Invocation(record.activity, "Function" if is_function else "Cmdlet", definition=record.activity)


def _describe(target: Any) -> tuple[str, str]:
    """Return target name and type as the category line of an error shows them."""
    match target:
        case None:
            return "", ""
        case values.PsObject():
            kind = target.type_names[0].rpartition(".")[2] if target.type_names else "PSObject"
            return target.text or (target.type_names[0] if target.type_names else ""), kind
        case values.EnumValue():
            return target.text, target.type_name.rpartition(".")[2]
        case bytes() | list() | tuple() | dict():
            kind = _NET_NAMES[type(target)]
            return f"System.{kind}" if kind != "Hashtable" else "System.Collections.Hashtable", kind
        case _:
            return str(target), _NET_NAMES.get(type(target), type(target).__name__)
