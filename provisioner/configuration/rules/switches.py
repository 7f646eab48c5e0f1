"""An external switch takes its adapter away from the host, unless the host is given a port on it.

A node whose management address is on that adapter is gone for good with the resource that creates the switch.
A team takes its members too: its own adapter asks for an address anew, which may well be meant and the same, so
that it is only warned of where the inventory names the adapter (see ``management_network``).
Source: resource facts B (Hyper-V): with AllowManagementOS the IP configuration moves to ``vEthernet (Name)``,
without it the host loses the adapter; docs/resources/ExternalSwitch.md; NIC Teaming: members lose TCP/IP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.configuration.rules.base import Rule, at, is_present, same

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provisioner.configuration.model import Resource
    from provisioner.diagnostics import Diagnostics
    from provisioner.inventory.model import Node

#: Switches that may be external, and one kind that always is.
_SWITCHES = frozenset({"vmswitch", "xvmswitch"})
_EXTERNAL_SWITCHES = frozenset({"externalswitch"})
_KEYWORDS = _SWITCHES | _EXTERNAL_SWITCHES
_TEAMS = frozenset({"networkteam", "xnetworkteam"})


def taken_adapters(resource: Resource) -> tuple[str, ...]:
    """Return the adapters a switch or a team takes away from the host; empty for any other resource.

    The host's own port on the switch is among them where it is explicitly not allowed: it would be removed. A
    switch may name an adapter by its description.
    """
    given = resource.properties
    if not is_present(given):
        return ()
    if is_team(resource.type.name):
        return tuple(given.get("TeamMembers") or ())
    keyword = resource.type.name.casefold()
    is_external = keyword in _EXTERNAL_SWITCHES or (
        keyword in _SWITCHES and same(given.get("Type"), "External")
    )
    if not is_external or given.get("AllowManagementOS") is True:
        return ()
    # One adapter or several: that depends on the version of the module.
    names = given.get("NetAdapterName") or ()
    ports = (f"vEthernet ({given.get('Name')})",) if given.get("AllowManagementOS") is False else ()
    return (*((names,) if isinstance(names, str) else names), *ports)


def is_team(type_name: str) -> bool:
    """Whether a resource type makes teams of adapters, whose members lose what addresses they have."""
    return type_name.casefold() in _TEAMS


def _judge(resource: Resource, node: Node, problems: Diagnostics) -> None:
    adapter = node.management_adapter
    if adapter and _is_among(adapter, taken_adapters(resource)):
        problems.error(
            "Switch cuts the management network",
            f"'{resource.id}' takes the adapter '{adapter}' away from the host, and node '{node.name}' is managed "
            "through it: with the switch made, nobody reaches the node again.",
            at(resource, "AllowManagementOS", "NetAdapterName"),
            "Set 'AllowManagementOS: true', or give the switch another adapter.",
        )


def _is_among(adapter: str, names: Iterable[str]) -> bool:
    return any(same(name, adapter) for name in names)


RULES = (Rule(_KEYWORDS, _judge),)
