"""What a host whose serial consoles can be reached must answer."""

from __future__ import annotations

import ipaddress

RULE = "OpenStack-SerialConsole-In-TCP"


def test_the_firewall_lets_the_proxy_in(host):
    """The rule for the ports of the consoles is on, and lets in."""
    rule = host.firewall_rule(RULE)
    assert rule.is_enabled
    assert rule.direction == "Inbound"
    assert rule.action == "Allow"


def test_the_rule_is_for_the_ports_of_the_consoles(host, variables):
    """No other port of the host is opened, and none of the consoles is left out."""
    first, last = variables["serial_console_first_port"], variables["serial_console_last_port"]
    ports = host.firewall_rule(RULE).local_ports
    # Windows may show a range of one port as that port.
    shown = {f"{text}-{text}" if text.isdecimal() else text for text in ports}
    assert shown == {f"{first}-{last}"}, f"firewall rule {RULE} local_ports: {sorted(ports)}"


def test_nobody_else_is_let_in(host, variables):
    """The rule is for the hosts of the inventory, or for everybody where it names none."""
    addresses = host.firewall_rule(RULE).remote_addresses
    found = {_network(text) for text in addresses}
    wanted = {_network(text) for text in variables["serial_console_clients"] or ["Any"]}
    assert found == wanted, f"firewall rule {RULE} remote_addresses: {sorted(addresses)}"


def _network(text):
    """Give a network however it is written; what is none (Any, LocalSubnet, a range) as it is."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return text
