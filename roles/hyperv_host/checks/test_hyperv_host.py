"""What a Hyper-V host of this role must answer."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("feature", ["Hyper-V", "Hyper-V-PowerShell", "RSAT-Hyper-V-Tools"])
def test_feature_is_installed(host, feature):
    """The features of the role are installed, and none waits for a reboot."""
    assert host.feature(feature).is_installed


def test_virtual_machine_management_runs(host):
    """The service that owns virtual machines and switches runs and starts with Windows."""
    assert host.service("vmms").is_running
    assert host.service("vmms").is_enabled


def test_pool_of_mac_addresses_is_the_nodes_own(host, variables):
    """The host gives virtual machines addresses of 256 that begin alike; hyperv_mac_pool says how."""
    first, last = host.vm_host.mac_address_minimum, host.vm_host.mac_address_maximum
    assert (first[10:], last[10:].upper()) == ("00", "FF")
    assert first[:10] == last[:10]
    if variables["hyperv_mac_pool"]:
        assert first[:10].upper() == variables["hyperv_mac_pool"].upper()


@pytest.mark.parametrize(
    ("variable", "setting"),
    [("hyperv_vm_path", "virtual_machine_path"), ("hyperv_disk_path", "virtual_hard_disk_path")],
)
def test_folder_is_the_default_and_there(host, variables, variable, setting):
    """Folders that the inventory names are those of the host, and exist."""
    wanted = variables[variable]
    if not wanted:
        pytest.skip(f"{variable} is not set")
    assert getattr(host.vm_host, setting).casefold() == wanted.casefold()
    assert host.file(wanted).is_directory


@pytest.mark.parametrize(
    ("variable", "setting"),
    [
        ("hyperv_numa_spanning", "numa_spanning_is_enabled"),
        ("hyperv_enhanced_session", "enhanced_session_is_enabled"),
    ],
)
def test_setting_is_as_wanted(host, variables, variable, setting):
    """Settings that the inventory gives are those of the host."""
    if variables[variable] is None:
        pytest.skip(f"{variable} is not set")
    assert getattr(host.vm_host, setting) is variables[variable]


def test_firewall_lets_in_what_hosts_ask_each_other(host, variables):
    """The rules of Hyper-V are switched on and are those of Windows, which are in a group."""
    if not variables["hyperv_firewall_rules"]:
        pytest.skip("hyperv_firewall_rules names none")
    for name in variables["hyperv_firewall_rules"]:
        rule = host.firewall_rule(name)
        assert rule.is_enabled
        assert rule.action == "Allow"
        assert rule.group, (
            f"firewall rule {name} group: '': Windows has no rule of this name, and the one made lets TCP in: "
            f"Remove-NetFirewallRule -Name {name} on the node, and correct hyperv_firewall_rules"
        )
