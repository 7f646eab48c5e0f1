"""VirtualMemory of ComputerManagementDsc 10 (class DSC_VirtualMemory)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.computer.page_file import PageFile, PageFiles
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, invalid_operation
from provisioner.lab.resources.calls import works, written

_AUTO, _CUSTOM, _SYSTEM, _NONE = "AutoManagePagingFile", "CustomSize", "SystemManagedSize", "NoPagingFile"
_KEYS = (
    Rule("Drive", is_mandatory=True),
    Rule("Type", allowed=(_AUTO, _CUSTOM, _SYSTEM, _NONE), is_mandatory=True),
)
_RULES = (*_KEYS, Rule("InitialSize", "integer"), Rule("MaximumSize", "integer"))
_GET = "Get-CimInstance"
_RUNTIME = "System.Management.Automation.RuntimeException"


class VirtualMemory:
    """Stateless; it tests settings, which count from the boot on that every Set asks for."""

    class_name = "DSC_VirtualMemory"
    module = "ComputerManagementDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource; while Windows manages the page file no drive is shown."""
        bound = bind("Get-TargetResource", _KEYS, properties)
        is_automatic = _is_automatic(context)
        found = None if is_automatic else _existing(bound["Drive"], context)
        return {
            "Drive": found.name[:3] if found else "",
            "Type": _AUTO if is_automatic else _type(found),
            "InitialSize": found.initial if found else 0,
            "MaximumSize": found.maximum if found else 0,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        wanted, is_automatic = _wanted(bound), _is_automatic(context)
        if wanted == _AUTO or is_automatic:
            return wanted == _AUTO and is_automatic
        found = _existing(bound["Drive"], context)
        if wanted == _NONE or found is None:
            return wanted == _NONE and found is None
        return (found.initial, found.maximum) == _sizes(bound)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: errors of the CIM cmdlets are written, and the reboot is asked for all the same."""
        bound = bind("Set-TargetResource", _RULES, properties)
        files = context.machine.area(PageFiles)
        wanted, is_automatic = _wanted(bound), _is_automatic(context)
        await context.sleep(context.machine.durations.other_s)
        if wanted == _AUTO:
            written(context, "Set-CimInstance", lambda: files.manage(automatic=True))
            context.reboot_requested = True
            return
        if is_automatic:
            written(context, "Set-CimInstance", lambda: files.manage(automatic=False))
        root = _ready(bound["Drive"], context)
        found = files.find(root[:2]) if works(context, _GET) else None
        if wanted == _NONE:
            if found:
                written(context, "Remove-CimInstance", lambda: files.remove(root[:2]))
                context.reboot_requested = True
            return
        if found is None:
            _make(f"{root}pagefile.sys", context)
        initial, maximum = _sizes(bound)
        written(context, "Set-CimInstance", lambda: files.resize(root[:2], initial, maximum))
        context.reboot_requested = True


def _is_automatic(context: ResourceContext) -> bool:
    return works(context, _GET) and context.machine.area(PageFiles).is_automatic


def _wanted(bound: Mapping[str, Any]) -> str:
    return next(item for item in _KEYS[1].allowed if item.casefold() == bound["Type"].casefold())


def _sizes(bound: Mapping[str, Any]) -> tuple[int, int]:
    if _wanted(bound) != _CUSTOM:
        return 0, 0
    return int(bound.get("InitialSize") or 0), int(bound.get("MaximumSize") or 0)


def _type(found: PageFile | None) -> str:
    if found is None:
        return _NONE
    return _CUSTOM if found.initial or found.maximum else _SYSTEM


def _root(drive: str) -> str | None:
    r"""Give the root (``C:\``) of what System.IO.DriveInfo takes for a drive; None when it takes it for none."""
    found = re.fullmatch(r"([A-Za-z])(:.*)?", drive, re.DOTALL)
    return f"{found[1]}:\\" if found else None


def _existing(drive: str, context: ResourceContext) -> PageFile | None:
    """Find the page file of a drive; what is no drive leaves the errors of three statements."""
    root = _root(drive)
    if root is not None:
        return context.machine.area(PageFiles).find(root[:2]) if works(context, _GET) else None
    context.nonterminating += [
        _no_drive(drive),
        ResourceError(
            "You cannot call a method on a null-valued expression.",
            "InvokeMethodOnNull",
            "InvalidOperation",
            _RUNTIME,
        ),
        _empty("Drive", "Get-PageFileSetting"),
    ]
    return None


def _make(name: str, context: ResourceContext) -> None:
    if works(context, "Join-Path"):
        written(context, "New-CimInstance", lambda: context.machine.area(PageFiles).add(name))
    else:
        context.nonterminating.append(_empty("PageFileName", "New-PageFile"))


def _empty(parameter: str, function: str) -> ResourceError:
    return ResourceError(
        f"Cannot bind argument to parameter '{parameter}' because it is an empty string.",
        f"ParameterArgumentValidationErrorEmptyStringNotAllowed,{function}",
        "InvalidData",
        "System.Management.Automation.ParameterBindingValidationException",
    )


def _ready(drive: str, context: ResourceContext) -> str:
    root = _root(drive)
    if root is None:
        context.nonterminating.append(_no_drive(drive))
    if root is None or root[0].upper() not in context.machine.files.volumes:
        raise invalid_operation(
            f"Drive {root or ''} is not ready. Please ensure that the drive exists and is available."
        )
    return root


def _no_drive(drive: str) -> ResourceError:
    return ResourceError(
        f'Cannot convert value "{drive}" to type "System.IO.DriveInfo". Error: "Object must be a root directory '
        '("C:\\") or a drive letter ("C")."',
        "InvalidCastConstructorException",
        "InvalidArgument",
        _RUNTIME,
    )
