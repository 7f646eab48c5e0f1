"""ServiceAccount of ProvisionerDsc (class PROV_ServiceAccount): account and password of a service.

The password is nowhere kept; a marker tells whether it is the one that was given last.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.directory.principals import sid_of
from provisioner.lab.machine.security import secret_markers
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.basics.service_control import existing
from provisioner.lab.resources.binding import Rule, bind, calling, resource_error

_RULES: Final = (
    Rule("Name", may_be_empty=False, is_mandatory=True),
    Rule("Credential", "credential", may_be_null=False, is_mandatory=True),
)
_RESOURCE: Final = "ServiceAccount"
_ENCRYPTED: Final = "-----begin cms-----"
_INVALID_ACCOUNT: Final = 22


class ServiceAccount:
    """Stateless."""

    class_name = "PROV_ServiceAccount"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource: never the credential."""
        del context
        return {"Name": bind("Get-TargetResource", _RULES, properties)["Name"], "Credential": None}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: a service that is not there yet is a difference."""
        name, user, password = _bound("Test-TargetResource", properties)
        service = context.machine.services.find(name)
        if service is None or not _is_same_account(service.start_name, user, context):
            return False
        return user.endswith("$") or secret_markers.is_marked(
            context.machine.registry, _RESOURCE, name, password
        )

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: Change, restart what runs, and only then remember the password."""
        name, user, password = _bound("Set-TargetResource", properties)
        machine = context.machine
        service = existing(name, context)
        await context.sleep(machine.durations.other_s)
        full = _full_name(user, context)
        if _sid(full, context) is None:
            raise resource_error(
                f"Windows did not give the service '{name}' the account '{user}': the account is not "
                f"valid, or lacks the right to run the service ({_INVALID_ACCOUNT}).",
                "AccountNotApplied",
                "InvalidResult",
            )
        machine.services.change(service.name, start_name=user if set(user) & {"\\", "@"} else f".\\{user}")
        if service.status == "Running":
            dependants = [item.name for item in machine.services.dependants(name) if item.status == "Running"]
            with calling("Microsoft.PowerShell.Commands.RestartServiceCommand"):
                machine.services.stop(name, force=True)
                for each in (name, *dependants):
                    machine.services.start(each)
        if not user.endswith("$"):
            secret_markers.mark(machine.registry, _RESOURCE, name, password)


def _bound(function: str, properties: Mapping[str, Any]) -> tuple[str, str, str]:
    """Give name of the service, account and password."""
    bound = bind(function, _RULES, properties)
    user, password = str(bound["Credential"]["UserName"]), str(bound["Credential"]["Password"])
    if password.casefold().startswith(_ENCRYPTED):
        raise resource_error(
            "The password is still encrypted: the LCM of this node does not know the certificate.",
            "SecretsNotDecrypted",
            "InvalidData",
        )
    return str(bound["Name"]), user, password


def _is_same_account(found: str, wanted: str, context: ResourceContext) -> bool:
    names = [_full_name(found, context), _full_name(wanted, context)]
    first, second = (_sid(name, context) or name.casefold() for name in names)
    return first == second


def _full_name(user: str, context: ResourceContext) -> str:
    if user.startswith(".\\"):
        return f"{context.machine.computer_name}\\{user[2:]}"
    return user if "\\" in user or "@" in user else f"{context.machine.computer_name}\\{user}"


def _sid(name: str, context: ResourceContext) -> str | None:
    try:
        return sid_of(context.machine, name)
    except MachineError:
        return None
