"""PendingReboot of ComputerManagementDsc 10 (class DSC_PendingReboot)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.computer.configuration_manager import ConfigurationManager
from provisioner.lab.machine.ground import names
from provisioner.lab.machine.ground.registry import PENDING_RENAMES, SERVICING, SESSION_MANAGER, UPDATE
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, is_same
from provisioner.lab.resources.calls import works

_TRIGGERS = (
    "ComponentBasedServicing",
    "WindowsUpdate",
    "PendingFileRename",
    "PendingComputerRename",
    "CcmClientSDK",
)
_NAME = Rule("Name", is_mandatory=True)
_RULES = (_NAME, *(Rule(f"Skip{trigger}", "boolean") for trigger in _TRIGGERS))
_GET_VALUE = "Get-ItemProperty"


class PendingReboot:
    """Stateless; Set asks for the reboot, which has to remove the cause."""

    class_name = "DSC_PendingReboot"
    module = "ComputerManagementDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource: all triggers, whatever is skipped."""
        return _state(bind("Get-TargetResource", (_NAME,), properties), context)

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        return not _state(bind("Test-TargetResource", _RULES, properties), context)["RebootRequired"]

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = bind("Set-TargetResource", _RULES, properties)
        if _state(bound, context)["RebootRequired"]:
            context.reboot_requested = True


def _state(bound: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
    machine = context.machine
    skips = {
        f"Skip{trigger}": bound.get(f"Skip{trigger}", trigger == "CcmClientSDK") for trigger in _TRIGGERS
    }
    fired = {
        # A feature that waits for the boot leaves the same key; the lab keeps it with the features.
        "ComponentBasedServicing": _has_subkey(SERVICING, "RebootPending", context)
        or machine.features.needs_restart,
        "WindowsUpdate": _has_subkey(UPDATE, "RebootRequired", context),
        "PendingFileRename": works(context, _GET_VALUE)
        and bool(machine.registry.get(SESSION_MANAGER, PENDING_RENAMES)),
        "PendingComputerRename": _is_renamed(context),
        "CcmClientSDK": False,
    }
    if not skips["SkipCcmClientSDK"]:
        fired["CcmClientSDK"] = _asks_client(context)
    required = any(fired[trigger] and not skips[f"Skip{trigger}"] for trigger in _TRIGGERS)
    return {"Name": bound["Name"], **skips, **fired, "RebootRequired": required}


def _is_renamed(context: ResourceContext) -> bool:
    machine = context.machine
    # Both names are read, each with an error of its own; without them nothing is different.
    if not all([works(context, _GET_VALUE), works(context, _GET_VALUE)]):
        return False
    return not is_same(
        names.active(machine.registry, machine.computer_name),
        names.pending(machine.registry, machine.computer_name),
    )


def _asks_client(context: ResourceContext) -> bool:
    """Ask the client of Configuration Manager; any failure is a warning, and no reboot."""
    answer = context.machine.area(ConfigurationManager).answer
    why = "Invalid namespace"
    try:
        context.machine.ledger.attempt("Invoke-CimMethod")
    except MachineError as error:
        answer, why = None, error.message
    if answer is None:
        context.warning(f"Unable to query CIM Class CCM_ClientUtilities because '{why}'.")
        return False
    return answer.return_value == 0 and (answer.is_hard_pending or answer.is_pending)


def _has_subkey(path: str, name: str, context: ResourceContext) -> bool:
    """Whether a key has a sub key of the name; a missing key is an error that is written."""
    registry = context.machine.registry
    command = "Microsoft.PowerShell.Commands.GetChildItemCommand"
    if not works(context, "Get-ChildItem"):
        return False
    if not registry.has_key(path):
        context.nonterminating.append(
            ResourceError(
                f"Cannot find path 'HKLM:\\{path}\\' because it does not exist.",
                f"PathNotFound,{command}",
                "ObjectNotFound",
                "System.Management.Automation.ItemNotFoundException",
            )
        )
        return False
    return any(is_same(key, name) for key in registry.subkeys(path))
