"""What a simulated node is made of, read from the ``lab:`` settings of an inventory.

Settings may stand at the site, at groups and at the node; the nearest one wins, key by key. Wrong keys and types
are reported with their position, all at once. Nothing here makes a machine.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from provisioner import documents
from provisioner.diagnostics import Diagnostics
from provisioner.lab import logon, trees
from provisioner.lab.devices import INSTALLATION, PCI_DEVICES, InstallationSpec, PciDeviceSpec
from provisioner.lab.domains import DOMAINS, DomainSpec
from provisioner.lab.faults.base import Planned
from provisioner.lab.faults.reader import read_fault
from provisioner.lab.logon import LogonSpec
from provisioner.wire.settings import Quotas

RELEASES: Mapping[str, int] = MappingProxyType({"2016": 14393, "2019": 17763, "2022": 20348, "2025": 26100})

EDITIONS = ("Standard", "Datacenter")

#: Framings of ConfigurationData a node may take.
FRAMINGS = ("big-endian", "raw", "little-endian")

#: Modules of the shipped roles; PSDesiredStateConfiguration 1.1 is part of Windows.
IN_BOX_MODULES: Mapping[str, tuple[str, ...]] = MappingProxyType({"PSDesiredStateConfiguration": ("1.1",)})
DEFAULT_MODULES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "PSDscResources": ("2.12.0.0",),
        "xHyper-V": ("3.18.0",),
        "iSCSIDsc": ("1.5.0.41",),
        "ComputerManagementDsc": ("10.0.0",),
        "FailoverClusterDsc": ("2.2.0",),
        "NetworkingDsc": ("9.1.0",),
        "ProvisionerDsc": ("0.3.0",),
        "ActiveDirectoryDsc": ("6.7.0",),
        "CertificateDsc": ("6.0.0",),
        "SecurityPolicyDsc": ("2.10.0.0",),
        "WSManDsc": ("3.2.0",),
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

    ``exit_codes``: one per attempt, the last one repeats. ``files`` are paths with contents, relative ones
    below the folder that INSTALLDIR names (by default ``install_folder``, or Program Files). With
    ``pending_rename`` the installer leaves a file to be replaced at the next boot. ``duration_s`` None means the
    duration of all packages. An empty signer means that the file is not signed, an empty ``upgrade_code`` that the
    product has no family. ``features`` are paths of files with the feature each comes with; all others
    always come.
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
    install_folder: str = ""
    size_kb: int = 2048
    signer_subject: str = ""
    signer_thumbprint: str = ""
    comments: str = ""
    upgrade_code: str = ""
    features: tuple[tuple[str, str], ...] = ()


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
class HardwareSpec:
    """What the machine is made of, as WMI tells it. ``free_gb``: what is free on C, all but 12 GiB unless given.

    ``virtualization`` is whether the firmware has it switched on, ``slat`` whether the processor can translate
    addresses in two levels, which Hyper-V needs since Server 2016.
    """

    virtualization: bool = True
    slat: bool = True
    memory_gb: int = 64
    processors: int = 16
    free_gb: int | None = None


@dataclass(frozen=True, slots=True)
class DiskSpec:
    """A disk without partitions, beside those that the volumes lie on. Ids follow from the node's name."""

    size_gb: int
    serial: str = ""
    unique_id: str = ""
    offline: bool = False
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class VirtualMachineSpec:
    """A virtual machine that shows once Hyper-V runs. ``switch`` names the one its adapter is connected to."""

    name: str
    state: str = "Off"
    switch: str = ""


#: Commands every endpoint of the kind RestrictedRemoteServer shows (about JEA session configurations).
RESTRICTED_COMMANDS = (
    "Clear-Host",
    "Exit-PSSession",
    "Get-Command",
    "Get-FormatData",
    "Get-Help",
    "Measure-Object",
    "Out-Default",
    "Select-Object",
)


@dataclass(frozen=True, slots=True)
class EndpointSpec:
    """A session configuration without a language (JEA). ``visible`` are its commands in lower case."""

    name: str
    visible: frozenset[str] = frozenset(name.casefold() for name in RESTRICTED_COMMANDS)


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
    ``clock_skew_s``: how far the clock is before the lab's.
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
    disks: tuple[DiskSpec, ...] = ()
    hardware: HardwareSpec = field(default_factory=HardwareSpec)
    installation: InstallationSpec = field(default_factory=InstallationSpec)
    files: tuple[FileSpec, ...] = ()
    modules: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {**IN_BOX_MODULES, **DEFAULT_MODULES}
    )
    services: tuple[ServiceSpec, ...] = ()
    virtual_machines: tuple[VirtualMachineSpec, ...] = ()
    durations: Durations = field(default_factory=Durations)
    accept: tuple[str, ...] = ("big-endian", "raw")
    failing_commands: Mapping[str, str] = field(default_factory=dict)
    #: What the node finds at addresses of http and https: text by URI.
    downloads: Mapping[str, str] = field(default_factory=dict)
    installers: Mapping[str, PackageSpec] = field(default_factory=dict)
    #: What .zip files hold, by their SHA-256: paths with contents.
    archives: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    #: Hosts outside the lab that do not answer, each as ``host`` or ``host:port``.
    unreachable: tuple[str, ...] = ()
    removed_features: tuple[str, ...] = ()
    initiator_ids: str = "value"
    serves_output_while_busy: bool = True
    quotas: Quotas = field(default_factory=Quotas)
    logon: LogonSpec = field(default_factory=LogonSpec)
    domains: tuple[DomainSpec, ...] = ()
    pci_devices: tuple[PciDeviceSpec, ...] = ()
    #: Whether the processor and the firmware keep devices to one virtual machine.
    iommu: bool = True
    #: Standard or Datacenter; some features are there in one of them only.
    edition: str = "Datacenter"
    faults: tuple[Planned, ...] = ()
    clock_skew_s: float = 0.0
    #: Session configurations besides the default one, by their names in lower case.
    endpoints: Mapping[str, EndpointSpec] = field(default_factory=dict)

    @property
    def netbios_name(self) -> str:
        """The computer name: given, or the node's first label, upper case and cut to 15 characters."""
        return self.computer_name or self.name.split(".")[0].upper()[:15]

    @property
    def build(self) -> int:
        """Build number of the Windows release."""
        return RELEASES[self.windows]


def read_node_spec(  # noqa: PLR0913 - one keyword for each thing the inventory knows of a node
    *,
    name: str,
    address: str,
    port: int,
    user: str,
    nt_hash: bytes,
    lab_trees: Sequence[documents.Tree],
) -> tuple[NodeSpec, Diagnostics]:
    """Read the ``lab:`` sections that concern one node, the nearest one last.

    A key of a later section replaces that of an earlier one; ``modules`` and ``durations`` do so name by name.
    A section with problems still gives a specification, made of what could be read.
    """
    problems = Diagnostics()
    settings: dict[str, Any] = {}
    for tree in lab_trees:
        if not isinstance(tree, documents.Mapping):
            problems.error("Wrong lab setting", "The section 'lab' has to be a mapping.", tree.where)
            continue
        read = trees.fields(tree, _SETTINGS, problems)
        for merged in ("modules", "durations"):
            if merged in read:
                read[merged] = {**settings.get(merged, {}), **read[merged]}
        settings.update(read)
    if "durations" in settings:
        settings["durations"] = Durations(**settings["durations"])
    if "configuration_data" in settings:
        settings["accept"] = settings.pop("configuration_data")
    settings["logon"] = logon.take(settings)
    settings["modules"] = {**IN_BOX_MODULES, **DEFAULT_MODULES, **settings.get("modules", {})}
    return NodeSpec(name, address, port, user, nt_hash, **settings), problems


def _volumes(tree: documents.Tree, problems: Diagnostics) -> Any:
    """Read a list of volumes to a mapping from letter to size."""
    found = _VOLUME_LIST(tree, problems)
    return found if found is trees.BAD else {volume["letter"]: volume["size_gb"] for volume in found}


def _endpoint(*, commands: Sequence[str] = (), language: str = "no_language") -> tuple[str, ...]:
    """Keep what an endpoint shows; ``language`` has one value so far."""
    assert language == "no_language"
    return tuple(commands)


def _endpoints(tree: documents.Tree, problems: Diagnostics) -> Any:
    """Read the mapping from names of session configurations to what they show."""
    found = _ENDPOINTS(tree, problems)
    if found is trees.BAD:
        return found
    shown = frozenset(command.casefold() for command in RESTRICTED_COMMANDS)
    return {
        name.casefold(): EndpointSpec(name, shown | {command.casefold() for command in commands})
        for name, commands in found.items()
    }


def _accept(tree: documents.Tree, problems: Diagnostics) -> Any:
    found = trees.record(dict, {"accept": trees.list_of(trees.one_of(FRAMINGS), or_one=True)}, ["accept"])(
        tree, problems
    )
    return found if found is trees.BAD else found["accept"]


def _durations(tree: documents.Tree, problems: Diagnostics) -> Any:
    names = [item.name for item in dataclasses.fields(Durations)]
    return trees.record(dict, dict.fromkeys(names, trees.number))(tree, problems)


def _package(**given: Any) -> PackageSpec:
    if "exit_code" in given:
        given["exit_codes"] = given.pop("exit_code")
    if "files" in given:
        files = given["files"]
        given["files"] = tuple((item["path"], item.get("content", "")) for item in files)
        given["features"] = tuple((item["path"], item["feature"]) for item in files if "feature" in item)
    return PackageSpec(**given)


_VOLUME_LIST = trees.list_of(
    trees.record(
        dict,
        {"letter": trees.one_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), "size_gb": trees.integer},
        ["letter", "size_gb"],
    )
)
_ENDPOINTS = trees.map_of(
    trees.record(
        _endpoint,
        {"commands": trees.list_of(trees.text, or_one=True), "language": trees.one_of(["no_language"])},
    )
)
_SERVICE = trees.record(
    ServiceSpec,
    {
        "name": trees.text,
        "display_name": trees.text,
        "path": trees.text,
        "dependencies": trees.list_of(trees.text, or_one=True),
        "start_mode": trees.one_of(["Auto", "Manual", "Disabled"]),
        "status": trees.one_of(["Running", "Stopped"]),
        "start_name": trees.text,
        "start_behaviour": trees.one_of(["ok", "slow", "fail"]),
    },
    ["name"],
)
_PACKAGE = trees.record(
    _package,
    {
        "product_id": trees.text,
        "name": trees.text,
        "version": trees.text,
        "publisher": trees.text,
        "exit_code": trees.list_of(trees.integer, or_one=True),
        "duration_s": trees.number,
        "services": trees.list_of(_SERVICE),
        "files": trees.list_of(
            trees.record(dict, {"path": trees.text, "content": trees.text, "feature": trees.text}, ["path"])
        ),
        "install_folder": trees.text,
        "pending_rename": trees.boolean,
        "size_kb": trees.integer,
        "signer_subject": trees.text,
        "signer_thumbprint": trees.text,
        "comments": trees.text,
        "upgrade_code": trees.text,
    },
    ["product_id", "name"],
)
_FILE = trees.record(
    lambda *, path, content="", msi=None: FileSpec(path, content, msi),
    {"path": trees.full_path, "content": trees.text, "msi": _PACKAGE},
    ["path"],
)
_SETTINGS: Mapping[str, trees.Reader] = {
    **logon.SETTINGS,
    "computer_name": trees.text,
    "windows": trees.one_of(RELEASES),
    "adapters": trees.list_of(
        trees.record(
            AdapterSpec,
            {
                "name": trees.text,
                "description": trees.text,
                "status": trees.one_of(["Up", "Disconnected", "Disabled"]),
            },
            ["name", "description"],
        )
    ),
    "volumes": _volumes,
    "disks": trees.list_of(
        trees.record(
            DiskSpec,
            {
                "size_gb": trees.integer,
                "serial": trees.text,
                "unique_id": trees.text,
                "offline": trees.boolean,
                "read_only": trees.boolean,
            },
            ["size_gb"],
        )
    ),
    "hardware": trees.record(
        HardwareSpec,
        {
            "virtualization": trees.boolean,
            "slat": trees.boolean,
            "memory_gb": trees.integer,
            "processors": trees.integer,
            "free_gb": trees.integer,
        },
    ),
    "installation": INSTALLATION,
    "files": trees.list_of(_FILE),
    "modules": trees.map_of(trees.list_of(trees.text, or_one=True)),
    "services": trees.list_of(_SERVICE),
    "virtual_machines": trees.list_of(
        trees.record(
            VirtualMachineSpec,
            {
                "name": trees.text,
                "state": trees.one_of(["Running", "Off", "Saved", "Paused"]),
                "switch": trees.text,
            },
            ["name"],
        )
    ),
    "durations": _durations,
    "configuration_data": _accept,
    "failing_commands": trees.map_of(trees.text),
    "downloads": trees.map_of(trees.text),
    "installers": trees.map_of(_PACKAGE),
    "archives": trees.map_of(
        trees.list_of(
            trees.record(
                lambda *, path, content="": (path, content),
                {"path": trees.text, "content": trees.text},
                ["path"],
            )
        )
    ),
    "removed_features": trees.list_of(trees.text),
    "unreachable": trees.list_of(trees.text),
    "initiator_ids": trees.one_of(["value", "full"]),
    "serves_output_while_busy": trees.boolean,
    "clock_skew_s": trees.signed,
    "domains": DOMAINS,
    "pci_devices": PCI_DEVICES,
    "iommu": trees.boolean,
    "edition": trees.one_of(EDITIONS),
    "faults": trees.list_of(read_fault),
    "quotas": trees.record(Quotas, {item.name: trees.integer for item in dataclasses.fields(Quotas)}),
    "endpoints": _endpoints,
}
