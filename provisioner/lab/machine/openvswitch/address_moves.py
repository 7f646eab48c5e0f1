r"""Addresses that go from one adapter to another, what is kept of that, and the tasks that bring them back.

The registry holds what was, as BridgeAddress of ProvisionerDsc writes it. Tasks of the folder ``\provisioner\``
run at the next boot at the latest: simulated machines have no clock that would start them earlier.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area
from provisioner.lab.machine.computer.scheduled_tasks import ScheduledTasks, Task
from provisioner.lab.machine.hyperv.extensions import SwitchExtensions
from provisioner.lab.machine.network.ip import DEFAULT_ROUTES, Ip

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

FOLDER: Final = "\\provisioner\\"
_KEY: Final = "SOFTWARE\\provisioner\\BridgeAddress\\"
_ADDRESSES_OF: Final = "addresses of "
_EXTENSION_OF: Final = "extension of "
_OURS: Final = "169.254."


@dataclass(frozen=True, slots=True)
class Configuration:
    """What an adapter has: addresses as 192.0.2.10/24, gateway (empty for none), name servers, DHCP.

    ``metric`` is that of the route to the gateway.
    """

    addresses: tuple[str, ...] = ()
    gateway: str = ""
    servers: tuple[str, ...] = ()
    dhcp: bool = False
    metric: int = 256

    def is_like(self, other: Configuration) -> bool:
        """Whether both have the same; neither the order of addresses nor DHCP nor metric counts."""
        return (sorted(self.addresses), self.gateway, self.servers) == (
            sorted(other.addresses),
            other.gateway,
            other.servers,
        )


@dataclass(frozen=True, slots=True)
class Move:
    """What is kept of a move; ``phase`` is Moving or Confirmed."""

    source: str
    before: Configuration
    phase: str = "Moving"


class AddressMoves(Area["Machine"]):
    """Everything is kept elsewhere: moves in the registry, guards among the tasks."""

    owner: Machine

    def of(self, alias: str) -> Configuration:
        """Give what an adapter has."""
        ip = self.owner.area(Ip)
        routes = [item for _, item in ip.routes(alias, "IPv4") if item.destination == DEFAULT_ROUTES["IPv4"]]
        return Configuration(
            tuple(
                f"{item.text}/{item.prefix}"
                for _, item in ip.addresses(alias, "IPv4")
                if not item.text.startswith(_OURS)
            ),
            routes[0].next_hop if routes else "",
            tuple(ip.dns_servers(alias, "IPv4")),
            ip.interface(alias, "IPv4").dhcp,
            routes[0].metric if routes else 256,
        )

    def configure(self, alias: str, wanted: Configuration) -> None:
        """Give an adapter just this.

        Raises:
            MachineError: somebody else has an address, or a cmdlet fails.
        """
        ip, found = self.owner.area(Ip), self.of(alias)
        anywhere = DEFAULT_ROUTES["IPv4"]
        if found.dhcp and not wanted.dhcp:
            ip.set_interface(alias, "IPv4", dhcp=False)
        if found.gateway and found.gateway != wanted.gateway:
            ip.remove_route(alias, anywhere, found.gateway)
        for address in found.addresses:
            if address not in wanted.addresses:
                ip.remove(alias, address.partition("/")[0])
        if wanted.dhcp:
            # The lease of before, which the server of a lab gives again.
            self._lease(alias, wanted)
            return
        for address in wanted.addresses:
            if address not in self.of(alias).addresses:
                text, _, prefix = address.partition("/")
                ip.add(alias, text, int(prefix))
        if wanted.gateway and self.of(alias).gateway != wanted.gateway:
            ip.add_route(alias, anywhere, wanted.gateway, wanted.metric)
        if found.servers != wanted.servers:
            ip.set_dns_servers(alias, wanted.servers)

    def _lease(self, alias: str, wanted: Configuration) -> None:
        ip = self.owner.area(Ip)
        for address in wanted.addresses:
            text, _, prefix = address.partition("/")
            ip.add(alias, text, int(prefix))
        if wanted.gateway:
            ip.add_route(alias, DEFAULT_ROUTES["IPv4"], wanted.gateway, wanted.metric)
        ip.set_interface(alias, "IPv4", dhcp=True)

    # -- what is kept ---------------------------------------------------------------------------------------

    def find(self, bridge: str) -> Move | None:
        """Give what is kept of a move to a bridge."""
        registry, key = self.owner.registry, _KEY + bridge

        def text(name: str) -> str:
            return str(registry.get(key, name) or "")

        if not registry.has_key(key) or not text("Phase"):
            return None
        before = Configuration(_listed(text("Addresses")), text("Gateway"), _listed(text("DnsServers")))
        before = replace(before, dhcp=text("Dhcp") == "yes", metric=int(text("Metric") or 256))
        return Move(text("Source"), before, text("Phase"))

    def saved(self) -> list[str]:
        """Name the bridges of which a move is kept."""
        names = self.owner.registry.subkeys(_KEY.rstrip("\\"))
        return [name for name in names if self.find(name) is not None]

    def keep(self, bridge: str, move: Move) -> None:
        """Write down a move."""
        values = {
            "Source": move.source,
            "Gateway": move.before.gateway,
            "Metric": str(move.before.metric),
            "Addresses": ",".join(move.before.addresses),
            "DnsServers": ",".join(move.before.servers),
            "Dhcp": "yes" if move.before.dhcp else "no",
            "Phase": move.phase,
        }
        for name, value in values.items():
            self.owner.registry.set(_KEY + bridge, name, value)

    def restore(self, bridge: str, move: Move) -> None:
        """Give everything back, and forget it.

        Raises:
            MachineError: a cmdlet fails.
        """
        if self.owner.network.find(bridge) is not None:
            self.configure(bridge, Configuration())
        self.configure(move.source, move.before)
        self.owner.registry.delete_key(_KEY + bridge)
        self.unguard(own_guard(bridge))

    # -- guards ---------------------------------------------------------------------------------------------

    def guard(self, name: str, of: str) -> None:
        """Register a task that undoes something; ``of`` is the switch, or a line for each bridge."""
        self.unguard(name)
        self.owner.area(ScheduledTasks).register(Task(name, FOLDER, description=of))

    def unguard(self, name: str) -> None:
        """Take a task away; one that is not there is no matter."""
        tasks = self.owner.area(ScheduledTasks)
        found = tasks.find(name, FOLDER)
        if found is not None:
            tasks.unregister(found)

    def is_guarded(self, name: str) -> bool:
        """Whether there is a task of this name."""
        return self.owner.area(ScheduledTasks).find(name, FOLDER) is not None

    def run_guard(self, name: str) -> None:
        """Do what a task does; one that is not there is no matter."""
        task = self.owner.area(ScheduledTasks).find(name, FOLDER)
        if task is None:
            return
        if name.startswith(_EXTENSION_OF):
            self.disable(task.description)
        for bridge in task.description.split("\n") if name.startswith(_ADDRESSES_OF) else ():
            if (move := self.find(bridge)) is not None:
                self.restore(bridge, move)
        self.unguard(name)

    def disable(self, switch: str) -> None:
        """Disable what forwards on the switches of a name."""
        extensions = self.owner.area(SwitchExtensions)
        for item in self.owner.hyperv.switches():
            for extension, is_enabled in (
                extensions.of(item) if item.name.casefold() == switch.casefold() else ()
            ):
                if is_enabled and extension.kind == "Forwarding":
                    extensions.choose(item, extension.name, is_enabled=False)

    def on_boot(self) -> None:
        """Run the tasks whose time came while the machine was off."""
        for task in self.owner.area(ScheduledTasks).tasks():
            if task.path == FOLDER and task.name.startswith((_ADDRESSES_OF, _EXTENSION_OF)):
                self.run_guard(task.name)

    def to_plain(self) -> dict[str, Any]:
        """Give nothing: all is kept elsewhere."""
        return {}

    def load(self, plain: dict[str, Any]) -> None:
        """Take nothing over."""


def own_guard(bridge: str) -> str:
    """Name the task that moves the addresses of a bridge back."""
    return _ADDRESSES_OF + bridge


def extension_guard(switch: str) -> str:
    """Name the task that disables the extension of a switch."""
    return _EXTENSION_OF + "".join("_" if letter in '\\/:*?"<>|' else letter for letter in switch)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(item for item in text.split(",") if item)
