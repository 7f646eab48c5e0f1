"""Get-VMNetworkAdapterVlan and Set-VMNetworkAdapterVlan, of adapters of the host."""

from __future__ import annotations

from typing import Final

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import reporting
from provisioner.lab.machine.hyperv.adapters import VmAdapter, VmAdapters
from provisioner.lab.values import EnumValue, PsObject

_NAMESPACE: Final = "Microsoft.HyperV.PowerShell."
_CMDLETS: Final = _NAMESPACE + "Commands."
_MODES: Final = {"Untagged": 1, "Access": 2}


async def get(invocation: Invocation) -> None:
    """Write the VLAN of each adapter of the host."""
    machine = invocation.node.machine
    with reporting(invocation, "Get-VMNetworkAdapterVlan", _CMDLETS + "GetVMNetworkAdapterVlan"):
        for adapter in _of_host(invocation):
            invocation.output.write(_object(adapter, machine.computer_name))


async def change(invocation: Invocation) -> None:
    """Put adapters of the host into a VLAN, or into none."""
    given, adapters = invocation.parameters, invocation.node.machine.area(VmAdapters)
    vlan = 0 if given.get("Untagged") else int(given.get("VlanId") or 0)
    with reporting(invocation, "Set-VMNetworkAdapterVlan", _CMDLETS + "SetVMNetworkAdapterVlan"):
        for adapter in _of_host(invocation):
            adapters.tag(adapter, vlan)


def _of_host(invocation: Invocation) -> list[VmAdapter]:
    given = invocation.parameters
    if not given.get("ManagementOS"):
        return []
    return invocation.node.machine.area(VmAdapters).of_host(given.get("VMNetworkAdapterName"))


def _object(adapter: VmAdapter, computer: str) -> PsObject:
    mode = "Access" if adapter.vlan else "Untagged"
    return PsObject(
        (
            _NAMESPACE + "VMNetworkAdapterVlanSetting",
            _NAMESPACE + "VMNetworkAdapterFeatureBase",
            _NAMESPACE + "VirtualizationObject",
            "System.Object",
        ),
        {
            "OperationMode": EnumValue(_NAMESPACE + "VMNetworkAdapterVlanMode", mode, _MODES[mode]),
            "AccessVlanId": adapter.vlan,
            "NativeVlanId": 0,
            "AllowedVlanIdList": [],
            # The adapter itself in PowerShell; its name is what a client can read of it.
            "ParentAdapter": f"VMInternalNetworkAdapter (Name = '{adapter.name}')",
            "ComputerName": computer,
            "IsDeleted": False,
        },
        text=f"VMNetworkAdapterVlanSetting (Mode = {mode})",
    )
