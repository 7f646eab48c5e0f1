"""What a node with the variables of this role must answer."""

from __future__ import annotations

import uuid

import pytest


def _given(variables, name):
    if not variables[name]:
        pytest.skip(f"{name} is not set")
    return variables[name]


def test_computer_has_its_name(host, variables):
    """The computer has the name of the inventory, and not only from the next boot on."""
    wanted = _given(variables, "windows_computer_name")
    assert host.computer.name.casefold() == wanted.casefold()


def test_computer_is_in_its_domain(host, variables):
    """The computer is a member of the domain."""
    wanted = _given(variables, "windows_domain")
    assert host.computer.domain.casefold() == wanted.casefold()


@pytest.mark.parametrize("what", ["release"])
def test_release_is_the_one_of_the_inventory(host, variables, what):
    """The node runs the release the inventory names."""
    wanted = _given(variables, "windows_version")
    assert getattr(host.operating_system, what) == wanted


def test_features_are_installed(host, variables):
    """The features of the inventory are installed."""
    for name in _given(variables, "windows_features"):
        assert host.feature(name).is_installed


def test_time_zone_is_set(host, variables):
    """The time zone is the one of the inventory."""
    assert host.time_zone.id.casefold() == _given(variables, "windows_time_zone").casefold()


def test_time_comes_from_the_servers(host, variables):
    """The time comes from the servers of the inventory, and the service that asks them runs."""
    wanted = {name.partition(",")[0].casefold() for name in _given(variables, "windows_time_servers")}
    assert host.time_source.type == "NTP"
    assert host.time_source.servers == wanted
    assert host.service("W32Time").is_running


def test_power_plan_is_active(host, variables):
    """The power plan of the inventory is the active one."""
    wanted = _given(variables, "windows_power_plan")
    try:
        guid = str(uuid.UUID(wanted))
    except ValueError:
        assert host.power_plan.name.casefold() == wanted.casefold()
    else:
        assert host.power_plan.guid == guid


def test_page_file_has_its_size(host, variables):
    """The page file has the sizes of the inventory, and Windows does not size it by itself."""
    wanted = _given(variables, "windows_page_file")
    page_file = host.page_file(wanted["drive"])
    assert not host.computer.manages_page_files
    assert page_file.exists
    assert page_file.initial_mb == wanted["initial_mb"]
    assert page_file.maximum_mb == wanted["maximum_mb"]


@pytest.mark.parametrize("name", ["Domain", "Private", "Public"])
def test_firewall_is_on(host, variables, name):
    """The firewall is on in every profile."""
    _given(variables, "windows_firewall")
    assert host.firewall_profile(name).is_enabled


def test_defender_leaves_the_exclusions_alone_and_scans_the_rest(host, variables):
    """Defender has the exclusions of the inventory and is on."""
    wanted = variables["windows_defender_exclusions"] or {}
    if not any(wanted.values()):
        pytest.skip("windows_defender_exclusions is not set")
    defender = host.defender
    assert {item.casefold().rstrip("\\") for item in wanted["paths"]} <= defender.paths
    assert {item.casefold().lstrip(".") for item in wanted["extensions"]} <= defender.extensions
    assert {item.casefold() for item in wanted["processes"]} <= defender.processes
    assert defender.scans_in_real_time


def test_certificates_are_in_their_stores(host, variables):
    """The certificates of the inventory are there, those from .pfx files with their keys."""
    for wanted in variables["windows_certificates"]:
        assert host.certificate(wanted["thumbprint"], wanted["store"]).exists
    for wanted in variables["windows_pfx"]:
        assert host.certificate(wanted["thumbprint"], wanted["store"]).has_private_key
    if not variables["windows_certificates"] and not variables["windows_pfx"]:
        pytest.skip("neither windows_certificates nor windows_pfx is set")


def test_winrm_refuses_what_sends_secrets(host, variables):
    """WinRM takes neither basic authentication nor messages that are not encrypted."""
    _given(variables, "windows_winrm_hardening")
    assert not host.winrm.allows_basic
    assert not host.winrm.allows_unencrypted


def test_winrm_listens_on_https_with_the_certificate(host, variables):
    """WinRM listens on https with the certificate of the inventory."""
    wanted = _given(variables, "windows_winrm_https_thumbprint")
    assert wanted.upper() in host.winrm.https_thumbprints


def test_accounts_have_their_user_rights(host, variables):
    """The accounts of the inventory have their rights; others may have them too."""
    for policy, accounts in _given(variables, "windows_user_rights").items():
        assert host.user_right(policy).is_held_by(accounts)


def test_no_reboot_is_pending(host):
    """Neither servicing nor an update waits for a restart."""
    assert not host.pending_reboot.is_pending


def test_lcm_is_idle(host):
    """The LCM has nothing left to do and waits for no reboot."""
    assert host.lcm.is_idle
