"""State of one simulated Windows machine: a set of areas that resources and commands share.

Areas interfere as on Windows (an MSI leaves pending renames, a switch takes an adapter), so state never belongs
to a resource. ``on_boot`` settles what was pending before anything else runs.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from provisioner.lab.machine.area import A, Areas, Ledger, MachineError
from provisioner.lab.machine.directory.domains import Directory
from provisioner.lab.machine.ground import names
from provisioner.lab.machine.ground.accounts import Accounts
from provisioner.lab.machine.ground.certificates import Certificates
from provisioner.lab.machine.ground.features import Features, table_of
from provisioner.lab.machine.ground.files import Files
from provisioner.lab.machine.ground.hyperv import HyperV, VirtualMachine
from provisioner.lab.machine.ground.iscsi import IscsiTarget
from provisioner.lab.machine.ground.network import Network, physical
from provisioner.lab.machine.ground.packages import Packages, digest_of, service_of
from provisioner.lab.machine.ground.power import Power
from provisioner.lab.machine.ground.registry import PREFETCH, SETUP_STATE, Registry
from provisioner.lab.machine.ground.services import Services
from provisioner.lab.machine.powershell import modules
from provisioner.lab.machine.world import World
from provisioner.lab.spec import RELEASES, Durations, NodeSpec

#: The part of the state that holds all areas made at their first use.
AREAS = "areas"
_BOOT_ID = "BootId"
_FIRST_BOOT_ID = 1


class Machine:
    """One Windows machine.

    ``ledger.listeners`` hear of every change; ``ledger.failing`` injects failures. Nothing here waits:
    durations are spent by whoever acts.
    """

    def __init__(self, spec: NodeSpec, boot_time: datetime, world: World[Machine] | None = None) -> None:
        #: The node's name in the inventory; its computer name may change.
        self.name = spec.name
        self.computer_name = spec.netbios_name
        self.world: World[Machine] = world or World()
        self.world.join(self)
        self.release = spec.windows
        self.build = spec.build
        #: Version of Windows.
        self.version = f"10.0.{spec.build}"
        #: Disks without partitions that are there from the start.
        self.raw_disks = spec.disks
        self.hardware = spec.hardware
        self.installation = spec.installation
        #: PCI Express devices that could leave the host, and whether it could keep them to one virtual machine.
        self.pci_devices = spec.pci_devices
        self.has_iommu = spec.iommu
        self.edition = spec.edition
        #: Hosts outside the lab that do not answer, each as ``host`` or ``host:port``.
        self.unreachable = spec.unreachable
        self.boot_time = boot_time
        #: Seconds by which the clock is wrong.
        self.clock_skew_s = spec.clock_skew_s
        #: Whether others reach it: false while it boots.
        self.is_up = True
        self.user = spec.user
        #: Where the node is reached; other machines of the world find it there.
        self.address = spec.address
        self.port = spec.port
        #: Told when the network of the node is gone: for so many simulated seconds, or for ever (None).
        self.on_network: Callable[[float | None], None] = lambda _seconds: None
        self.modules: Mapping[str, tuple[str, ...]] = spec.modules
        self.durations: Durations = spec.durations
        #: Whether InitiatorIds.Value carries the method ("full") or not ("value").
        self.initiator_ids = spec.initiator_ids
        #: Text by address: what a download from there brings.
        self.downloads: Mapping[str, str] = spec.downloads
        #: What .zip files hold that are only named by their SHA-256, in lower case.
        self.archives = {digest.lower(): files for digest, files in spec.archives.items()}
        self.ledger = Ledger()
        first = {spec.user.rpartition("\\")[2]: ("Administrators",)} if spec.user else {}
        #: Groups of the local users, by name; the account of the connection is an administrator.
        self.groups_of: dict[str, tuple[str, ...]] = first | {
            user.name: user.groups for user in spec.logon.users if "@" not in user.name
        }
        self.accounts = Accounts(self.computer_name, self.groups_of)
        self.registry = Registry(self.ledger)
        self.services = Services(self.ledger)
        self.features = Features(self.ledger, table_of(spec.windows, spec.edition), self.services)
        self.files = Files(self.ledger, spec.volumes)
        self.services.has_file = self.files.is_file
        on_disk = {digest_of(item.data): item.package for item in spec.files if item.package}
        known = {digest.lower(): package for digest, package in spec.installers.items()} | on_disk
        self.packages = Packages(self.ledger, self.files, self.services, self.registry, known)
        self.network = Network(
            self.ledger,
            [
                physical(self.computer_name, number, item.name, item.description, item.status)
                for number, item in enumerate(spec.adapters)
            ],
        )
        machines = [
            VirtualMachine(item.name, str(uuid.uuid5(uuid.NAMESPACE_DNS, item.name)), item.state, item.switch)
            for item in spec.virtual_machines
        ]
        self.hyperv = HyperV(self.ledger, self.computer_name, self.features, self.services, self.network)
        self.hyperv.refuses_lbfo = spec.build >= RELEASES["2022"]
        self.hyperv.adopt(machines=machines)
        self.hyperv.on_move = lambda carrier: self.on_network(self.durations.switch_s if carrier else None)
        self.iscsi = IscsiTarget(self.ledger, self.computer_name, self.features, self.services, self.files)
        self.power = Power(self.ledger)
        self.areas: Areas[Machine] = Areas(self)
        #: Whoever keeps the machine in a folder gives it a store that lies there.
        self.certificates = Certificates()

    @classmethod
    def create(cls, spec: NodeSpec, boot_time: datetime, world: World[Machine] | None = None) -> Machine:
        """Make a freshly installed machine, booted at ``boot_time`` (with a time zone)."""
        machine = cls(spec, boot_time, world)
        machine.registry.set(PREFETCH, _BOOT_ID, _FIRST_BOOT_ID)
        names.seed(machine.registry, machine.computer_name)
        machine.registry.set(SETUP_STATE, "ImageState", spec.installation.state)
        for service in spec.services:
            machine.services.add(service_of(service))
        for item in spec.files:
            machine.files.seed(item.path, item.data)
        modules.seed(machine.files, spec.modules)
        machine.files.settle()
        for domain in spec.domains:
            machine.world.area(Directory).declare(domain)
        for name in spec.removed_features:
            if machine.features.find(name):
                machine.features.remove_payload(name)
        for cmdlet, text in spec.failing_commands.items():
            machine.ledger.failing[cmdlet] = MachineError(text, "OperationFailed", "InvalidResult")
        return machine

    def area(self, kind: type[A]) -> A:
        """Give the area of this kind: the state behind one family of cmdlets, made when it is first asked for."""
        return self.areas.get(kind)

    @property
    def boot_id(self) -> int:
        """Number of boots, as the registry has it (PrefetchParameters, BootId)."""
        return int(self.registry.get(PREFETCH, _BOOT_ID))

    @property
    def needs_reboot(self) -> bool:
        """Whether something waits for the next boot."""
        return self.features.needs_restart or self.registry.has_pending_renames

    @property
    def boot_duration_s(self) -> float:
        """Simulated seconds the next boot takes; pending features are configured in it."""
        return self.durations.boot_s + (
            self.durations.feature_reboot_s if self.features.needs_restart else 0.0
        )

    def on_power(self, is_up: bool) -> None:  # noqa: FBT001 - what a node tells all who listen
        """Take note of going down and coming up."""
        self.is_up = is_up

    def set_clock(self, now: datetime) -> None:
        """Tell the machine the time that new files and processes get."""
        self.files.clock = self.services.clock = now.isoformat()

    def on_boot(self, now: datetime) -> None:
        """Come up again: settle what was pending, start automatic services, count the boot."""
        self.boot_time = now
        self.set_clock(now)
        self.packages.is_busy = False
        self.registry.on_boot()
        self._go_by(names.boot(self.registry, self.computer_name))
        self.features.on_boot()
        self.services.on_boot()
        self.areas.on_boot()
        self.registry.set(PREFETCH, _BOOT_ID, self.boot_id + 1)
        self.ledger.changed("machine", f"boot {self.boot_id}")

    def _go_by(self, name: str) -> None:
        """Take the name that is active from now on."""
        self.computer_name = name
        self.accounts.rename(name)

    def parts(self) -> dict[str, Callable[[], Any]]:
        """Give the parts of the state and what makes JSON values of each; the ledger names what changes."""
        return {
            "boot_time": self.boot_time.isoformat,
            "services": self.services.to_plain,
            "features": self.features.to_plain,
            "files": self.files.to_plain,
            "packages": self.packages.to_plain,
            "registry": self.registry.to_plain,
            "network": self.network.to_plain,
            "hyperv": self.hyperv.to_plain,
            "iscsi": self.iscsi.to_plain,
            "power": self.power.to_plain,
            AREAS: self.areas.to_plain,
        }

    def to_plain(self) -> dict[str, Any]:
        """Give the state as JSON values; what follows from the specification is left out where it is large."""
        return {name: make() for name, make in self.parts().items()}

    @classmethod
    def from_plain(
        cls, plain: Mapping[str, Any], spec: NodeSpec, world: World[Machine] | None = None
    ) -> Machine:
        """Restore a machine from parts that ``to_plain`` gave and the specification it was made from.

        A part that is missing is as it was made.
        """
        machine = cls.create(spec, datetime.fromisoformat(plain["boot_time"]), world)
        kept: dict[str, Callable[[Any], None]] = {
            "services": machine.services.load,
            "features": machine.features.load,
            "files": machine.files.load,
            "packages": machine.packages.load,
            "registry": machine.registry.load,
            "network": machine.network.load,
            "hyperv": machine.hyperv.load,
            "iscsi": machine.iscsi.load,
            "power": machine.power.load,
            AREAS: machine.areas.load,
        }
        for name, load in kept.items():
            if name in plain:
                load(plain[name])
        machine._go_by(names.active(machine.registry, machine.computer_name))  # noqa: SLF001 - its own
        return machine
