"""What a host whose serial consoles can be reached must answer."""

from __future__ import annotations


def test_the_firewall_lets_the_proxy_in(host):
    """The rule for the ports of the consoles is on, and lets in."""
    rule = host.firewall_rule("OpenStack-SerialConsole-In-TCP")
    assert rule.is_enabled
    assert rule.direction == "Inbound"
    assert rule.action == "Allow"
