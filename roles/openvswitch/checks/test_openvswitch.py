"""What a node with Open vSwitch must answer."""

from __future__ import annotations

import pytest


def test_extension_is_enabled(host, variables):
    """The virtual switch has the extension of Open vSwitch enabled, under one of its names."""
    extension = host.switch_extension(variables["hyperv_switch_name"], *variables["ovs_extension_names"])
    assert extension.is_installed
    assert extension.is_enabled


@pytest.mark.parametrize("service", ["ovsdb-server", "ovs-vswitchd"])
def test_services_run(host, service):
    """The database and the daemon run."""
    assert host.service(service).is_running


def test_daemon_waits_for_hyper_v(host):
    """The database starts with Windows, and the daemon by what Hyper-V announces."""
    assert host.service("ovsdb-server").is_enabled
    assert host.service("ovs-vswitchd").start_mode == "Manual"


def test_bridges_have_their_uplink_and_vlan(host, variables):
    """Each bridge is in the database, with its uplink and its VLAN."""
    for wanted in variables["ovs_bridges"]:
        bridge = host.ovs_bridge(wanted["name"], variables["ovs_database"])
        assert bridge.exists
        if wanted["adapter"] is not None:
            assert wanted["adapter"] in bridge.ports
            assert host.net_adapter(wanted["adapter"]).exists
        if wanted["vlan"] is not None:
            assert bridge.vlan == wanted["vlan"]


def test_adapters_of_bridges_are_up(host, variables):
    """The network adapter that the node has on each bridge is enabled."""
    for wanted in variables["ovs_bridges"]:
        assert host.net_adapter(wanted["name"]).is_up


def test_addresses_are_on_the_bridge(host, variables):
    """The addresses went to the bridge, and the switch's own adapter has none left."""
    moved = [bridge for bridge in variables["ovs_bridges"] if bridge["move_address"]]
    if not moved:
        pytest.skip("no bridge takes addresses")
    adapter = host.net_adapter(moved[0]["name"])
    assert adapter.ipv4_addresses
    assert not host.net_adapter(f"vEthernet ({variables['hyperv_switch_name']})").ipv4_addresses
    if moved[0]["addresses"] is not None:
        assert adapter.ipv4_addresses == frozenset(moved[0]["addresses"])
        assert adapter.default_gateway == (moved[0]["gateway"] or "")
