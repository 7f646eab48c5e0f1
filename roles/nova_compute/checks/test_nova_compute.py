"""What a node with the OpenStack compute service must answer."""

from __future__ import annotations

import re

import pytest


def test_compute_service_runs(host):
    """The service is there, runs and starts with Windows."""
    service = host.service("nova-compute")
    assert service.exists
    assert service.is_running
    assert service.is_enabled


def test_compute_service_runs_as_wanted(host, variables):
    """The service starts this program with this file, as this account."""
    service = host.service("nova-compute")
    folder = variables["openstack_runtime_folder"]
    program = rf"{folder}\{variables['openstack_runtime_python_folder']}\Scripts\nova-compute.exe"
    assert program.casefold() in service.path.casefold()
    assert host.file(program).is_file
    assert rf'--config-file "{folder}\etc\nova.conf"'.casefold() in service.path.casefold()
    account = variables["nova_account"]
    wanted = account["user"] if account else "LocalSystem"
    assert service.start_name.casefold() == wanted.casefold()


def test_configuration_names_the_driver(host, variables):
    """nova.conf makes the service use Hyper-V, alone or in a cluster."""
    driver = "cluster.driver.HyperVClusterDriver" if variables["nova_cluster"] else "driver.HyperVDriver"
    assert configuration(host, variables).contains(rf"^compute_driver = compute_hyperv\.{re.escape(driver)}$")


def test_configuration_follows_the_inventory(host, variables):
    """nova.conf holds the folders and the virtual switch the inventory wants."""
    wanted = {
        "instances_path": variables["nova_instances_path"],
        "log_dir": variables["openstack_log_folder"],
        "lock_path": variables["openstack_lock_folder"],
        "vswitch_name": variables["hyperv_switch_name"],
    }
    overlaid = {option for section in variables["nova_options"].values() for option in section or ()}
    for option, value in wanted.items():
        if option not in overlaid:
            line = value.replace("$", "$$")
            assert configuration(host, variables).contains(rf"^{option} = {re.escape(line)}$")


def test_configuration_names_the_message_queue(host, variables):
    """nova.conf holds each host of the queue; passwords are not looked at."""
    if "transport_url" in (variables["nova_options"].get("DEFAULT") or ()):
        pytest.skip("nova_options say what the message queue is")
    for queue in variables["openstack_transport_hosts"]:
        assert configuration(host, variables).contains(
            rf"^transport_url = rabbit://.*@{re.escape(queue)}[:,/]"
        )


def test_file_with_secrets_is_for_few(host, variables):
    """nova.conf holds passwords, and is not for everybody."""
    access = host.folder_access(variables["openstack_runtime_folder"] + r"\etc\nova.conf")
    for account in ("Everyone", r"BUILTIN\Users", r"NT AUTHORITY\Authenticated Users"):
        assert not access.allows(account)


def test_folder_of_instances_is_there(host, variables):
    """The folder of the instances exists; on a Cluster Shared Volume Nova makes it."""
    if variables["nova_cluster"]:
        pytest.skip("the instances lie on a Cluster Shared Volume")
    assert host.file(variables["nova_instances_path"]).is_directory


def test_hyper_v_takes_as_many_migrations(host, variables):
    """Hyper-V allows as many live migrations at once as Nova begins."""
    if not host.vm_host.migration_is_enabled:
        pytest.skip("live migration is off")
    assert host.vm_host.maximum_migrations >= variables["nova_max_live_migrations"]


def configuration(host, variables):
    return host.file(variables["openstack_runtime_folder"] + r"\etc\nova.conf")
