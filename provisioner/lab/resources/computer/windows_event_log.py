"""WindowsEventLog of ComputerManagementDsc 10 (class DSC_WindowsEventLog)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.computer.event_log import EventLog, LogSettings
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, invalid_operation, is_same, thrown

_MODES = ("AutoBackup", "Circular", "Retain")
_FIELDS = {
    "IsEnabled": "is_enabled",
    "MaximumSizeInBytes": "size",
    "LogMode": "mode",
    "SecurityDescriptor": "security",
    "LogFilePath": "path",
    "RestrictGuestAccess": "restricts_guests",
}
_FILES = ("MessageResourceFile", "CategoryResourceFile", "ParameterResourceFile")
_NAME = Rule("LogName", is_mandatory=True)
_RULES = (
    _NAME,
    Rule("IsEnabled", "boolean"),
    Rule("MaximumSizeInBytes", "integer"),
    Rule("LogMode", allowed=_MODES),
    Rule("SecurityDescriptor"),
    Rule("LogFilePath"),
    Rule("LogRetentionDays", "integer"),
    Rule("RegisteredSource"),
    *(Rule(name) for name in _FILES),
    Rule("RestrictGuestAccess", "boolean"),
)
_SIZES = (64 * 2**10, 4 * 2**30)
_DAYS = (0, 365)
#: Windows keeps sizes in steps of this many bytes.
_STEP = 64 * 2**10
_GUESTS = "(D;;0xf0007;;;BG)"


class WindowsEventLog:
    """Stateless; what Windows rounds or rewrites is never what was asked for."""

    class_name = "DSC_WindowsEventLog"
    module = "ComputerManagementDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES, properties)
        log = _log(bound["LogName"], context)
        return {
            "LogName": bound["LogName"],
            **{name: _shown(log, name) for name in _FIELDS},
            "LogRetentionDays": log.retention_days if log.is_classic else None,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = _bind("Test-TargetResource", properties)
        log = _log(bound["LogName"], context)
        if any(not is_same(_shown(log, name), bound[name]) for name in _FIELDS if name in bound):
            return False
        if "LogRetentionDays" in bound:
            if not log.is_classic:
                _warn(log, context)
            elif log.retention_days != bound["LogRetentionDays"]:
                return False
        return _is_registered(log, bound)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: what differs."""
        bound = _bind("Set-TargetResource", properties)
        log = _log(bound["LogName"], context)
        area = context.machine.area(EventLog)
        await context.sleep(context.machine.durations.other_s)
        changes = {
            field: bound[name]
            for name, field in _FIELDS.items()
            if name in bound and not is_same(_shown(log, name), bound[name])
        }
        if "size" in changes:
            changes["size"] = -(-changes["size"] // _STEP) * _STEP
        if "restricts_guests" in changes:
            if "SecurityDescriptor" in bound:
                context.warning("The security descriptor that was given is changed to restrict guests.")
            security = changes.get("security", log.security).replace(_GUESTS, "")
            changes["security"] = security + (_GUESTS if changes["restricts_guests"] else "")
        if not _is_registered(log, bound):
            changes["sources"] = {**log.sources, bound["RegisteredSource"]: _files(log, bound)}
        if "LogRetentionDays" in bound:
            if log.is_classic and is_same(bound.get("LogMode", ""), "AutoBackup"):
                changes["retention_days"] = bound["LogRetentionDays"]
            elif not log.is_classic:
                _warn(log, context)
        if changes:
            try:
                area.change(log.name, **changes)
            except MachineError as error:
                raise thrown(error) from None


def _bind(function: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    bound = bind(function, _RULES, properties)
    for name, (least, most) in (("MaximumSizeInBytes", _SIZES), ("LogRetentionDays", _DAYS)):
        value = bound.get(name)
        if value is not None and not least <= value <= most:
            limit, kind = (
                (least, "less than the minimum") if value < least else (most, "greater than the maximum")
            )
            raise ResourceError(
                f"Cannot validate argument on parameter '{name}'. The {value} argument is {kind} allowed range of "
                f"{limit}. Supply an argument that is in the range and then try the command again.",
                f"ParameterArgumentValidationError,{function}",
                "InvalidData",
                "System.Management.Automation.ParameterBindingValidationException",
            )
    return bound


def _log(name: str, context: ResourceContext) -> LogSettings:
    try:
        return context.machine.area(EventLog).settings(name)
    except MachineError:
        raise invalid_operation(f"The event log '{name}' was not found.") from None


def _shown(log: LogSettings, name: str) -> Any:
    return log.file if name == "LogFilePath" else getattr(log, _FIELDS[name])


def _warn(log: LogSettings, context: ResourceContext) -> None:
    context.warning(
        f"LogRetentionDays is not supported on the event log '{log.name}', which is no classic log."
    )


def _is_registered(log: LogSettings, bound: Mapping[str, Any]) -> bool:
    source = bound.get("RegisteredSource")
    if source is None:
        return True
    found = next((files for name, files in log.sources.items() if is_same(name, source)), None)
    return found is not None and all(
        is_same(bound[name], file) for name, file in zip(_FILES, found, strict=True) if name in bound
    )


def _files(log: LogSettings, bound: Mapping[str, Any]) -> tuple[str, str, str]:
    message, category, parameter = log.sources.get(bound["RegisteredSource"], ("", "", ""))
    return (
        bound.get("MessageResourceFile", message),
        bound.get("CategoryResourceFile", category),
        bound.get("ParameterResourceFile", parameter),
    )
