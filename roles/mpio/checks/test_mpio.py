"""What a node with Multipath I/O must answer."""

from __future__ import annotations

import pytest


def test_feature_is_installed(host):
    """Multipath I/O is installed, and the node was restarted since."""
    assert host.feature("Multipath-IO").is_installed


def test_the_wanted_bus_types_are_claimed(host, variables):
    """Disks of the wanted bus types, and of no other, are claimed."""
    assert set(host.mpio.claimed) == set(variables["mpio_bus_types"])


def test_paths_are_used_as_wanted(host, variables):
    """The load balance policy is the one of the inventory, where it names one."""
    if variables["mpio_load_balance_policy"] is None:
        pytest.skip("mpio_load_balance_policy is not set")
    assert host.mpio.load_balance_policy == variables["mpio_load_balance_policy"]
