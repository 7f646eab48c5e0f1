"""What nodes with the role guest_image say of images, beside what the inventory says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner.cloud.guest_images import GuestImages, guest_images, properties
from provisioner.inventory.loader import load_inventory
from provisioner.roles.loader import RoleLibrary
from tests.compiling import REPOSITORY

_DEFAULTS: dict[str, Any] = {
    f"guest_image_{name}": value
    for name, value in {
        "hypervisor": "hyperv",
        "generation": 2,
        "secure_boot": False,
        "vtpm": False,
        "pdk_reference": None,
        "nested": False,
        "password_injection": False,
        "disk_bus": None,
        "serial_ports": None,
        "logging_serial_port": None,
        "interactive_serial_port": None,
    }.items()
}
_HEAD = """\
site: berlin
connection: {user: provisioner, password: env:WINRM}
openstack:
  cloud: production
"""
_NODES = """\
groups:
  images: {roles: [guest_image]}
nodes:
  image01:
    groups: [images]
    variables: {guest_image_name: windows-2022, guest_image_secure_boot: true}
  hv01: {roles: [windows_base]}
"""


def asked(**variables: Any) -> dict[str, str]:
    """Give the properties with a value; None stands for one that is taken away."""
    values = _DEFAULTS | {f"guest_image_{name}": value for name, value in variables.items()}
    return {key: value for key, value in properties(values).items() if value is not None}


HYPERV = {"os_type": "windows", "hypervisor_type": "hyperv", "hw_machine_type": "hyperv-gen2"}
KVM = {
    "os_type": "windows",
    "hypervisor_type": "qemu",
    "hw_firmware_type": "uefi",
    "hw_machine_type": "q35",
    "hw_disk_bus": "virtio",
    "hw_vif_model": "virtio",
}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, HYPERV),
        ({"generation": 1}, HYPERV | {"hw_machine_type": "hyperv-gen1"}),
        ({"secure_boot": True, "vtpm": True}, HYPERV | {"os_secure_boot": "required", "os_vtpm": "required"}),
        ({"pdk_reference": "https://b/1"}, HYPERV | {"img_pdk_reference": "https://b/1"}),
        ({"nested": True}, HYPERV | {"hw_cpu_features": "vmx"}),
        (
            {"logging_serial_port": 1, "interactive_serial_port": 2},
            HYPERV | {"logging_serial_port": "1", "interactive_serial_port": "2"},
        ),
        ({"password_injection": True}, HYPERV | {"img_config_drive": "mandatory"}),
        ({"hypervisor": "kvm"}, KVM),
        (
            {"hypervisor": "kvm", "disk_bus": "scsi", "vtpm": True, "serial_ports": 2},
            KVM
            | {
                "hw_disk_bus": "scsi",
                "hw_scsi_model": "virtio-scsi",
                "hw_tpm_version": "2.0",
                "hw_tpm_model": "tpm-crb",
                "hw_serial_port_count": "2",
            },
        ),
    ],
)
def test_variables_become_properties(variables: dict[str, Any], expected: dict[str, str]) -> None:
    assert asked(**variables) == expected


def test_a_machine_with_a_bios_asks_for_no_kind_of_machine_on_kvm() -> None:
    found = properties(_DEFAULTS | {"guest_image_hypervisor": "kvm", "guest_image_generation": 1})
    assert (found["hw_firmware_type"], found["hw_machine_type"]) == ("bios", None)


def found_in(folder: Path, body: str) -> GuestImages:
    path = folder / "inventory.yaml"
    path.write_text(_HEAD + body, encoding="utf-8")
    inventory, problems = load_inventory(path)
    assert [each.render() for each in problems] == []
    assert inventory is not None
    return guest_images(inventory, RoleLibrary([REPOSITORY]))


def shown(found: GuestImages, name: str) -> dict[str, str | None]:
    return {each.name: each.value for each in found.images[name]}


def test_an_image_has_what_both_say_of_it(tmp_path: Path) -> None:
    images = "  images: {windows-2022: {os_type: windows, os_distro: windows}, ubuntu: {os_type: linux}}\n"
    found = found_in(tmp_path, images + _NODES)
    assert not found.conflicts
    assert not found.refused
    assert shown(found, "ubuntu") == {"os_type": "linux"}
    whole = shown(found, "windows-2022")
    assert whole["os_distro"] == "windows"
    assert whole["os_secure_boot"] == "required"
    assert whole["os_vtpm"] is None


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            "{hw_machine_type: hyperv-gen1}",
            "has 'hw_machine_type: hyperv-gen1' here, and by the role guest_image",
        ),
        ("{os_vtpm: optional}", "has 'os_vtpm: optional' here"),
        ("{os_secure_boot: null}", "has no 'os_secure_boot' here"),
    ],
)
def test_two_places_that_contradict_each_other_are_both_told(tmp_path: Path, said: str, message: str) -> None:
    found = found_in(tmp_path, f"  images: {{windows-2022: {said}}}\n" + _NODES)
    [problem] = [each.render() for each in found.conflicts]
    assert message in problem
    assert "inventory.yaml:5:" in problem
    assert "inventory.yaml:11)" in problem


def test_two_nodes_are_not_one_image(tmp_path: Path) -> None:
    other = "  image02: {roles: [guest_image], variables: {guest_image_name: windows-2022}}\n"
    [problem] = [each.render() for each in found_in(tmp_path, _NODES + other).refused]
    assert "'image02' and 'image01'" in problem


def test_what_the_role_refuses_is_no_image(tmp_path: Path) -> None:
    refused = _NODES.replace("guest_image_secure_boot: true", "guest_image_vtpm: true")
    found = found_in(tmp_path, refused)
    assert "On Hyper-V a virtual TPM asks for Secure Boot" in "".join(found.refused.rendered())
    assert found.images == {}


def test_an_image_that_is_not_made_any_more_is_left_alone(tmp_path: Path) -> None:
    body = _NODES.replace("images: {roles: [guest_image]}", "images: {decommission: [guest_image]}")
    assert found_in(tmp_path, body).images == {}
