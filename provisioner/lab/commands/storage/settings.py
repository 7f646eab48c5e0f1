"""Get- and Set-StorageSetting: what happens to new disks."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import instance
from provisioner.lab.commands.failure import reporting
from provisioner.lab.machine.storage.settings import StorageSettings


async def get_storage_setting(invocation: Invocation) -> None:
    """Write the settings."""
    with reporting(invocation, "Get-StorageSetting"):
        policy = invocation.node.machine.area(StorageSettings).policy()
        invocation.output.write(
            instance(
                "MSFT_StorageSetting",
                {},
                {"NewDiskPolicy": policy, "ScrubPolicy": "IntegrityStreams"},
                namespace="ROOT/Microsoft/Windows/Storage",
            )
        )


async def set_storage_setting(invocation: Invocation) -> None:
    """Change the policy for new disks."""
    with reporting(invocation, "Set-StorageSetting"):
        if invocation.parameters.get("NewDiskPolicy") is not None:
            wanted = str(invocation.parameters["NewDiskPolicy"])
            invocation.node.machine.area(StorageSettings).set_policy(wanted)
