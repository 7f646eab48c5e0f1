"""xVMSwitch of xHyper-V 3.18 (class MSFT_xVMSwitch), with the cases in which it never converges."""

from __future__ import annotations

import fnmatch
import uuid
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.hyperv import TEAMED, Switch, SwitchOptions
from provisioner.lab.machine.storage.disks import not_found
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import (
    Rule,
    bind,
    invalid_argument,
    invalid_operation,
    is_same,
    is_same_bag,
    spelled,
    thrown,
)
from provisioner.lab.resources.calls import silenced, works, works_silently, written

_HYPHENED = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
#: What Guid.TryParse takes, but for the form of lists of numbers.
_GUID = rf"\s*([0-9a-fA-F]{{32}}|{_HYPHENED}|\{{{_HYPHENED}\}}|\({_HYPHENED}\))\s*"
_TYPES = ("External", "Internal", "Private")
_MODES = ("Default", "Weight", "Absolute", "None", "NA")
_ALGORITHMS = ("Dynamic", "HyperVPort")
_RULES = (
    Rule("Name", is_mandatory=True),
    Rule("Type", is_mandatory=True, allowed=_TYPES),
    Rule("NetAdapterName", "strings", may_be_empty=False),
    Rule("AllowManagementOS", "boolean"),
    Rule("EnableEmbeddedTeaming", "boolean"),
    Rule("BandwidthReservationMode", allowed=_MODES),
    Rule("LoadBalancingAlgorithm", allowed=_ALGORITHMS),
    Rule("Id", pattern=_GUID, refusal="The VMSwitch Id must be in GUID format!"),
    Rule("Ensure", allowed=("Present", "Absent")),
)
_CMDLETS = "Microsoft.HyperV.PowerShell.Commands."
_WINDOWS_8, _WINDOWS_10 = (6, 2, 0), (10,)
_RUNTIME = "System.Management.Automation.RuntimeException"
_T = TypeVar("_T")


class VMSwitch:
    """Stateless. Errors of cmdlets inside Set are written and the function goes on, as in the module.

    Several switches of one name are a list to the module: a comparison with ``-eq`` or ``-ne`` filters it.
    """

    class_name = "MSFT_xVMSwitch"
    module = "xHyper-V"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES[:2], properties)
        _demand_module(context)
        found = _existing(bound, context)
        if not found:
            return {"Ensure": "Absent", "BandwidthReservationMode": "NA"}
        is_external = found[0].type == "External"
        is_team = is_external and all(item.is_team for item in found)
        algorithm: str | None = None
        if is_team:
            descriptions = [text for item in found for text in item.descriptions]
            names = _members(found, context, is_silent=False)
            algorithm = _algorithm(found, context)
        else:
            descriptions = _descriptions(found)
            names = _described(descriptions, context) if is_external else []
        return {
            "Name": _one_or_list([item.name for item in found]),
            "Type": _one_or_list([item.type for item in found]),
            "NetAdapterName": names if is_external and names else None,
            "AllowManagementOS": _one_or_list([item.allow_management_os for item in found]),
            "EnableEmbeddedTeaming": _one_or_list([item.is_team for item in found]),
            "LoadBalancingAlgorithm": (algorithm if is_team else "NA") if is_external else None,
            "Ensure": "Present",
            "Id": _one_or_list([item.id for item in found]),
            "NetAdapterInterfaceDescription": (
                (descriptions if is_team else _one_or_list(descriptions)) if is_external else None
            ),
            "BandwidthReservationMode": _one_or_list([item.bandwidth_mode for item in found]) or "NA",
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource, in the order of the module; the first difference decides."""
        bound = bind("Test-TargetResource", _RULES, properties)
        _demand_module(context)
        _check_adapters(bound)
        _check_release(bound, context, in_test=True)
        is_present = is_same(bound.get("Ensure", "Present"), "Present")
        try:
            found = context.machine.hyperv.switches(bound["Name"], bound["Type"])
        except MachineError as error:
            if error.is_terminating:
                raise thrown(error, _CMDLETS + "GetVMSwitch") from None
            # With ErrorAction Stop any error of Get-VMSwitch counts as "there is none".
            return not is_present
        return is_present and _is_as_wanted(bound, found, context)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = bind("Set-TargetResource", _RULES, properties)
        _demand_module(context)
        _check_release(bound, context, in_test=False)
        hyperv = context.machine.hyperv
        await context.sleep(context.machine.durations.switch_s)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            _remove(_existing({"Name": bound["Name"]}, context), context)
            return
        found = _existing(bound, context)
        if found and found[0].type == "External":
            if _must_recreate(bound, found, context):
                # What Remove-VMSwitch answers does not keep the module from going on.
                _remove(found, context)
                _create(bound, context)
                found = _existing(bound, context)
            found = _allow_host(bound, found, context)
        else:
            made = _create(bound, context)
            found = [made] if made else []
        algorithm = bound.get("LoadBalancingAlgorithm") and spelled(
            bound["LoadBalancingAlgorithm"], _ALGORITHMS
        )
        if bound.get("EnableEmbeddedTeaming") and algorithm is not None:
            for switch in found:
                if switch.is_team:
                    change = partial(hyperv.balance, switch, algorithm)
                    written(context, _CMDLETS + "SetVMSwitchTeam", change)


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


def _check_release(bound: Mapping[str, Any], context: ResourceContext, *, in_test: bool) -> None:
    """Refuse what an older Windows does not have; Test and Set throw different errors."""
    version = tuple(int(part) for part in context.machine.version.split("."))
    mode, older = bound.get("BandwidthReservationMode", "NA"), version < _WINDOWS_10
    refused = [
        (
            not is_same(mode, "NA") and version < _WINDOWS_8,
            "The BandwidthReservationMode cannot be set on a Hyper-V version lower than 2012",
            "BandwidthReservationMode",
        ),
        (
            bool(bound.get("EnableEmbeddedTeaming")) and older,
            "Embedded teaming is only supported on Windows Server 2016",
            "EnableEmbeddedTeaming",
        ),
        ("Id" in bound and older, "User defined VMSwitch ID is only supported on Windows Server 2016", ""),
    ]
    for is_refused, message, parameter in refused:
        if is_refused:
            raise (
                invalid_argument(message, parameter) if in_test and parameter else invalid_operation(message)
            )


def _is_as_wanted(bound: Mapping[str, Any], found: Sequence[Switch], context: ResourceContext) -> bool:
    mode = bound.get("BandwidthReservationMode")
    modes = [item.bandwidth_mode for item in found]
    # What has no mode at all is an old Windows, which is content with any.
    if mode is not None and modes != [None] and not any(is_same(mode, item) for item in modes):
        return False
    if is_same(bound["Type"], "External"):
        if bound.get("EnableEmbeddedTeaming"):
            has_adapters = _has_members(bound, found, context)
        else:
            below = silenced(partial(_below, bound, context)) or []
            has_adapters = not _differ(below, _descriptions(found))
        allow = bound.get("AllowManagementOS")
        if not has_adapters or (
            allow is not None and any(item.allow_management_os != allow for item in found)
        ):
            return False
        if "LoadBalancingAlgorithm" in bound:
            # The module compares the actual value with itself: it can only fail, on a switch that is no team.
            _algorithm(found, context)
            if context.nonterminating:
                raise context.nonterminating.pop(0)
    teaming = bound.get("EnableEmbeddedTeaming")
    if teaming is not None and all(item.is_team == (not teaming) for item in found):
        return False
    return "Id" not in bound or any(is_same(bound["Id"], item.id) for item in found)


def _has_members(bound: Mapping[str, Any], found: Sequence[Switch], context: ResourceContext) -> bool:
    """Compare the adapters of a team, in any order, or of what should be one."""
    above = [item for item in found if item.descriptions]
    if not above:
        return False
    names = _members(above, context, is_silent=True)
    wanted = bound.get("NetAdapterName", ())
    if not names or not wanted:
        side = "Difference" if names else "Reference"
        raise ResourceError(
            f"Cannot bind argument to parameter '{side}Object' because it is null.",
            "ParameterArgumentValidationErrorNullNotAllowed,"
            "Microsoft.PowerShell.Commands.CompareObjectCommand",
            "InvalidData",
            "System.Management.Automation.ParameterBindingValidationException",
        )
    return is_same_bag(wanted, names)


def _below(bound: Mapping[str, Any], context: ResourceContext) -> list[str]:
    """Give the descriptions of the adapters that the configured names lead to; names may be patterns.

    Raises:
        MachineError: only one that was asked for (Get-NetAdapter).
    """
    context.machine.ledger.attempt("Get-NetAdapter")
    adapters = context.machine.network.adapters
    return [
        adapter.description
        for name in bound.get("NetAdapterName", ())
        for adapter in adapters
        if fnmatch.fnmatchcase(adapter.name.casefold(), name.casefold())
    ]


def _descriptions(found: Sequence[Switch]) -> list[str]:
    """Give NetAdapterInterfaceDescription of each switch: with several adapters that of no adapter."""
    return [
        item.descriptions[0] if len(item.descriptions) == 1 else TEAMED for item in found if item.descriptions
    ]


def _differ(left: Sequence[str], right: Sequence[str]) -> bool:
    """Compare as ``left -ne right``: a list on the left is filtered, one on the right is one text."""
    other = " ".join(right)
    return any(not is_same(item, other) for item in left) if left else bool(right)


def _members(found: Sequence[Switch], context: ResourceContext, *, is_silent: bool) -> list[str]:
    """Give the names of the adapters of teams; one that is gone is an error unless errors are silenced."""
    descriptions = [text for item in found for text in item.descriptions]
    names = _described(descriptions, context, is_silent=is_silent)
    for text in () if is_silent else descriptions:
        if context.machine.network.described(text) is None:
            missing = not_found("MSFT_NetAdapter", "InterfaceDescription", text, "Get-NetAdapter")
            context.nonterminating.append(thrown(missing))
    return names


def _described(descriptions: Sequence[str], context: ResourceContext, *, is_silent: bool = True) -> list[str]:
    """Get-NetAdapter -InterfaceDescription; an error that ends the statement is written, silenced or not."""
    answers = works_silently if is_silent else works
    if not answers(context, "Get-NetAdapter"):
        return []
    found = (context.machine.network.described(text) for text in descriptions)
    return [adapter.name for adapter in found if adapter is not None]


def _algorithm(found: Sequence[Switch], context: ResourceContext) -> str | None:
    """Get-VMSwitchTeam; what is no team has no algorithm that could be made a text."""
    balance = [item.load_balancing for item in found]
    attempt = partial(context.machine.ledger.attempt, "Get-VMSwitchTeam")
    failed = len(context.nonterminating)
    written(context, _CMDLETS + "GetVMSwitchTeam", attempt)
    is_over = len(context.nonterminating) > failed
    if is_over and context.machine.ledger.failing["Get-VMSwitchTeam"].is_terminating:
        return None
    if is_over or balance[0] is None:
        context.nonterminating.append(
            ResourceError(
                "You cannot call a method on a null-valued expression.",
                "InvokeMethodOnNull",
                "InvalidOperation",
                _RUNTIME,
            )
        )
        return None
    return balance[0]


def _one_or_list(values: list[_T]) -> _T | list[_T] | None:
    """Give what a property of several objects is: nothing, a value, or a list."""
    return values if len(values) > 1 else next(iter(values), None)


def _existing(bound: Mapping[str, Any], context: ResourceContext) -> list[Switch]:
    """Get-VMSwitch with errors silenced; one that ends the statement is written nevertheless."""
    try:
        return context.machine.hyperv.switches(bound["Name"], bound.get("Type"))
    except MachineError as error:
        if error.is_terminating:
            context.nonterminating.append(thrown(error, _CMDLETS + "GetVMSwitch"))
        return []


def _must_recreate(bound: Mapping[str, Any], found: Sequence[Switch], context: ResourceContext) -> bool:
    if any(not item.is_team for item in found):
        is_other = _lies_elsewhere(bound, found, context)
    else:
        try:
            is_other = not _has_members(bound, found, context)
        except ResourceError as error:
            # The statement ends, and with it the comparison.
            context.nonterminating.append(error)
            is_other = False
    mode = bound.get("BandwidthReservationMode", "NA")
    wants_team = bool(bound.get("EnableEmbeddedTeaming"))
    return (
        is_other
        or (not is_same(mode, "NA") and any(not is_same(mode, item.bandwidth_mode) for item in found))
        or any(item.is_team is not None and item.is_team != wants_team for item in found)
        # Here the id is one, not a text: braces make no difference.
        or (
            "Id" in bound and any(uuid.UUID(bound["Id"].strip(" ()")) != uuid.UUID(item.id) for item in found)
        )
    )


def _lies_elsewhere(bound: Mapping[str, Any], found: Sequence[Switch], context: ResourceContext) -> bool:
    """Compare the adapter below; an unknown one is an error and the switch lies elsewhere."""
    below: list[str] = []
    try:
        below = _below(bound, context)
        _complain_of_unknown(bound, context)
    except MachineError as error:
        context.nonterminating.append(thrown(error, "Get-NetAdapter"))
        if error.is_terminating:
            return False
    return _differ(below, _descriptions(found))


def _complain_of_unknown(bound: Mapping[str, Any], context: ResourceContext) -> None:
    for name in bound.get("NetAdapterName", ()):
        if context.machine.network.find(name) is None and not set("*?[") & set(name):
            context.nonterminating.append(
                ResourceError(
                    f"No MSFT_NetAdapter objects found with property 'Name' equal to '{name}'.  Verify the "
                    "value of the property and retry.",
                    "CmdletizationQuery_NotFound_Name,Get-NetAdapter",
                    "ObjectNotFound",
                    "Microsoft.PowerShell.Cmdletization.Cim.CimJobException",
                )
            )


def _create(bound: Mapping[str, Any], context: ResourceContext) -> Switch | None:
    """New-VMSwitch: whatever the type, one with adapters is External."""
    adapters = bound.get("NetAdapterName", ())
    kind = spelled(bound["Type"], _TYPES)
    mode = bound.get("BandwidthReservationMode", "NA")
    options = SwitchOptions(
        bound.get("AllowManagementOS") if adapters else None,
        "Default" if is_same(mode, "NA") else spelled(mode, _MODES),
        bool(bound.get("EnableEmbeddedTeaming")),
        bound.get("Id", "").strip(" ()"),
    )
    make = partial(
        context.machine.hyperv.new_switch, bound["Name"], "External" if adapters else kind, adapters, options
    )
    return written(context, _CMDLETS + "NewVMSwitch", make)


def _allow_host(bound: Mapping[str, Any], found: list[Switch], context: ResourceContext) -> list[Switch]:
    allow = bound.get("AllowManagementOS")
    if allow is None or all(item.allow_management_os == allow for item in found):
        return found
    hyperv = context.machine.hyperv
    return [
        written(
            context,
            _CMDLETS + "SetVMSwitch",
            partial(hyperv.set_switch, switch, allow_management_os=allow),
        )
        or switch
        for switch in found
    ]


def _remove(found: Sequence[Switch], context: ResourceContext) -> None:
    hyperv = context.machine.hyperv
    for switch in found:
        written(context, _CMDLETS + "RemoveVMSwitch", partial(hyperv.remove_switch, switch))
