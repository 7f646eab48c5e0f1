"""Group of PSDscResources 2.12 and of Windows itself (class MSFT_GroupResource)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.basics.local_accounts import Group as LocalGroup
from provisioner.lab.machine.basics.local_accounts import LocalAccounts
from provisioner.lab.machine.directory.principals import name_of, sid_of
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, invalid_argument, is_same

_NAME = Rule("GroupName", may_be_empty=False)
_RULES = (
    _NAME,
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("Description"),
    Rule("Members", "strings"),
    Rule("MembersToInclude", "strings"),
    Rule("MembersToExclude", "strings"),
    Rule("Credential", "any"),
)
_FORBIDDEN = '\\/"[]:|<>+=;,?*@'
_INVOCATION = "System.Management.Automation.MethodInvocationException"


class Group:
    """Stateless. Members is all of them; MembersToInclude and MembersToExclude leave the others alone."""

    class_name = "MSFT_GroupResource"
    module = "PSDscResources"
    #: Id of the error about Members together with one of the others; empty for the name of that other one.
    conflict_id = ""

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource: local members by their bare names."""
        bound = bind("Get-TargetResource", (_NAME,), properties)
        group = _find(bound["GroupName"], context)
        if group is None:
            return {"GroupName": bound["GroupName"], "Ensure": "Absent"}
        local = context.machine.computer_name + "\\"
        names = [name_of(context.machine, sid).removeprefix(local) for sid in _members(group, context)]
        return {
            "GroupName": bound["GroupName"],
            "Ensure": "Present",
            "Description": group.description,
            "Members": names,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        self._check(bound)
        group = _find(bound["GroupName"], context)
        is_present = is_same(bound.get("Ensure", "Present"), "Present")
        if group is None or not is_present:
            return (group is not None) == is_present
        if "Description" in bound and not is_same(bound["Description"], group.description):
            return False
        wanted = _wanted(bound, group, context)
        return wanted is None or set(wanted) == set(group.members)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: names are resolved before anything is changed."""
        bound = bind("Set-TargetResource", _RULES, properties)
        self._check(bound)
        accounts = context.machine.area(LocalAccounts)
        group = _find(bound["GroupName"], context)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            if group is not None:
                accounts.remove_group(group.name)
            return
        name = group.name if group else bound["GroupName"]
        wanted = _wanted(bound, group or LocalGroup(name, ""), context)
        if group is None:
            accounts.add_group(name)
        fields: dict[str, Any] = {"description": bound["Description"]} if "Description" in bound else {}
        if wanted is not None:
            fields["members"] = tuple(wanted)
        if fields:
            accounts.change_group(name, **fields)

    def _check(self, bound: Mapping[str, Any]) -> None:
        name = bound["GroupName"]
        if any(char in _FORBIDDEN for char in name) or not name.strip(". \t"):
            raise invalid_argument(f"The name {name} cannot be used for a group.", "GroupName")
        if "Members" in bound:
            for other in ("MembersToInclude", "MembersToExclude"):
                if other in bound:
                    text = f"Members and {other} must not both be given."
                    raise self._conflict(text, other)
        both = {item.casefold() for item in bound.get("MembersToInclude", ())}
        if both & {item.casefold() for item in bound.get("MembersToExclude", ())}:
            raise self._conflict(
                f"A member of {name} is both to be included and to be excluded.",
                "MembersToInclude and MembersToExclude",
            )

    def _conflict(self, text: str, parameter: str) -> ResourceError:
        return invalid_argument(text, self.conflict_id or parameter)


class InBoxGroup(Group):
    """The one that comes with Windows has other ids."""

    module = "PSDesiredStateConfiguration"
    conflict_id = "GroupTestCmdlet_MembersPlusIncludeOrExcludeConflict"

    def _check(self, bound: Mapping[str, Any]) -> None:
        if "Members" in bound and bound["Members"] is None:
            raise invalid_argument("Members must not be null.", "GroupTestCmdlet_MembersIsNull")
        super()._check(bound)


def _find(name: str, context: ResourceContext) -> LocalGroup | None:
    return context.machine.area(LocalAccounts).group(name)


def _members(group: LocalGroup, context: ResourceContext) -> tuple[str, ...]:
    """Give the members; a SID that is nobody's cannot be enumerated."""
    orphan = next((sid for sid in group.members if name_of(context.machine, sid) == sid), None)
    if orphan is not None:
        raise ResourceError(
            'Exception calling "GetNext" with "0" argument(s): "An error (1332) occurred while enumerating the '
            f"group membership. The member's SID could not be resolved.\" ({orphan})",
            "PrincipalOperationException",
            "NotSpecified",
            _INVOCATION,
        )
    return group.members


def _wanted(bound: Mapping[str, Any], group: LocalGroup, context: ResourceContext) -> list[str] | None:
    """Give the SIDs the group shall have, None when members do not matter."""
    if "Members" in bound:
        _members(group, context)
        return _sids(bound["Members"] or (), context)
    if "MembersToInclude" not in bound and "MembersToExclude" not in bound:
        return None
    kept = list(_members(group, context))
    kept += [sid for sid in _sids(bound.get("MembersToInclude") or (), context) if sid not in kept]
    gone = _sids(bound.get("MembersToExclude") or (), context)
    return [sid for sid in kept if sid not in gone]


def _sids(names: Iterable[str], context: ResourceContext) -> list[str]:
    found: dict[str, None] = {}
    for name in names:
        try:
            found[sid_of(context.machine, name)] = None
        except MachineError:
            raise invalid_argument(
                f"Could not find a principal with the provided name {name}.", name
            ) from None
    return list(found)
