"""What has to be so before anything is changed on a node."""

from __future__ import annotations

import pytest


def test_the_node_runs_the_release_of_the_inventory(host, variables):
    """The node runs the release of Windows Server that the inventory names."""
    wanted = variables["windows_version"]
    if wanted is None:
        pytest.skip("the inventory names no release")
    found = host.operating_system.release
    assert found == wanted, (
        f"the inventory says Windows Server {wanted}, and {host.node} runs {found} "
        f"({host.operating_system.caption}): correct windows_version, or the address of the node"
    )


def test_the_node_is_in_no_other_domain(host, variables):
    """A node that is to join a domain is in none yet, or in this one already."""
    wanted = variables["windows_domain"]
    if wanted is None:
        pytest.skip("the inventory names no domain")
    found = host.computer.domain
    assert found.casefold() in {"", wanted.casefold()}, (
        f"{host.node} is a member of {found}, and the inventory says {wanted}: take it out of {found} first, by a "
        "local account"
    )
