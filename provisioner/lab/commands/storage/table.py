"""Commands of the module Storage, one line each; functions over CIM classes, always there."""

from __future__ import annotations

from provisioner.lab.commands.base import CommandSpec, Parameter
from provisioner.lab.commands.parameters import ASK

_HERE = "provisioner.lab.commands.storage.disks"
_SETTINGS = "provisioner.lab.commands.storage.settings"
_MULTIPATH = "provisioner.lab.commands.storage.multipath"
_BUS = Parameter("BusType", "string", 0, mandatory=True)

COMMANDS = (
    CommandSpec(
        "Get-Disk",
        f"{_HERE}:get_disk",
        "Storage",
        (
            Parameter("Number", "array", 0, aliases=("DeviceId",)),
            Parameter("UniqueId", "array", aliases=("Id",)),
            Parameter("FriendlyName", "array"),
            Parameter("SerialNumber", "array"),
        ),
    ),
    CommandSpec(
        "Get-PhysicalDisk",
        f"{_HERE}:get_physical_disk",
        "Storage",
        (
            Parameter("FriendlyName", "array", 0),
            Parameter("UniqueId", "array", aliases=("Id",)),
            Parameter("SerialNumber", "array"),
        ),
    ),
    CommandSpec(
        "Get-Partition",
        f"{_HERE}:get_partition",
        "Storage",
        (
            Parameter("DiskNumber", "array", 0),
            Parameter("PartitionNumber", "array", 1),
            Parameter("DriveLetter", "array"),
        ),
    ),
    CommandSpec(
        "Get-Volume",
        f"{_HERE}:get_volume",
        "Storage",
        (
            Parameter("DriveLetter", "array", 0),
            Parameter("FileSystemLabel", "array", aliases=("FriendlyName",)),
        ),
    ),
    CommandSpec("Get-StorageSetting", f"{_SETTINGS}:get_storage_setting", "Storage"),
    CommandSpec(
        "Set-StorageSetting",
        f"{_SETTINGS}:set_storage_setting",
        "Storage",
        (Parameter("NewDiskPolicy", "string"), Parameter("ScrubPolicy", "string")),
    ),
    *(
        CommandSpec(name, f"{_MULTIPATH}:{function}", "MPIO", parameters, feature="Multipath-IO")
        for name, function, parameters in (
            ("Get-MSDSMAutomaticClaimSettings", "get_claims", ()),
            ("Enable-MSDSMAutomaticClaim", "enable_claim", (_BUS, *ASK)),
            ("Disable-MSDSMAutomaticClaim", "disable_claim", (_BUS, *ASK)),
            ("Get-MSDSMGlobalDefaultLoadBalancePolicy", "get_policy", ()),
            (
                "Set-MSDSMGlobalDefaultLoadBalancePolicy",
                "set_policy",
                (Parameter("Policy", "string", 0, mandatory=True),),
            ),
        )
    ),
)
