"""Which simulated resource stands for which class of which module."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any, Final

from provisioner.lab.resources.base import SimulatedResource

_HERE: Final = "provisioner.lab.resources"

#: (class, module) to "package.module:Class" below this package, imported when a node first meets the class. Class
#: names of different modules coincide, so both parts count.
TABLE: Final[Mapping[tuple[str, str], str]] = {
    ("DSC_xPackageResource", "xPSDesiredStateConfiguration"): "basics.package:XPackage",
    ("DSC_xRemoteFile", "xPSDesiredStateConfiguration"): "files.remote_file:RemoteFile",
    ("DSC_xScriptResource", "xPSDesiredStateConfiguration"): "basics.script:XScript",
    ("DSC_xServiceResource", "xPSDesiredStateConfiguration"): "basics.service_variants:XService",
    ("MSFT_Archive", "PSDscResources"): "basics.archive:Archive",
    ("MSFT_ArchiveResource", "PSDesiredStateConfiguration"): "basics.archive:InBoxArchive",
    ("MSFT_FileDirectoryConfiguration", "PSDesiredStateConfiguration"): "files.file:File",
    ("MSFT_GroupResource", "PSDesiredStateConfiguration"): "basics.group:InBoxGroup",
    ("MSFT_GroupResource", "PSDscResources"): "basics.group:Group",
    ("MSFT_LogResource", "PSDesiredStateConfiguration"): "basics.log:Log",
    ("MSFT_PackageResource", "PSDesiredStateConfiguration"): "basics.package:Package",
    ("MSFT_ProcessResource", "PSDesiredStateConfiguration"): "basics.windows_process:InBoxProcess",
    ("MSFT_RoleResource", "PSDesiredStateConfiguration"): "basics.windows_feature:Role",
    ("MSFT_ScriptResource", "PSDesiredStateConfiguration"): "basics.script:InBoxScript",
    ("MSFT_ScriptResource", "PSDscResources"): "basics.script:Script",
    ("MSFT_ServiceResource", "PSDesiredStateConfiguration"): "basics.service_variants:InBoxService",
    ("MSFT_UserResource", "PSDesiredStateConfiguration"): "basics.user:InBoxUser",
    ("MSFT_UserResource", "PSDscResources"): "basics.user:User",
    ("MSFT_WindowsProcess", "PSDscResources"): "basics.windows_process:WindowsProcess",
    ("MSFT_EnvironmentResource", "PSDesiredStateConfiguration"): "basics.environment:InBoxEnvironment",
    ("MSFT_EnvironmentResource", "PSDscResources"): "basics.environment:Environment",
    ("MSFT_MsiPackage", "PSDscResources"): "basics.msi_package:MsiPackage",
    ("MSFT_RegistryResource", "PSDesiredStateConfiguration"): "basics.registry:InBoxRegistry",
    ("MSFT_RegistryResource", "PSDscResources"): "basics.registry:Registry",
    ("MSFT_ServiceResource", "PSDscResources"): "basics.service:Service",
    ("MSFT_WindowsFeature", "PSDscResources"): "basics.windows_feature:WindowsFeature",
    (
        "MSFT_WindowsOptionalFeature",
        "PSDesiredStateConfiguration",
    ): "basics.windows_optional_feature:InBoxWindowsOptionalFeature",
    (
        "MSFT_WindowsOptionalFeature",
        "PSDscResources",
    ): "basics.windows_optional_feature:WindowsOptionalFeature",
    ("DSC_Computer", "ComputerManagementDsc"): "computer.computer:Computer",
    ("DSC_PendingReboot", "ComputerManagementDsc"): "computer.pending_reboot:PendingReboot",
    ("DSC_SmbShare", "ComputerManagementDsc"): "computer.smb_share:SmbShare",
    ("DSC_TimeZone", "ComputerManagementDsc"): "computer.time_zone:TimeZone",
    ("DSC_VirtualMemory", "ComputerManagementDsc"): "computer.virtual_memory:VirtualMemory",
    ("DSC_PowerPlan", "ComputerManagementDsc"): "computer.power_plan:PowerPlan",
    ("DSR_IniSettingsFile", "FileContentDsc"): "files.ini_settings_file:IniSettingsFile",
    ("DSR_KeyValuePairFile", "FileContentDsc"): "files.key_value_pair_file:KeyValuePairFile",
    ("DSR_ReplaceText", "FileContentDsc"): "files.replace_text:ReplaceText",
    ("PROV_ExternalSwitch", "ProvisionerDsc"): "hyperv.external_switch:ExternalSwitch",
    ("PROV_MsiProduct", "ProvisionerDsc"): "basics.msi_product:MsiProduct",
    ("PROV_PinnedArchive", "ProvisionerDsc"): "files.pinned_archive:PinnedArchive",
    ("PROV_PythonEnvironment", "ProvisionerDsc"): "files.python_environment:PythonEnvironment",
    ("PROV_AssignableDevice", "ProvisionerDsc"): "hyperv.assignable_device:AssignableDevice",
    ("PROV_ComputerDelegation", "ProvisionerDsc"): "directory.computer_delegation:ComputerDelegation",
    ("PROV_ConfigurationFile", "ProvisionerDsc"): "files.configuration_file:ConfigurationFile",
    ("PROV_FolderAccess", "ProvisionerDsc"): "files.folder_access:FolderAccess",
    ("PROV_IscsiSession", "ProvisionerDsc"): "iscsi.session:IscsiSession",
    ("PROV_IscsiTargetChap", "ProvisionerDsc"): "iscsi.target_chap:IscsiTargetChap",
    ("PROV_IscsiTargetPortals", "ProvisionerDsc"): "iscsi.target_portals:IscsiTargetPortals",
    ("PROV_MpioClaim", "ProvisionerDsc"): "storage.mpio_claim:MpioClaim",
    ("PROV_SanPolicy", "ProvisionerDsc"): "storage.san_policy:SanPolicy",
    ("PROV_DefenderExclusions", "ProvisionerDsc"): "security.defender_exclusions:DefenderExclusions",
    ("PROV_ServiceAccount", "ProvisionerDsc"): "basics.service_account:ServiceAccount",
    ("PROV_ServiceRecovery", "ProvisionerDsc"): "basics.service_recovery:ServiceRecovery",
    ("PROV_ServiceRestart", "ProvisionerDsc"): "basics.service_restart:ServiceRestart",
    ("PROV_BridgeAddress", "ProvisionerDsc"): "network.bridge_address:BridgeAddress",
    ("PROV_OvsBridge", "ProvisionerDsc"): "network.ovs_bridge:OvsBridge",
    ("PROV_SwitchExtension", "ProvisionerDsc"): "hyperv.switch_extension:SwitchExtension",
    ("PROV_ServiceTrigger", "ProvisionerDsc"): "basics.service_trigger:ServiceTrigger",
    ("PROV_TimeSource", "ProvisionerDsc"): "computer.time_source:TimeSource",
    ("PROV_WindowsFeatures", "ProvisionerDsc"): "basics.windows_features:WindowsFeatures",
    ("PROV_HostGuardianClient", "ProvisionerDsc"): "security.host_guardian_client:HostGuardianClient",
    ("PROV_VMMigration", "ProvisionerDsc"): "hyperv.vm_migration:VMMigration",
    ("DSC_DefaultGatewayAddress", "NetworkingDsc"): "network.default_gateway_address:DefaultGatewayAddress",
    ("DSC_DnsServerAddress", "NetworkingDsc"): "network.dns_server_address:DnsServerAddress",
    ("DSC_Firewall", "NetworkingDsc"): "network.firewall:Firewall",
    ("DSC_IPAddress", "NetworkingDsc"): "network.ip_address:IpAddress",
    ("DSC_FirewallProfile", "NetworkingDsc"): "network.firewall_profile:FirewallProfile",
    ("DSC_HostsFile", "NetworkingDsc"): "network.hosts_file:HostsFile",
    ("DSC_NetAdapterAdvancedProperty", "NetworkingDsc"): (
        "network.net_adapter_advanced_property:NetAdapterAdvancedProperty"
    ),
    ("DSC_NetAdapterBinding", "NetworkingDsc"): "network.net_adapter_binding:NetAdapterBinding",
    ("DSC_NetworkTeam", "NetworkingDsc"): "network.network_team:NetworkTeam",
    ("DSC_RemoteDesktopAdmin", "ComputerManagementDsc"): "computer.remote_desktop_admin:RemoteDesktopAdmin",
    ("DSC_ScheduledTask", "ComputerManagementDsc"): "computer.scheduled_task:ScheduledTask",
    ("DSC_WindowsEventLog", "ComputerManagementDsc"): "computer.windows_event_log:WindowsEventLog",
    ("MSFT_ADComputer", "ActiveDirectoryDsc"): "directory.ad_computer:AdComputer",
    ("MSFT_WaitForADDomain", "ActiveDirectoryDsc"): "directory.wait_for_ad_domain:WaitForADDomain",
    ("DSC_NetAdapterName", "NetworkingDsc"): "network.net_adapter_name:NetAdapterName",
    ("MSFT_xVHD", "xHyper-V"): "hyperv.vhd:VHD",
    ("MSFT_xVMNetworkAdapter", "xHyper-V"): "hyperv.vm_network_adapter:VMNetworkAdapter",
    ("MSFT_xVMHyperV", "xHyper-V"): "hyperv.vm_hyperv:VMHyperV",
    ("MSFT_xVMHost", "xHyper-V"): "hyperv.vm_host:VMHost",
    ("MSFT_xVMSwitch", "xHyper-V"): "hyperv.vm_switch:VMSwitch",
    ("DSR_iSCSIInitiator", "iSCSIDsc"): "iscsi.iscsi_initiator:IscsiInitiator",
    ("DSR_iSCSIServerTarget", "iSCSIDsc"): "iscsi.iscsi_server_target:IscsiServerTarget",
    ("DSR_iSCSIVirtualDisk", "iSCSIDsc"): "iscsi.iscsi_virtual_disk:IscsiVirtualDisk",
    ("DSC_Cluster", "FailoverClusterDsc"): "cluster.cluster:ClusterResource",
    ("DSC_ClusterQuorum", "FailoverClusterDsc"): "cluster.cluster_quorum:ClusterQuorum",
    ("DSC_ClusterDisk", "FailoverClusterDsc"): "cluster.cluster_disk:ClusterDiskResource",
    ("DSC_ClusterProperty", "FailoverClusterDsc"): "cluster.cluster_property:ClusterProperty",
    ("DSC_WaitForCluster", "FailoverClusterDsc"): "cluster.wait_for_cluster:WaitForCluster",
    ("PROV_ClusterEviction", "ProvisionerDsc"): "cluster.cluster_eviction:ClusterEviction",
    ("PROV_ClusterPhysicalDisk", "ProvisionerDsc"): "cluster.cluster_physical_disk:ClusterPhysicalDisk",
    ("PROV_ClusterSharedVolume", "ProvisionerDsc"): "cluster.cluster_shared_volume:ClusterSharedVolume",
    ("PROV_StorageSpacesDirect", "ProvisionerDsc"): "cluster.storage_spaces_direct:StorageSpacesDirect",
    (
        "MSFT_UserRightsAssignment",
        "SecurityPolicyDsc",
    ): "security.user_rights_assignment:UserRightsAssignment",
    ("DSC_CertificateImport", "CertificateDsc"): "security.certificate_import:CertificateImport",
    ("DSC_PfxImport", "CertificateDsc"): "security.certificate_import:PfxImport",
    ("DSC_WSManServiceConfig", "WSManDsc"): "security.wsman_service_config:WSManServiceConfig",
    ("DSC_WSManListener", "WSManDsc"): "security.wsman_listener:WSManListener",
    ("DSC_Disk", "StorageDsc"): "storage.disk:DiskResource",
    ("DSC_MountImage", "StorageDsc"): "storage.mount_image:MountImage",
    ("MSFT_xMpPreference", "xDefender"): "security.mp_preference:MpPreference",
    ("MSFT_xWindowsUpdate", "xWindowsUpdate"): "security.hotfix:Hotfix",
    ("DSC_WaitForDisk", "StorageDsc"): "storage.wait_for_disk:WaitForDisk",
    # Previews whose logic is that of the release; only classes and modules have other names.
    ("DSC_Vhd", "HyperVDsc"): "hyperv.preview:PreviewVhd",
    ("DSC_VMHost", "HyperVDsc"): "hyperv.preview:PreviewVMHost",
    ("DSC_VMHyperV", "HyperVDsc"): "hyperv.preview:PreviewVMHyperV",
    ("DSC_VMSwitch", "HyperVDsc"): "hyperv.preview:PreviewVMSwitch",
    ("DSC_iSCSIInitiator", "iSCSIDsc"): "iscsi.preview:PreviewInitiator",
    ("DSC_iSCSIServerTarget", "iSCSIDsc"): "iscsi.preview:PreviewServerTarget",
    ("DSC_iSCSIVirtualDisk", "iSCSIDsc"): "iscsi.preview:PreviewVirtualDisk",
}


def find(class_name: str, module: str) -> SimulatedResource | None:
    """Look a resource up by class and module, both without regard to case."""
    return _loaded(class_name.casefold(), module.casefold())


@cache
def _loaded(class_name: str, module: str) -> SimulatedResource | None:
    target = _targets().get((class_name, module))
    if target is None:
        return None
    path, _, name = target.partition(":")
    kind: Any = getattr(import_module(f"{_HERE}.{path}"), name)
    made: SimulatedResource = kind()
    return made


@cache
def _targets() -> Mapping[tuple[str, str], str]:
    return {(name.casefold(), module.casefold()): target for (name, module), target in TABLE.items()}
