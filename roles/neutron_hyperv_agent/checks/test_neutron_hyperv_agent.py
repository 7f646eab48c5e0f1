"""What a node with Neutron's Hyper-V agent must answer."""

from __future__ import annotations

import re

import pytest


def test_agent_runs(host):
    """The service is there, runs and starts with Windows."""
    service = host.service("neutron-hyperv-agent")
    assert service.exists
    assert service.is_running
    assert service.is_enabled


def test_agent_runs_as_wanted(host, variables):
    """The service starts this program with this file, as this account."""
    service = host.service("neutron-hyperv-agent")
    folder = variables["openstack_runtime_folder"]
    program = rf"{folder}\{variables['openstack_runtime_python_folder']}\Scripts\neutron-hyperv-agent.exe"
    assert program.casefold() in service.path.casefold()
    assert host.file(program).is_file
    assert rf'--config-file "{folder}\etc\neutron_hyperv_agent.conf"'.casefold() in service.path.casefold()
    account = variables["neutron_hyperv_account"]
    wanted = account["user"] if account else "LocalSystem"
    assert service.start_name.casefold() == wanted.casefold()


def test_switches_of_networks_are_there(host, variables):
    """Every switch that a network is mapped to is there; the agent ends at its start without one."""
    switches = {*variables["neutron_hyperv_mappings"].values()} or {variables["hyperv_switch_name"]}
    for name in sorted(switches | {variables["neutron_hyperv_local_switch"]} - {""}):
        assert host.vswitch(name).exists


def test_configuration_maps_the_networks(host, variables):
    """The file maps each physical network to its switch."""
    if "physical_network_vswitch_mappings" in options(variables):
        pytest.skip("neutron_hyperv_options say it")
    mappings = variables["neutron_hyperv_mappings"] or {"*": variables["hyperv_switch_name"]}
    for network, switch in mappings.items():
        entry = re.escape(f"{network}:{switch}".replace("$", "$$"))
        pattern = rf"^physical_network_vswitch_mappings = (.*,)?{entry}(,|$)"
        assert configuration(host, variables).contains(pattern)


def test_file_with_secrets_is_for_few(host, variables):
    """neutron_hyperv_agent.conf holds passwords, and is not for everybody."""
    access = host.folder_access(variables["openstack_runtime_folder"] + r"\etc\neutron_hyperv_agent.conf")
    for account in ("Everyone", r"BUILTIN\Users", r"NT AUTHORITY\Authenticated Users"):
        assert not access.allows(account)


def test_configuration_names_the_message_queue(host, variables):
    """The file holds each host of the queue; passwords are not looked at."""
    if "transport_url" in options(variables):
        pytest.skip("neutron_hyperv_options say what the message queue is")
    for queue in variables["openstack_transport_hosts"]:
        assert configuration(host, variables).contains(
            rf"^transport_url = rabbit://.*@{re.escape(queue)}[:,/]"
        )


def configuration(host, variables):
    return host.file(variables["openstack_runtime_folder"] + r"\etc\neutron_hyperv_agent.conf")


def options(variables):
    return {name for section in variables["neutron_hyperv_options"].values() for name in section or ()}
