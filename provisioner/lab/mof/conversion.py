"""Types of MOF literals against types of properties: what converts, what is refused and with which words."""

from __future__ import annotations

import re

from provisioner.catalogue.schema import CimType, Property
from provisioner.lab.mof.lexer import Char16
from provisioner.lab.mof.reader import Instance, Scalar, Value

_DATETIME = re.compile(r"[0-9]{14}\.[0-9]{6}[+-][0-9]{3}|[0-9]{8}[0-9]{6}\.[0-9]{6}:000")
_REALS = frozenset({CimType.REAL32, CimType.REAL64})


class ConversionError(Exception):
    """A value that does not fit its property; the text is the parser's."""


def check(value: Value, prop: Property) -> None:
    """Check one value against its property. NULL fits every type.

    Raises:
        ConversionError: it does not fit. A scalar never stands for an array of one, nor the other way round.
    """
    if value is None:
        return
    if isinstance(value, list) != prop.is_array:
        raise _refused(value, prop)
    for item in value if isinstance(value, list) else [value]:
        _check_scalar(item, value, prop)


def _check_scalar(item: Scalar, whole: Value, prop: Property) -> None:
    if prop.embedded_class:
        if not isinstance(item, Instance):
            raise _refused(whole, prop)
        if item.class_name.casefold() != prop.embedded_class.casefold():
            raise ConversionError(
                "Embedded (reference) property value not valid. The value object is of class type "
                f"'{item.class_name}', which is not '{prop.embedded_class}' or its derived classes."
            )
        return
    bounds = prop.type.integer_range
    if bounds and isinstance(item, int) and not isinstance(item, bool):
        if not bounds[0] <= item <= bounds[1]:
            raise ConversionError(f"Initializer out of range: {item}")
        return
    fits = {
        CimType.STRING: isinstance(item, str) and not isinstance(item, Char16),
        CimType.BOOLEAN: isinstance(item, bool),
        CimType.CHAR16: isinstance(item, Char16),
        CimType.DATETIME: isinstance(item, str) and bool(_DATETIME.fullmatch(item)),
    }
    if prop.type in _REALS and isinstance(item, int | float) and not isinstance(item, bool):
        return
    if not fits.get(prop.type, False):
        raise _refused(whole, prop)


def _refused(value: Value, prop: Property) -> ConversionError:
    target = "INSTANCE" if prop.embedded_class else prop.type.value.upper()
    suffix = "[]" if prop.is_array else ""
    return ConversionError(
        f"Convert property '{prop.name}' value from type '{_literal_type(value)}' to type "
        f"'{target}{suffix}' failed"
    )


def _literal_type(value: Value) -> str:
    match value:
        case list():
            return (_literal_type(value[0]) if value else "STRING") + "[]"
        case Instance():
            return "INSTANCE"
        case bool():
            return "BOOLEAN"
        case int():
            return "SINT64"
        case float():
            return "REAL64"
        case Char16():
            return "CHAR16"
        case None:
            return "NULL"
        case str():
            return "STRING"
