"""Open vSwitch: the database with its bridges and ports, and the adapters that ovs-vswitchd makes of bridges.

Ports are names: when an adapter is renamed, its port leads nowhere and stays in the database.
"""

from __future__ import annotations

import contextlib
import hashlib
import ntpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area, MachineError
from provisioner.lab.machine.basics import service_control
from provisioner.lab.machine.ground.network import Adapter
from provisioner.lab.machine.hyperv.extensions import SwitchExtensions

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

DATABASE_SERVICE: Final = "ovsdb-server"
DAEMON: Final = "ovs-vswitchd"
TOOL: Final = "ovs-vsctl.exe"
#: The type of a port that leads to another bridge.
PATCH: Final = "patch"
_HYPERV_TRIGGER: Final = "/VmmsWmiEventProvider"


@dataclass(slots=True)
class Bridge:
    """One bridge. ``tag`` is the VLAN of its own port, 0 for none; ``ports`` are names with their type."""

    tag: int = 0
    ports: dict[str, str] = field(default_factory=dict)


class OpenVSwitch(Area["Machine"]):
    """Bridges by name, which differ by case."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self.bridges: dict[str, Bridge] = {}
        self._made = 0

    def tool_at(self, path: str) -> bool:
        """Whether the tool lies at a path."""
        return ntpath.basename(path).casefold() == TOOL and self.owner.files.is_file(path)

    @property
    def has_tool(self) -> bool:
        """Whether the tool lies anywhere."""
        return any(self.tool_at(path) for path in self.owner.files.paths())

    def stopped(self) -> str:
        """Give the first of the two services that does not run; empty when both do."""
        for name in (DATABASE_SERVICE, DAEMON):
            service = self.owner.services.find(name)
            if service is None or service.status != "Running":
                return name
        return ""

    def add_bridge(self, name: str) -> None:
        """Make a bridge unless it is there, and its adapter where an extension forwards."""
        if name not in self.bridges:
            self.bridges[name] = Bridge()
            self._changed(f"bridge {name} made")
        self.follow()

    def remove_bridge(self, name: str) -> None:
        """Remove a bridge with its ports and its adapter; one that is not there is no matter."""
        if self.bridges.pop(name, None) is not None:
            self.owner.network.remove(name)
            self._changed(f"bridge {name} removed")

    def add_port(self, bridge: str, port: str, kind: str = "") -> None:
        """Make a port unless it is there."""
        if port not in self.bridges[bridge].ports:
            self.bridges[bridge].ports[port] = kind
            self._changed(f"port {port} of {bridge} made")

    def tag(self, bridge: str, vlan: int) -> None:
        """Put the own port of a bridge into a VLAN, or with 0 into none."""
        self.bridges[bridge].tag = vlan
        self._changed(f"bridge {bridge} is in VLAN {vlan}")

    def bridge_of(self, port: str) -> str | None:
        """Give the bridge that has a port."""
        return next((name for name, item in self.bridges.items() if port in item.ports), None)

    def follow(self) -> None:
        """Let ovs-vswitchd make the adapters of bridges: disabled ones, on the switch where it forwards."""
        if self.stopped() or self.owner.area(SwitchExtensions).switch_with_forwarding() is None:
            return
        for name in self.bridges:
            if self.owner.network.find(name) is None:
                self._made += 1
                self.owner.network.add(self._adapter(name))

    def _adapter(self, name: str) -> Adapter:
        digest = hashlib.sha256(f"{self.owner.computer_name}/{name}/{self._made}".encode()).hexdigest()
        guid = f"{{{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}}}".upper()
        number = sum(item.is_virtual for item in self.owner.network.adapters) + 1
        mac = "-".join(["00", "15", "5D", "FE", digest[32:34], digest[34:36]]).upper()
        description = f"Hyper-V Virtual Ethernet Adapter #{number + 1}"
        return Adapter(name, description, guid, mac, "Disabled", is_virtual=True)

    def reaches_out(self, bridge: str) -> bool:
        """Whether what is sent over a bridge leaves the machine: by an adapter below a switch it forwards on."""
        found = self.bridges.get(bridge)
        adapter = self.owner.network.find(bridge)
        switch = self.owner.area(SwitchExtensions).switch_with_forwarding()
        if found is None or adapter is None or adapter.status != "Up" or switch is None or self.stopped():
            return False
        uplinks = (self.owner.network.find(port) for port in found.ports)
        return any(
            item is not None and item.is_nic and item.status == "Up" and item.switch_id == switch.id
            for item in uplinks
        )

    def on_boot(self) -> None:
        """Start what waits for Hyper-V to announce itself, and give bridges without an adapter theirs."""
        vmms = self.owner.services.find("vmms")
        if vmms is None or vmms.status != "Running":
            return
        for service in self.owner.services:
            triggers = service_control.triggers(self.owner, service.name)
            if service.status == "Stopped" and any(item.endswith(_HYPERV_TRIGGER) for item in triggers):
                with contextlib.suppress(MachineError):
                    self.owner.services.start(service.name)
        self.follow()

    def _changed(self, what: str) -> None:
        self.owner.ledger.changed("open vswitch", what)

    def to_plain(self) -> dict[str, Any]:
        """Give the bridges."""
        return {
            "made": self._made,
            "bridges": {
                name: {"tag": item.tag, "ports": dict(item.ports)} for name, item in self.bridges.items()
            },
        }

    def load(self, plain: dict[str, Any]) -> None:
        """Take over what ``to_plain`` gave."""
        self._made = plain.get("made", self._made)
        self.bridges = {
            name: Bridge(item.get("tag", 0), dict(item.get("ports", {})))
            for name, item in plain.get("bridges", {}).items()
        }
