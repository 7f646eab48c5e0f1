"""What an iSCSI target server of this role must answer."""

from __future__ import annotations

import ipaddress

import pytest


def _targets(variables, ensure="Present"):
    found = [target for target in variables["iscsi_targets"] if target["ensure"] == ensure]
    if not found:
        pytest.skip(f"the inventory has no target with 'ensure: {ensure}'")
    return found


def test_feature_is_installed(host):
    """The iSCSI Target Server is installed."""
    assert host.feature("FS-iSCSITarget-Server").is_installed


def test_target_service_runs(host):
    """The target service runs and starts with Windows."""
    assert host.service("WinTarget").is_running
    assert host.service("WinTarget").is_enabled


def test_only_the_wanted_initiators_may_connect(host, variables):
    """Each target admits the initiators of the inventory and nobody else."""
    for wanted in _targets(variables):
        target = host.iscsi_target(wanted["name"])
        assert target.exists
        # The method may stand in front ("Iqn:") on either side; names count without regard to case.
        admitted = {name.casefold() for name in target.initiator_ids}
        names = {name.casefold() for name in wanted["initiators"]}
        assert admitted == names, f"iscsi target {target.name} initiator_ids: {sorted(admitted)}"


def test_targets_that_are_to_be_absent_are_gone(host, variables):
    """No target that the inventory wants absent is left."""
    for gone in _targets(variables, "Absent"):
        assert not host.iscsi_target(gone["name"]).exists


def test_all_disks_are_offered(host, variables):
    """Each target offers exactly its disks, and their files are there."""
    for wanted in _targets(variables):
        target = host.iscsi_target(wanted["name"])
        offered = sorted(path.casefold() for path in target.disks)
        paths = sorted(disk["path"].casefold() for disk in wanted["disks"])
        assert offered == paths, f"iscsi target {target.name} disks: {offered}"
        for disk in wanted["disks"]:
            assert host.file(disk["path"]).is_file


def test_targets_ask_for_the_wanted_user(host, variables):
    """Each target asks for CHAP, or not, and proves itself, or not, as the inventory says."""
    for wanted in _targets(variables):
        target = host.iscsi_target(wanted["name"])
        assert target.chap_user == (wanted["chap"]["user"] if wanted["chap"] else "")
        assert target.reverse_chap_user == (wanted["reverse_chap"]["user"] if wanted["reverse_chap"] else "")


def test_only_the_wanted_addresses_listen(host, variables):
    """Exactly the addresses of the inventory listen, where it names any, and those of Cinder's volumes."""
    if not variables["iscsi_portals"]:
        pytest.skip("iscsi_portals is not set")
    wanted = {str(ipaddress.ip_address(text)) for text in variables["iscsi_portals"]}
    for backend in variables.get("cinder_backends") or ():
        wanted |= {backend["target_ip_address"], *backend["target_secondary_ip_addresses"]} - {None}
    assert host.iscsi_portals.listening == wanted
