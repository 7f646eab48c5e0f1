"""xVMNetworkAdapter of xHyper-V 3.18 (class MSFT_xVMNetworkAdapter): of a host's adapter only that it is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.hyperv.adapters import VmAdapter, VmAdapters
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, calling, is_same
from provisioner.lab.resources.calls import silenced

_RULES = (
    Rule("Id", is_mandatory=True, may_be_empty=False),
    Rule("Name", is_mandatory=True, may_be_empty=False),
    Rule("SwitchName", is_mandatory=True, may_be_empty=False),
    Rule("VMName", is_mandatory=True, may_be_empty=False),
    Rule("MacAddress"),
    Rule("NetworkSetting", "any"),
    Rule("VlanId"),
    Rule("Ensure", allowed=("Present", "Absent")),
)
_CMDLETS = "Microsoft.HyperV.PowerShell.Commands."
_HOST = "ManagementOS"
#: Properties of NetworkSetting to the names under which a guest reports them.
_SETTINGS = {
    "IpAddress": "IPAddress",
    "Subnet": "Subnet",
    "DefaultGateway": "DefaultGateway",
    "DnsServer": "DNSServer",
}


class VMNetworkAdapter:
    """Stateless. Without NetworkSetting the guest must use DHCP; without VlanId it must be untagged."""

    class_name = "MSFT_xVMNetworkAdapter"
    module = "xHyper-V"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES[:4], properties)
        found = _find(bound, context)
        if not found:
            return {**bound, "Ensure": "Absent"}
        adapter = found[0]
        return {
            **bound,
            "MacAddress": adapter.mac,
            "DynamicMacAddress": bool(adapter.vm) and adapter.is_dynamic,
            "VlanId": str(adapter.vlan) if adapter.vlan else None,
            "Ensure": "Present",
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        found = _find(bound, context)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            return not found
        if not found:
            return False
        adapter = found[0]
        if is_same(bound["VMName"], _HOST):
            return True
        mac = bound.get("MacAddress")
        if adapter.is_dynamic if mac else not adapter.is_dynamic:
            return False
        if mac and not is_same(adapter.mac, mac):
            return False
        return (
            _has_settings(bound.get("NetworkSetting"), adapter)
            and str(adapter.vlan or "") == str(bound.get("VlanId") or "")
            and is_same(adapter.switch, bound["SwitchName"])
        )

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: an adapter of the host is made, and never changed after that."""
        bound = bind("Set-TargetResource", _RULES, properties)
        await context.sleep(context.machine.durations.other_s)
        adapters = context.machine.area(VmAdapters)
        found = _find(bound, context)
        is_host = is_same(bound["VMName"], _HOST)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            with calling(_CMDLETS + "RemoveVMNetworkAdapter"):
                adapters.remove(found)
            return
        mac = bound.get("MacAddress", "")
        if not found:
            wanted = VmAdapter(bound["Name"], "" if is_host else bound["VMName"], bound["SwitchName"])
            if not is_host:
                wanted = VmAdapter(wanted.name, wanted.vm, wanted.switch, mac, is_dynamic=not mac)
            with calling(_CMDLETS + "AddVMNetworkAdapter"):
                adapter = adapters.add(wanted)
        else:
            adapter = found[0]
        if is_host:
            return
        if not is_same(adapter.switch, bound["SwitchName"]):
            with calling(_CMDLETS + "ConnectVMNetworkAdapter"):
                adapter = adapters.change(adapter, "Connect-VMNetworkAdapter", switch=bound["SwitchName"])
        if (mac and not is_same(mac, adapter.mac)) or adapter.is_dynamic == bool(mac):
            with calling(_CMDLETS + "SetVMNetworkAdapter"):
                adapter = adapters.change(
                    adapter, "Set-VMNetworkAdapter", mac=mac or adapter.mac, is_dynamic=not mac
                )
        guest = _guest(bound.get("NetworkSetting"))
        if guest != adapter.guest:
            adapter = adapters.change(adapter, "Set-VMGuestNetwork", guest=guest)
        adapters.change(adapter, "Set-VMNetworkAdapterVlan", vlan=int(bound.get("VlanId") or 0))


def _find(bound: Mapping[str, Any], context: ResourceContext) -> list[VmAdapter]:
    adapters = context.machine.area(VmAdapters)
    if is_same(bound["VMName"], _HOST):
        return silenced(lambda: adapters.of_host(bound["Name"], bound["SwitchName"])) or []
    return silenced(lambda: adapters.of_machine(bound["VMName"], bound["Name"])) or []


def _guest(setting: Any) -> tuple[tuple[str, str], ...] | None:
    if not setting:
        return None
    given = {str(name).casefold(): value for name, value in dict(setting).items()}
    return tuple(
        (reported, str(given[name.casefold()]))
        for name, reported in _SETTINGS.items()
        if given.get(name.casefold())
    )


def _has_settings(setting: Any, adapter: VmAdapter) -> bool:
    if not setting:
        return adapter.guest is None
    if adapter.guest is None:
        return False
    wanted = dict(_guest(setting) or ())
    if "IPAddress" not in wanted or "Subnet" not in wanted:
        message = "Both IPAddress and Subnet must be specified"
        raise ResourceError(
            message, message, "OperationStopped", "System.Management.Automation.RuntimeException"
        )
    reported = dict(adapter.guest)
    return all(
        wanted[name] in reported.get(name, "").split(",")
        for name in ("IPAddress", "DefaultGateway", "DNSServer")
        if name in wanted
    )
