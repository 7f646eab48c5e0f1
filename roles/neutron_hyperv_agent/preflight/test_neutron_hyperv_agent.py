"""What has to be so before the agent is put on a node."""

from __future__ import annotations

import pytest


def test_other_switches_are_there(host, variables):
    """The agent ends at its start without a switch it is to use; that of hyperv_switch_name has its own role."""
    own = variables["hyperv_switch_name"].casefold()
    named = [*variables["neutron_hyperv_mappings"].values(), variables["neutron_hyperv_local_switch"]]
    others = sorted({name for name in named if name and name.casefold() != own})
    if not others:
        pytest.skip("the inventory names no other switch")
    installed = host.feature("Hyper-V").is_installed
    missing = [name for name in others if not (installed and host.vswitch(name).exists)]
    assert not missing, (
        f"{host.node} has no virtual switch called {', '.join(missing)}, and the agent would not start: make it, "
        f"or map the network to '{variables['hyperv_switch_name']}', which the role hyperv_vswitch makes"
    )
