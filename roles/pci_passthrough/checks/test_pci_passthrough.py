"""What a host whose devices are given to virtual machines must answer."""

from __future__ import annotations

import pytest


def test_devices_are_where_they_should_be(host, variables):
    """Each device is off the host, free or with a virtual machine, or back on it."""
    if not variables["pci_devices"]:
        pytest.skip("pci_devices names none")
    for wanted in variables["pci_devices"]:
        device = host.assignable_device(wanted["location_path"])
        assert device.is_off_host == (wanted["ensure"] == "Present")
