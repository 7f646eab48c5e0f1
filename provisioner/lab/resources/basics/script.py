"""Script of PSDscResources 2.12 and of Windows itself (class MSFT_ScriptResource): refused, loudly.

The lab does not run PowerShell, so it cannot know what a script would answer; it says so instead of guessing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind

_RULES = (
    *(Rule(name, may_be_empty=False) for name in ("GetScript", "SetScript", "TestScript")),
    Rule("Credential", "any", may_be_empty=False),
)


class Script:
    """Stateless. Every call throws as a host does that has no language."""

    class_name = "MSFT_ScriptResource"
    module = "PSDscResources"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        self._refuse("Get-TargetResource", properties, context)

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        self._refuse("Test-TargetResource", properties, context)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        self._refuse("Set-TargetResource", properties, context)

    def _refuse(self, function: str, properties: Mapping[str, Any], context: ResourceContext) -> NoReturn:
        bind(function, _RULES, properties)
        context.verbose("The lab runs no scripts.")
        raise ResourceError(
            "The syntax is not supported by this runspace. This can occur if the runspace is in no-language mode. "
            "(A simulated node runs no scripts: use a resource that says what it wants.)",
            "ScriptsNotAllowed",
            "ParserError",
            "System.Management.Automation.ParseException",
        )


class InBoxScript(Script):
    """The one that comes with Windows."""

    module = "PSDesiredStateConfiguration"


class XScript(Script):
    """The one of xPSDesiredStateConfiguration."""

    class_name = "DSC_xScriptResource"
    module = "xPSDesiredStateConfiguration"
