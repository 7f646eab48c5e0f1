"""xHotfix of xWindowsUpdate 2.8 (class MSFT_xWindowsUpdate): what wusa.exe returns is lost on the way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.security.hotfixes import Hotfixes
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, invalid_argument, is_same

_RULES = (
    Rule("Path", is_mandatory=True, may_be_empty=False),
    Rule("Id", is_mandatory=True, may_be_empty=False),
    Rule("Log"),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("Credential", "any"),
)


class Hotfix:
    """Stateless. A reboot is never asked for, although wusa.exe would want one."""

    class_name = "MSFT_xWindowsUpdate"
    module = "xWindowsUpdate"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource: an update that is not installed is an error."""
        bound = bind("Get-TargetResource", _RULES[:2], properties)
        number = _number(bound["Id"])
        if not context.machine.area(Hotfixes).is_listed(number):
            raise ResourceError(
                "Cannot find the requested hotfix on the 'localhost' computer. Verify the input and run the "
                "command again.",
                "GetHotFixNoEntriesFound,Microsoft.PowerShell.Commands.GetHotFixCommand",
                "ObjectNotFound",
                "System.ArgumentException",
            )
        return {"Path": "", "Id": f"KB{number}", "Log": ""}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        is_listed = context.machine.area(Hotfixes).is_listed(_number(bound["Id"]))
        return is_listed == is_same(bound.get("Ensure", "Present"), "Present")

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: only an error event in the log of wusa.exe is noticed."""
        bound = bind("Set-TargetResource", _RULES, properties)
        number = _number(bound["Id"])
        await context.sleep(context.machine.durations.msi_s)
        hotfixes = context.machine.area(Hotfixes)
        if is_same(bound.get("Ensure", "Present"), "Present"):
            failed = hotfixes.install(bound["Path"])
        else:
            failed = hotfixes.uninstall(number)
        if failed:
            raise ResourceError(
                f"Could not install or uninstall the windows update. Error message is {failed}",
                f"Could not install or uninstall the windows update. Error message is {failed}",
                "OperationStopped",
                "System.Management.Automation.RuntimeException",
            )


def _number(text: str) -> str:
    found = re.fullmatch(r"(?:kb)?(\d+)", text, re.IGNORECASE)
    if found is None:
        raise invalid_argument("Id must be formated either KBNNNNNNN or NNNNNNN.", "Id")
    return found[1]
