"""Commands of adapters, addresses, the firewall and names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner.lab.commands.cim_objects import value_of
from provisioner.lab.simulated_node import SimulatedNode
from provisioner.lab.values import TerminatingError
from tests.unit.lab.commands.recording import Recorded, call, make_node, run


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    return make_node(tmp_path, address="127.0.0.2")


def _shown(recorded: Recorded, name: str) -> list[Any]:
    assert not recorded.errors
    values = [value_of(item, name) for item in recorded.values]
    return [getattr(value, "text", value) for value in values]


async def test_an_adapter_is_renamed_through_the_pipeline(node: SimulatedNode) -> None:
    done = await run(
        node, call("Get-NetAdapter", "Ethernet"), call("Rename-NetAdapter", NewName="LAN", PassThru=True)
    )
    assert _shown(done, "Name") == ["LAN"]
    assert _shown(await run(node, call("Get-NetAdapter")), "Name") == ["LAN", "Ethernet 2"]


async def test_two_adapters_cannot_have_one_name(node: SimulatedNode) -> None:
    done = await run(node, call("Rename-NetAdapter", Name="Ethernet", NewName="ethernet 2"))
    assert [(item.error_id, item.category) for item in done.errors] == [
        ("Windows System Error 698,Rename-NetAdapter", "ResourceExists")
    ]


async def test_a_new_address_brings_its_route_and_gateway(node: SimulatedNode) -> None:
    made = await run(
        node,
        call(
            "New-NetIPAddress",
            InterfaceAlias="Ethernet 2",
            IPAddress="10.0.0.5",
            PrefixLength=24,
            DefaultGateway="10.0.0.1",
        ),
    )
    assert _shown(made, "PrefixLength") == [24]
    routes = await run(node, call("Get-NetRoute", InterfaceAlias="Ethernet 2"))
    assert _shown(routes, "NextHop") == ["0.0.0.0", "10.0.0.1"]
    interface = await run(node, call("Get-NetIPInterface", InterfaceAlias="Ethernet 2", AddressFamily="IPv4"))
    assert _shown(interface, "Dhcp") == ["Disabled"]


async def test_an_address_exists_once(node: SimulatedNode) -> None:
    done = await run(node, call("New-NetIPAddress", InterfaceAlias="Ethernet 2", IPAddress="127.0.0.2"))
    assert [item.error_id for item in done.errors] == ["Windows System Error 5010,New-NetIPAddress"]


async def test_nothing_that_comes_down_the_pipeline_removes_nothing(node: SimulatedNode) -> None:
    await run(
        node,
        call("Get-NetIPAddress", IPAddress="10.9.9.9", ErrorAction="SilentlyContinue"),
        call("Remove-NetIPAddress"),
    )
    assert "127.0.0.2" in _shown(await run(node, call("Get-NetIPAddress")), "IPAddress")


async def test_a_query_with_several_conditions_fails_as_a_whole(node: SimulatedNode) -> None:
    done = await run(node, call("Get-NetRoute", InterfaceAlias="Ethernet 2", AddressFamily="IPv4"))
    assert [item.error_id for item in done.errors] == ["CmdletizationQuery_NotFound,Get-NetRoute"]


async def test_a_query_for_one_property_names_what_is_missing(node: SimulatedNode) -> None:
    done = await run(node, call("Get-NetFirewallRule", Name="Nope"))
    assert [item.error_id for item in done.errors] == ["CmdletizationQuery_NotFound_Name,Get-NetFirewallRule"]


async def test_name_servers_are_set_and_reset(node: SimulatedNode) -> None:
    set_ = call(
        "Set-DnsClientServerAddress", InterfaceAlias="Ethernet", ServerAddresses=["10.0.0.10", "10.0.0.11"]
    )
    get = call("Get-DnsClientServerAddress", InterfaceAlias="Ethernet", AddressFamily="IPv4")
    await run(node, set_)
    assert _shown(await run(node, get), "ServerAddresses") == [["10.0.0.10", "10.0.0.11"]]
    await run(node, call("Set-DnsClientServerAddress", InterfaceAlias="Ethernet", ResetServerAddresses=True))
    assert _shown(await run(node, get), "ServerAddresses") == [[]]


async def test_a_rule_of_the_firewall_has_its_ports_in_a_filter(node: SimulatedNode) -> None:
    await run(
        node,
        call("New-NetFirewallRule", Name="Web", DisplayName="Web", Protocol="TCP", LocalPort=[80, 443]),
    )
    ports = await run(node, call("Get-NetFirewallRule", "Web"), call("Get-NetFirewallPortFilter"))
    assert _shown(ports, "LocalPort") == [["80", "443"]]
    await run(node, call("Disable-NetFirewallRule", Name="Web"))
    assert _shown(await run(node, call("Get-NetFirewallRule", "Web")), "Enabled") == ["False"]
    await run(node, call("Remove-NetFirewallRule", Name="Web"))
    assert (await run(node, call("Get-NetFirewallRule", "Web"))).errors


async def test_a_port_without_a_protocol_is_refused(node: SimulatedNode) -> None:
    done = await run(node, call("New-NetFirewallRule", DisplayName="Web", LocalPort=80))
    assert [item.error_id for item in done.errors] == ["Windows System Error 87,New-NetFirewallRule"]


async def test_without_its_service_the_firewall_does_not_answer(node: SimulatedNode) -> None:
    service = node.machine.services.find("mpssvc")
    assert service is not None
    node.machine.services.change("mpssvc", status="Stopped")
    with pytest.raises(TerminatingError) as raised:
        await run(node, call("Get-NetFirewallRule"))
    assert raised.value.record.error_id == "Windows System Error 1753,Get-NetFirewallRule"


async def test_names_of_nodes_are_found_and_others_are_not(node: SimulatedNode) -> None:
    assert _shown(await run(node, call("Resolve-DnsName", "HV01")), "IPAddress") == ["127.0.0.2"]
    failed = await run(node, call("Resolve-DnsName", "nobody"))
    assert [item.error_id for item in failed.errors] == [
        "DNS_ERROR_RCODE_NAME_ERROR,Microsoft.DnsClient.Commands.ResolveDnsName"
    ]
    assert (await run(node, call("Test-Connection", "nobody", Quiet=True))).values == [False]
    assert (await run(node, call("Test-Connection", "hv01", Quiet=True))).values == [True]


@pytest.mark.parametrize(
    ("name", "port", "is_open"),
    [
        ("mq.example", 5672, True),
        ("MQ.example.", 5671, False),
        ("mq.example", None, True),
        ("keystone.example", 5000, False),
        ("keystone.example", None, False),
        ("fd00::21", 5671, False),
        ("hv01", 5985, True),
        ("hv01", 4430, False),
    ],
)
async def test_hosts_outside_the_lab_answer_unless_they_are_called_unreachable(
    name: str, port: int | None, *, is_open: bool, tmp_path: Path
) -> None:
    node = make_node(tmp_path, unreachable=("mq.example:5671", "Keystone.example", "[fd00::21]:5671"))
    asked: dict[str, Any] = {"ComputerName": name} | ({} if port is None else {"Port": port})
    (shown,) = (await run(node, call("Test-NetConnection", **asked))).values
    assert shown.properties["PingSucceeded" if port is None else "TcpTestSucceeded"] is is_open
