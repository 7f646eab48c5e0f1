"""What every node of a cloud must answer."""

from __future__ import annotations

import re

import pytest

_EVERYBODY = ("Everyone", r"BUILTIN\Users", r"NT AUTHORITY\Authenticated Users")
_READING = {"ReadAndExecute", "Read", "Synchronize"}


def test_folders_are_there(host, variables):
    """Services find the folders of their logs and locks."""
    assert host.file(variables["openstack_log_folder"]).is_directory
    assert host.file(variables["openstack_lock_folder"]).is_directory


def test_nobody_plants_files_beside_those_of_services(host, variables):
    """Ordinary users read the folder of the cloud and write nothing there; of logs and locks they see nothing."""
    if folder := variables["openstack_folder"]:
        for account in _EVERYBODY:
            assert host.folder_access(folder).allows(account) <= _READING
    for folder in (variables["openstack_log_folder"], variables["openstack_lock_folder"]):
        for account in _EVERYBODY:
            if account not in variables["openstack_log_readers"]:
                assert not host.folder_access(folder).allows(account)


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
