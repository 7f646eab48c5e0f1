"""What a node with Ceilometer's compute agent must answer."""

from __future__ import annotations

import re

import pytest


def test_agent_runs(host):
    """The service is there, runs and starts with Windows."""
    service = host.service("ceilometer-polling")
    assert service.exists
    assert service.is_running
    assert service.is_enabled


def test_agent_runs_as_wanted(host, variables):
    """The service polls machines, with this program and file, as this account."""
    service = host.service("ceilometer-polling")
    folder = variables["openstack_runtime_folder"]
    program = rf"{folder}\{variables['openstack_runtime_python_folder']}\Scripts\ceilometer-polling.exe"
    assert program.casefold() in service.path.casefold()
    assert host.file(program).is_file
    assert "--polling-namespaces compute" in service.path
    assert rf'--config-file "{folder}\etc\ceilometer.conf"'.casefold() in service.path.casefold()
    account = variables["ceilometer_account"]
    wanted = account["user"] if account else "LocalSystem"
    assert service.start_name.casefold() == wanted.casefold()


def test_configuration_looks_into_hyper_v(host, variables):
    """The file names the inspector of Hyper-V, and has machines found by asking Nova."""
    folder = variables["openstack_runtime_folder"]
    configuration = host.file(rf"{folder}\etc\ceilometer.conf")
    assert configuration.contains("^hypervisor_inspector = hyperv$")
    assert configuration.contains("^instance_discovery_method = (naive|workload_partitioning)$")


def test_wanted_meters_are_measured(host, variables):
    """The agent has its list of meters, and how often they are taken."""
    polling = host.file(variables["openstack_runtime_folder"] + r"\etc\polling.yaml")
    assert polling.contains(rf"^    interval: {variables['ceilometer_interval']}$")
    for meter in variables["ceilometer_meters"]:
        assert polling.contains(rf'^      - "{re.escape(meter)}"$')


def test_file_with_secrets_is_for_few(host, variables):
    """ceilometer.conf holds passwords, and is not for everybody."""
    access = host.folder_access(variables["openstack_runtime_folder"] + r"\etc\ceilometer.conf")
    for account in ("Everyone", r"BUILTIN\Users", r"NT AUTHORITY\Authenticated Users"):
        assert not access.allows(account)


def test_configuration_names_the_message_queue(host, variables):
    """The file holds each host of the queue; passwords are not looked at."""
    options = {name for section in variables["ceilometer_options"].values() for name in section or ()}
    if "transport_url" in options:
        pytest.skip("ceilometer_options say what the message queue is")
    configuration = host.file(variables["openstack_runtime_folder"] + r"\etc\ceilometer.conf")
    for queue in variables["openstack_transport_hosts"]:
        assert configuration.contains(rf"^transport_url = rabbit://.*@{re.escape(queue)}[:,/]")
