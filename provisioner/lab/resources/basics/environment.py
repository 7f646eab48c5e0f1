"""Environment of PSDscResources 2.12 (class MSFT_EnvironmentResource) and of Windows itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.basics.environment import ProcessEnvironment
from provisioner.lab.machine.ground.registry import ENVIRONMENT
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, invalid_operation, is_same

_NAME = Rule("Name", may_be_empty=False)
_TARGET = Rule("Target", "strings", allowed=("Process", "Machine"), may_be_empty=False)
_RULES = (
    _NAME,
    Rule("Value"),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("Path", "boolean"),
    _TARGET,
)
_BOTH = ("Process", "Machine")
#: Characters a name in the registry may not reach, as the module counts them.
_LONGEST_NAME = 1024


class Environment:
    """Stateless. Without Target both the machine and the process of the LCM count."""

    class_name = "MSFT_EnvironmentResource"
    module = "PSDscResources"
    has_target = True
    #: Whether the value of the process counts, or only that there is one.
    compares_process = True

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource: the machine's value as it is stored, or that of the process."""
        bound = bind("Get-TargetResource", self._rules(_NAME, _TARGET), properties)
        name = bound["Name"]
        value = (
            _stored(name, context)
            if "machine" in _targets(bound)
            else context.machine.area(ProcessEnvironment).get(name)
        )
        return {"Name": name, "Ensure": "Absent" if value is None else "Present", "Value": value}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: what one of the targets lacks, or has otherwise, is absent."""
        bound = bind("Test-TargetResource", self._rules(*_RULES), properties)
        is_present = is_same(bound.get("Ensure", "Present"), "Present")
        values = _currents(bound, context)
        if None in values.values():
            return not is_present
        found = [
            str(value) for target, value in values.items() if self.compares_process or target == "machine"
        ]
        wanted = str(bound.get("Value") or "")
        if not wanted:
            return is_present
        if not bound.get("Path"):
            return all(value == wanted for value in found) == is_present
        for value in found:
            if _has_paths(value, wanted, "Test-TargetResource", is_all=is_present) != is_present:
                return False
        return True

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: the process is written before the machine."""
        bound = bind("Set-TargetResource", self._rules(*_RULES), properties)
        if is_same(bound.get("Ensure", "Present"), "Present"):
            _make(bound, context)
        else:
            _take_away(bound, context)

    def _rules(self, *rules: Rule) -> tuple[Rule, ...]:
        return rules if self.has_target else tuple(rule for rule in rules if rule is not _TARGET)


class InBoxEnvironment(Environment):
    """The one that comes with Windows has no Target: it always writes both."""

    module = "PSDesiredStateConfiguration"
    has_target = False
    compares_process = False


def _targets(bound: Mapping[str, Any]) -> list[str]:
    """Give what is wanted, the process first: that is the order of writing."""
    wanted = {str(item).casefold() for item in bound.get("Target", _BOTH)}
    return [item for item in ("process", "machine") if item in wanted]


def _stored(name: str, context: ResourceContext) -> str | None:
    value = context.machine.registry.get(ENVIRONMENT, name)
    return None if value is None else str(value)


def _currents(bound: Mapping[str, Any], context: ResourceContext) -> dict[str, str | None]:
    """Give the values of the targets, the machine first; of a path the machine's is the one that is stored."""
    process = context.machine.area(ProcessEnvironment)
    name, targets = bound["Name"], _targets(bound)
    found: dict[str, str | None] = {}
    if "machine" in targets:
        stored = _stored(name, context)
        if stored is not None and not bound.get("Path"):
            # This value, unlike that of a path, is read with a cmdlet, whose errors are silenced.
            is_readable = "Get-ItemProperty" not in context.machine.ledger.failing
            stored = process.expand(stored) if is_readable else None
        found["machine"] = stored
    if "process" in targets:
        found["process"] = process.get(name)
    return found


def _split(paths: str) -> list[str]:
    return paths.split(";")


def _has(value: str, path: str) -> bool:
    return any(is_same(item, path) for item in _split(value))


def _has_paths(value: str | None, paths: str, function: str, *, is_all: bool) -> bool:
    """Whether all (blank ones aside) or any of the paths are in a value, which must not be empty."""
    if not value:
        raise ResourceError(
            "Cannot bind argument to parameter 'ExistingPaths' because it is an empty string.",
            f"ParameterArgumentValidationErrorEmptyStringNotAllowed,{function}",
            "InvalidData",
            "System.Management.Automation.ParameterBindingValidationException",
        )
    if is_all:
        return all(_has(value, path) for path in _split(paths) if path)
    return any(_has(value, path) for path in _split(paths))


def _make(bound: Mapping[str, Any], context: ResourceContext) -> None:
    name, value = bound["Name"], str(bound.get("Value") or "")
    targets = _targets(bound)
    currents = _currents(bound, context)
    if not any(currents.values()):
        if not value:
            raise invalid_operation(
                "Cannot create environment variable with an empty value. Set Ensure = Absent to remove "
                f"environment variable '{name}'."
            )
        _write(name, value, targets, context)
        return
    trimmed = value.strip(";").strip()
    if not trimmed:
        return
    if not bound.get("Path"):
        if any(current != value for current in currents.values()):
            _write(name, value, targets, context)
        return
    for target, current in currents.items():
        if not _has_paths(current, trimmed, "Set-TargetResource", is_all=True):
            missing = [path for path in _split(trimmed) if not _has(str(current), path)]
            _write(name, ";".join([str(current), *missing]).strip(";"), [target], context)


def _take_away(bound: Mapping[str, Any], context: ResourceContext) -> None:
    name, value = bound["Name"], str(bound.get("Value") or "")
    targets = _targets(bound)
    currents = _currents(bound, context)
    if all(current is None for current in currents.values()):
        return
    if not value or not bound.get("Path"):
        _delete(name, targets, context)
        return
    trimmed = value.strip(";").strip()
    if not trimmed:
        return
    for target, current in currents.items():
        items = _split(current or "")
        kept = [item for item in items if not _has(trimmed, item)]
        if current and len(kept) == len(items):
            continue
        # A target that lacks the variable has nothing left either, and so is to lose it.
        left = ";".join(kept).strip(";") if current else ""
        if not left:
            _delete(name, [target], context)
        elif left != current:
            _write(name, left, [target], context)


def _write(name: str, value: str, targets: Iterable[str], context: ResourceContext) -> None:
    machine = context.machine
    try:
        for target in targets:
            if target == "process":
                machine.ledger.attempt("SetEnvironmentVariable")
                machine.area(ProcessEnvironment).set(name, value)
                continue
            _demand_short(name)
            machine.ledger.attempt("Set-ItemProperty")
            stored = machine.registry.values(ENVIRONMENT)
            kind = next((item.kind for item in stored.values() if is_same(item.name, name)), "String")
            machine.registry.set(ENVIRONMENT, name, value, kind)
            machine.ledger.attempt("Get-ItemProperty")
    except MachineError as error:
        raise invalid_operation(
            f"Failed to set environment variable '{name}' to value '{value}'. {error.message}"
        ) from None


def _demand_short(name: str) -> None:
    if len(name) >= _LONGEST_NAME:
        raise MachineError("Argument is too long.", "ArgumentException", "InvalidArgument")


def _demand_removable(name: str, context: ResourceContext) -> None:
    _demand_short(name)
    context.machine.ledger.attempt("Get-ItemProperty")
    if _stored(name, context) is None:
        raise MachineError("There is no such variable.", name, "InvalidArgument")
    context.machine.ledger.attempt("Remove-ItemProperty")


def _delete(name: str, targets: Iterable[str], context: ResourceContext) -> None:
    machine = context.machine
    try:
        for target in targets:
            if target == "process":
                machine.ledger.attempt("SetEnvironmentVariable")
                machine.area(ProcessEnvironment).set(name, "")
            else:
                _demand_removable(name, context)
                machine.registry.delete_value(ENVIRONMENT, name)
    except MachineError:
        # Whatever failed, the text that tells of it is formatted with too few arguments.
        raise ResourceError(
            "Error formatting a string: Index (zero based) must be greater than or equal to zero and less "
            "than the size of the argument list..",
            "FormatError,Remove-EnvironmentVariable",
            "InvalidOperation",
            "System.Management.Automation.RuntimeException",
        ) from None
