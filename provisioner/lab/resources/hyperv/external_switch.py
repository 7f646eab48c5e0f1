"""ExternalSwitch of ProvisionerDsc (class PROV_ExternalSwitch): it adopts, mends in place and never removes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from provisioner.lab.machine.area import MachineError, command_not_found
from provisioner.lab.machine.ground.hyperv import Switch, SwitchOptions
from provisioner.lab.machine.ground.network import Adapter
from provisioner.lab.machine.hyperv.adapters import VmAdapter, VmAdapters
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import (
    Rule,
    bind,
    calling,
    is_same,
    is_same_bag,
    resource_error,
    spelled,
)

_ALGORITHMS: Final = ("Dynamic", "HyperVPort")
_VLAN: Final = "(?:0*[0-9]{1,3}|0*[1-3][0-9]{3}|0*40[0-8][0-9]|0*409[0-4])"
_RULES = (
    Rule("Name", is_mandatory=True, may_be_empty=False),
    Rule("NetAdapterName", "strings", is_mandatory=True, may_be_empty=False),
    Rule("AllowManagementOS", "boolean"),
    Rule(
        "ManagementVlanId",
        "uint32",
        pattern=_VLAN,
        refusal="The argument is greater than the maximum allowed range of 4094.",
    ),
    Rule("LoadBalancingAlgorithm", allowed=_ALGORITHMS),
    Rule("EnableIov", "boolean"),
    Rule("Notes"),
)
_CMDLETS: Final = "Microsoft.HyperV.PowerShell.Commands."
_SILENT: Final = (
    "NetAdapterName",
    "AllowManagementOS",
    "ManagementVlanId",
    "LoadBalancingAlgorithm",
    "EnableIov",
    "Notes",
    "Id",
)


class ExternalSwitch:
    """Stateless. Only what is bound is compared and changed."""

    class_name = "PROV_ExternalSwitch"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES[:2], properties)
        nothing = {"Name": bound["Name"], **dict.fromkeys(_SILENT)}
        switches = _switches(context)
        if switches is None:
            return nothing
        wanted = _wanted(bound, context)
        switch = _exact(switches, wanted)
        if switch is None or len(wanted) < len(bound["NetAdapterName"]):
            return nothing
        return {
            "Name": switch.name,
            "NetAdapterName": [item.name for item in wanted],
            "AllowManagementOS": switch.allow_management_os,
            "ManagementVlanId": _vlan(switch, context),
            "LoadBalancingAlgorithm": switch.load_balancing if switch.is_team else None,
            "EnableIov": switch.has_iov,
            "Notes": switch.notes,
            "Id": switch.id,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource, in the order of its page."""
        bound = bind("Test-TargetResource", _RULES, properties)
        _check_properties(bound)
        switches = _switches(context)
        if switches is None:
            return False
        wanted = _wanted(bound, context)
        if len(wanted) < len(bound["NetAdapterName"]):
            return False
        _check_distinct(bound, wanted)
        switch = _exact(switches, wanted)
        return (
            switch is not None
            and is_same(switch.name, bound["Name"])
            and not _differences(switch, bound, context)
        )

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: all checks, then one change after the other."""
        bound = bind("Set-TargetResource", _RULES, properties)
        _check_properties(bound)
        hyperv, name = context.machine.hyperv, bound["Name"]
        try:
            _demand_module(context)
            switches = hyperv.switches()
        except MachineError as error:
            raise resource_error(
                f"Hyper-V does not answer, so the switch '{name}' cannot be made: the features Hyper-V and "
                "Hyper-V-PowerShell have to be installed, the machine restarted since, and vmms running. "
                f"{error.message}",
                "HyperVNotReady",
                "ResourceUnavailable",
            ) from None
        _check_adapters(bound, switches, context)
        wanted = _wanted(bound, context)
        _check_distinct(bound, wanted)
        switch = _chosen(bound, switches, wanted)
        if switch is None:
            _check_name(name, switches)
            _check_teams(name, wanted, context)
            await context.sleep(context.machine.durations.switch_s)
            switch = _make(bound, wanted, context)
        else:
            _check_mendable(switch, switches, wanted, bound, context)
            await context.sleep(context.machine.durations.other_s)
            switch = _adopt(switch, bound, wanted, context)
        await _mend(switch, bound, context)


def _demand_module(context: ResourceContext) -> None:
    if not context.machine.hyperv.has_module:
        raise command_not_found("Get-VMSwitch")


def _switches(context: ResourceContext) -> list[Switch] | None:
    """Give all switches; None while Hyper-V does not answer."""
    try:
        _demand_module(context)
        return context.machine.hyperv.switches()
    except MachineError:
        return None


def _find(label: str, context: ResourceContext) -> Adapter | None:
    network = context.machine.network
    return network.find(label) or network.described(label)


def _wanted(bound: Mapping[str, Any], context: ResourceContext) -> list[Adapter]:
    """Give the adapters of the list that are there."""
    with calling("Get-NetAdapter"):
        context.machine.ledger.attempt("Get-NetAdapter")
    found = (_find(label, context) for label in bound["NetAdapterName"])
    return [item for item in found if item is not None]


def _exact(switches: Sequence[Switch], wanted: Sequence[Adapter]) -> Switch | None:
    descriptions = [item.description for item in wanted]
    return next(
        (item for item in switches if item.descriptions and is_same_bag(item.descriptions, descriptions)),
        None,
    )


def _chosen(bound: Mapping[str, Any], switches: Sequence[Switch], wanted: Sequence[Adapter]) -> Switch | None:
    exact = _exact(switches, wanted)
    if exact is not None:
        return exact
    labels = {item.description.casefold() for item in wanted}
    chosen: Switch | None = None
    for item in switches:
        shared = [text for text in item.descriptions if text.casefold() in labels]
        if not shared:
            continue
        if chosen is not None or not is_same(item.name, bound["Name"]):
            raise resource_error(
                f"The network adapter '{shared[0]}' is below the switch '{item.name}', which lies on "
                f"{_quoted(item.descriptions)}, so the switch '{bound['Name']}' cannot have it. No switch is "
                "removed here.",
                "AdapterInUse",
                "ResourceBusy",
            )
        chosen = item
    return chosen


def _check_properties(bound: Mapping[str, Any]) -> None:
    name, labels = bound["Name"], [item.casefold() for item in bound["NetAdapterName"]]
    for label in bound["NetAdapterName"]:
        if labels.count(label.casefold()) > 1:
            raise _adapter_twice(label, name)
    if "LoadBalancingAlgorithm" in bound and len(labels) == 1:
        raise resource_error(
            f"LoadBalancingAlgorithm belongs to a team, but the switch '{name}' has one adapter.",
            "AlgorithmWithoutTeam",
            "InvalidArgument",
        )
    vlan = bound.get("ManagementVlanId", 0)
    if vlan and not bound.get("AllowManagementOS", True):
        raise resource_error(
            f"ManagementVlanId {vlan} is given, but AllowManagementOS is false: the machine has no adapter on "
            f"the switch '{name}' that could be in a VLAN.",
            "VlanWithoutHost",
            "InvalidArgument",
        )


def _check_distinct(bound: Mapping[str, Any], wanted: Sequence[Adapter]) -> None:
    names = [item.name for item in wanted]
    for name in names:
        if names.count(name) > 1:
            raise _adapter_twice(name, bound["Name"])


def _adapter_twice(adapter: str, name: str) -> ResourceError:
    return resource_error(
        f"The network adapter '{adapter}' of the switch '{name}' is given twice.",
        "AdapterTwice",
        "InvalidArgument",
    )


def _check_adapters(bound: Mapping[str, Any], switches: Sequence[Switch], context: ResourceContext) -> None:
    for label in bound["NetAdapterName"]:
        found = _find(label, context)
        if found is None:
            known = [f"{item.name} ({item.description})" for item in context.machine.network.adapters]
            message = (
                f"No network adapter is called '{label}', by name or interface description. "
                f"There are: {_quoted(known)}."
            )
            for item in switches:
                if is_same(item.name, bound["Name"]):
                    below = _quoted(item.descriptions)
                    message += f" The switch '{bound['Name']}' lies on {below} and is left as it is."
            raise resource_error(message, "AdapterNotFound", "ObjectNotFound")
        if found.is_virtual:
            raise resource_error(
                f"The network adapter '{found.name}' is the machine's own port on a virtual switch. Name the "
                "physical adapter below that switch.",
                "AdapterIsPort",
                "InvalidArgument",
            )


def _check_name(name: str, switches: Sequence[Switch]) -> None:
    for item in switches:
        if is_same(item.name, name):
            raise resource_error(
                f"Another switch is called '{name}' already: {item.type}, on {_quoted(item.descriptions)}. It is "
                "not removed: choose another name, name its adapters, or rename or remove it by hand.",
                "NameInUse",
                "ResourceExists",
            )


def _check_teams(name: str, adapters: Sequence[Adapter], context: ResourceContext) -> None:
    for item in adapters:
        if item.team and not item.is_team:
            raise resource_error(
                f"The network adapter '{item.name}' is a member of the team '{item.team}' of NIC Teaming (LBFO), "
                f"so the switch '{name}' cannot have it. Take it out of the team, and name all members as "
                "NetAdapterName for a team of the switch itself (switch embedded teaming).",
                "AdapterInTeam",
                "ResourceBusy",
            )
        if item.is_team and (len(adapters) > 1 or context.machine.hyperv.refuses_lbfo):
            raise resource_error(
                f"The network adapter '{item.name}' is the team '{item.team}' of NIC Teaming (LBFO). From Windows "
                "Server 2022 on no switch may lie on one, and never a team of a switch. Remove the team, and "
                "name its members as NetAdapterName (switch embedded teaming).",
                "LbfoTeamRefused",
                "InvalidArgument",
            )


def _check_mendable(
    switch: Switch,
    switches: Sequence[Switch],
    wanted: Sequence[Adapter],
    bound: Mapping[str, Any],
    context: ResourceContext,
) -> None:
    name = bound["Name"]
    if not is_same(switch.name, name):
        _check_name(name, switches)
    below = {text.casefold() for text in switch.descriptions}
    added = [item for item in wanted if item.description.casefold() not in below]
    if added and not switch.is_team:
        raise resource_error(
            f"The switch '{switch.name}' on {_quoted(switch.descriptions)} was made without a team, and no switch "
            "becomes one later. Remove it by hand when no virtual machine needs it; it is made anew then.",
            "SwitchIsNoTeam",
            "InvalidOperation",
        )
    _check_teams(name, added, context)
    if "EnableIov" in bound and bound["EnableIov"] != switch.has_iov:
        raise resource_error(
            f"The switch '{switch.name}' was made with EnableIov {switch.has_iov}, wanted is "
            f"{bound['EnableIov']}. SR-IOV is settled when a switch is made. Remove the switch by "
            "hand when no virtual machine needs it; it is made anew then.",
            "IovFixed",
            "InvalidOperation",
        )
    _check_host_adapter(switch, bound, context)


def _check_host_adapter(switch: Switch, bound: Mapping[str, Any], context: ResourceContext) -> None:
    if "ManagementVlanId" not in bound:
        return
    vlan = bound["ManagementVlanId"]
    if "AllowManagementOS" not in bound and not switch.allow_management_os and vlan:
        raise _no_host_adapter(switch, vlan)
    own = _own(switch, context)
    if len(own) > 1 and _host_adapter(switch, context) is None:
        raise resource_error(
            f"The machine has several adapters on the switch '{switch.name}': "
            f"{_quoted([item.name for item in own])}. ManagementVlanId belongs to the one with the name of the "
            "switch, and there is none.",
            "HostAdapterAmbiguous",
            "InvalidOperation",
        )


def _make(bound: Mapping[str, Any], wanted: Sequence[Adapter], context: ResourceContext) -> Switch:
    options = SwitchOptions(
        bound.get("AllowManagementOS"),
        is_team=len(wanted) > 1,
        has_iov=bound.get("EnableIov", False),
        notes=bound.get("Notes", ""),
    )
    with calling(_CMDLETS + "NewVMSwitch"):
        names = [item.name for item in wanted]
        return context.machine.hyperv.new_switch(bound["Name"], "External", names, options)


def _adopt(
    switch: Switch, bound: Mapping[str, Any], wanted: Sequence[Adapter], context: ResourceContext
) -> Switch:
    """Rename, then let missing adapters join before others leave."""
    hyperv = context.machine.hyperv
    if not is_same(switch.name, bound["Name"]):
        with calling(_CMDLETS + "RenameVMSwitch"):
            switch = hyperv.rename_switch(switch, bound["Name"])
    before = {text.casefold() for text in switch.descriptions}
    labels = {item.description.casefold() for item in wanted}
    for item in wanted:
        if item.description.casefold() not in before:
            with calling(_CMDLETS + "AddVMSwitchTeamMember"):
                switch = hyperv.add_member(switch, item.name)
    for text in switch.descriptions:
        if text.casefold() not in labels:
            with calling(_CMDLETS + "RemoveVMSwitchTeamMember"):
                switch = hyperv.remove_member(switch, text)
    return switch


def _differences(switch: Switch, bound: Mapping[str, Any], context: ResourceContext) -> set[str]:
    """Names of the bound properties that are not as wanted."""
    allow = switch.allow_management_os
    vlan = _vlan(switch, context) if allow or "ManagementVlanId" not in bound else 0
    actual = {
        "AllowManagementOS": allow,
        "EnableIov": switch.has_iov,
        "Notes": switch.notes,
        "LoadBalancingAlgorithm": switch.load_balancing,
        "ManagementVlanId": vlan,
    }
    return {
        name
        for name, value in actual.items()
        if name in bound
        and not (is_same(bound[name], value) if name == "LoadBalancingAlgorithm" else bound[name] == value)
    }


async def _mend(switch: Switch, bound: Mapping[str, Any], context: ResourceContext) -> None:
    hyperv = context.machine.hyperv
    different = _differences(switch, bound, context)
    if "AllowManagementOS" in different:
        await context.sleep(context.machine.durations.switch_s)
        with calling(_CMDLETS + "SetVMSwitch"):
            switch = hyperv.set_switch(switch, allow_management_os=bound["AllowManagementOS"])
        different = _differences(switch, bound, context)
    if "Notes" in different:
        with calling(_CMDLETS + "SetVMSwitch"):
            switch = hyperv.set_switch(switch, notes=bound["Notes"])
    if "LoadBalancingAlgorithm" in different:
        with calling(_CMDLETS + "SetVMSwitchTeam"):
            switch = hyperv.balance(switch, spelled(bound["LoadBalancingAlgorithm"], _ALGORITHMS))
    if "ManagementVlanId" in different:
        adapter = _host_adapter(switch, context)
        if adapter is None:
            raise _no_host_adapter(switch, bound["ManagementVlanId"])
        with calling(_CMDLETS + "SetVMNetworkAdapterVlan"):
            context.machine.area(VmAdapters).tag(adapter, bound["ManagementVlanId"])


def _own(switch: Switch, context: ResourceContext) -> list[VmAdapter]:
    with calling(_CMDLETS + "GetVMNetworkAdapter"):
        return context.machine.area(VmAdapters).of_host(switch=switch.name)


def _host_adapter(switch: Switch, context: ResourceContext) -> VmAdapter | None:
    """Give the only adapter of the host on the switch, or of several the one with its name."""
    own = _own(switch, context)
    if len(own) > 1:
        own = [item for item in own if is_same(item.name, switch.name)]
    return own[0] if len(own) == 1 else None


def _vlan(switch: Switch, context: ResourceContext) -> int | None:
    adapter = _host_adapter(switch, context)
    return adapter.vlan if adapter else None


def _no_host_adapter(switch: Switch, vlan: int) -> ResourceError:
    return resource_error(
        f"The machine has no adapter of its own on the switch '{switch.name}' that could be in the VLAN {vlan}. "
        "Set AllowManagementOS too.",
        "HostHasNoAdapter",
        "InvalidOperation",
    )


def _quoted(texts: Sequence[str]) -> str:
    return "'" + "', '".join(texts) + "'" if texts else "no adapter"
