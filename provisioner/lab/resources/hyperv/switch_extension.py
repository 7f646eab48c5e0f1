"""SwitchExtension of ProvisionerDsc (class PROV_SwitchExtension): one extension of a virtual switch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from provisioner.lab.machine.area import MachineError, command_not_found
from provisioner.lab.machine.ground.hyperv import Switch
from provisioner.lab.machine.hyperv.extensions import Extension, SwitchExtensions
from provisioner.lab.machine.openvswitch.address_moves import AddressMoves, extension_guard
from provisioner.lab.machine.openvswitch.bridges import OpenVSwitch
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, calling, is_same, resource_error

_SECONDS: Final = "(?:[6-9][0-9]|[1-9][0-9]{2,3}|[1-7][0-9]{4}|8[0-5][0-9]{3}|86[0-3][0-9]{2}|86400)"
_RULES: Final = (
    Rule("VMSwitchName", is_mandatory=True, may_be_empty=False),
    Rule("Names", "strings", is_mandatory=True, may_be_empty=False),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule(
        "GuardSeconds",
        "uint32",
        pattern=_SECONDS,
        refusal="The argument is outside of the allowed range of 60 to 86400.",
    ),
)
_CMDLETS: Final = "Microsoft.HyperV.PowerShell.Commands."
_Found = list[tuple[Extension, bool]]


class SwitchExtension:
    """Stateless. Nothing but the extensions of the list is ever changed."""

    class_name = "PROV_SwitchExtension"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES[:2], properties)
        nothing = {**bound, "Names": None, "Ensure": "Absent", "GuardSeconds": None, "Installed": None}
        named = [item for item in _switches(context) or () if is_same(item.name, bound["VMSwitchName"])]
        if len(named) != 1:
            return nothing
        found = _of_list(named[0], bound["Names"], context)
        enabled = [item.name for item, is_enabled in found if is_enabled]
        return nothing | {
            "Names": enabled,
            "Installed": [item.name for item, _ in found],
            "Ensure": "Present" if enabled else "Absent",
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource, in the order of its page."""
        bound = _bound("Test-TargetResource", properties)
        return _is_as_wanted(bound, context)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: all checks, the guard, the extension."""
        bound = _bound("Set-TargetResource", properties)
        name, moves = bound["VMSwitchName"], context.machine.area(AddressMoves)
        await context.sleep(context.machine.durations.other_s)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            _disable(bound, context)
            moves.unguard(extension_guard(name))
            return
        switch = _named(name, context)
        chosen = _installed(switch, bound["Names"], context)
        _check_forwarding(switch, chosen, context)
        if "GuardSeconds" in bound:
            moves.guard(extension_guard(name), name)
        try:
            with calling(_CMDLETS + "EnableVMSwitchExtension"):
                context.machine.area(SwitchExtensions).choose(switch, chosen.name, is_enabled=True)
        except Exception:
            if "GuardSeconds" in bound:
                _disable(bound, context)
                moves.unguard(extension_guard(name))
            raise
        context.machine.area(OpenVSwitch).follow()


def _bound(function: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    bound = bind(function, _RULES, properties)
    for name in (bound["VMSwitchName"], *bound["Names"]):
        if '"' in name:
            raise resource_error(
                f"The name '{name}' has a double quote, which no task of Windows could be told.",
                "NameMalformed",
                "InvalidArgument",
            )
    return bound


def _switches(context: ResourceContext) -> list[Switch] | None:
    """Give all switches; None while Hyper-V does not answer."""
    try:
        return _asked(context)
    except MachineError:
        return None


def _asked(context: ResourceContext) -> list[Switch]:
    if not context.machine.hyperv.has_module:
        raise command_not_found("Get-VMSwitch")
    return context.machine.hyperv.switches()


def _of_list(switch: Switch, names: Sequence[str], context: ResourceContext) -> _Found:
    wanted = {name.casefold() for name in names}
    every = context.machine.area(SwitchExtensions).of(switch)
    return [(item, is_enabled) for item, is_enabled in every if item.name.casefold() in wanted]


def _is_as_wanted(bound: Mapping[str, Any], context: ResourceContext) -> bool:
    is_absent = is_same(bound.get("Ensure", "Present"), "Absent")
    named = [item for item in _switches(context) or () if is_same(item.name, bound["VMSwitchName"])]
    if len(named) != 1:
        return is_absent
    enabled = [item for item, is_enabled in _of_list(named[0], bound["Names"], context) if is_enabled]
    return len(enabled) == (0 if is_absent else 1)


def _named(name: str, context: ResourceContext) -> Switch:
    try:
        every = _asked(context)
    except MachineError as error:
        raise resource_error(
            f"Hyper-V does not answer, so no extension of the switch '{name}' can be enabled: the features "
            "Hyper-V and Hyper-V-PowerShell have to be installed, the machine restarted since, and vmms running. "
            f"{error.message}",
            "HyperVNotReady",
            "ResourceUnavailable",
        ) from None
    named = [item for item in every if is_same(item.name, name)]
    if not named:
        others = ", ".join(f"'{item.name}'" for item in every)
        raise resource_error(
            f"There is no virtual switch called '{name}'. There are: {others}",
            "SwitchNotFound",
            "ObjectNotFound",
        )
    if len(named) > 1:
        raise resource_error(
            f"There are {len(named)} virtual switches called '{name}'.", "SwitchAmbiguous", "InvalidArgument"
        )
    return named[0]


def _installed(switch: Switch, names: Sequence[str], context: ResourceContext) -> Extension:
    found = _of_list(switch, names, context)
    wanted = "'" + "', '".join(names) + "'"
    if not found:
        every = context.machine.area(SwitchExtensions).of(switch)
        others = ", ".join(f"'{item.name}'" for item, _ in every)
        raise resource_error(
            f"The switch '{switch.name}' has no extension called {wanted}. It has: {others}. The driver is not "
            "installed, or Windows does not take its signature.",
            "ExtensionNotFound",
            "ObjectNotFound",
        )
    if len(found) > 1:
        raise resource_error(
            f"The switch '{switch.name}' has more than one of the extensions {wanted}.",
            "ExtensionAmbiguous",
            "InvalidArgument",
        )
    return found[0][0]


def _check_forwarding(switch: Switch, chosen: Extension, context: ResourceContext) -> None:
    if chosen.kind != "Forwarding":
        return
    for other, is_enabled in context.machine.area(SwitchExtensions).of(switch):
        if is_enabled and other.kind == "Forwarding" and other != chosen:
            raise resource_error(
                f"On the switch '{switch.name}' the extension '{other.name}' forwards already, and a switch has "
                "one that does. It is not disabled here.",
                "ForwardingTaken",
                "ResourceBusy",
            )


def _disable(bound: Mapping[str, Any], context: ResourceContext) -> None:
    with calling(_CMDLETS + "DisableVMSwitchExtension"):
        for switch in _asked(context):
            if not is_same(switch.name, bound["VMSwitchName"]):
                continue
            for item, is_enabled in _of_list(switch, bound["Names"], context):
                if is_enabled:
                    context.machine.area(SwitchExtensions).choose(switch, item.name, is_enabled=False)
