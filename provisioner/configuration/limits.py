"""Hold a value against what a schema asks beyond the type: range, length, count, pattern, not empty.

The attributes are those of PowerShell, and so is their meaning: each is asked of every item of an array, a length
counts UTF-16 units, a pattern is searched anywhere in the text without regard to case.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from provisioner.diagnostics import did_you_mean

if TYPE_CHECKING:
    from provisioner.catalogue.schema import Limits, Property
    from provisioner.configuration.shapes import Slot


class WrongValue(Exception):
    """A value cannot be converted, on its way to a diagnostic where it stands. ``help`` says what to do."""

    def __init__(self, summary: str, detail: str, help: str = "") -> None:
        self.summary = summary
        self.detail = detail
        self.help = help
        super().__init__(detail)


def check_item(slot: Slot, item: Any) -> None:
    """Check one value, which has the right type already.

    Raises:
        WrongValue: It is outside a limit.
    """
    prop, limits = slot.prop, slot.prop.limits
    assert limits is not None
    if isinstance(item, str):
        _check_text(slot, limits, item)
    if limits.values and str(item).casefold() not in {word.casefold() for word in limits.values}:
        raise WrongValue(
            "Value is not allowed",
            f"'{prop.name}' is one of: {', '.join(limits.values)}. This is '{item}'.",
            did_you_mean(str(item), limits.values) or _who(prop),
        )
    if limits.range and not isinstance(item, bool):
        _check_range(prop, limits.range, item)


def _check_range(prop: Property, bounds: tuple[float, float], item: float | str) -> None:
    lowest, highest = bounds
    try:
        number = float(item) if isinstance(item, str) else item
    except ValueError:
        number = math.nan
    # A text that spells no number is outside as well.
    if not lowest <= number <= highest:
        raise WrongValue(
            "Number is out of range",
            f"'{prop.name}' is from {_number(lowest)} to {_number(highest)}, and this is {item}.",
            _who(prop),
        )


def check_count(prop: Property, count: int) -> None:
    """Check how many items an array has.

    Raises:
        WrongValue: They are too few or too many.
    """
    limits = prop.limits
    if limits is None:
        return
    if not count and limits.refuses_empty_surely:
        raise WrongValue("Value is empty", f"'{prop.name}' must not be empty.", _who(prop))
    if limits.count and not limits.count[0] <= count <= limits.count[1]:
        fewest, most = limits.count
        raise WrongValue(
            "List has too few or too many items",
            f"'{prop.name}' has {_between(fewest, most, 'item')}, and this has {count}.",
            _who(prop),
        )


def _check_text(slot: Slot, limits: Limits, text: str) -> None:
    prop = slot.prop
    if not text and limits.refuses_empty_surely:
        raise WrongValue("Value is empty", f"'{prop.name}' must not be empty.", _who(prop))
    length = len(text.encode("utf-16-le")) // 2
    if limits.length and not limits.length[0] <= length <= limits.length[1]:
        fewest, most = limits.length
        raise WrongValue(
            "Text is too short or too long",
            f"'{prop.name}' has {_between(fewest, most, 'character')}, and this has {length}.",
            _who(prop),
        )
    if slot.pattern and not slot.pattern.search(text):
        raise WrongValue(
            "Text has another form",
            f"'{prop.name}' has to match the pattern {limits.pattern} (upper and lower case count the same).",
            _who(prop),
        )


def _who(prop: Property) -> str:
    """Say where it would have come out."""
    if prop.limits and prop.limits.is_checked_on_node:
        return "The resource refuses it on the node, when it is too late."
    return ""


def _between(fewest: int, most: int, thing: str) -> str:
    if fewest == most:
        return f"exactly {fewest} {thing}{'' if fewest == 1 else 's'}"
    return f"from {fewest} to {most} {thing}s"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)
