"""An external switch takes its adapter away from the host, unless the host is given a port on it.

A node whose management address is on that adapter is gone for good with the resource that creates the switch.
Source: resource facts B (Hyper-V): with AllowManagementOS the IP configuration moves to ``vEthernet (Name)``,
without it the host loses the adapter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.configuration.rules.base import Rule, at, is_present, same

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provisioner.configuration.model import Resource
    from provisioner.diagnostics import Diagnostics
    from provisioner.inventory.model import Node

_KEYWORDS = frozenset({"vmswitch", "xvmswitch"})


def taken_adapters(resource: Resource) -> tuple[str, ...]:
    """Return the adapters a switch takes away from the host; empty for any other resource.

    The host's own port on the switch is among them where it is explicitly not allowed: it would be removed.
    """
    given = resource.properties
    takes = (
        resource.type.name.casefold() in _KEYWORDS
        and same(given.get("Type"), "External")
        and is_present(given)
        and given.get("AllowManagementOS") is not True
    )
    # One adapter or several: that depends on the version of the module.
    names = given.get("NetAdapterName") or ()
    if not takes:
        return ()
    ports = (f"vEthernet ({given.get('Name')})",) if given.get("AllowManagementOS") is False else ()
    return (*((names,) if isinstance(names, str) else names), *ports)


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
