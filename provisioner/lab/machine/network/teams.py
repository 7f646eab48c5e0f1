"""Teams of network adapters (LBFO): how each balances; who is in it stands at the adapters too."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area, MachineError
from provisioner.lab.machine.ground.network import Adapter

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

_CIM: Final = "Microsoft.Management.Infrastructure.CimException"
DESCRIPTION: Final = "Microsoft Network Adapter Multiplexor Driver"


@dataclass(frozen=True, slots=True)
class Team:
    """One team; ``members`` are names of adapters."""

    name: str
    members: tuple[str, ...]
    mode: str = "SwitchIndependent"
    algorithm: str = "Dynamic"


class Teams(Area["Machine"]):
    """Teams by name without regard to case."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._teams: list[Team] = []

    def teams(self) -> tuple[Team, ...]:
        """Give all teams."""
        return tuple(self._teams)

    def find(self, name: str) -> Team | None:
        """Look a team up."""
        return next((item for item in self._teams if item.name.casefold() == name.casefold()), None)

    def add(self, team: Team) -> None:
        """Make a team, and the adapter it shows as.

        Raises:
            MachineError: the name is taken, or an adapter is missing or busy.
        """
        self.owner.ledger.attempt("New-NetLbfoTeam")
        if self.find(team.name):
            raise _refused(f"A team with the name {team.name} already exists.")
        members = tuple(self._free(name).name for name in team.members)
        self._teams.append(replace(team, members=members))
        network = self.owner.network
        first = network.find(members[0])
        digest = hashlib.sha256(f"{self.owner.name}/team/{team.name}".encode()).hexdigest().upper()
        guid = f"{{{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}}}"
        for name in members:
            network.change(name, team=team.name)
        mac = first.mac if first else ""
        network.add(Adapter(team.name, DESCRIPTION, guid, mac, team=team.name, is_team=True))
        self._changed(f"{team.name} made")

    def change(self, name: str, mode: str, algorithm: str) -> None:
        """Change how a team balances."""
        self.owner.ledger.attempt("Set-NetLbfoTeam")
        self._replace(name, mode=mode, algorithm=algorithm)
        self._changed(f"{name} set")

    def add_members(self, name: str, members: Iterable[str]) -> None:
        """Put adapters into a team.

        Raises:
            MachineError: an adapter is missing or busy.
        """
        self.owner.ledger.attempt("Add-NetLbfoTeamMember")
        added = [self._free(member).name for member in members]
        team = self.find(name)
        if team:
            self._replace(name, members=(*team.members, *added))
        for member in added:
            self.owner.network.change(member, team=name)
        self._changed(f"{name} has {', '.join(added)}")

    def remove_members(self, name: str, members: Iterable[str]) -> None:
        """Take adapters out of a team."""
        self.owner.ledger.attempt("Remove-NetLbfoTeamMember")
        gone = {member.casefold() for member in members}
        team = self.find(name)
        if team:
            self._replace(name, members=tuple(item for item in team.members if item.casefold() not in gone))
        for member in gone:
            self.owner.network.change(member, team="")
        self._changed(f"{name} lost {', '.join(sorted(gone))}")

    def remove(self, name: str) -> None:
        """Dissolve a team; its members are free again."""
        self.owner.ledger.attempt("Remove-NetLbfoTeam")
        team = self.find(name)
        self._teams = [item for item in self._teams if item is not team]
        for member in team.members if team else ():
            self.owner.network.change(member, team="")
        self.owner.network.remove(name)
        self._changed(f"{name} removed")

    def _free(self, name: str) -> Adapter:
        adapter = self.owner.network.find(name)
        if adapter is None or not adapter.is_nic:
            raise _refused(f"The member {name} was not found.")
        if adapter.team or adapter.switch_id:
            raise _refused(f"The network adapter {name} is in use by a team or a virtual switch.")
        return adapter

    def _replace(self, name: str, **changes: Any) -> None:
        wanted = name.casefold()
        self._teams = [
            replace(item, **changes) if item.name.casefold() == wanted else item for item in self._teams
        ]

    def _changed(self, what: str) -> None:
        self.owner.ledger.changed("teams", what)

    def to_plain(self) -> list[dict[str, Any]]:
        """Give all teams; their adapters are in the network."""
        return [asdict(item) for item in self._teams]

    def load(self, plain: list[dict[str, Any]]) -> None:
        """Take over what ``to_plain`` gave; a team whose adapter is missing gets one."""
        for item in plain:
            team = Team(**{**item, "members": tuple(item["members"])})
            if self.owner.network.find(team.name):
                self._teams.append(team)
            else:
                self.add(team)


def _refused(text: str) -> MachineError:
    return MachineError(text, "Windows System Error 87", "InvalidArgument", _CIM)
