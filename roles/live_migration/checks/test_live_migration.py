"""What a host that takes part in live migration must answer."""

from __future__ import annotations

import ipaddress

import pytest

SERVICES = ("cifs", "microsoft virtual system migration service")


def test_live_migration_is_on(host, variables):
    """Migration is on, with Kerberos and as the inventory wants it; OpenStack's os-win asks for the first."""
    settings = host.vm_host
    assert settings.migration_is_enabled
    assert settings.migration_authentication == "Kerberos"
    assert settings.migration_performance == variables["live_migration_performance"]
    assert settings.maximum_migrations == variables["live_migration_maximum"]
    assert settings.maximum_storage_migrations == variables["live_migration_maximum_storage"]


def test_the_host_listens_for_machines(host):
    """One of the networks is a network of the node; os-win asks for this too."""
    assert host.migration.listeners


def test_networks_are_those_of_the_inventory(host, variables):
    """The host takes machines over the wanted networks and no other ones."""
    if not variables["live_migration_networks"]:
        pytest.skip("the inventory names no networks")
    wanted = {ipaddress.ip_network(network) for network in variables["live_migration_networks"]}
    found = {ipaddress.ip_network(network) for network in host.migration.networks}
    assert found == wanted, f"live migration networks: {sorted(map(str, found))}"


def test_the_firewall_lets_machines_in(host):
    """The rule for TCP 6600 is on."""
    assert host.firewall_rule("VIRT-MIGL-In-TCP-NoScope").is_enabled


def test_the_account_may_delegate_to_every_other_host(host, variables):
    """The computer account has both services of each other host, by short and full name, and no other host's."""
    if not variables["live_migration_check_delegation"]:
        pytest.skip("the inventory does not want a domain controller to be asked")
    domain = variables["live_migration_domain"] or variables["windows_domain"]
    own = variables["windows_computer_name"] or str(host.node).partition(".")[0]
    peers = [name for name in variables["live_migration_hosts"] if name.casefold() != own.casefold()]
    wanted = {
        f"{service}/{name}".casefold()
        for service in SERVICES
        for peer in peers
        for name in (peer, f"{peer}.{domain}")
    }
    delegation = host.computer_delegation(own)
    found = {entry for entry in delegation.entries if entry.partition("/")[0] in SERVICES}
    assert found == wanted
    assert delegation.allows_any_protocol
