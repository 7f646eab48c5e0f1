"""What a Hyper-V host of this role must answer."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("feature", ["Hyper-V", "Hyper-V-PowerShell", "RSAT-Hyper-V-Tools"])
def test_feature_is_installed(host, feature):
    """The features of the role are installed, and none waits for a reboot."""
    assert host.feature(feature).is_installed


def test_multipath_io_is_installed_when_wanted(host, variables):
    """Multipath-IO is installed where the inventory asks for it."""
    if variables["hyperv_mpio"]:
        assert host.feature("Multipath-IO").is_installed


def test_virtual_machine_management_runs(host):
    """The service that owns virtual machines and switches runs and starts with Windows."""
    assert host.service("vmms").is_running
    assert host.service("vmms").is_enabled


def test_iscsi_initiator_runs_when_wanted(host, variables):
    """The iSCSI initiator runs where the inventory asks for it."""
    if variables["hyperv_iscsi_initiator"]:
        assert host.service("MSiSCSI").is_running
        assert host.service("MSiSCSI").is_enabled


def test_switch_is_bound_to_the_wanted_adapter(host, variables):
    """The virtual switch is there, external, and on the network adapter the inventory names."""
    switch = host.vswitch(variables["hyperv_switch_name"])
    assert switch.exists
    assert switch.type == "External"
    assert switch.adapter.casefold() == variables["hyperv_switch_adapter"].casefold()


def test_switch_is_shared_with_the_node_as_wanted(host, variables):
    """The node keeps using the adapter through the switch, or leaves it, as the inventory says."""
    switch = host.vswitch(variables["hyperv_switch_name"])
    assert switch.allows_management_os == variables["hyperv_switch_management"]


def test_lcm_is_idle(host):
    """The LCM has nothing left to do and waits for no reboot."""
    assert host.lcm.is_idle
