"""Objects as the text that a console of Windows PowerShell shows: what Out-String and powershell.exe write.

Plain values are exact. Objects follow the rule for types without a view of their own: a table up to four
properties, a list beyond; columns are as wide as their contents. Of the views Windows brings only that of services
is known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from provisioner.lab.values import EnumValue, PsObject

_MOST_COLUMNS: Final = 4
_SERVICE: Final = "System.ServiceProcess.ServiceController"
#: Columns of types with a view, with their widths; the last one takes what is left.
_VIEWS: Final[Mapping[str, tuple[tuple[str, int], ...]]] = {
    _SERVICE: (("Status", 8), ("Name", 18), ("DisplayName", 38)),
}


def lines_of(values: Iterable[Any]) -> list[str]:
    """Give the lines of what a pipeline wrote; an empty list when there is nothing to see."""
    lines: list[str] = []
    for is_object, group in groupby(_flat(values), lambda value: isinstance(value, PsObject | dict)):
        if not is_object:
            lines += [line for value in group for line in text_of(value).split("\n")]
            continue
        for _, alike in groupby(group, _shape):
            lines += _objects(list(alike))
    return [line.rstrip("\r") for line in lines]


def text_of(value: Any) -> str:
    """Give what ToString() of a plain value gives, in the culture en-US."""
    match value:
        case None:
            return ""
        case EnumValue() | PsObject():
            return value.text or ""
        case float() if value.is_integer() and abs(value) < 1e15:  # noqa: PLR2004 - .NET writes 15 digits
            return str(int(value))
        case datetime():
            hour = value.hour % 12 or 12
            return f"{value:%A, %B} {value.day}, {value.year} {hour}:{value:%M:%S %p}"
        case list() | tuple():
            return " ".join(text_of(item) for item in value)
        case bytes():
            return " ".join(str(item) for item in value)
        case dict():
            return "System.Collections.Hashtable"
    return str(value)


def _flat(values: Iterable[Any]) -> Iterable[Any]:
    for value in values:
        if isinstance(value, list | tuple | bytes):
            yield from _flat(value)
        elif value is not None:
            yield value


def _properties(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return dict(value)
    known = {**value.properties, **value.extended}
    return {name: found for name, found in known.items() if not name.startswith("PS")}


def _shape(value: Any) -> tuple[Any, ...]:
    if isinstance(value, dict):
        return ("dict",)
    return value.type_names[0], *_properties(value)


def _objects(values: Sequence[Any]) -> list[str]:
    first = values[0]
    if isinstance(first, dict):
        rows = [{"Name": str(key), "Value": text_of(item)} for value in values for key, item in value.items()]
        return _table(("Name", "Value"), rows, {"Name": 30})
    view = _VIEWS.get(first.type_names[0])
    rows = [{name: _cell(item) for name, item in _properties(value).items()} for value in values]
    if view:
        return _table([name for name, _ in view], [_cut(row, view) for row in rows], dict(view))
    names = list(_properties(first))
    if not names:
        return [text_of(value) for value in values]
    right = {
        name
        for name, item in _properties(first).items()
        if isinstance(item, EnumValue | int | float) and not isinstance(item, bool)
    }
    if len(names) <= _MOST_COLUMNS:
        return _table(names, rows, {}, right)
    width = max(map(len, names))
    lines = ["", ""]
    for row in rows:
        lines += [*(f"{name.ljust(width)} : {row[name]}" for name in names), ""]
    return [*lines, ""]


def _cell(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "{" + ", ".join(text_of(item) for item in value) + "}"
    if isinstance(value, datetime):
        hour = value.hour % 12 or 12
        return f"{value.month}/{value.day}/{value.year} {hour}:{value:%M:%S %p}"
    return text_of(value)


def _cut(row: Mapping[str, str], view: Sequence[tuple[str, int]]) -> dict[str, str]:
    cut: dict[str, str] = {}
    for name, width in view:
        text = row.get(name, "")
        cut[name] = text if len(text) <= width else text[: width - 3] + "..."
    return cut


def _table(
    names: Sequence[str],
    rows: Sequence[Mapping[str, str]],
    fixed: Mapping[str, int],
    right: Iterable[str] = (),
) -> list[str]:
    widths = {
        name: max(fixed.get(name, 0), len(name), *(len(row.get(name, "")) for row in rows)) for name in names
    }

    def line(cells: Mapping[str, str]) -> str:
        aligned = (
            cells.get(name, "").rjust(widths[name])
            if name in right
            else cells.get(name, "").ljust(widths[name])
            for name in names
        )
        return " ".join(aligned).rstrip()

    heading = line({name: name for name in names})
    rule = line({name: "-" * len(name) for name in names})
    return ["", heading, rule, *(line(row) for row in rows), "", ""]
