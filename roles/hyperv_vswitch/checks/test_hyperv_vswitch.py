"""What a node with the virtual switch of this role must answer."""

from __future__ import annotations

import pytest


def test_switch_lies_on_the_wanted_adapters(host, variables):
    """The virtual switch is there, external, and on the network adapters the inventory names."""
    switch = host.vswitch(variables["hyperv_switch_name"])
    assert switch.exists
    assert switch.type == "External"
    wanted = variables["hyperv_switch_adapters"]
    known = {text.casefold() for text in (*switch.adapters, *switch.adapter_descriptions)}
    for adapter in wanted:
        assert adapter.casefold() in known
    assert len(switch.adapter_descriptions) == len(wanted)
    assert switch.is_team or len(wanted) == 1


def test_switch_is_shared_with_the_node_as_wanted(host, variables):
    """The node keeps using the adapters through the switch, or leaves them, as the inventory says."""
    switch = host.vswitch(variables["hyperv_switch_name"])
    assert switch.allows_management_os == variables["hyperv_switch_management"]


def test_node_is_in_the_wanted_vlan(host, variables):
    """The node's own adapter on the switch is in the VLAN the inventory names."""
    vlan = variables["hyperv_switch_vlan"]
    if vlan is None or not variables["hyperv_switch_management"]:
        pytest.skip("the inventory names no VLAN, or the node does not use the switch")
    assert host.vswitch(variables["hyperv_switch_name"]).management_vlan == vlan


def test_team_shares_its_load_as_wanted(host, variables):
    """The team of the switch shares its load in the way the inventory names."""
    if variables["hyperv_switch_load_balancing"] is None:
        pytest.skip("hyperv_switch_load_balancing is not set")
    assert (
        host.vswitch(variables["hyperv_switch_name"]).load_balancing
        == variables["hyperv_switch_load_balancing"]
    )


def test_switch_offers_sr_iov_as_wanted(host, variables):
    """The switch was made with SR-IOV or without, as the inventory says."""
    if variables["hyperv_switch_iov"] is None:
        pytest.skip("hyperv_switch_iov is not set")
    assert host.vswitch(variables["hyperv_switch_name"]).has_iov == variables["hyperv_switch_iov"]
