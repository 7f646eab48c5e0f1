"""The object that checks receive as ``host``: one node, and the questions that can be put to it.

"host" is testinfra's word, used in checks only. Nothing here talks to a node; the batch does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from provisioner.verify.registry import find

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from provisioner.addresses import NodeName
    from provisioner.transport.base import Pipeline, Result
    from provisioner.verify.checks.addr import Addr
    from provisioner.verify.checks.assignable_device import AssignableDevice
    from provisioner.verify.checks.certificate import Certificate
    from provisioner.verify.checks.cluster import Cluster
    from provisioner.verify.checks.cluster_volume import ClusterVolume
    from provisioner.verify.checks.computer import Computer
    from provisioner.verify.checks.computer_delegation import ComputerDelegation
    from provisioner.verify.checks.defender import Defender
    from provisioner.verify.checks.driver_package import DriverPackage
    from provisioner.verify.checks.feature import Feature
    from provisioner.verify.checks.file import File
    from provisioner.verify.checks.firewall_profile import FirewallProfile
    from provisioner.verify.checks.firewall_rule import FirewallRule
    from provisioner.verify.checks.firmware import Firmware
    from provisioner.verify.checks.folder_access import FolderAccess
    from provisioner.verify.checks.hardware import Hardware
    from provisioner.verify.checks.host_guardian import HostGuardian
    from provisioner.verify.checks.iscsi_portals import IscsiPortals
    from provisioner.verify.checks.iscsi_session import IscsiSession
    from provisioner.verify.checks.iscsi_target import IscsiTarget
    from provisioner.verify.checks.iscsi_virtual_disk import IscsiVirtualDisk
    from provisioner.verify.checks.lcm import Lcm
    from provisioner.verify.checks.migration import Migration
    from provisioner.verify.checks.mpio import Mpio
    from provisioner.verify.checks.net_adapter import NetAdapter
    from provisioner.verify.checks.operating_system import OperatingSystem
    from provisioner.verify.checks.ovs_bridge import OvsBridge
    from provisioner.verify.checks.page_file import PageFile
    from provisioner.verify.checks.pending_reboot import PendingReboot
    from provisioner.verify.checks.power_plan import PowerPlan
    from provisioner.verify.checks.service import Service
    from provisioner.verify.checks.smb_share import SmbShare
    from provisioner.verify.checks.storage_setting import StorageSetting
    from provisioner.verify.checks.switch_extension import SwitchExtension
    from provisioner.verify.checks.system_driver import SystemDriver
    from provisioner.verify.checks.time_source import TimeSource
    from provisioner.verify.checks.time_zone import TimeZone
    from provisioner.verify.checks.user_right import UserRight
    from provisioner.verify.checks.vm_host import VMHost
    from provisioner.verify.checks.vswitch import VSwitch
    from provisioner.verify.checks.windows_image import WindowsImage
    from provisioner.verify.checks.winrm import WinRM


class Host:
    """One node. ``variables`` are those its roles were declared with."""

    def __init__(
        self, node: NodeName, variables: Mapping[str, Any], ask: Callable[[Pipeline], Result]
    ) -> None:
        self.node = node
        self.variables = variables
        self._ask = ask

    def __repr__(self) -> str:
        return f"<host {self.node}>"

    def ask(self, pipeline: Pipeline) -> Result:
        """Put any pipeline to the node; the same one is asked once, of all nodes of the role together."""
        return self._ask(pipeline)

    def check(self, name: str, *arguments: object) -> Any:
        """Return a check of another package by its registered name; ours have a name below.

        Raises:
            UsageError: there is no check of this name.
        """
        return find(name)(self, *arguments)

    def addr(self, name: str) -> Addr:
        """Return another host, as the node sees it, by name or address."""
        return cast("Addr", self.check("addr", name))

    def feature(self, name: str) -> Feature:
        """Return a Windows feature by the name ``Get-WindowsFeature`` shows."""
        return cast("Feature", self.check("feature", name))

    def certificate(self, thumbprint: str, store: str = "My") -> Certificate:
        """Return a certificate in a store of the computer (My, Root, CA)."""
        return cast("Certificate", self.check("certificate", thumbprint, store))

    def user_right(self, policy: str) -> UserRight:
        """Return a user right by the name of its policy (``Log_on_as_a_service``)."""
        return cast("UserRight", self.check("user_right", policy))

    @property
    def winrm(self) -> WinRM:
        """What the service of WinRM lets in, and where it listens."""
        return cast("WinRM", self.check("winrm"))

    @property
    def cluster(self) -> Cluster:
        """The failover cluster the node is a member of."""
        return cast("Cluster", self.check("cluster"))

    def cluster_volume(self, name: str) -> ClusterVolume:
        """Return a Cluster Shared Volume by the name of its disk."""
        return cast("ClusterVolume", self.check("cluster_volume", name))

    def service(self, name: str) -> Service:
        """Return a service by its short name."""
        return cast("Service", self.check("service", name))

    def file(self, path: str) -> File:
        """Return a file or folder by its full path."""
        return cast("File", self.check("file", path))

    def firewall_rule(self, name: str) -> FirewallRule:
        """Return a rule of Windows Firewall by its name."""
        return cast("FirewallRule", self.check("firewall_rule", name))

    @property
    def hardware(self) -> Hardware:
        """What the machine is made of."""
        return cast("Hardware", self.check("hardware"))

    @property
    def firmware(self) -> Firmware:
        """By what the machine was started."""
        return cast("Firmware", self.check("firmware"))

    def system_driver(self, name: str) -> SystemDriver:
        """Return a driver by the name of its service."""
        return cast("SystemDriver", self.check("system_driver", name))

    def driver_package(self, name: str) -> DriverPackage:
        """Return the packages of the driver store with this name of an .inf file."""
        return cast("DriverPackage", self.check("driver_package", name))

    @property
    def windows_image(self) -> WindowsImage:
        """Whether an image could be made of the node."""
        return cast("WindowsImage", self.check("windows_image"))

    @property
    def vm_host(self) -> VMHost:
        """The settings of the Hyper-V host."""
        return cast("VMHost", self.check("vm_host"))

    def vswitch(self, name: str) -> VSwitch:
        """Return a virtual switch by its name."""
        return cast("VSwitch", self.check("vswitch", name))

    def switch_extension(self, switch: str, *names: str) -> SwitchExtension:
        """Return the extension of a virtual switch that has one of the names."""
        return cast("SwitchExtension", self.check("switch_extension", switch, *names))

    def ovs_bridge(self, name: str, database: str = "tcp:127.0.0.1:6640") -> OvsBridge:
        """Return a bridge of Open vSwitch by its name."""
        return cast("OvsBridge", self.check("ovs_bridge", name, database))

    def net_adapter(self, name: str) -> NetAdapter:
        """Return a network adapter by its name."""
        return cast("NetAdapter", self.check("net_adapter", name))

    def iscsi_target(self, name: str) -> IscsiTarget:
        """Return an iSCSI target by its name."""
        return cast("IscsiTarget", self.check("iscsi_target", name))

    @property
    def lcm(self) -> Lcm:
        """The Local Configuration Manager."""
        return cast("Lcm", self.check("lcm"))

    @property
    def computer(self) -> Computer:
        """What the computer is called, and its domain."""
        return cast("Computer", self.check("computer"))

    @property
    def defender(self) -> Defender:
        """What Microsoft Defender leaves alone."""
        return cast("Defender", self.check("defender"))

    def firewall_profile(self, name: str) -> FirewallProfile:
        """Return a profile of Windows Firewall: Domain, Private or Public."""
        return cast("FirewallProfile", self.check("firewall_profile", name))

    @property
    def operating_system(self) -> OperatingSystem:
        """Which Windows the node runs."""
        return cast("OperatingSystem", self.check("operating_system"))

    def page_file(self, drive: str) -> PageFile:
        """Return the page file of a drive (``C:``)."""
        return cast("PageFile", self.check("page_file", drive))

    @property
    def pending_reboot(self) -> PendingReboot:
        """Whether Windows waits for a restart."""
        return cast("PendingReboot", self.check("pending_reboot"))

    @property
    def power_plan(self) -> PowerPlan:
        """The active power plan."""
        return cast("PowerPlan", self.check("power_plan"))

    @property
    def time_source(self) -> TimeSource:
        """Where the time comes from."""
        return cast("TimeSource", self.check("time_source"))

    @property
    def time_zone(self) -> TimeZone:
        """The time zone."""
        return cast("TimeZone", self.check("time_zone"))

    def assignable_device(self, location_path: str) -> AssignableDevice:
        """Return a PCI Express device by its location path."""
        return cast("AssignableDevice", self.check("assignable_device", location_path))

    def computer_delegation(self, name: str) -> ComputerDelegation:
        """Return to what a computer account may delegate."""
        return cast("ComputerDelegation", self.check("computer_delegation", name))

    def folder_access(self, path: str) -> FolderAccess:
        """Return who may do what with a folder."""
        return cast("FolderAccess", self.check("folder_access", path))

    @property
    def host_guardian(self) -> HostGuardian:
        """How the host proves itself to a Host Guardian Service."""
        return cast("HostGuardian", self.check("host_guardian"))

    @property
    def iscsi_portals(self) -> IscsiPortals:
        """Where the iSCSI target server listens."""
        return cast("IscsiPortals", self.check("iscsi_portals"))

    def iscsi_session(self, target: str) -> IscsiSession:
        """Return the sessions with an iSCSI target, by its IQN."""
        return cast("IscsiSession", self.check("iscsi_session", target))

    def iscsi_virtual_disk(self, path: str) -> IscsiVirtualDisk:
        """Return a virtual disk of the iSCSI target server."""
        return cast("IscsiVirtualDisk", self.check("iscsi_virtual_disk", path))

    @property
    def migration(self) -> Migration:
        """Over which networks and addresses live migrations come."""
        return cast("Migration", self.check("migration"))

    @property
    def mpio(self) -> Mpio:
        """What Multipath I/O claims, and how it uses paths."""
        return cast("Mpio", self.check("mpio"))

    def smb_share(self, name: str) -> SmbShare:
        """Return an SMB share by its name."""
        return cast("SmbShare", self.check("smb_share", name))

    @property
    def storage_setting(self) -> StorageSetting:
        """What Windows does with disks it has not seen before."""
        return cast("StorageSetting", self.check("storage_setting"))
