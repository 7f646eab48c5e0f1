"""What a simulated node is made of, read from the ``lab:`` settings of an inventory.

Settings may stand at the site, at groups and at the node; the nearest one wins, key by key. Wrong keys and types
are reported with their position, all at once. Nothing here makes a machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

RELEASES: Mapping[str, int] = MappingProxyType({"2016": 14393, "2019": 17763, "2022": 20348, "2025": 26100})

#: Modules of the shipped roles; PSDesiredStateConfiguration 1.1 is part of Windows.
IN_BOX_MODULES: Mapping[str, tuple[str, ...]] = MappingProxyType({"PSDesiredStateConfiguration": ("1.1",)})
DEFAULT_MODULES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "PSDscResources": ("2.12.0.0",),
        "xHyper-V": ("3.18.0",),
        "iSCSIDsc": ("1.5.0.41",),
        "ComputerManagementDsc": ("10.0.0",),
        "ProvisionerDsc": ("0.1.0",),
    }
)


@dataclass(frozen=True, slots=True)
class AdapterSpec:
    """A physical network adapter."""

    name: str
    description: str
    status: str = "Up"


DEFAULT_ADAPTERS = (
    AdapterSpec("Ethernet", "Intel(R) 82574L Gigabit Network Connection"),
    AdapterSpec("Ethernet 2", "Intel(R) 82574L Gigabit Network Connection #2"),
)


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """A service beyond those of Windows.

    ``start_mode`` is Auto, Manual or Disabled; ``start_behaviour`` ok, slow or fail. An empty path or
    display name follows from the name.
    """

    name: str
    display_name: str = ""
    path: str = ""
    dependencies: tuple[str, ...] = ()
    start_mode: str = "Auto"
    status: str = "Stopped"
    start_name: str = "LocalSystem"
    start_behaviour: str = "ok"


@dataclass(frozen=True, slots=True)
class PackageSpec:
    """What an .msi file does when it is installed.

    ``exit_codes``: one per attempt, the last one repeats. ``files`` are paths with contents. With
    ``pending_rename`` the installer leaves a file to be replaced at the next boot. ``duration_s`` None means the
    duration of all packages. An empty signer means that the file is not signed.
    """

    product_id: str
    name: str
    version: str = "1.0.0"
    publisher: str = "Contoso"
    exit_codes: tuple[int, ...] = (0,)
    duration_s: float | None = None
    services: tuple[ServiceSpec, ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    pending_rename: bool = False
    size_kb: int = 2048
    signer_subject: str = ""
    signer_thumbprint: str = ""


@dataclass(frozen=True, slots=True)
class FileSpec:
    """A file that is there from the start; with ``package`` it is an installer. ``content`` is stored as UTF-8."""

    path: str
    content: str = ""
    package: PackageSpec | None = None

    @property
    def data(self) -> bytes:
        """The bytes of the file; an installer without content gets bytes of its own."""
        if self.content or self.package is None:
            return self.content.encode()
        return f"msi {self.package.product_id} {self.package.version}".encode()


@dataclass(frozen=True, slots=True)
class VirtualMachineSpec:
    """A virtual machine that shows once Hyper-V runs. ``switch`` names the one its adapter is connected to."""

    name: str
    state: str = "Off"
    switch: str = ""


@dataclass(frozen=True, slots=True)
class Durations:
    """Simulated seconds: how long things take before the lab's time scale is applied."""

    feature_s: float = 0.5
    feature_reboot_s: float = 0.5
    boot_s: float = 3.0
    msi_s: float = 1.0
    service_s: float = 0.2
    switch_s: float = 0.5
    disk_s: float = 0.2
    other_s: float = 0.05


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One simulated node. ``volumes`` map drive letters to GiB; ``nt_hash`` is the MD4 of the password.

    ``accept`` names the framings of ConfigurationData the node takes. ``failing_commands`` maps cmdlets to the
    text of the error they give. ``initiator_ids`` is ``value`` or ``full``: how InitiatorIds.Value reads.
    ``serves_output_while_busy``: whether GetConfigurationResultOutput answers during a job.
    """

    name: str
    address: str
    port: int
    user: str
    nt_hash: bytes = field(repr=False)
    computer_name: str = ""
    windows: str = "2022"
    adapters: tuple[AdapterSpec, ...] = DEFAULT_ADAPTERS
    volumes: Mapping[str, int] = field(default_factory=lambda: {"C": 127, "D": 500})
    files: tuple[FileSpec, ...] = ()
    modules: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {**IN_BOX_MODULES, **DEFAULT_MODULES}
    )
    services: tuple[ServiceSpec, ...] = ()
    virtual_machines: tuple[VirtualMachineSpec, ...] = ()
    durations: Durations = field(default_factory=Durations)
    accept: tuple[str, ...] = ("big-endian", "raw")
    failing_commands: Mapping[str, str] = field(default_factory=dict)
    removed_features: tuple[str, ...] = ()
    initiator_ids: str = "value"
    serves_output_while_busy: bool = True

    @property
    def netbios_name(self) -> str:
        """The computer name: given, or the node's first label, upper case and cut to 15 characters."""
        return self.computer_name or self.name.split(".")[0].upper()[:15]

    @property
    def build(self) -> int:
        """Build number of the Windows release."""
        return RELEASES[self.windows]


@dataclass(frozen=True, slots=True)
class LabSpec:
    """All nodes of a lab. ``time_scale`` is real seconds per simulated second; 0 skips every wait."""

    nodes: tuple[NodeSpec, ...]
    time_scale: float = 1.0
