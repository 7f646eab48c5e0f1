"""What a node with the iSCSI initiator must answer."""

from __future__ import annotations

import pytest


def test_initiator_service_runs(host):
    """The initiator service runs and starts with Windows."""
    assert host.service("MSiSCSI").is_running
    assert host.service("MSiSCSI").is_enabled


def test_new_disks_are_treated_as_wanted(host, variables):
    """The host does with new disks what the inventory says."""
    assert host.check("storage_setting").new_disk_policy == variables["iscsi_initiator_san_policy"]


def test_node_is_logged_on_to_its_targets(host, variables):
    """The node is logged on to each target, to be again after a boot, and to none that is to be absent."""
    if not variables["iscsi_initiator_targets"]:
        pytest.skip("iscsi_initiator_targets names none")
    for wanted in variables["iscsi_initiator_targets"]:
        session = host.check("iscsi_session", wanted["target"])
        assert session.exists == (wanted["ensure"] == "Present")
        assert session.is_persistent == (wanted["ensure"] == "Present")


def test_lcm_is_idle(host):
    """The LCM has nothing left to do and waits for no reboot."""
    assert host.lcm.is_idle
