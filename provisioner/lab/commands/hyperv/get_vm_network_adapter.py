"""Get-VMNetworkAdapter: adapters of virtual machines, or of the host."""

from __future__ import annotations

from typing import Final

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import reporting, texts
from provisioner.lab.machine.hyperv.adapters import VmAdapter, VmAdapters
from provisioner.lab.values import PsObject

_NAMESPACE: Final = "Microsoft.HyperV.PowerShell."
_TYPE: Final = _NAMESPACE + "Commands.GetVMNetworkAdapter"


async def run(invocation: Invocation) -> None:
    """Write the adapters of each machine, or those of the host."""
    given, machine = invocation.parameters, invocation.node.machine
    name = given.get("Name")
    with reporting(invocation, "Get-VMNetworkAdapter", _TYPE, given.get("VMName")):
        adapters = machine.area(VmAdapters)
        found: list[VmAdapter] = []
        if given.get("ManagementOS") or given.get("All"):
            found += adapters.of_host(name, given.get("SwitchName"))
        wanted = texts(given.get("VMName"))
        if given.get("All"):
            wanted = [item.name for item in machine.hyperv.machines()]
        for vm in wanted:
            found += adapters.of_machine(vm, name)
        for item in found:
            invocation.output.write(_object(item, machine.computer_name))


def _object(item: VmAdapter, computer: str) -> PsObject:
    kind = "VMNetworkAdapter" if item.vm else "VMInternalNetworkAdapter"
    guest = dict(item.guest or ())
    return PsObject(
        (
            _NAMESPACE + kind,
            _NAMESPACE + "VMNetworkAdapterBase",
            _NAMESPACE + "VirtualizationObject",
            "System.Object",
        ),
        {
            "Name": item.name,
            "VMName": item.vm or None,
            "SwitchName": item.switch,
            "MacAddress": item.mac,
            "DynamicMacAddressEnabled": item.is_dynamic,
            "IsManagementOs": not item.vm,
            "IPAddresses": [text for text in guest.get("IPAddress", "").split(",") if text],
            "Status": ["Ok"],
            "Connected": bool(item.switch),
            "ComputerName": computer,
            "IsDeleted": False,
        },
        text=f"{kind} (Name = '{item.name}')",
    )
