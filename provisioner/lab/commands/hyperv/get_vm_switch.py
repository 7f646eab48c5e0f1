"""Get-VMSwitch: virtual switches by name and type."""

from __future__ import annotations

import fnmatch
import uuid

from provisioner.lab.commands import failure
from provisioner.lab.commands.base import Invocation
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.hyperv import Switch
from provisioner.lab.machine.machine import Machine
from provisioner.lab.values import EnumValue, ErrorRecord, PsObject

TYPE = "Microsoft.HyperV.PowerShell.Commands.GetVMSwitch"
_NAMESPACE = "Microsoft.HyperV.PowerShell."
_TYPES = (
    _NAMESPACE + "VMSwitch",
    _NAMESPACE + "VMNetworkingFeature",
    _NAMESPACE + "VirtualizationObject",
    "System.Object",
)
_SWITCH_TYPES = {"Private": 0, "Internal": 1, "External": 2}
_MODES = {"Default": 0, "Weight": 1, "Absolute": 2, "None": 3}


async def run(invocation: Invocation) -> None:
    """Write the switches; a name without a switch is an error, a wildcard without one is not."""
    machine = invocation.node.machine
    kinds = {item.casefold() for item in failure.texts(invocation.parameters.get("SwitchType"))}
    try:
        found = machine.hyperv.switches()
    except MachineError as error:
        invocation.output.error(failure.record(error, TYPE, "Get-VMSwitch"))
        return
    found = [item for item in found if not kinds or item.type.casefold() in kinds]
    for name in failure.texts(invocation.parameters.get("Name")) or ["*"]:
        chosen = [item for item in found if fnmatch.fnmatchcase(item.name.casefold(), name.casefold())]
        for item in chosen:
            invocation.output.write(switch_object(item, machine))
        if not chosen and not any(char in name for char in "*?["):
            invocation.output.error(_missing(name))


def _missing(name: str) -> ErrorRecord:
    return ErrorRecord(
        f'Hyper-V was unable to find a virtual switch with name "{name}".',
        f"InvalidParameter,{TYPE}",
        "InvalidArgument",
        _NAMESPACE + "VirtualizationException",
        "Get-VMSwitch",
        name,
    )


def switch_object(switch: Switch, machine: Machine) -> PsObject:
    """Give a switch as the Hyper-V module shows it."""
    below = [machine.network.described(text) for text in switch.descriptions]
    mode = switch.bandwidth_mode or "None"
    return PsObject(
        _TYPES,
        {
            "Name": switch.name,
            "Id": uuid.UUID(switch.id),
            "Notes": switch.notes,
            "SwitchType": EnumValue(_NAMESPACE + "VMSwitchType", switch.type, _SWITCH_TYPES[switch.type]),
            "AllowManagementOS": switch.allow_management_os,
            "EmbeddedTeamingEnabled": switch.is_team,
            "IovEnabled": switch.has_iov,
            "NetAdapterInterfaceDescription": (
                "Teamed-Interface" if switch.is_team else next(iter(switch.descriptions), None)
            ),
            "NetAdapterInterfaceDescriptions": list(switch.descriptions),
            "NetAdapterInterfaceGuid": [uuid.UUID(item.guid) for item in below if item is not None],
            "BandwidthReservationMode": EnumValue(_NAMESPACE + "VMSwitchBandwidthMode", mode, _MODES[mode]),
            "ComputerName": machine.computer_name,
            "IsDeleted": False,
        },
        text=f'VMSwitch (Name = "{switch.name}") [Id = "{switch.id}"]',
    )
