"""What a node with Neutron's Open vSwitch agent must answer."""

from __future__ import annotations

import re

import pytest


def test_agent_runs_and_waits_for_hyper_v(host):
    """The service is there and runs; Hyper-V starts it, not Windows."""
    service = host.service("neutron-ovs-agent")
    assert service.exists
    assert service.is_running
    assert service.start_mode == "Manual"


def test_agent_runs_as_wanted(host, variables):
    """The service starts this program with this file, as this account."""
    service = host.service("neutron-ovs-agent")
    folder = variables["openstack_runtime_folder"]
    program = (
        rf"{folder}\{variables['openstack_runtime_python_folder']}\Scripts\neutron-openvswitch-agent.exe"
    )
    assert program.casefold() in service.path.casefold()
    assert host.file(program).is_file
    assert rf'--config-file "{folder}\etc\neutron_ovs_agent.conf"'.casefold() in service.path.casefold()
    account = variables["neutron_ovs_account"]
    wanted = account["user"] if account else "LocalSystem"
    assert service.start_name.casefold() == wanted.casefold()


def test_bridges_of_networks_are_there(host, variables):
    """Every bridge that a network is mapped to is there; the agent ends at its start without one."""
    for name in sorted(set(variables["neutron_ovs_bridge_mappings"].values())):
        assert host.ovs_bridge(name, variables["ovs_database"]).exists


def test_configuration_maps_the_networks(host, variables):
    """The file maps each physical network to its bridge."""
    if "bridge_mappings" in options(variables):
        pytest.skip("neutron_ovs_options say it")
    for network, bridge in variables["neutron_ovs_bridge_mappings"].items():
        entry = re.escape(f"{network}:{bridge}".replace("$", "$$"))
        assert configuration(host, variables).contains(rf"^bridge_mappings = (.*,)?{entry}(,|$)")


def test_tunnels_end_at_an_address_of_a_bridge(host, variables):
    """The node has the address that the file says tunnels end at, on a bridge, and its port is open."""
    if not variables["neutron_ovs_tunnel_types"] or "local_ip" in options(variables):
        pytest.skip("there are no tunnels, or neutron_ovs_options say where they end")
    text = configuration(host, variables).content_string
    (end,) = re.findall(r"^local_ip = (\S+)$", text.replace("\r", ""), re.MULTILINE)
    moved = next(bridge for bridge in variables["ovs_bridges"] if bridge["move_address"])
    addresses = {item.partition("/")[0] for item in host.net_adapter(moved["name"]).ipv4_addresses}
    assert end in addresses
    assert host.firewall_rule("provisioner-vxlan").is_enabled


def test_file_with_secrets_is_for_few(host, variables):
    """neutron_ovs_agent.conf holds passwords, and is not for everybody."""
    access = host.folder_access(variables["openstack_runtime_folder"] + r"\etc\neutron_ovs_agent.conf")
    for account in ("Everyone", r"BUILTIN\Users", r"NT AUTHORITY\Authenticated Users"):
        assert not access.allows(account)


def test_configuration_names_the_message_queue(host, variables):
    """The file holds each host of the queue; passwords are not looked at."""
    if "transport_url" in options(variables):
        pytest.skip("neutron_ovs_options say what the message queue is")
    for queue in variables["openstack_transport_hosts"]:
        assert configuration(host, variables).contains(
            rf"^transport_url = rabbit://.*@{re.escape(queue)}[:,/]"
        )


def configuration(host, variables):
    return host.file(variables["openstack_runtime_folder"] + r"\etc\neutron_ovs_agent.conf")


def options(variables):
    return {name for section in variables["neutron_ovs_options"].values() for name in section or ()}
