"""Microsoft iSCSI Software Target: virtual disks, targets and what maps them.

Everything needs the role service FS-iSCSITarget-Server and its service WinTarget.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from provisioner.lab.machine.area import Ledger, MachineError, command_not_found
from provisioner.lab.machine.ground.features import Features
from provisioner.lab.machine.ground.files import Files, normal, parent_of
from provisioner.lab.machine.ground.services import Services

FEATURE = "FS-iSCSITarget-Server"
#: Thrown by every cmdlet of the module; resources take it for "absent" where they look something up.
EXCEPTION = "Microsoft.Iscsi.Target.Commands.IscsiCmdException"
_INITIATOR_EXCEPTION = "Microsoft.Management.Infrastructure.CimException"
_METHODS = ("IQN", "IPAddress", "IPv6Address", "DNSName", "MACAddress")


@dataclass(frozen=True, slots=True)
class VirtualDisk:
    """A registered virtual disk. ``type`` is Dynamic, Fixed or Differencing; sizes in bytes."""

    path: str
    size: int | None
    type: str
    description: str = ""
    parent_path: str = ""
    block_size: int | None = None
    logical_sector_size: int | None = None
    physical_sector_size: int | None = None


@dataclass(frozen=True, slots=True)
class InitiatorId:
    """Who may log on to a target. ``method`` as the IdMethod enumeration spells it."""

    method: str
    value: str

    @classmethod
    def parse(cls, text: str) -> InitiatorId:
        """Read ``Method:Value``; a bare value is an IQN."""
        method, colon, value = text.partition(":")
        for known in _METHODS:
            if colon and method.casefold() == known.casefold():
                return cls(known, value)
        return cls("IQN", text)

    def __str__(self) -> str:
        return f"{self.method}:{self.value}"


@dataclass(frozen=True, slots=True)
class Target:
    """One target. ``luns`` are disk paths in the order of their LUN; ``sessions`` counts connected initiators.

    With a ``chap_user`` whoever logs on has to know the secret; with a ``reverse_user`` the target can be asked
    to prove that it knows another one.
    """

    name: str
    iqn: str
    initiators: tuple[InitiatorId, ...] = ()
    luns: tuple[str, ...] = ()
    sessions: int = 0
    description: str = ""
    is_enabled: bool = True
    chap_user: str = ""
    chap_secret: str = field(default="", repr=False)
    reverse_user: str = ""
    reverse_secret: str = field(default="", repr=False)

    def admits(self, initiator: str, address: str) -> bool:
        """Whether an initiator of this IQN and address may see it; an empty list admits nobody."""
        return self.is_enabled and any(
            (one.method == "IQN" and fnmatch.fnmatchcase(initiator.casefold(), one.value.casefold()))
            or (one.method in {"IPAddress", "IPv6Address"} and one.value in {address, "*"})
            or (one.method == "DNSName" and initiator.casefold().endswith(f":{one.value.casefold()}"))
            for one in self.initiators
        )


class IscsiTarget:
    """The target server of one machine. ``isns`` is the one iSNS server of the whole machine, or None."""

    def __init__(
        self, ledger: Ledger, computer_name: str, features: Features, services: Services, files: Files
    ) -> None:
        self._ledger = ledger
        self._computer_name = computer_name
        self._features = features
        self._services = services
        self._files = files
        self._disks: dict[str, VirtualDisk] = {}
        self._targets: dict[str, Target] = {}
        self.isns: str | None = None

    def isns_server(self) -> str | None:
        """Give the iSNS server (the class WT_iSNSServer)."""
        self._ledger.attempt("Get-WmiObject")
        return self.isns

    @property
    def is_installed(self) -> bool:
        """Whether the role service, and with it the cmdlets, is there."""
        return self._features.is_installed(FEATURE)

    def demand(self, cmdlet: str) -> None:
        """Raise what ``cmdlet`` gives when the role service is missing or its service does not run.

        Raises:
            MachineError: CommandNotFoundException without the role, IscsiCmdException without WinTarget.
        """
        self._ledger.attempt(cmdlet)
        if not self.is_installed:
            raise command_not_found(cmdlet)
        service = self._services.find("WinTarget")
        if service is None or service.status != "Running":
            raise _failure("The Windows iSCSI target provider is not available.", "ProviderNotAvailable")

    def disk(self, path: str, cmdlet: str = "Get-IscsiVirtualDisk") -> VirtualDisk:
        """Look a virtual disk up.

        Raises:
            MachineError: there is none of this path.
        """
        self.demand(cmdlet)
        found = self._disks.get(normal(path).casefold())
        if found is None:
            raise _failure(f"The virtual disk with the path '{path}' could not be found.", "ObjectNotFound")
        return found

    def disks(self) -> list[VirtualDisk]:
        """All virtual disks by path."""
        self.demand("Get-IscsiVirtualDisk")
        return [self._disks[key] for key in sorted(self._disks)]

    def new_disk(self, disk: VirtualDisk) -> VirtualDisk:
        """Make and register a virtual disk; its file appears.

        Raises:
            MachineError: folder missing, wrong extension, file exists, parent missing, no room.
        """
        self.demand("New-IscsiVirtualDisk")
        path = normal(disk.path)
        if not path.casefold().endswith((".vhdx", ".vhd")):
            raise _failure(f"The file extension of '{path}' is not valid. Use .vhdx.", "InvalidArgument")
        if not self._files.is_folder(parent_of(path)):
            raise _failure(f"The system cannot find the path specified. Path: {path}", "ObjectNotFound")
        if self._files.find(path):
            raise _failure(f"The file exists. Path: {path}", "ResourceExists")
        size = disk.size
        if disk.parent_path:
            if not self._files.is_file(disk.parent_path):
                raise _failure(
                    f"The system cannot find the file specified. Path: {disk.parent_path}", "ObjectNotFound"
                )
            parent = self._disks.get(normal(disk.parent_path).casefold())
            size = parent.size if parent else size
        room = self._files.volumes.get(path[:1].upper(), 0) * 2**30
        if disk.type == "Fixed" and size is not None and size > room:
            raise _failure("There is not enough space on the disk.", "ResourceUnavailable")
        made = replace(disk, path=path, size=size)
        self._files.write(path, b"vhdxfile")
        self._disks[path.casefold()] = made
        self._ledger.changed("iscsi", f"disk {path} made")
        return made

    def describe_disk(self, path: str, description: str) -> None:
        """Change the description (Set-IscsiVirtualDisk)."""
        found = self.disk(path, "Set-IscsiVirtualDisk")
        self._disks[normal(path).casefold()] = replace(found, description=description)
        self._ledger.changed("iscsi", f"disk {found.path} changed")

    def remove_disk(self, path: str) -> None:
        """Unregister a virtual disk; its file stays on the volume.

        Raises:
            MachineError: a target maps it.
        """
        found = self.disk(path, "Remove-IscsiVirtualDisk")
        for target in self._targets.values():
            if found.path.casefold() in (lun.casefold() for lun in target.luns):
                raise _failure(
                    f"The virtual disk '{found.path}' is assigned to the target '{target.name}'.",
                    "ResourceBusy",
                )
        del self._disks[normal(path).casefold()]
        self._ledger.changed("iscsi", f"disk {found.path} removed")

    def target(self, name: str, cmdlet: str = "Get-IscsiServerTarget") -> Target:
        """Look a target up.

        Raises:
            MachineError: there is none of this name.
        """
        self.demand(cmdlet)
        found = self._targets.get(name.casefold())
        if found is None:
            raise _failure(f"The target '{name}' could not be found.", "ObjectNotFound")
        return found

    def targets(self) -> list[Target]:
        """All targets by name."""
        self.demand("Get-IscsiServerTarget")
        return [self._targets[key] for key in sorted(self._targets)]

    def new_target(self, name: str, initiators: Sequence[str]) -> Target:
        """Make a target without disks.

        Raises:
            MachineError: the name is taken.
        """
        self.demand("New-IscsiServerTarget")
        if name.casefold() in self._targets:
            raise _failure(f"A target with the name '{name}' already exists.", "ResourceExists")
        iqn = f"iqn.1991-05.com.microsoft:{self._computer_name}-{name}-target".casefold()
        return self._put(Target(name, iqn, tuple(InitiatorId.parse(item) for item in initiators)), "made")

    def set_initiators(self, name: str, initiators: Sequence[str]) -> None:
        """Replace the list of initiators."""
        found = self.target(name, "Set-IscsiServerTarget")
        self._put(replace(found, initiators=tuple(InitiatorId.parse(item) for item in initiators)), "changed")

    def remove_target(self, name: str) -> None:
        """Remove a target and its mappings.

        Raises:
            MachineError: an initiator is connected.
        """
        found = self.target(name, "Remove-IscsiServerTarget")
        _demand_idle(found)
        del self._targets[name.casefold()]
        self._ledger.changed("iscsi", f"target {found.name} removed")

    def map_disk(self, name: str, path: str) -> None:
        """Give a target a disk as its next LUN.

        Raises:
            MachineError: the path is no virtual disk, or another target has it.
        """
        found = self.target(name, "Add-IscsiVirtualDiskTargetMapping")
        disk = self.disk(path, "Add-IscsiVirtualDiskTargetMapping")
        for other in self._targets.values():
            if disk.path.casefold() in (lun.casefold() for lun in other.luns):
                raise _failure(
                    f"The virtual disk '{disk.path}' is assigned to the target '{other.name}'.",
                    "ResourceBusy",
                )
        self._put(replace(found, luns=(*found.luns, disk.path)), "changed")

    def unmap_disk(self, name: str, path: str) -> None:
        """Take a disk from a target.

        Raises:
            MachineError: an initiator is connected.
        """
        found = self.target(name, "Remove-IscsiVirtualDiskTargetMapping")
        _demand_idle(found)
        luns = tuple(lun for lun in found.luns if lun.casefold() != normal(path).casefold())
        self._put(replace(found, luns=luns), "changed")

    # -- what initiators see --------------------------------------------------------------------------------

    @property
    def is_serving(self) -> bool:
        """Whether the target server answers initiators: the role is there and its service runs."""
        service = self._services.find("WinTarget") if self.is_installed else None
        return service is not None and service.status == "Running"

    def offered(self, initiator: str, address: str) -> list[Target]:
        """Targets that an initiator is told of, by name."""
        return [
            self._targets[key]
            for key in sorted(self._targets)
            if self._targets[key].admits(initiator, address)
        ]

    def luns(self, iqn: str) -> list[tuple[str, int | None]]:
        """Paths and sizes of the disks of a target, in the order of their LUN."""
        target = self._by_iqn(iqn)
        disks = [self._disks.get(normal(path).casefold()) for path in (target.luns if target else ())]
        return [(disk.path, disk.size) for disk in disks if disk]

    def log_on(self, iqn: str, initiator: str, address: str, user: str = "", secret: str = "") -> Target:
        """Let an initiator log on.

        Raises:
            MachineError: the target does not exist for this initiator, or the secret is wrong.
        """
        target = self._admitted(iqn, initiator, address)
        if target.chap_user and (user or initiator, secret) != (target.chap_user, target.chap_secret):
            raise MachineError(
                "Authentication Failure.", "HRESULT 0xefff0009", "NotSpecified", _INITIATOR_EXCEPTION
            )
        return self._put(replace(target, sessions=target.sessions + 1), "has a session more")

    def has_target(self, iqn: str) -> bool:
        """Whether a target of this name is here."""
        return self._by_iqn(iqn) is not None

    def log_off(self, iqn: str) -> None:
        """Let an initiator go."""
        target = self._by_iqn(iqn)
        if target and target.sessions:
            self._put(replace(target, sessions=target.sessions - 1), "has a session less")

    def _by_iqn(self, iqn: str) -> Target | None:
        wanted = iqn.casefold()
        return next((item for item in self._targets.values() if item.iqn.casefold() == wanted), None)

    def _admitted(self, iqn: str, initiator: str, address: str) -> Target:
        target = self._by_iqn(iqn)
        if target is None or not target.admits(initiator, address):
            raise MachineError(
                "The target name is not found or is marked as hidden from login.",
                "HRESULT 0xefff0029",
                "NotSpecified",
                _INITIATOR_EXCEPTION,
            )
        return target

    def change_target(self, name: str, **fields: Any) -> Target:
        """Change other things of a target than its initiators (Set-IscsiServerTarget)."""
        return self._put(replace(self.target(name, "Set-IscsiServerTarget"), **fields), "changed")

    def set_isns(self, server: str | None) -> None:
        """Register with an iSNS server, or with none."""
        self._ledger.attempt("Set-WmiInstance" if server else "Remove-WmiObject")
        self.isns = server
        self._ledger.changed("iscsi", f"iSNS server {server or 'removed'}")

    def adopt(self, disks: Sequence[VirtualDisk], targets: Sequence[Target]) -> None:
        """Take over disks and targets as they are."""
        self._disks = {normal(disk.path).casefold(): disk for disk in disks}
        self._targets = {target.name.casefold(): target for target in targets}

    def _put(self, target: Target, what: str) -> Target:
        self._targets[target.name.casefold()] = target
        self._ledger.changed("iscsi", f"target {target.name} {what}")
        return target

    def to_plain(self) -> dict[str, Any]:
        """Give disks, targets and the iSNS server."""
        if not (self._disks or self._targets or self.isns):
            return {}
        return {
            "disks": [asdict(item) for item in self._disks.values()],
            "targets": [asdict(item) for item in self._targets.values()],
            "isns": self.isns,
        }

    def load(self, plain: dict[str, Any]) -> None:
        """Take over what ``to_plain`` gave."""
        self.isns = plain.get("isns")
        targets = [
            Target(
                item["name"],
                item["iqn"],
                tuple(InitiatorId(**one) for one in item["initiators"]),
                tuple(item["luns"]),
                item["sessions"],
                item.get("description", ""),
                item.get("is_enabled", True),
                item.get("chap_user", ""),
                item.get("chap_secret", ""),
                item.get("reverse_user", ""),
                item.get("reverse_secret", ""),
            )
            for item in plain.get("targets", ())
        ]
        self.adopt([VirtualDisk(**item) for item in plain.get("disks", ())], targets)


def _demand_idle(target: Target) -> None:
    if target.sessions:
        raise _failure(
            f"The target '{target.name}' is in use: initiators are connected to it.", "ResourceBusy"
        )


def _failure(message: str, error_id: str) -> MachineError:
    categories = {
        "ObjectNotFound": "ObjectNotFound",
        "ResourceExists": "ResourceExists",
        "ResourceBusy": "ResourceBusy",
        "ResourceUnavailable": "ResourceUnavailable",
        "InvalidArgument": "InvalidArgument",
    }
    return MachineError(message, error_id, categories.get(error_id, "NotSpecified"), EXCEPTION)
