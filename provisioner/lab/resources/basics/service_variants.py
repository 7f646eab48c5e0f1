"""The service resources of Windows itself and of xPSDesiredStateConfiguration 9.2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.basics.service import RULES, Service
from provisioner.lab.resources.binding import Rule, invalid_argument, is_same


class InBoxService(Service):
    """The one that comes with Windows: an existing service keeps what only its making sets."""

    module = "PSDesiredStateConfiguration"
    rules = tuple(
        Rule("State", allowed=("Running", "Stopped")) if rule.name == "State" else rule for rule in RULES
    )
    stops_by_force = True

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource: a missing service is an error here."""
        name = str(properties.get("Name", ""))
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
        counted = {name: value for name, value in properties.items() if name not in _ONLY_MADE_WITH}
        return await super().test(counted, context)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: a path for a service that is there is always an error."""
        service = context.machine.services.find(str(properties.get("Name", "")))
        if service is None or is_same(properties.get("Ensure", "Present"), "Absent"):
            await super().set(properties, context)
            return
        if "Path" in properties:
            is_equal = is_same(properties["Path"], service.path)
            raise ResourceError(
                f"Service '{service.name}' exists already, with the path '{service.path}'.",
                "ServiceExistsSamePath" if is_equal else "ServiceAlreadyExists",
                "InvalidOperation",
                "System.ArgumentException",
            )
        counted = {name: value for name, value in properties.items() if name not in _ONLY_MADE_WITH}
        await super().set(counted, context)

    def conflict(self, reason: str, text: str) -> ResourceError:
        """Make the error of two properties that do not go together."""
        return ResourceError(text, _IDS[reason], "InvalidArgument", "System.ArgumentException")


_ONLY_MADE_WITH = {"Path", "DisplayName", "Description", "Dependencies"}
_IDS = {
    "Automatic": "CannotStopServiceSetToStartAutomatically",
    "Disabled": "CannotStartAndDisable",
    "Account": "OnlyCredentialOrBuiltInAccount",
}


class XService(Service):
    """xService: also group managed service accounts, which exclude the two other kinds of account."""

    class_name = "DSC_xServiceResource"
    module = "xPSDesiredStateConfiguration"

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        return await super().test(_with_account(properties), context)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        await super().set(_with_account(properties), context)


def _with_account(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Put a group managed account in the place of a credential: its name is what is compared and written."""
    rest = {name: value for name, value in properties.items() if name != "GroupManagedServiceAccount"}
    account = properties.get("GroupManagedServiceAccount")
    if account is None:
        return rest
    if "BuiltInAccount" in rest or "Credential" in rest:
        raise invalid_argument(
            "GroupManagedServiceAccount must not be given with BuiltInAccount or Credential.",
            "BuiltInAccount / Credential / GroupManagedServiceAccount",
        )
    name = str(account)
    return {**rest, "Credential": {"UserName": name if name.endswith("$") else f"{name}$", "Password": ""}}
