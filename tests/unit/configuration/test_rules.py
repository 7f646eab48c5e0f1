"""What cuts the connection a change comes by is told; what only looks like it is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provisioner.addresses import ResourceId
from provisioner.configuration.model import Resource
from provisioner.configuration.reboots import expects_reboot
from provisioner.configuration.rules.registry import RULES, apply_rules
from provisioner.configuration.rules.switches import taken_adapters
from provisioner.diagnostics import Diagnostics, SourceFile
from provisioner.inventory.loader import read_inventory
from provisioner.inventory.model import Node
from tests.compiling import compile_project, write
from tests.unit.configuration.builders import REGISTRY, resource

INVENTORY = """\
site: test
connection: {transport: psrp, user: admin, password: 'env:PASSWORD'}
nodes:
  n1: {address: 192.0.2.1, roles: [web], management_adapter: Ethernet}
  n2: {address: 192.0.2.2, roles: [web]}
"""


def nodes() -> dict[str, Node]:
    inventory, _ = read_inventory(INVENTORY, SourceFile("inventory.yaml", INVENTORY))
    assert inventory is not None
    return {str(name): node for name, node in inventory.nodes.items()}


def said(kind: str, properties: dict[str, Any], node: str = "n1") -> list[str]:
    problems = Diagnostics()
    apply_rules(nodes()[node], [resource(kind, "x", properties)], problems)
    return [f"{problem.severity.value}: {problem.summary}" for problem in problems]


CUT = ["error: Switch cuts the management network"]
WARNED = ["warning: Management network may be cut"]
SHUT = ["warning: Remoting may be cut"]
EXTERNAL = {"Name": "x", "Type": "External", "NetAdapterName": ("Ethernet",)}


@pytest.mark.parametrize("kind", ["xHyper-V/xVMSwitch", "HyperVDsc/VMSwitch"])
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, CUT),
        ({"AllowManagementOS": False}, CUT),
        ({"NetAdapterName": "ETHERNET"}, CUT),
        ({"AllowManagementOS": True}, []),
        ({"NetAdapterName": ("Ethernet 2",)}, []),
        ({"Type": "Internal"}, []),
        ({"Ensure": "Absent"}, []),
    ],
)
def test_a_switch_cuts_the_management_network(
    kind: str, changes: dict[str, Any], expected: list[str]
) -> None:
    assert said(kind, {**EXTERNAL, **changes}) == expected


def test_without_the_name_of_the_adapter_a_switch_is_left_to_the_node() -> None:
    assert said("xHyper-V/xVMSwitch", EXTERNAL, "n2") == []
    assert taken_adapters(resource("xHyper-V/xVMSwitch", "x", EXTERNAL)) == ("Ethernet",)


OURS = {"Name": "x", "NetAdapterName": ("Ethernet", "Ethernet 2")}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({}, CUT), ({"AllowManagementOS": False}, CUT), ({"AllowManagementOS": True}, [])],
)
def test_our_own_switch_is_always_external(changes: dict[str, Any], expected: list[str]) -> None:
    assert said("ProvisionerDsc/ExternalSwitch", {**OURS, **changes}) == expected


@pytest.mark.parametrize(
    ("kind", "properties", "expected"),
    [
        ("ProvisionerDsc/ExternalSwitch", OURS, ("Ethernet", "Ethernet 2")),
        (
            "ProvisionerDsc/ExternalSwitch",
            {**OURS, "AllowManagementOS": False},
            ("Ethernet", "Ethernet 2", "vEthernet (x)"),
        ),
        ("ProvisionerDsc/ExternalSwitch", {**OURS, "AllowManagementOS": True}, ()),
        ("NetworkingDsc/NetworkTeam", {"Name": "t", "TeamMembers": ("a", "b")}, ("a", "b")),
        ("NetworkingDsc/NetworkTeam", {"Name": "t", "TeamMembers": ("a", "b"), "Ensure": "Absent"}, ()),
        ("NetworkingDsc/NetAdapterName", {"Name": "a", "NewName": "b"}, ()),
    ],
)
def test_what_takes_adapters_away_is_known(
    kind: str, properties: dict[str, Any], expected: tuple[str, ...]
) -> None:
    assert taken_adapters(resource(kind, "x", properties)) == expected


NET = {"InterfaceAlias": "Ethernet", "AddressFamily": "IPv4"}


@pytest.mark.parametrize(
    ("kind", "properties", "expected"),
    [
        ("IPAddress", {**NET, "IPAddress": ("192.0.2.9/24",)}, WARNED),
        ("IPAddress", {**NET, "IPAddress": ("192.0.2.1/24", "192.0.2.9/24")}, []),
        ("IPAddress", {**NET, "InterfaceAlias": "Ethernet 2", "IPAddress": ("192.0.2.9/24",)}, []),
        ("NetIPInterface", {**NET, "Dhcp": "Enabled"}, WARNED),
        ("NetIPInterface", {**NET, "NlMtu": 9000}, []),
        ("DefaultGatewayAddress", NET, WARNED),
        ("DefaultGatewayAddress", {**NET, "Address": "192.0.2.254"}, []),
        ("NetAdapterState", {"Name": "ethernet", "State": "Disabled"}, WARNED),
        ("NetAdapterState", {"Name": "Ethernet", "State": "Enabled"}, []),
        (
            "NetAdapterBinding",
            {"InterfaceAlias": "Ethernet", "ComponentId": "ms_tcpip", "State": "Disabled"},
            WARNED,
        ),
        (
            "NetAdapterBinding",
            {"InterfaceAlias": "Ethernet", "ComponentId": "ms_lltdio", "State": "Disabled"},
            [],
        ),
        ("NetAdapterName", {"Name": "Ethernet", "NewName": "Management"}, WARNED),
        ("NetAdapterName", {"Name": "Ethernet 3", "NewName": "Ethernet"}, []),
        ("NetworkTeam", {"Name": "t", "TeamMembers": ("Ethernet",)}, WARNED),
        ("NetworkTeam", {"Name": "t", "TeamMembers": ("Ethernet",), "Ensure": "Absent"}, []),
        ("Firewall", {"Name": "WINRM-HTTP-In-TCP-PUBLIC", "Ensure": "Absent"}, SHUT),
        ("Firewall", {"Name": "WINRM-HTTP-In-TCP", "Enabled": "True", "Action": "Allow"}, []),
        ("Firewall", {"Name": "x", "Action": "Block", "LocalPort": ("5985",)}, SHUT),
        ("Firewall", {"Name": "x", "Action": "Block", "LocalPort": ("5985",), "Direction": "Outbound"}, []),
        ("Firewall", {"Name": "x", "Action": "Block", "LocalPort": ("80",)}, []),
        ("FirewallProfile", {"Name": "Domain", "AllowInboundRules": "False"}, SHUT),
        ("FirewallProfile", {"Name": "Domain", "Enabled": "True"}, []),
    ],
)
def test_what_network_settings_do_to_the_connection(
    kind: str, properties: dict[str, Any], expected: list[str]
) -> None:
    assert said(f"NetworkingDsc/{kind}", properties) == expected
    assert [each for each in said(f"NetworkingDsc/{kind}", properties, "n2") if "network" in each] == []


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"Name": "winrm", "State": "Stopped"}, SHUT),
        ({"Name": "WinRM", "StartupType": "Disabled"}, SHUT),
        ({"Name": "WinRM", "Ensure": "Absent"}, SHUT),
        ({"Name": "WinRM", "State": "Running"}, []),
        ({"Name": "W3SVC", "State": "Stopped"}, []),
    ],
)
def test_what_a_service_does_to_remoting(properties: dict[str, Any], expected: list[str]) -> None:
    assert said("PSDscResources/Service", properties) == expected


def test_a_listener_counts_when_it_is_ours() -> None:
    assert said("WSManDsc/WSManListener", {"Transport": "HTTP", "Ensure": "Absent"}) == SHUT
    assert said("WSManDsc/WSManListener", {"Transport": "HTTPS", "Ensure": "Absent"}) == []
    assert said("WSManDsc/WSManListener", {"Transport": "HTTP", "Ensure": "Present"}) == []


def test_every_rule_watches_resources_the_catalogue_has() -> None:
    known = {kind.name.casefold() for kind in REGISTRY.resource_types()}
    # The names with x are those of releases before the modules were renamed.
    for rule in RULES:
        assert rule.keywords & known


@pytest.mark.parametrize(
    ("kind", "properties", "is_expected"),
    [
        ("PSDscResources/WindowsFeature", {"Name": "hyper-v"}, True),
        ("PSDscResources/WindowsFeature", {"Name": "Web-Server"}, False),
        ("PSDscResources/WindowsFeature", {"Name": "FS-SMB1", "Ensure": "Absent"}, True),
        ("PSDscResources/WindowsFeature", {"Name": "FS-SMB1"}, False),
        (
            "PSDscResources/WindowsOptionalFeature",
            {"Name": "Microsoft-Hyper-V-All", "Ensure": "Present"},
            True,
        ),
        ("ComputerManagementDsc/Computer", {"Name": "hv01"}, True),
        ("ComputerManagementDsc/Computer", {"Name": "localhost", "Description": "x"}, False),
        ("ComputerManagementDsc/Computer", {"Name": "localhost", "DomainName": "example.org"}, True),
        ("ComputerManagementDsc/PendingReboot", {"Name": "x"}, True),
        ("ComputerManagementDsc/VirtualMemory", {"Drive": "C", "Type": "NoPagingFile"}, False),
        ("ComputerManagementDsc/TimeZone", {"IsSingleInstance": "Yes", "TimeZone": "UTC"}, False),
    ],
)
def test_a_restart_is_expected_of(kind: str, properties: dict[str, Any], *, is_expected: bool) -> None:
    each: Resource = replace(resource(kind, "x", properties), id=ResourceId("T", "x"))
    assert expects_reboot([each]) == ((ResourceId("T", "x"),) if is_expected else ())


def test_a_configuration_names_what_may_restart_its_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    features = "resources:\n  - {name: f, type: PSDscResources/WindowsFeatureSet, properties: {Name: [Hyper-V, DNS]}}\n"
    write(tmp_path, {"dsc_configs/web.dsc.yaml": features})
    configurations, _ = compile_project(tmp_path)
    assert [str(each) for each in configurations["n1"].expects_reboot] == [
        "[WindowsFeature]Resource0::[WindowsFeatureSet]f"
    ]
