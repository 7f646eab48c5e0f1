"""The simulated resources of this family answer as the published modules do: every recorded case."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.network import Adapter
from provisioner.lab.machine.machine import Machine
from provisioner.lab.machine.network.firewall import DEFAULTS
from provisioner.lab.machine.network.firewall import Firewall as Rules
from provisioner.lab.machine.network.ip import CIM_EXCEPTION, Ip, IpAddress, Route, spelled
from provisioner.lab.resources.network.default_gateway_address import DefaultGatewayAddress
from provisioner.lab.resources.network.dns_server_address import DnsServerAddress
from provisioner.lab.resources.network.firewall import Firewall
from provisioner.lab.resources.network.ip_address import IpAddress as IpAddressResource
from provisioner.lab.resources.network.net_adapter_name import NetAdapterName
from tests.unit.lab.machines import machine
from tests.unit.lab.resources.golden import Different, Key, Scenario, all_cases, compare, unknown_cases

_FAMILIES = {"v4": "IPv4", "v6": "IPv6"}


def _guid(alias: str) -> str:
    return f"{{GUID OF {alias}}}"


def _with_adapters(*names: str) -> Machine:
    made = machine(name="NODE1")
    made.network.adapters = [Adapter(name, f"{name} card", _guid(name), "") for name in names]
    return made


def _ip(state: dict[str, Any]) -> Machine:
    made = _with_adapters(*state.get("adapters", ("Ethernet", "Ethernet 2")))
    addresses = [
        IpAddress(item["IPAddress"], item["PrefixLength"], _guid(item["InterfaceAlias"]))
        for item in state.get("addresses", ())
    ]
    routes = [
        Route(item["DestinationPrefix"], item["NextHop"], _guid(item["InterfaceAlias"]))
        for item in state["routes"]
    ]
    made.area(Ip).adopt(addresses, routes)
    return made


def _read_ip(made: Machine, _before: dict[str, Any]) -> Any:
    """Addresses and default routes; the recorded cmdlets make no routes of the link."""
    ip = made.area(Ip)
    return (
        [
            [name, item.text.casefold(), item.prefix]
            for name, item in ip.addresses()
            if item.origin != "WellKnown"
        ],
        [[name, item.next_hop.casefold()] for name, item in ip.routes() if item.destination.endswith("/0")],
    )


def _expected_ip(state: dict[str, Any]) -> Any:
    return (
        [
            [item["InterfaceAlias"], spelled(item["IPAddress"]).casefold(), int(item["PrefixLength"] or 0)]
            for item in state.get("addresses", ())
        ],
        [
            [item["InterfaceAlias"].capitalize(), item["NextHop"].casefold()]
            for item in state["routes"]
            if item["DestinationPrefix"].endswith("/0")
        ],
    )


def _dns(state: dict[str, Any]) -> Machine:
    made = _with_adapters("Ethernet")
    (adapter,) = made.network.adapters
    for key, family in _FAMILIES.items():
        if state[key] is not None:
            made.registry.set(Ip.dns_key(adapter, family), "NameServer", state[key])
    if state.get("no_key"):
        for family in _FAMILIES.values():
            made.registry.delete_key(Ip.dns_key(adapter, family))
    if "cim_error" in state:
        made.ledger.failing["Set-DnsClientServerAddress"] = MachineError(
            state["cim_error"], "Windows System Error 87", "InvalidArgument", CIM_EXCEPTION
        )
    return made


def _read_dns(made: Machine, _before: dict[str, Any]) -> Any:
    (adapter,) = made.network.adapters
    return [
        made.registry.get(Ip.dns_key(adapter, family), "NameServer") or "" for family in _FAMILIES.values()
    ]


def _adapters(state: dict[str, Any]) -> Machine:
    made = machine(name="NODE1")
    made.network.adapters = [
        Adapter(
            item["Name"],
            item["InterfaceDescription"],
            item["InterfaceGuid"],
            item["MacAddress"],
            item["Status"],
            media=item["PhysicalMediaType"],
            driver=item["DriverDescription"],
            index=item["InterfaceIndex"],
        )
        for item in state["adapters"]
    ]
    return made


def _listed(rule: dict[str, Any]) -> dict[str, Any]:
    """Lists where the firewall keeps lists: the recorded cmdlets show one value as it is."""
    return {
        name: [value] if isinstance(DEFAULTS.get(name), list) and not isinstance(value, list) else value
        for name, value in rule.items()
        if name != "PolicyStoreSourceType"
    }


def _rules(state: dict[str, Any]) -> Machine:
    made = machine(name="NODE1")
    made.area(Rules).adopt([_listed(item) for item in state["rules"]])
    return made


def _read_rules(made: Machine, _before: dict[str, Any]) -> Any:
    return [_listed(item) for item in made.area(Rules).rules()]


def _small_addresses(values: dict[str, Any]) -> dict[str, Any]:
    listed = values["IPAddress"]
    return {**values, "IPAddress": [item.casefold() for item in listed if item is not None]}


def _lower_addresses(values: dict[str, Any]) -> dict[str, Any]:
    """Windows shows addresses of IPv6 in small letters, the recorded cmdlets what they were given."""
    address = values["Address"]
    return {**values, "Address": address.casefold() if isinstance(address, str) else address}


SCENARIOS = {
    ("NetworkingDsc", "DefaultGatewayAddress"): Scenario(
        DefaultGatewayAddress(), _ip, _read_ip, _expected_ip, shown=_lower_addresses
    ),
    ("NetworkingDsc", "DnsServerAddress"): Scenario(
        DnsServerAddress(), _dns, _read_dns, lambda state: [state["v4"] or "", state["v6"] or ""]
    ),
    ("NetworkingDsc", "Firewall"): Scenario(
        Firewall(),
        _rules,
        _read_rules,
        lambda state: [_listed({**DEFAULTS, **item}) for item in state["rules"]],
    ),
    ("NetworkingDsc", "IPAddress"): Scenario(
        IpAddressResource(), _ip, _read_ip, _expected_ip, shown=_small_addresses
    ),
    ("NetworkingDsc", "NetAdapterName"): Scenario(
        NetAdapterName(),
        _adapters,
        lambda made, _before: [item.name for item in made.network.adapters],
        lambda state: [item["Name"] for item in state["adapters"]],
    ),
}

_ANY_PREFIX = "the recorded New-NetIPAddress takes a prefix length that no address can have"
DIFFERING: dict[tuple[str, str], Different] = {
    ("DnsServerAddress", "interface_unknown"): Different(
        "the recorded Set-DnsClientServerAddress does not look at the interface", "set_error", "state_after"
    ),
    ("IPAddress", "ipv6_long_form"): Different(
        "the recorded New-NetIPAddress keeps the spelling of an address",
        "test_after",
        "get_after",
    ),
    ("IPAddress", "prefix_too_long_v4"): Different(
        _ANY_PREFIX, "set_nonterminating", "state_after", "get_after"
    ),
    ("IPAddress", "prefix_not_a_number"): Different(
        "the recorded New-NetIPAddress has no typed parameters: it fails in its own conversion",
        "set_nonterminating",
    ),
    ("NetAdapterName", "old_and_new_name_exist"): Different(
        "the recorded Rename-NetAdapter gives two adapters one name",
        "set_nonterminating",
        "state_after",
        "test_after",
        "get_after",
    ),
}


@pytest.mark.parametrize(("key", "case"), all_cases(SCENARIOS))
async def test_a_resource_answers_as_the_published_module_did(key: Key, case: dict[str, Any]) -> None:
    await compare(key, case, SCENARIOS[key], DIFFERING)


def test_every_listed_difference_is_one_of_a_recorded_case() -> None:
    assert not unknown_cases(SCENARIOS, DIFFERING)
