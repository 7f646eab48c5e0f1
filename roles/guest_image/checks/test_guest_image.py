"""What a Windows must answer that an image is made of: it starts as instances of the image will."""

from __future__ import annotations

import pytest

#: The drivers of disk and network by hypervisor and bus; those of Hyper-V come with Windows.
_DISK = {"hyperv": ("vmbus", "storvsc"), "virtio": ("viostor",), "scsi": ("vioscsi",)}
_NETWORK_PACKAGE = "netkvm.inf"


def _for(variables, hypervisor):
    if variables["guest_image_hypervisor"] != hypervisor:
        pytest.skip(f"the image is not for {hypervisor}")


def test_firmware_is_that_of_the_generation(host, variables):
    """Windows was installed with the firmware that instances have; it starts with no other."""
    wanted = {1: "Bios", 2: "Uefi"}[variables["guest_image_generation"]]
    assert host.firmware.type == wanted


def test_windows_can_read_its_disk_on_kvm(host, variables):
    """The driver of the disk is loaded at boot; without it an instance ends with INACCESSIBLE_BOOT_DEVICE."""
    _for(variables, "kvm")
    for name in _DISK[variables["guest_image_disk_bus"] or "virtio"]:
        driver = host.system_driver(name)
        assert driver.exists
        assert driver.start_mode == "Boot"


def test_windows_has_the_driver_of_its_network_on_kvm(host, variables):
    """The driver of the network is in the store, where Windows finds it for the first adapter of an instance."""
    _for(variables, "kvm")
    assert host.driver_package(_NETWORK_PACKAGE).exists


def test_nobody_switched_the_drivers_of_hyperv_off(host, variables):
    """The drivers of Hyper-V's bus and disk are there and not switched off."""
    _for(variables, "hyperv")
    for name in _DISK["hyperv"]:
        driver = host.system_driver(name)
        assert driver.exists
        assert driver.start_mode != "Disabled"


def test_cloudbase_init_leaves_the_clock_as_it_is(host, variables):
    """The service sets the clock of each instance by its own file, which says the same."""
    is_utc = variables["guest_image_hypervisor"] == "kvm" and variables["guest_image_clock_utc"] is not False
    assert _file_of_cloudbase_init(host, variables).contains(f"^real_time_clock_utc = {str(is_utc).lower()}$")


def test_cloudbase_init_takes_the_password_over(host, variables):
    """The service sets the password that an instance is given."""
    if not variables["guest_image_password_injection"]:
        pytest.skip("guest_image_password_injection is not set")
    assert _file_of_cloudbase_init(host, variables).contains("^inject_user_password = true$")


def _file_of_cloudbase_init(host, variables):
    folder = variables.get("cloudbase_init_folder")
    if folder is None:
        pytest.skip("the node does not have the role cloudbase_init")
    return host.file(f"{folder}\\conf\\cloudbase-init.conf")


def test_volumes_become_usable(host, variables):
    """New disks are treated as the inventory says."""
    wanted = variables["guest_image_disk_policy"]
    if wanted is None:
        pytest.skip("guest_image_disk_policy is null")
    assert host.storage_setting.new_disk_policy == wanted


def test_windows_setup_is_done_with_this_windows(host):
    """The Windows is installed, and nobody generalized it yet."""
    assert host.windows_image.state == "IMAGE_STATE_COMPLETE"
