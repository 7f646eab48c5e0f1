"""What an iSCSI target server of this role must answer."""

from __future__ import annotations


def test_feature_is_installed(host):
    """The iSCSI Target Server is installed."""
    assert host.feature("FS-iSCSITarget-Server").is_installed


def test_target_service_runs(host):
    """The target service runs and starts with Windows."""
    assert host.service("WinTarget").is_running
    assert host.service("WinTarget").is_enabled


def test_only_the_wanted_initiators_may_connect(host, variables):
    """The target admits the initiators of the inventory and nobody else."""
    target = host.iscsi_target(variables["iscsi_target_name"])
    assert target.exists
    # The method may stand in front ("Iqn:") on either side; names count without regard to case.
    admitted = {name.casefold() for name in target.initiator_ids}
    wanted = {name.casefold().removeprefix("iqn:") for name in variables["iscsi_initiators"]}
    assert admitted == wanted, f"iscsi target {target.name} initiator_ids: {sorted(admitted)}"


def test_all_disks_are_offered(host, variables):
    """The target offers exactly the disks of the inventory, and their files are there."""
    target = host.iscsi_target(variables["iscsi_target_name"])
    offered = sorted(path.casefold() for path in target.disks)
    wanted = sorted(disk["path"].casefold() for disk in variables["iscsi_disks"])
    assert offered == wanted, f"iscsi target {target.name} disks: {offered}"
    for disk in variables["iscsi_disks"]:
        assert host.file(disk["path"]).is_file


def test_lcm_is_idle(host):
    """The LCM has nothing left to do and waits for no reboot."""
    assert host.lcm.is_idle
