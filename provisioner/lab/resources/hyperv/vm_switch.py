"""xVMSwitch of xHyper-V 3.18 (class MSFT_xVMSwitch), with the cases in which it never converges."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.hyperv import Switch, SwitchOptions
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, invalid_argument, is_same, is_same_bag, thrown

_GUID = r"[{(]?[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}[)}]?"
_RULES = (
    Rule("Name", may_be_empty=False),
    Rule("Type", allowed=("External", "Internal", "Private")),
    Rule("NetAdapterName", "strings", may_be_empty=False),
    Rule("AllowManagementOS", "boolean"),
    Rule("EnableEmbeddedTeaming", "boolean"),
    Rule("BandwidthReservationMode", allowed=("Default", "Weight", "Absolute", "None", "NA")),
    Rule("LoadBalancingAlgorithm", allowed=("Dynamic", "HyperVPort")),
    Rule("Id", pattern=_GUID, refusal="The VMSwitch Id must be in GUID format!"),
    Rule("Ensure", allowed=("Present", "Absent")),
)
_CMDLETS = "Microsoft.HyperV.PowerShell.Commands."
_T = TypeVar("_T")


class VMSwitch:
    """Stateless. Errors of cmdlets inside Set are written and the function goes on, as in the module."""

    class_name = "MSFT_xVMSwitch"
    module = "xHyper-V"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES, properties)
        _demand_module(context)
        switch = _lookup(bound, context)
        if switch is None:
            return {"Name": bound["Name"], "Type": bound["Type"], "Ensure": "Absent"}
        adapters = _adapter_names(switch, context)
        return {
            "Name": switch.name,
            "Type": switch.type,
            "NetAdapterName": adapters if switch.type == "External" else None,
            "AllowManagementOS": switch.allow_management_os,
            "EnableEmbeddedTeaming": switch.is_team,
            "LoadBalancingAlgorithm": switch.load_balancing or "NA",
            "Ensure": "Present",
            "Id": switch.id,
            "NetAdapterInterfaceDescription": ", ".join(switch.descriptions),
            "BandwidthReservationMode": switch.bandwidth_mode,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource, in the order of the module; the first difference decides."""
        bound = bind("Test-TargetResource", _RULES, properties)
        _demand_module(context)
        _check_adapters(bound)
        is_present = is_same(bound.get("Ensure", "Present"), "Present")
        try:
            found = context.machine.hyperv.switches(bound["Name"], bound["Type"])
        except MachineError as error:
            if error.is_terminating:
                raise thrown(error, _CMDLETS + "GetVMSwitch") from None
            # With ErrorAction Stop any error of Get-VMSwitch counts as "there is none".
            return not is_present
        if not is_present:
            return False
        return _is_as_wanted(bound, found, context)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = bind("Set-TargetResource", _RULES, properties)
        _demand_module(context)
        await context.sleep(context.machine.durations.switch_s)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            _remove_all(bound["Name"], context)
            return
        switch = _existing(bound, context)
        if switch is not None and switch.type == "External":
            if _must_recreate(bound, switch, context):
                # What Remove-VMSwitch answers does not keep the module from going on.
                _try(context, "RemoveVMSwitch", partial(context.machine.hyperv.remove_switch, switch))
                switch = _create(bound, context)
        else:
            switch = _create(bound, context)
        if switch is not None:
            _adjust(bound, switch, context)


def _demand_module(context: ResourceContext) -> None:
    if not context.machine.hyperv.has_module:
        raise ResourceError(
            "System.Exception: Please ensure that the Hyper-V role is installed with its PowerShell module",
            "MachineStateIncorrect",
            "ObjectNotFound",
            "System.Exception",
        )


def _check_adapters(bound: Mapping[str, Any]) -> None:
    is_external = is_same(bound["Type"], "External")
    if is_external and "NetAdapterName" not in bound:
        raise invalid_argument("For external switch type, NetAdapterName must be specified", "Type")
    if not is_external and "NetAdapterName" in bound:
        raise invalid_argument(
            "For Internal or Private switch type, NetAdapterName should not be specified", "Type"
        )


def _is_as_wanted(bound: Mapping[str, Any], found: Sequence[Switch], context: ResourceContext) -> bool:
    """Compare; of several switches of one name one with the mode or id is enough (``-eq`` filters lists)."""
    switch = found[0]
    mode = bound.get("BandwidthReservationMode")
    if mode is not None and not any(is_same(mode, item.bandwidth_mode) for item in found):
        return False
    if switch.type == "External" and not _has_adapters(bound, switch, context):
        return False
    allow = bound.get("AllowManagementOS")
    if switch.type == "External" and allow is not None and allow != switch.allow_management_os:
        return False
    if "LoadBalancingAlgorithm" in bound and switch.load_balancing is None:
        # The module compares the actual value with itself: it can only fail, on a switch that is no team.
        raise ResourceError(
            "You cannot call a method on a null-valued expression.",
            "InvokeMethodOnNull",
            "InvalidOperation",
            "System.Management.Automation.RuntimeException",
        )
    if "EnableEmbeddedTeaming" in bound and bound["EnableEmbeddedTeaming"] != switch.is_team:
        return False
    return "Id" not in bound or any(is_same(bound["Id"], item.id) for item in found)


def _has_adapters(bound: Mapping[str, Any], switch: Switch, context: ResourceContext) -> bool:
    """Whether the configured names lead to the adapters below the switch."""
    wanted: Sequence[str] = bound["NetAdapterName"]
    if bound.get("EnableEmbeddedTeaming"):
        return is_same_bag(wanted, _adapter_names(switch, context))
    if len(wanted) != 1 or len(switch.descriptions) != 1:
        return False
    adapter = context.machine.network.find(wanted[0])
    return adapter is not None and is_same(adapter.description, switch.descriptions[0])


def _adapter_names(switch: Switch, context: ResourceContext) -> list[str]:
    found = (context.machine.network.described(text) for text in switch.descriptions)
    return [adapter.name for adapter in found if adapter is not None]


def _lookup(bound: Mapping[str, Any], context: ResourceContext) -> Switch | None:
    try:
        return context.machine.hyperv.switches(bound["Name"], bound["Type"])[0]
    except MachineError:
        return None


def _existing(bound: Mapping[str, Any], context: ResourceContext) -> Switch | None:
    """Get-VMSwitch with errors silenced; one that ends the statement is written nevertheless."""
    try:
        return context.machine.hyperv.switches(bound["Name"], bound["Type"])[0]
    except MachineError as error:
        if error.is_terminating:
            context.nonterminating.append(thrown(error, _CMDLETS + "GetVMSwitch"))
        return None


def _must_recreate(bound: Mapping[str, Any], switch: Switch, context: ResourceContext) -> bool:
    wants_team = bool(bound.get("EnableEmbeddedTeaming"))
    if not wants_team:
        for name in bound.get("NetAdapterName", ()):
            if context.machine.network.find(name) is None:
                context.nonterminating.append(
                    ResourceError(
                        f"No MSFT_NetAdapter objects found with property 'Name' equal to '{name}'.  Verify the "
                        "value of the property and retry.",
                        "CmdletizationQuery_NotFound_Name,Get-NetAdapter",
                        "ObjectNotFound",
                        "Microsoft.PowerShell.Cmdletization.Cim.CimJobException",
                    )
                )
    mode = bound.get("BandwidthReservationMode", "NA")
    return (
        not _has_adapters(bound, switch, context)
        or (not is_same(mode, "NA") and not is_same(mode, switch.bandwidth_mode))
        or switch.is_team != wants_team
        or ("Id" in bound and not is_same(bound["Id"], switch.id))
    )


def _create(bound: Mapping[str, Any], context: ResourceContext) -> Switch | None:
    is_external = is_same(bound["Type"], "External")
    mode = bound.get("BandwidthReservationMode", "NA")
    kind = next(item for item in ("External", "Internal", "Private") if is_same(item, bound["Type"]))
    options = SwitchOptions(
        bound.get("AllowManagementOS") if is_external else None,
        "Default" if is_same(mode, "NA") else mode,
        bool(bound.get("EnableEmbeddedTeaming")) and is_external,
        bound.get("Id", ""),
    )
    adapters = bound.get("NetAdapterName", ()) if is_external else ()
    return _try(
        context,
        "NewVMSwitch",
        partial(context.machine.hyperv.new_switch, bound["Name"], kind, adapters, options),
    )


def _adjust(bound: Mapping[str, Any], switch: Switch, context: ResourceContext) -> None:
    hyperv = context.machine.hyperv
    allow = bound.get("AllowManagementOS")
    if switch.type == "External" and allow is not None and allow != switch.allow_management_os:
        change = partial(hyperv.set_switch, switch, allow_management_os=allow)
        switch = _try(context, "SetVMSwitch", change) or switch
    algorithm = bound.get("LoadBalancingAlgorithm")
    if switch.is_team and algorithm is not None:
        _try(context, "SetVMSwitchTeam", partial(hyperv.set_switch, switch, load_balancing=algorithm))


def _remove_all(name: str, context: ResourceContext) -> None:
    hyperv = context.machine.hyperv
    try:
        found = hyperv.switches(name)
    except MachineError:
        return
    for switch in found:
        _try(context, "RemoveVMSwitch", partial(hyperv.remove_switch, switch))


def _try(context: ResourceContext, command: str, action: Callable[[], _T]) -> _T | None:
    """Run a cmdlet whose errors are written, not thrown."""
    try:
        return action()
    except MachineError as error:
        context.nonterminating.append(thrown(error, _CMDLETS + command))
        return None
