"""Which properties images have that nodes of an inventory become: those with the role guest_image.

The rule of the room: what the role's variables mean to Nova, and nothing of how the cloud is told. Sources: the
constants and checks of compute-hyperv, and of Nova the fields of ImageMetaProps and the driver of libvirt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from provisioner.addresses import RoleName
from provisioner.diagnostics import Diagnostics, SourceRange
from provisioner.inventory.model import Inventory, Node, Property
from provisioner.roles.loader import RoleLibrary
from provisioner.roles.model import Role
from provisioner.roles.statements.asking import Asking
from provisioner.roles.statements.binding import RolesOfNode
from provisioner.roles.statements.refusals import refuse

ROLE: Final = RoleName("guest_image")
_NAME: Final = "guest_image_name"
_KVM: Final = "kvm"
_UEFI_GENERATION: Final = 2


@dataclass(frozen=True, slots=True)
class GuestImages:
    """``images`` are all of the inventory's and the roles'; ``conflicts`` what two places say of one of them.

    ``refused`` is what is wrong with the nodes themselves: whoever compiles them is told it anyway.
    """

    images: Mapping[str, tuple[Property, ...]] = field(default_factory=dict)
    conflicts: Diagnostics = field(default_factory=Diagnostics)
    refused: Diagnostics = field(default_factory=Diagnostics)


def guest_images(inventory: Inventory, library: RoleLibrary) -> GuestImages:
    """Return the images of an inventory with what its nodes' roles say of them."""
    assert inventory.cloud is not None
    found = GuestImages(images := dict(inventory.cloud.images))
    made: dict[str, Node] = {}
    for node, role, of_node in _nodes(inventory, library, found.refused):
        values = of_node.values(role)
        name = values.get(_NAME)
        if not name:
            continue
        given = of_node.given(role, _NAME)
        where = given[1].where if given else node.where
        if name in made:
            found.refused.error(
                "Two nodes are one image",
                f"'{node.name}' and '{made[name].name}' ({_place(made[name].where)}) both become the image "
                f"'{name}', and could ask for different things.",
                where,
                "Give each an image of its own.",
            )
            continue
        made[name] = node
        wanted = properties(values)
        said = {each.name: each for each in inventory.cloud.images.get(name, ())}
        for key, value in wanted.items():
            if key in said and said[key].value != value:
                found.conflicts.error(
                    "Image is said to be two things",
                    f"The image '{name}' has {_shown(key, said[key].value)} here, and by the role {ROLE} of "
                    f"'{node.name}' ({_place(where)}) it has {_shown(key, value)}.",
                    said[key].where,
                    f"Take '{key}' away here, or change the variables of '{node.name}'.",
                )
        ours = [Property(key, value, where) for key, value in wanted.items() if key not in said]
        images[name] = (*inventory.cloud.images.get(name, ()), *ours)
    return found


def with_guest_images(inventory: Inventory, library: RoleLibrary) -> Inventory:
    """Return the inventory with the images of its nodes' roles among those of its cloud.

    Raises:
        InputError: a node's role cannot be what its variables say, or two places contradict each other.
    """
    assert inventory.cloud is not None
    found = guest_images(inventory, library)
    found.refused.extend(found.conflicts)
    found.refused.raise_errors()
    return replace(inventory, cloud=replace(inventory.cloud, images=found.images))


def properties(values: Mapping[str, Any]) -> dict[str, str | None]:
    """Return what the variables of the role mean as properties of an image; None takes one away."""
    of: dict[str, Any] = {
        key.removeprefix("guest_image_"): value
        for key, value in values.items()
        if key.startswith("guest_image_")
    }
    common = {
        "os_type": "windows",
        "os_secure_boot": "required" if of["secure_boot"] else None,
        "img_config_drive": "mandatory" if of["password_injection"] else None,
    }
    is_uefi = of["generation"] == _UEFI_GENERATION
    if of["hypervisor"] == _KVM:
        is_scsi = of["disk_bus"] == "scsi"
        return {
            **common,
            # Nova's word for both QEMU and KVM.
            "hypervisor_type": "qemu",
            "hw_firmware_type": "uefi" if is_uefi else "bios",
            "hw_machine_type": "q35" if is_uefi else None,
            "hw_tpm_version": "2.0" if of["vtpm"] else None,
            "hw_tpm_model": "tpm-crb" if of["vtpm"] else None,
            "hw_disk_bus": "scsi" if is_scsi else "virtio",
            "hw_scsi_model": "virtio-scsi" if is_scsi else None,
            "hw_vif_model": "virtio",
            "hw_serial_port_count": _number(of["serial_ports"]),
        }
    return {
        **common,
        "hypervisor_type": "hyperv",
        "hw_machine_type": f"hyperv-gen{of['generation']}",
        "os_vtpm": "required" if of["vtpm"] else None,
        "img_pdk_reference": of["pdk_reference"],
        "hw_cpu_features": "vmx" if of["nested"] else None,
        "logging_serial_port": _number(of["logging_serial_port"]),
        "interactive_serial_port": _number(of["interactive_serial_port"]),
    }


def _number(value: int | None) -> str | None:
    return None if value is None else str(value)


def _nodes(
    inventory: Inventory, library: RoleLibrary, refused: Diagnostics
) -> Iterator[tuple[Node, Role, RolesOfNode]]:
    """Yield the nodes that have the role, directly or by another one that requires it, without those refused."""
    known: dict[str, bool] = {}
    for node in inventory.nodes.values():
        if not any(_leads(str(use.name), library, known) for use in node.roles):
            continue
        problems = Diagnostics()
        of_node = RolesOfNode(node, library, problems)
        role = of_node.roles.get(ROLE)
        if role is not None and not problems.has_errors:
            of_node.all_values()
            if not problems.has_errors:
                refuse(Asking(of_node, role, inventory.site, problems))
        if role is not None and not problems.has_errors:
            yield node, role, of_node
        refused.extend(problems)


def _leads(name: str, library: RoleLibrary, known: dict[str, bool]) -> bool:
    """Whether a role is the one or requires it, through any number of others."""
    if name not in known:
        known[name] = name == ROLE  # a circle of roles ends here; others tell of it
        role, _ = library.load(name)
        required = role.requires if role else ()
        known[name] |= any(_leads(reference.name, library, known) for reference in required)
    return known[name]


def _place(where: SourceRange) -> str:
    return f"{where.source.path}:{where.line}"


def _shown(key: str, value: str | None) -> str:
    return f"no '{key}'" if value is None else f"'{key}: {value}'"
