"""NetworkTeam of NetworkingDsc 9 (class DSC_NetworkTeam): teams of LBFO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.network.teams import Team, Teams
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import (
    Rule,
    bind,
    calling,
    invalid_operation,
    is_same,
    is_same_bag,
)

_MODES = ("SwitchIndependent", "LACP", "Static")
_ALGORITHMS = ("Dynamic", "HyperVPort", "IPAddresses", "MacAddresses", "TransportPorts")
_KEYS = (Rule("Name", is_mandatory=True), Rule("TeamMembers", "strings", is_mandatory=True))
_RULES = (
    *_KEYS,
    Rule("TeamingMode", allowed=_MODES),
    Rule("LoadBalancingAlgorithm", allowed=_ALGORITHMS),
    Rule("Ensure", allowed=("Present", "Absent")),
)


class NetworkTeam:
    """Stateless; mode and algorithm have defaults that count although they are not bound."""

    class_name = "DSC_NetworkTeam"
    module = "NetworkingDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _KEYS, properties)
        team = context.machine.area(Teams).find(bound["Name"])
        if team is None:
            return {"Name": bound["Name"], "TeamMembers": bound["TeamMembers"], "Ensure": "Absent"}
        return {
            "Name": bound["Name"],
            "TeamMembers": list(team.members),
            "LoadBalancingAlgorithm": team.algorithm,
            "TeamingMode": team.mode,
            "Ensure": "Present",
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        team = context.machine.area(Teams).find(bound["Name"])
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            return team is None
        mode, algorithm = _wanted(bound)
        return (
            team is not None
            and is_same(team.mode, mode)
            and is_same(team.algorithm, algorithm)
            and is_same_bag(team.members, bound["TeamMembers"])
        )

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource; it does not wait for the team to be up."""
        bound = bind("Set-TargetResource", _RULES, properties)
        teams = context.machine.area(Teams)
        team = teams.find(bound["Name"])
        await context.sleep(context.machine.durations.switch_s)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            if team:
                with calling("Remove-NetLbfoTeam"):
                    teams.remove(team.name)
        elif team is None:
            try:
                teams.add(Team(bound["Name"], tuple(bound["TeamMembers"]), *_wanted(bound)))
            except MachineError as error:
                raise invalid_operation(
                    f"Failed to create the network team '{bound['Name']}': {error.message}"
                ) from None
        else:
            _update(team, bound, teams)


def _wanted(bound: Mapping[str, Any]) -> tuple[str, str]:
    mode = bound.get("TeamingMode", "SwitchIndependent")
    algorithm = bound.get("LoadBalancingAlgorithm", "HyperVPort")
    return (
        next(item for item in _MODES if is_same(item, mode)),
        next(item for item in _ALGORITHMS if is_same(item, algorithm)),
    )


def _update(team: Team, bound: Mapping[str, Any], teams: Teams) -> None:
    mode, algorithm = _wanted(bound)
    if (team.mode, team.algorithm) != (mode, algorithm):
        with calling("Set-NetLbfoTeam"):
            teams.change(team.name, mode, algorithm)
    wanted = {member.casefold() for member in bound["TeamMembers"]}
    there = {member.casefold() for member in team.members}
    # What is missing comes first: a team cannot lose its last member.
    if wanted - there:
        with calling("Add-NetLbfoTeamMember"):
            teams.add_members(team.name, sorted(wanted - there))
    if there - wanted:
        with calling("Remove-NetLbfoTeamMember"):
            teams.remove_members(team.name, sorted(there - wanted))
