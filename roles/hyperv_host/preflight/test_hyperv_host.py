"""What a node must have before it is made a Hyper-V host.

A node that is one already is not asked: its hypervisor hides what the processors can do, and its virtual machines
take the room they take.
"""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _only_before_it_is_a_host(host):
    if host.feature("Hyper-V").is_installed:
        pytest.skip("the node is a Hyper-V host already")


def test_virtualization_is_enabled_in_the_firmware(host):
    """Virtualization is switched on in the firmware (BIOS, UEFI), or given to the virtual machine this is."""
    assert host.hardware.has_virtualization_enabled, (
        "switch virtualization on in the firmware; for a virtual machine, expose it to the machine"
    )


def test_processor_has_second_level_address_translation(host):
    """The processors translate addresses in two levels, without which Hyper-V does not start."""
    assert host.hardware.has_second_level_address_translation, (
        "the processor has no second level address translation (Intel EPT, AMD NPT), which Hyper-V needs"
    )


def test_memory_is_enough(host, variables):
    """There is as much memory as hyperv_minimum_memory_gb says."""
    # The firmware keeps a part of what is built in: half a GiB less is as good.
    memory, minimum = host.hardware.memory_gb, variables["hyperv_minimum_memory_gb"]
    assert memory + 0.5 >= minimum, f"{memory:.1f} GiB of memory, hyperv_minimum_memory_gb is {minimum}"


@pytest.mark.parametrize("variable", ["hyperv_vm_path", "hyperv_disk_path"])
def test_room_is_enough(host, variables, variable):
    """There is as much room as hyperv_minimum_free_gb says, where virtual machines and disks will lie."""
    drive = (variables[variable] or "C:")[0].upper()
    free, minimum = host.hardware.free_gb(drive), variables["hyperv_minimum_free_gb"]
    assert free >= minimum, f"{free:.1f} GiB are free on {drive}:, hyperv_minimum_free_gb is {minimum}"
