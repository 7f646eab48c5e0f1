"""What cmdlets over CIM classes (CDXML modules) have in common: how their objects look, how their queries fail.

A query that looks for one property names it in the error of each value it does not find; one with several
conditions fails as a whole.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import record, texts
from provisioner.lab.machine.area import MachineError
from provisioner.lab.values import ErrorRecord, PsObject, TerminatingError

STANDARD = "ROOT/StandardCimv2"
_PREFIX = "Microsoft.Management.Infrastructure.CimInstance"
_JOB = "Microsoft.PowerShell.Cmdletization.Cim.CimJobException"

T = TypeVar("T")


def instance(
    class_name: str,
    properties: Mapping[str, Any],
    extended: Mapping[str, Any] | None = None,
    *,
    namespace: str = STANDARD,
    key: str = "",
) -> PsObject:
    """Make an object of a class; ``extended`` are the properties that PowerShell adds."""
    types = (f"{_PREFIX}#{namespace}/{class_name}", f"{_PREFIX}#{class_name}", _PREFIX, "System.Object")
    text = f'{class_name} (InstanceID = "{key}")' if key else class_name
    return PsObject(types, {**properties, "PSComputerName": None}, dict(extended or {}), text)


def value_of(item: Any, name: str) -> Any:
    """Read a property of an object that came down the pipeline; None when it has none."""
    if isinstance(item, PsObject):
        return {**item.properties, **item.extended}.get(name)
    return item.get(name) if isinstance(item, dict) else None


async def piped(invocation: Invocation, parameter: str = "InputObject") -> list[Any]:
    """Give the objects a command works on: those of a parameter, or those of the pipeline."""
    given = invocation.parameters.get(parameter)
    if given is not None:
        return list(given) if isinstance(given, list | tuple) else [given]
    return [item async for item in invocation.input]


def query(
    invocation: Invocation,
    cmdlet: str,
    class_name: str,
    rows: Sequence[T],
    readers: Mapping[str, Callable[[T], Any]],
) -> list[T]:
    """Give the rows that fit the given parameters; what fits nothing leaves an error.

    ``readers`` say by the name of a parameter what it is compared with, in text.
    """
    given = {name: texts(invocation.parameters[name]) for name in readers if name in invocation.parameters}
    found = list(rows)
    for name, patterns in given.items():
        read = readers[name]
        found = [item for item in found if any(_fits(str(read(item)), pattern) for pattern in patterns)]
    if len(given) == 1:
        ((name, patterns),) = given.items()
        for pattern in patterns:
            if not any(char in pattern for char in "*?[") and not any(
                _fits(str(readers[name](item)), pattern) for item in found
            ):
                invocation.output.error(_not_found(cmdlet, class_name, name, pattern))
    elif (
        given
        and not found
        and not any(char in item for each in given.values() for item in each for char in "*?[")
    ):
        invocation.output.error(
            ErrorRecord(
                f"No matching {class_name} objects found by CIM query for instances of the "
                f"{STANDARD}/{class_name} class on the CIM server. Verify query parameters and retry.",
                f"CmdletizationQuery_NotFound,{cmdlet}",
                "ObjectNotFound",
                _JOB,
                cmdlet,
                class_name,
            )
        )
    return found


def _fits(value: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(value.casefold(), pattern.casefold())


def _not_found(cmdlet: str, class_name: str, name: str, wanted: str) -> ErrorRecord:
    return ErrorRecord(
        f"No {class_name} objects found with property '{name}' equal to '{wanted}'.  Verify the value of the "
        "property and retry.",
        f"CmdletizationQuery_NotFound_{name},{cmdlet}",
        "ObjectNotFound",
        _JOB,
        cmdlet,
        wanted,
    )


def act(invocation: Invocation, cmdlet: str, action: Callable[[], None], target: Any = None) -> bool:
    """Run an action of the machine; its failure is written as the error of ``cmdlet``. Tells whether it worked."""
    try:
        action()
    except MachineError as error:
        failed = record(error, cmdlet, cmdlet, target)
        if error.is_terminating:
            raise TerminatingError(failed) from None
        invocation.output.error(failed)
        return False
    return True
