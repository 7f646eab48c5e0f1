"""What has to be so before anything is changed on a node of a cloud."""

from __future__ import annotations

import pytest


def test_the_authorities_are_there(host, variables):
    """The PEM file that queue and Keystone are checked by is on the node, unless this role writes it."""
    path = variables["openstack_ca_file"]
    if not path or variables["openstack_ca_certificates"]:
        pytest.skip("the inventory names no file that somebody else puts there")
    assert host.file(path).exists, (
        f"{path} is not on {host.node}, and without it no service trusts the message queue or Keystone: put it "
        "there, or give its text in openstack_ca_certificates"
    )
