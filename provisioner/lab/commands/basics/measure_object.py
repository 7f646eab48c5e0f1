"""Measure-Object: how many objects came, and what their numbers come to."""

from __future__ import annotations

from typing import Any

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import texts
from provisioner.lab.values import ErrorRecord, PsObject

TYPE = "Microsoft.PowerShell.Commands.MeasureObjectCommand"
_RESULT = (
    "Microsoft.PowerShell.Commands.GenericMeasureInfo",
    "Microsoft.PowerShell.Commands.MeasureInfo",
    "System.Object",
)


async def run(invocation: Invocation) -> None:
    """Write one measure, or one for each property."""
    values = [item async for item in invocation.input]
    given = invocation.parameters.get("InputObject")
    if given is not None:
        values = given if isinstance(given, list) else [given]
    names = texts(invocation.parameters.get("Property"))
    if not names:
        invocation.output.write(_measure(values, None, invocation))
    for name in names:
        found = [value for item in values if (value := _property(item, name)) is not None]
        if not found:
            invocation.output.error(
                ErrorRecord(
                    f'The property "{name}" cannot be found in the input for any objects.',
                    f"GenericMeasurePropertyNotFound,{TYPE}",
                    "InvalidArgument",
                    "System.Management.Automation.PSArgumentException",
                    "Measure-Object",
                )
            )
            continue
        invocation.output.write(_measure(found, name, invocation))


def _property(item: Any, name: str) -> Any:
    if not isinstance(item, PsObject):
        return len(item) if isinstance(item, str) and name.casefold() == "length" else None
    known = {**item.properties, **item.extended}
    return next((value for key, value in known.items() if key.casefold() == name.casefold()), None)


def _measure(values: list[Any], name: str | None, invocation: Invocation) -> PsObject:
    wanted = invocation.parameters
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    total = sum(numbers)
    return PsObject(
        _RESULT,
        {
            "Count": len(values),
            "Average": total / len(numbers) if wanted.get("Average") and numbers else None,
            "Sum": total if wanted.get("Sum") else None,
            "Maximum": max(numbers) if wanted.get("Maximum") and numbers else None,
            "Minimum": min(numbers) if wanted.get("Minimum") and numbers else None,
            "Property": name,
        },
    )
