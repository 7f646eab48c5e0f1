"""The Hyper-V role at work: virtual switches and virtual machines.

Nothing here answers before the role is installed *and* the machine was booted since: the hypervisor and its
service vmms start with the machine.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from provisioner.lab.machine.area import Ledger, MachineError
from provisioner.lab.machine.ground.features import Features
from provisioner.lab.machine.ground.network import Adapter, Network
from provisioner.lab.machine.ground.services import Services

_EXCEPTION = "Microsoft.HyperV.PowerShell.VirtualizationException"
MODULE_FEATURE = "Hyper-V-PowerShell"
#: What a switch over several adapters shows in place of the description of one.
TEAMED = "Teamed-Interface"
_VNIC_DESCRIPTION = "Hyper-V Virtual Ethernet Adapter"


@dataclass(frozen=True, slots=True)
class Switch:
    """One virtual switch. Its name need not be unique.

    ``descriptions`` are the InterfaceDescriptions of the adapters below an External one; ``bandwidth_mode`` is
    what Hyper-V reports, None where it knows none; ``load_balancing`` is None unless it is a SET team; ``is_team``
    is None where Windows knows no such teams.
    """

    id: str
    name: str
    type: str
    descriptions: tuple[str, ...] = ()
    allow_management_os: bool = False
    is_team: bool | None = False
    bandwidth_mode: str | None = "Absolute"
    load_balancing: str | None = None
    has_iov: bool = False
    notes: str = ""


@dataclass(frozen=True, slots=True)
class VirtualMachine:
    """One virtual machine; ``state`` as Get-VM shows it (Running, Off, Saved, Paused)."""

    name: str
    id: str
    state: str = "Off"
    switch: str = ""


@dataclass(frozen=True, slots=True)
class SwitchOptions:
    """What New-VMSwitch may be told.

    Hyper-V resolves ``bandwidth_mode`` Default; an empty id means a new one.
    """

    allow_management_os: bool | None = None
    bandwidth_mode: str = "Default"
    is_team: bool = False
    id: str = ""
    has_iov: bool = False
    notes: str = ""


class HyperV:
    """Switches in the order they were made, machines by name."""

    def __init__(
        self,
        ledger: Ledger,
        computer_name: str,
        features: Features,
        services: Services,
        network: Network,
    ) -> None:
        self._ledger = ledger
        self._computer_name = computer_name
        self._features = features
        self._services = services
        self._network = network
        #: Told what carries the machine's address when that changed: a port of the host, an adapter, or nothing.
        self.on_move: Callable[[Adapter | None], None] = lambda _carrier: None
        #: Whether Windows has switches with embedded teaming: Server 2016 and later.
        self.knows_teams = True
        #: Whether a switch on a team of LBFO is refused: Server 2022 and later, without -AllowNetLbfoTeams.
        self.refuses_lbfo = False
        self._made = 0
        self._switches: list[Switch] = []
        self._machines: list[VirtualMachine] = []

    @property
    def has_module(self) -> bool:
        """Whether the PowerShell module is installed."""
        return self._features.is_installed(MODULE_FEATURE)

    @property
    def is_active(self) -> bool:
        """Whether the management service runs; it comes with the role at a boot and goes with it at another."""
        service = self._services.find("vmms")
        return service is not None and service.status == "Running"

    def demand_active(self) -> None:
        """Raise what every Hyper-V cmdlet gives while vmms does not answer.

        Raises:
            MachineError: ObjectNotFound.
        """
        if not self.is_active:
            raise MachineError(
                f"Hyper-V encountered an error trying to access an object on computer '{self._computer_name}' "
                "because the object was not found. The object might have been deleted. Verify that the Virtual "
                "Machine Management service on the computer is running.",
                "ObjectNotFound",
                "ObjectNotFound",
                _EXCEPTION,
            )

    def switches(self, name: str | None = None, kind: str | None = None) -> list[Switch]:
        """Switches of this name and type; all of them without arguments.

        Raises:
            MachineError: the role does not run, or (with a name) nothing was found: InvalidParameter.
        """
        self._ledger.attempt("Get-VMSwitch")
        self.demand_active()
        found = [
            item
            for item in self._switches
            if (name is None or item.name.casefold() == name.casefold())
            and (kind is None or item.type.casefold() == kind.casefold())
        ]
        if not found and name is not None:
            raise MachineError(
                f'Hyper-V was unable to find a virtual switch with name "{name}".',
                "InvalidParameter",
                "InvalidArgument",
                _EXCEPTION,
            )
        return found

    def machines(self) -> list[VirtualMachine]:
        """Virtual machines by name.

        Raises:
            MachineError: the role does not run.
        """
        self._ledger.attempt("Get-VM")
        self.demand_active()
        return sorted(self._machines, key=lambda item: item.name.casefold())

    def adopt(self, switches: Iterable[Switch] = (), machines: Iterable[VirtualMachine] = ()) -> None:
        """Take over switches and machines as they are, running or not."""
        self._switches.extend(switches)
        self._machines.extend(machines)

    def set_machine_state(self, name: str, state: str) -> None:
        """Change the state of a virtual machine, as starting or stopping it does."""
        self._machines = [
            replace(item, state=state) if item.name.casefold() == name.casefold() else item
            for item in self._machines
        ]
        self._ledger.changed("hyperv", f"machine {name} {state}")

    def remove_machine(self, machine: VirtualMachine) -> None:
        """Remove a virtual machine."""
        self._machines.remove(machine)
        self._ledger.changed("hyperv", f"machine {machine.name} removed")

    def new_switch(
        self,
        name: str,
        kind: str,
        adapters: Sequence[str] = (),
        options: SwitchOptions | None = None,
    ) -> Switch:
        """Make a switch (New-VMSwitch). Unlike the resource, the cmdlet never looks for one of that name.

        Raises:
            MachineError: the role does not run; an adapter is missing or already bound to a switch.
        """
        self._ledger.attempt("New-VMSwitch")
        self.demand_active()
        below = [self._usable(adapter, name) for adapter in adapters]
        wanted = options or SwitchOptions()
        mode = wanted.bandwidth_mode
        if mode == "Default":
            mode = "None" if wanted.has_iov else "Weight" if wanted.is_team else "Absolute"
        self._made += 1
        switch = Switch(
            str(uuid.UUID(wanted.id)) if wanted.id else self._new_id(),
            name,
            kind,
            tuple(adapter.description for adapter in below),
            (kind == "External") if wanted.allow_management_os is None else wanted.allow_management_os,
            wanted.is_team if self.knows_teams else None,
            mode,
            "Dynamic" if wanted.is_team else None,
            wanted.has_iov,
            wanted.notes,
        )
        with self._watching_the_address():
            self._switches.append(switch)
            for adapter in below:
                self._network.bind(adapter.name, switch.id)
            self._fit_host_port(switch)
        self._ledger.changed("hyperv", f"switch {name} made")
        return switch

    def remove_switch(self, switch: Switch) -> None:
        """Remove one switch and free its adapters.

        Raises:
            MachineError: a running virtual machine uses it.
        """
        self._ledger.attempt("Remove-VMSwitch")
        self.demand_active()
        if any(
            item.state == "Running" and item.switch.casefold() == switch.name.casefold()
            for item in self._machines
        ):
            raise MachineError(
                f'Failed while removing virtual Ethernet switch "{switch.name}". The virtual switch cannot be '
                "deleted because it is being used by running virtual machines or assigned to child pools.",
                "OperationFailed",
                "InvalidOperation",
                _EXCEPTION,
            )
        with self._watching_the_address():
            self._switches.remove(switch)
            for adapter in self._network.adapters:
                if adapter.switch_id == switch.id and adapter.is_virtual:
                    self._network.remove(adapter.name)
                elif adapter.switch_id == switch.id:
                    self._network.bind(adapter.name, "")
        self._ledger.changed("hyperv", f"switch {switch.name} removed")

    def set_switch(self, switch: Switch, **fields: Any) -> Switch:
        """Change a switch in place (Set-VMSwitch).

        Raises:
            MachineError: the role does not run.
        """
        self._ledger.attempt("Set-VMSwitch")
        return self._change(switch, **fields)

    def balance(self, switch: Switch, algorithm: str) -> Switch:
        """Let a team balance its load in another way (Set-VMSwitchTeam).

        Raises:
            MachineError: the role does not run.
        """
        self._ledger.attempt("Set-VMSwitchTeam")
        return self._change(switch, load_balancing=algorithm)

    def rename_switch(self, switch: Switch, name: str) -> Switch:
        """Give a switch another name (Rename-VMSwitch); the host's port on it is renamed with it.

        Raises:
            MachineError: the role does not run.
        """
        self._ledger.attempt("Rename-VMSwitch")
        self.demand_active()
        port = self._network.find(f"vEthernet ({switch.name})")
        if port is not None and port.switch_id == switch.id:
            self._network.change(port.name, name=f"vEthernet ({name})")
        return self._change(switch, name=name)

    def add_member(self, switch: Switch, adapter: str) -> Switch:
        """Put an adapter into the team of a switch (Add-VMSwitchTeamMember).

        Raises:
            MachineError: the role does not run, the switch is no team, or the adapter cannot be used.
        """
        self._ledger.attempt("Add-VMSwitchTeamMember")
        self._demand_team(switch)
        below = self._usable(adapter, switch.name)
        with self._watching_the_address():
            self._network.bind(below.name, switch.id)
        return self._change(switch, descriptions=(*switch.descriptions, below.description))

    def remove_member(self, switch: Switch, description: str) -> Switch:
        """Take an adapter out of the team of a switch (Remove-VMSwitchTeamMember).

        Raises:
            MachineError: the role does not run, or the switch is no team.
        """
        self._ledger.attempt("Remove-VMSwitchTeamMember")
        self._demand_team(switch)
        below = self._network.described(description)
        if below is not None:
            # The address stays with the host's port, whichever adapter leaves; see Network.management.
            self._network.bind(below.name, "")
        left = tuple(item for item in switch.descriptions if item.casefold() != description.casefold())
        return self._change(switch, descriptions=left)

    def _demand_team(self, switch: Switch) -> None:
        self.demand_active()
        if not switch.is_team:
            raise MachineError(
                f"The operation cannot be performed because virtual switch '{switch.name}' is not a teamed "
                "switch.",
                "InvalidParameter",
                "InvalidArgument",
                _EXCEPTION,
            )

    def _change(self, switch: Switch, **fields: Any) -> Switch:
        self.demand_active()
        changed = replace(switch, **fields)
        self._switches[self._switches.index(switch)] = changed
        with self._watching_the_address():
            self._fit_host_port(changed)
        self._ledger.changed("hyperv", f"switch {switch.name} changed")
        return changed

    @contextmanager
    def _watching_the_address(self) -> Iterator[None]:
        """An external switch takes the address of its adapter along to the host's port, or away for good."""
        before = self._network.management
        yield
        after = self._network.management
        if (before and before.name) != (after and after.name):
            self.on_move(after)

    def _usable(self, name: str, switch: str) -> Adapter:
        adapter = self._network.find(name)
        if adapter is None:
            raise MachineError(
                f"Could not find Ethernet adapter '{name}'.",
                "InvalidParameter",
                "InvalidArgument",
                _EXCEPTION,
            )
        if adapter.is_team and self.refuses_lbfo:
            raise MachineError(
                f"Failed while adding virtual Ethernet switch connections. Binding the switch {switch} to the "
                f"LBFO team '{adapter.name}' is deprecated; use Switch Embedded Teaming, or -AllowNetLbfoTeams.",
                "OperationFailed",
                "InvalidArgument",
                _EXCEPTION,
            )
        if adapter.switch_id or adapter.is_virtual or (adapter.team and not adapter.is_team):
            raise MachineError(
                f"Failed while adding virtual Ethernet switch connections. External Ethernet adapter "
                f"'{adapter.description}' is already bound to the Microsoft Virtual Switch protocol "
                f"(switch {switch}).",
                "OperationFailed",
                "ResourceBusy",
                _EXCEPTION,
            )
        return adapter

    def _fit_host_port(self, switch: Switch) -> None:
        port = f"vEthernet ({switch.name})"
        wanted = switch.type == "Internal" or (switch.type == "External" and switch.allow_management_os)
        there = self._network.find(port)
        if wanted and there is None:
            description = _VNIC_DESCRIPTION
            number = sum(item.is_virtual for item in self._network.adapters)
            if number:
                description += f" #{number + 1}"
            guid = "{" + switch.id[:-4] + "FFFF}"
            mac = f"00-15-5D-FF-{number // 256:02X}-{number % 256:02X}"
            self._network.add(Adapter(port, description, guid, mac, "Up", switch.id, is_virtual=True))
        elif not wanted and there is not None and there.switch_id == switch.id:
            self._network.remove(port)

    def _new_id(self) -> str:
        digest = hashlib.sha256(f"{self._computer_name}/switch/{self._made}".encode()).hexdigest()
        return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"

    def to_plain(self) -> dict[str, Any]:
        """Give switches and machines."""
        return {
            "made": self._made,
            "switches": [asdict(item) for item in self._switches],
            "machines": [asdict(item) for item in self._machines],
        }

    def load(self, plain: dict[str, Any]) -> None:
        """Take over what ``to_plain`` gave."""
        self._made = plain["made"]
        self._switches = [
            Switch(**{**item, "descriptions": tuple(item["descriptions"])}) for item in plain["switches"]
        ]
        self._machines = [VirtualMachine(**item) for item in plain["machines"]]
