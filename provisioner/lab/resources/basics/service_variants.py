"""The service resources of Windows itself and of xPSDesiredStateConfiguration 9.2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.basics.service import RULES, Service
from provisioner.lab.resources.binding import Rule, bind, invalid_argument, is_same


class InBoxService(Service):
    """The one that comes with Windows: an existing service keeps what only its making sets."""

    module = "PSDesiredStateConfiguration"
    rules = tuple(
        Rule("State", allowed=("Running", "Stopped")) if rule.name == "State" else rule for rule in RULES
    )
    stops_by_force = True
    checks_absent = False

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource: a missing service is an error here."""
        name = bind("Get-TargetResource", self.rules[:1], properties)["Name"]
        if context.machine.services.find(name) is None:
            raise ResourceError(
                f"Service '{name}' does not exist.",
                "ServiceNotFound",
                "ObjectNotFound",
                "System.ArgumentException",
            )
        return await super().get(properties, context)

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: names, descriptions and dependencies do not count."""
        return await super().test(_counted(bind("Test-TargetResource", self.rules, properties)), context)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: a path for a service that is there is always an error."""
        bound = bind("Set-TargetResource", self.rules, properties)
        service = context.machine.services.find(bound["Name"])
        if service is None or is_same(bound.get("Ensure", "Present"), "Absent"):
            await super().set(bound, context)
            return
        if "Path" in bound:
            is_equal = is_same(bound["Path"], service.path)
            raise ResourceError(
                f"Service '{service.name}' exists already, with the path '{service.path}'.",
                "ServiceExistsSamePath" if is_equal else "ServiceAlreadyExists",
                "InvalidOperation",
                "System.ArgumentException",
            )
        await super().set(_counted(bound), context)

    def conflict(self, reason: str, text: str) -> ResourceError:
        """Make the error of two properties that do not go together."""
        return ResourceError(text, _IDS[reason], "InvalidArgument", "System.ArgumentException")


def _counted(bound: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in bound.items() if name not in _ONLY_MADE_WITH}


_ONLY_MADE_WITH = {"Path", "DisplayName", "Description", "Dependencies"}
_IDS = {
    "Automatic": "CannotStopServiceSetToStartAutomatically",
    "Disabled": "CannotStartAndDisable",
    "Account": "OnlyCredentialOrBuiltInAccount",
}


_ACCOUNT = Rule("GroupManagedServiceAccount", may_be_empty=False)


class XService(Service):
    """xService: also group managed service accounts, which exclude the two other kinds of account."""

    class_name = "DSC_xServiceResource"
    module = "xPSDesiredStateConfiguration"

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", (*self.rules, _ACCOUNT), properties)
        return await super().test(_with_account(bound), context)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = bind("Set-TargetResource", (*self.rules, _ACCOUNT), properties)
        await super().set(_with_account(bound), context)


def _with_account(bound: Mapping[str, Any]) -> dict[str, Any]:
    """Put a group managed account in the place of a credential: its name is what is compared and written."""
    rest = {name: value for name, value in bound.items() if name != "GroupManagedServiceAccount"}
    account = bound.get("GroupManagedServiceAccount")
    if account is None:
        return rest
    if "BuiltInAccount" in rest or "Credential" in rest:
        raise invalid_argument(
            "GroupManagedServiceAccount must not be given with BuiltInAccount or Credential.",
            "BuiltInAccount / Credential / GroupManagedServiceAccount",
        )
    name = str(account)
    return {**rest, "Credential": {"UserName": name if name.endswith("$") else f"{name}$", "Password": ""}}
