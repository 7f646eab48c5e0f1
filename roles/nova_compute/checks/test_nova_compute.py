"""What a node with the OpenStack compute service must answer."""

from __future__ import annotations

import re

import pytest


def test_compute_service_runs(host):
    """The service the package brings is there, runs and starts with Windows."""
    service = host.service("nova-compute")
    assert service.exists
    assert service.is_running
    assert service.is_enabled


def test_configuration_names_the_driver(host, variables):
    """nova.conf makes the service use Hyper-V."""
    assert configuration(host, variables).contains(r"^compute_driver = compute_hyperv\.")


def test_configuration_follows_the_inventory(host, variables):
    """nova.conf holds the folders and the virtual switch the inventory wants."""
    wanted = {
        "instances_path": variables["nova_instances_path"],
        "log_dir": variables["nova_log_folder"],
        "lock_path": variables["nova_lock_path"],
        "vswitch_name": variables["hyperv_switch_name"],
    }
    for option, value in wanted.items():
        assert configuration(host, variables).contains(rf"^{option} = {re.escape(value)}$")


def test_configuration_names_the_message_queue(host, variables):
    """nova.conf holds the queue the inventory wants; its password is not looked at."""
    queue = variables["nova_transport_host"]
    if not queue:
        pytest.skip("nova_transport_host is not set")
    place = f"{queue}:{variables['nova_transport_port']}/"
    assert configuration(host, variables).contains(rf"^transport_url = rabbit://[^@]+@{re.escape(place)}")


def configuration(host, variables):
    return host.file(variables["nova_install_folder"] + r"\etc\nova.conf")
