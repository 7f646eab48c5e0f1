"""What a node with the iSCSI initiator must answer."""

from __future__ import annotations

import pytest


def _targets(variables, ensure="Present"):
    found = [wanted for wanted in variables["iscsi_initiator_targets"] if wanted["ensure"] == ensure]
    if not found:
        pytest.skip(f"the inventory has no target with 'ensure: {ensure}'")
    return found


def test_initiator_service_runs(host):
    """The initiator service runs and starts with Windows."""
    assert host.service("MSiSCSI").is_running
    assert host.service("MSiSCSI").is_enabled


def test_the_firewall_lets_the_service_in(host):
    """The rule of Windows for the initiator service is on."""
    assert host.firewall_rule("MsiScsi-In-TCP").is_enabled


def test_new_disks_are_treated_as_wanted(host, variables):
    """The host does with new disks what the inventory says."""
    assert host.storage_setting.new_disk_policy == variables["iscsi_initiator_san_policy"]


def test_node_is_logged_on_over_every_path(host, variables):
    """Each target has a session over each of its portals."""
    for wanted in _targets(variables):
        session = host.iscsi_session(wanted["target"])
        for portal in wanted["portals"]:
            assert session.goes_over(portal)


def test_sessions_come_back_after_a_boot(host, variables):
    """Each target is logged on to, to be again after a boot, and as its authentication is wanted."""
    for wanted in _targets(variables):
        session = host.iscsi_session(wanted["target"])
        assert session.is_persistent
        assert session.authentication == {"ONEWAYCHAP" if wanted["chap"] else "NONE"}


def test_no_path_is_left_that_is_not_wanted(host, variables):
    """A target whose list of portals is exclusive has no session over another."""
    exclusive = [wanted for wanted in _targets(variables) if wanted["exclusive"]]
    if not exclusive:
        pytest.skip("no target is exclusive")
    for wanted in exclusive:
        assert len(host.iscsi_session(wanted["target"]).paths) == len(wanted["portals"])


def test_disks_on_several_paths_are_one_disk(host, variables):
    """Where sessions are paths of Multipath I/O, it claims disks on iSCSI."""
    if not any(wanted["multipath"] for wanted in _targets(variables)):
        pytest.skip("no target has 'multipath: true'")
    assert "iSCSI" in host.mpio.claimed


def test_node_is_logged_off_from_the_others(host, variables):
    """No session is left with a target that is to be absent."""
    for gone in _targets(variables, "Absent"):
        assert not host.iscsi_session(gone["target"]).exists
