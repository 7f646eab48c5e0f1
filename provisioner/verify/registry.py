"""Which checks there are: name to ``"module:Class"``. A new check is one file and one line here.

Other packages add checks by the entry point group ``provisioner.checks``; a name of ours always means ours.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from provisioner.diagnostics import did_you_mean
from provisioner.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKS = {
    "addr": "provisioner.verify.checks.addr:Addr",
    "assignable_device": "provisioner.verify.checks.assignable_device:AssignableDevice",
    "certificate": "provisioner.verify.checks.certificate:Certificate",
    "cluster": "provisioner.verify.checks.cluster:Cluster",
    "cluster_volume": "provisioner.verify.checks.cluster_volume:ClusterVolume",
    "computer": "provisioner.verify.checks.computer:Computer",
    "computer_delegation": "provisioner.verify.checks.computer_delegation:ComputerDelegation",
    "defender": "provisioner.verify.checks.defender:Defender",
    "driver_package": "provisioner.verify.checks.driver_package:DriverPackage",
    "feature": "provisioner.verify.checks.feature:Feature",
    "file": "provisioner.verify.checks.file:File",
    "firewall_profile": "provisioner.verify.checks.firewall_profile:FirewallProfile",
    "firewall_rule": "provisioner.verify.checks.firewall_rule:FirewallRule",
    "firmware": "provisioner.verify.checks.firmware:Firmware",
    "folder_access": "provisioner.verify.checks.folder_access:FolderAccess",
    "hardware": "provisioner.verify.checks.hardware:Hardware",
    "host_guardian": "provisioner.verify.checks.host_guardian:HostGuardian",
    "iscsi_portals": "provisioner.verify.checks.iscsi_portals:IscsiPortals",
    "iscsi_session": "provisioner.verify.checks.iscsi_session:IscsiSession",
    "iscsi_target": "provisioner.verify.checks.iscsi_target:IscsiTarget",
    "iscsi_virtual_disk": "provisioner.verify.checks.iscsi_virtual_disk:IscsiVirtualDisk",
    "lcm": "provisioner.verify.checks.lcm:Lcm",
    "migration": "provisioner.verify.checks.migration:Migration",
    "mpio": "provisioner.verify.checks.mpio:Mpio",
    "net_adapter": "provisioner.verify.checks.net_adapter:NetAdapter",
    "operating_system": "provisioner.verify.checks.operating_system:OperatingSystem",
    "ovs_bridge": "provisioner.verify.checks.ovs_bridge:OvsBridge",
    "page_file": "provisioner.verify.checks.page_file:PageFile",
    "pending_reboot": "provisioner.verify.checks.pending_reboot:PendingReboot",
    "power_plan": "provisioner.verify.checks.power_plan:PowerPlan",
    "service": "provisioner.verify.checks.service:Service",
    "smb_share": "provisioner.verify.checks.smb_share:SmbShare",
    "storage_setting": "provisioner.verify.checks.storage_setting:StorageSetting",
    "switch_extension": "provisioner.verify.checks.switch_extension:SwitchExtension",
    "system_driver": "provisioner.verify.checks.system_driver:SystemDriver",
    "time_source": "provisioner.verify.checks.time_source:TimeSource",
    "time_zone": "provisioner.verify.checks.time_zone:TimeZone",
    "user_right": "provisioner.verify.checks.user_right:UserRight",
    "vm_host": "provisioner.verify.checks.vm_host:VMHost",
    "vswitch": "provisioner.verify.checks.vswitch:VSwitch",
    "winrm": "provisioner.verify.checks.winrm:WinRM",
    "windows_image": "provisioner.verify.checks.windows_image:WindowsImage",
}

GROUP = "provisioner.checks"


def find(name: str) -> Callable[..., Any]:
    """Return the class of a check; it is called with the asked node and the check's own arguments.

    Raises:
        UsageError: there is no check of this name.
    """
    found = CHECKS.get(name)
    if found:
        module, _, attribute = found.partition(":")
        check: Callable[..., Any] = getattr(import_module(module), attribute)
        return check
    others = entry_points(group=GROUP)
    for point in others.select(name=name):
        theirs: Callable[..., Any] = point.load()
        return theirs
    raise UsageError(f"there is no check named '{name}'", did_you_mean(name, [*CHECKS, *others.names]))
