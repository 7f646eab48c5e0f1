"""What every node of a cloud must answer."""

from __future__ import annotations

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
