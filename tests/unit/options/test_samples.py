"""The sample files of the reference data: the good ones have no fault, the bad ones every fault that is known."""

from __future__ import annotations

import pytest

from provisioner.diagnostics import Severity
from provisioner.options.check import check_bytes
from provisioner.options.faults import Kind
from tests.shared_data import shared

GOOD = [
    ("nova-ok.conf", "nova", "2023.1"),
    ("nova-ok.conf", "nova", "2023.2"),
    ("neutron_hyperv_agent.conf", "neutron-hyperv-agent", "2023.1"),
    ("neutron_ovs_agent.conf", "neutron-ovs-agent", "2023.1"),
    ("cinder.conf", "cinder", "2023.1"),
    ("cinder.conf", "cinder", "2025.2"),
    ("cloudbase-init.conf", "cloudbase-init", "1.1.4"),
    ("cloudbase-init.conf", "cloudbase-init", "1.1.9"),
]
_NOVA = {
    ("limit_cpu_feature", Kind.UNKNOWN_OPTION, "limit_cpu_features"),
    ("dynamic_memory_ratio", Kind.VALUE, ""),
}
_CINDER = {
    ("windows_iscsi_lun_paths", Kind.UNKNOWN_OPTION, "windows_iscsi_lun_path"),
    ("target_port", Kind.VALUE, ""),
    ("smbfs_default_volume_format", Kind.VALUE, ""),
}
_GUEST = {
    ("inject_user_pasword", Kind.UNKNOWN_OPTION, "inject_user_password"),
    ("mtu_use_dhcp_config", Kind.VALUE, ""),
}
BAD = [
    ("nova-bad.conf", "nova", "2023.1", _NOVA),
    ("nova-bad.conf", "nova", "2023.2", _NOVA),
    (
        "neutron_hyperv_agent.bad.conf",
        "neutron-hyperv-agent",
        "2023.1",
        {
            ("physical_network_vswitch_mapping", Kind.UNKNOWN_OPTION, "physical_network_vswitch_mappings"),
            ("polling_interval", Kind.VALUE, ""),
        },
    ),
    ("cinder.bad.conf", "cinder", "2023.1", _CINDER),
    # What 2023.1 took as an old name is gone.
    (
        "cinder.bad.conf",
        "cinder",
        "2025.2",
        _CINDER | {("lock_path", Kind.WRONG_SECTION, "[oslo_concurrency]")},
    ),
    ("cloudbase-init.bad.conf", "cloudbase-init", "1.1.4", _GUEST),
    ("cloudbase-init.bad.conf", "cloudbase-init", "1.1.9", _GUEST),
]


@pytest.mark.parametrize(("file", "service", "release"), GOOD)
def test_a_good_sample_has_no_fault(file: str, service: str, release: str) -> None:
    found = check_bytes(shared("facts/openstack/conf", file).read_bytes(), service, release)
    assert [each.rendered(file) for each in found if each.severity is Severity.ERROR] == []
    assert {each.kind for each in found} <= {Kind.DEPRECATED}


@pytest.mark.parametrize(("file", "service", "release", "known"), BAD)
def test_a_bad_sample_has_exactly_the_faults_that_are_known(
    file: str, service: str, release: str, known: set[tuple[str, Kind, str]]
) -> None:
    raw = shared("facts/openstack/conf", file).read_bytes()
    lines = raw.decode().splitlines()
    found = [each for each in check_bytes(raw, service, release) if each.severity is Severity.ERROR]
    assert {(each.option, each.kind) for each in found} == {(option, kind) for option, kind, _ in known}
    for each in found:
        assert lines[each.line - 1].startswith(each.option)
        assert any(option == each.option and word in each.help for option, _, word in known), each


def test_the_names_that_the_installer_still_writes_are_warnings() -> None:
    raw = shared("facts/openstack/conf/cloudbase-init.conf").read_bytes()
    found = {each.option: each.message for each in check_bytes(raw, "cloudbase-init", "1.1.9")}
    assert sorted(found) == [
        "config_drive_cdrom",
        "config_drive_raw_hhd",
        "config_drive_vfat",
        "logdir",
        "logfile",
    ]
    assert "raw_hdd of [config_drive]" in found["config_drive_raw_hhd"]
