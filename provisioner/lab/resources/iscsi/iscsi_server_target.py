"""iSCSIServerTarget of iSCSIDsc 1.5 (class DSR_iSCSIServerTarget)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.iscsi import EXCEPTION, Target
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, calling, is_same, is_same_bag
from provisioner.lab.resources.calls import written

_RULES = (
    Rule("TargetName", is_mandatory=True, may_be_empty=False),
    Rule("InitiatorIds", "strings", is_mandatory=True, may_be_empty=False),
    Rule("Paths", "strings", is_mandatory=True, may_be_empty=False),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("iSNSServer"),
)
_CMDLETS = "Microsoft.Iscsi.Target.Commands."
_WMI = "Microsoft.PowerShell.Commands."


class IscsiServerTarget:
    """Stateless. The iSNS server belongs to the whole machine, whatever target asks for it."""

    class_name = "DSR_iSCSIServerTarget"
    module = "iSCSIDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES[:3], properties)
        target = _lookup(bound["TargetName"], context)
        answer: dict[str, Any] = {"TargetName": bound["TargetName"], "Ensure": "Absent"}
        if target is not None:
            answer |= {
                "Ensure": "Present",
                "InitiatorIds": shown_initiators(target, context),
                "Paths": list(target.luns),
            }
        return {**answer, "iSNSServer": _isns(context)}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        target = _lookup(bound["TargetName"], context)
        isns = _isns(context)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            return target is None and not isns
        return (
            target is not None
            and is_same_bag(bound["InitiatorIds"], shown_initiators(target, context))
            and is_same_bag(bound["Paths"], target.luns)
            # A machine without iSNS server has null, which is not the empty text.
            and ("iSNSServer" not in bound or (isns is not None and is_same(bound["iSNSServer"], isns)))
        )

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = bind("Set-TargetResource", _RULES, properties)
        name = bound["TargetName"]
        target, isns = _lookup(name, context), _isns(context)
        await context.sleep(context.machine.durations.disk_s)
        iscsi = context.machine.iscsi
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            if target is not None:
                with calling(_CMDLETS + "RemoveIscsiServerTargetCommand"):
                    iscsi.remove_target(name)
            _forget(isns, context)
            return
        if target is None:
            with calling(_CMDLETS + "NewIscsiServerTargetCommand"):
                target = iscsi.new_target(name, bound["InitiatorIds"])
        elif not is_same_bag(bound["InitiatorIds"], shown_initiators(target, context)):
            with calling(_CMDLETS + "SetIscsiServerTargetCommand"):
                iscsi.set_initiators(name, bound["InitiatorIds"])
        _map(name, bound["Paths"], target.luns, context)
        _register(bound, isns, context)


def shown_initiators(target: Target, context: ResourceContext) -> list[str]:
    """What ``.InitiatorIds.Value`` gives on this machine: with the method in front, or without."""
    if context.machine.initiator_ids == "full":
        return [str(item) for item in target.initiators]
    return [item.value for item in target.initiators]


def _lookup(name: str, context: ResourceContext) -> Target | None:
    with calling(_CMDLETS + "GetIscsiServerTargetCommand"):
        try:
            return context.machine.iscsi.target(name)
        except MachineError as error:
            if error.exception_type != EXCEPTION:
                raise
            return None


def _map(name: str, wanted: Iterable[str], mapped: Iterable[str], context: ResourceContext) -> None:
    """Add what is missing, then take away what is not wanted; errors of both are written."""
    iscsi = context.machine.iscsi
    have = {path.casefold() for path in mapped}
    want = {path.casefold() for path in wanted}
    for path in wanted:
        if path.casefold() not in have:
            add = partial(iscsi.map_disk, name, path)
            written(context, _CMDLETS + "AddIscsiVirtualDiskTargetMappingCommand", add)
    for path in mapped:
        if path.casefold() not in want:
            remove = partial(iscsi.unmap_disk, name, path)
            written(context, _CMDLETS + "RemoveIscsiVirtualDiskTargetMappingCommand", remove)


def _isns(context: ResourceContext) -> str | None:
    """Ask for the iSNS server; without an answer there is none."""
    return written(context, _WMI + "GetWmiObjectCommand", context.machine.iscsi.isns_server)


def _register(bound: Mapping[str, Any], current: str | None, context: ResourceContext) -> None:
    if "iSNSServer" not in bound:
        return
    if not bound["iSNSServer"]:
        _forget(current, context)
        return
    try:
        context.machine.iscsi.set_isns(bound["iSNSServer"])
    except MachineError as error:
        # The module swallows what registering answers.
        context.verbose(f"iSNS: {error.message}")


def _forget(isns: str | None, context: ResourceContext) -> None:
    if isns:
        with calling(_WMI + "RemoveWmiObject"):
            context.machine.iscsi.set_isns(None)
