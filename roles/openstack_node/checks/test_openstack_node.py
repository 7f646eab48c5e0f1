"""What every node of a cloud must answer."""

from __future__ import annotations

import re

import pytest


def test_folders_are_there(host, variables):
    """Services find the folders of their logs and locks."""
    assert host.file(variables["openstack_log_folder"]).is_directory
    assert host.file(variables["openstack_lock_folder"]).is_directory


def test_authorities_are_there(host, variables):
    """The file that queue and Keystone are checked by holds certificates."""
    path = variables["openstack_ca_file"]
    if not path:
        pytest.skip("openstack_ca_file is not set")
    assert host.file(path).contains("^-----BEGIN CERTIFICATE-----")


def test_the_message_queue_is_reached(host, variables):
    """The node opens a connection to each host of the queue; one that is silent takes half a minute."""
    default = 5671 if variables["openstack_transport_tls"] else 5672
    for queue in variables["openstack_transport_hosts"]:
        name, port = re.fullmatch(r"(\[.*\]|[^:]+)(?::(\d+))?", queue).groups()
        assert host.addr(name.strip("[]")).port(port or default).is_reachable
