"""Get-NetLbfoTeam: teams of adapters."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import instance, query
from provisioner.lab.machine.network.teams import Teams

CLASS = "MSFT_NetLbfoTeam"


async def run(invocation: Invocation) -> None:
    """Write the teams; a name that none has is an error."""
    teams = invocation.node.machine.area(Teams).teams()
    for team in query(invocation, "Get-NetLbfoTeam", CLASS, teams, {"Name": lambda item: item.name}):
        invocation.output.write(
            instance(
                CLASS,
                {"Name": team.name, "Members": list(team.members), "TeamNics": team.name},
                {"TeamingMode": team.mode, "LoadBalancingAlgorithm": team.algorithm, "Status": "Up"},
                key=team.name,
            )
        )
