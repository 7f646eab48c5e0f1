"""PowerShell types and validation attributes in the words of the catalogue.

Source of the mapping: how PowerShell itself makes the MOF class of a class based resource.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from provisioner.catalogue.importing.cursor import Static
from provisioner.catalogue.importing.declarations import Attribute, EnumDeclaration, Variable
from provisioner.catalogue.schema import CREDENTIAL_CLASS, PAIR_CLASS, CimType, Default, Limits
from provisioner.diagnostics import SourceRange

#: Told of something that stays unknown: a sentence and its position.
Report = Callable[[str, SourceRange], None]

_TYPES = {
    CimType.STRING: ("string",),
    CimType.BOOLEAN: (
        "bool",
        "boolean",
        "switch",
        "management.automation.switchparameter",
        "switchparameter",
    ),
    CimType.DATETIME: ("datetime",),
    CimType.UINT8: ("byte",),
    CimType.UINT16: ("uint16", "ushort"),
    CimType.UINT32: ("uint32", "uint"),
    CimType.UINT64: ("uint64", "ulong"),
    CimType.SINT8: ("sbyte",),
    CimType.SINT16: ("int16", "short"),
    CimType.SINT32: ("int", "int32"),
    CimType.SINT64: ("int64", "long"),
    CimType.REAL32: ("single", "float"),
    CimType.REAL64: ("double",),
    CimType.CHAR16: ("char",),
}
_BY_NAME = {name: cim for cim, names in _TYPES.items() for name in names}
_CREDENTIALS = {"pscredential", "management.automation.pscredential"}
_TABLES = {"hashtable", "collections.hashtable"}
_NULLABLE = re.compile(r"(?:system\.)?nullable\[(.*)\]", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class MofType:
    """How a PowerShell type stands in a document."""

    type: CimType
    is_array: bool = False
    embedded_class: str = ""
    value_map: tuple[str, ...] = ()


def mof_type(name: str, enums: Mapping[str, EnumDeclaration], classes: Mapping[str, str]) -> MofType | None:
    """Return how a PowerShell type is written; None when it cannot stand in a document.

    Args:
        name: The type as the script has it.
        enums: Enumerations by folded name.
        classes: Own spelling of the classes by folded name.
    """
    text = name.strip()
    if nullable := _NULLABLE.fullmatch(text):
        text = nullable[1].strip()
    is_array = text.endswith("[]")
    text = text.removesuffix("[]").strip()
    folded = text.casefold().removeprefix("system.")
    if folded in _BY_NAME:
        return MofType(_BY_NAME[folded], is_array)
    if folded in _CREDENTIALS:
        return MofType(CimType.STRING, is_array, CREDENTIAL_CLASS)
    if folded in _TABLES:
        return MofType(CimType.STRING, is_array=True, embedded_class=PAIR_CLASS)
    if folded in enums:
        # PowerShell forgets here that it was an array: the class it makes takes one value.
        return MofType(CimType.STRING, value_map=enums[folded].values)
    if folded in classes:
        return MofType(CimType.STRING, is_array, classes[folded])
    return None


def limits_of(variable: Variable, report: Report, *, is_checked_on_node: bool) -> Limits | None:
    """Return what the validation attributes of a property or parameter ask, ValidateSet aside."""
    limits = Limits(
        range=_numbers(variable.attribute("validaterange"), report),
        length=_counts(variable.attribute("validatelength"), report),
        count=_counts(variable.attribute("validatecount"), report),
        pattern=_pattern(variable.attribute("validatepattern"), report),
        refuses_empty=variable.attribute("validatenotnullorempty") is not None,
    )
    if limits == Limits():
        return None
    return Limits(
        limits.range, limits.length, limits.count, limits.pattern, limits.refuses_empty, is_checked_on_node
    )


def allowed_values(variable: Variable, report: Report) -> tuple[str, ...]:
    """Return the values a ValidateSet allows."""
    attribute = variable.attribute("validateset")
    if attribute is None:
        return ()
    if not attribute.is_whole or not attribute.values:
        report("The values of this ValidateSet are not written out, so they stay unknown.", attribute.where)
        return ()
    return tuple(_text(value) for value in _flat(attribute.values))


def is_mandatory(variable: Variable) -> bool:
    """Whether any parameter set demands the parameter."""
    return any(
        each.name == "parameter" and each.named.get("mandatory", False) is True
        for each in variable.attributes
    )


def default_of(variable: Variable) -> Default:
    """Return the default of a property or parameter, when it is a plain value."""
    default = variable.default
    if isinstance(default, list):
        plain = [item for item in default if isinstance(item, str | int | float | bool)]
        return tuple(plain) if len(plain) == len(default) else None
    return default if isinstance(default, str | int | float | bool) else None


def _numbers(attribute: Attribute | None, report: Report) -> tuple[float, float] | None:
    if attribute is None:
        return None
    values = [_as_number(value) for value in attribute.values]
    if attribute.is_whole and len(values) == 2:  # noqa: PLR2004 - smallest and largest
        low, high = values
        if low is not None and high is not None:
            return low, high
    report("The limits of this attribute are not written out, so they stay unknown.", attribute.where)
    return None


def _counts(attribute: Attribute | None, report: Report) -> tuple[int, int] | None:
    found = _numbers(attribute, report)
    return (int(found[0]), int(found[1])) if found else None


def _pattern(attribute: Attribute | None, report: Report) -> str:
    if attribute is None:
        return ""
    if attribute.values and isinstance(attribute.values[0], str):
        return attribute.values[0]
    report("The pattern of this attribute is not written out, so it stays unknown.", attribute.where)
    return ""


def _as_number(value: Static) -> float | None:
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            return None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _flat(values: tuple[Static, ...]) -> list[Static]:
    return [item for value in values for item in (value if isinstance(value, list) else [value])]


def _text(value: Static) -> str:
    return str(value) if not isinstance(value, bool) else str(value).capitalize()
