"""Commands that change targets of the iSCSI target server and the disks they offer."""

from __future__ import annotations

from typing import Any, Final

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import reporting, size_of, texts
from provisioner.lab.commands.iscsi.get_iscsi_server_target import target_object
from provisioner.lab.commands.iscsi.get_iscsi_virtual_disk import disk_object
from provisioner.lab.machine.ground.iscsi import VirtualDisk
from provisioner.lab.values import PsObject

_TYPES: Final = "Microsoft.Iscsi.Target.Commands."


async def new_target(invocation: Invocation) -> None:
    """Make a target."""
    machine, given = invocation.node.machine, invocation.parameters
    name = str(given.get("TargetName"))
    with reporting(invocation, "New-IscsiServerTarget", _TYPES + "NewIscsiServerTargetCommand", name):
        made = machine.iscsi.new_target(name, texts(given.get("InitiatorIds")))
        invocation.output.write(target_object(made, machine.computer_name, machine.initiator_ids))


async def change_target(invocation: Invocation) -> None:
    """Change initiators, description, CHAP or whether the target is enabled."""
    iscsi, given = invocation.node.machine.iscsi, invocation.parameters
    name = str(given.get("TargetName"))
    with reporting(invocation, "Set-IscsiServerTarget", _TYPES + "SetIscsiServerTargetCommand", name):
        if "InitiatorIds" in given:
            iscsi.set_initiators(name, texts(given["InitiatorIds"]))
        changes: dict[str, Any] = {}
        if "Description" in given:
            changes["description"] = str(given["Description"] or "")
        if "Enable" in given:
            changes["is_enabled"] = bool(given["Enable"])
        if given.get("EnableChap") is False:
            changes |= {"chap_user": "", "chap_secret": ""}
        elif given.get("Chap") is not None:
            user, secret = _credential(given["Chap"])
            changes |= {"chap_user": user, "chap_secret": secret}
        if given.get("EnableReverseChap") is False:
            changes |= {"reverse_user": "", "reverse_secret": ""}
        elif given.get("ReverseChap") is not None:
            user, secret = _credential(given["ReverseChap"])
            changes |= {"reverse_user": user, "reverse_secret": secret}
        if changes:
            iscsi.change_target(name, **changes)
        else:
            iscsi.target(name, "Set-IscsiServerTarget")


async def remove_target(invocation: Invocation) -> None:
    """Remove targets and their mappings."""
    names = texts(invocation.parameters.get("TargetName"))
    if not names:
        names = [
            str(item.properties["TargetName"])
            async for item in invocation.input
            if isinstance(item, PsObject)
        ]
    for name in names:
        with reporting(
            invocation, "Remove-IscsiServerTarget", _TYPES + "RemoveIscsiServerTargetCommand", name
        ):
            invocation.node.machine.iscsi.remove_target(name)


async def new_disk(invocation: Invocation) -> None:
    """Make a virtual disk: dynamic unless fixed is wanted, differencing with a parent."""
    machine, given = invocation.node.machine, invocation.parameters
    path, parent = str(given.get("Path")), str(given.get("ParentPath") or "")
    kind = "Differencing" if parent else "Fixed" if given.get("UseFixed") else "Dynamic"
    size = size_of(given.get("SizeBytes"))
    with reporting(invocation, "New-IscsiVirtualDisk", _TYPES + "NewIscsiVirtualDiskCommand", path):
        await invocation.node.sleep(machine.durations.disk_s)
        made = machine.iscsi.new_disk(
            VirtualDisk(path, size, kind, str(given.get("Description") or ""), parent)
        )
        invocation.output.write(disk_object(made, machine))


async def remove_disk(invocation: Invocation) -> None:
    """Unregister virtual disks; their files stay."""
    for path in texts(invocation.parameters.get("Path")):
        with reporting(invocation, "Remove-IscsiVirtualDisk", _TYPES + "RemoveIscsiVirtualDiskCommand", path):
            invocation.node.machine.iscsi.remove_disk(path)


async def add_mapping(invocation: Invocation) -> None:
    """Give a target a disk."""
    name, path = str(invocation.parameters.get("TargetName")), str(invocation.parameters.get("Path"))
    kind = _TYPES + "AddIscsiVirtualDiskTargetMappingCommand"
    with reporting(invocation, "Add-IscsiVirtualDiskTargetMapping", kind, path):
        invocation.node.machine.iscsi.map_disk(name, path)


async def remove_mapping(invocation: Invocation) -> None:
    """Take a disk from a target."""
    name, path = str(invocation.parameters.get("TargetName")), str(invocation.parameters.get("Path"))
    kind = _TYPES + "RemoveIscsiVirtualDiskTargetMappingCommand"
    with reporting(invocation, "Remove-IscsiVirtualDiskTargetMapping", kind, path):
        invocation.node.machine.iscsi.unmap_disk(name, path)


def _credential(value: Any) -> tuple[str, str]:
    """Read a PSCredential: the secret is in the clear once the client's session key was applied."""
    held = {**value.properties, **value.extended} if isinstance(value, PsObject) else dict(value)
    return str(held.get("UserName") or ""), str(held.get("Password") or "")
