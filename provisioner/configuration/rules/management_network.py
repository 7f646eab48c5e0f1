"""Settings of the adapter a node is managed through: changing them may cut the connection the change came by.

These are warnings. Unlike a switch that takes the adapter away, they may well be meant: the address may be the
one the node has already. Source: resource facts D (network).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.configuration.rules.base import Rule, at, is_present, same

if TYPE_CHECKING:
    from provisioner.configuration.model import Resource
    from provisioner.diagnostics import Diagnostics
    from provisioner.inventory.model import Node

_SUMMARY = "Management network may be cut"
_HELP = "Make sure that the node can be reached in another way, or leave the adapter out."


def _warn(resource: Resource, node: Node, problems: Diagnostics, does: str, *names: str) -> None:
    problems.warning(
        _SUMMARY,
        f"'{resource.id}' {does} the adapter '{node.management_adapter}', through which node '{node.name}' is "
        "managed.",
        at(resource, *names),
        _HELP,
    )


def _address(resource: Resource, node: Node, problems: Diagnostics) -> None:
    given = resource.properties
    if not _is_managed(given.get("InterfaceAlias"), node):
        return
    host = node.connection.endpoint.host.casefold()
    addresses = given.get("IPAddress") or ()
    texts = (addresses,) if isinstance(addresses, str) else addresses
    if host not in {str(each).partition("/")[0].casefold() for each in texts}:
        _warn(resource, node, problems, "gives other addresses to", "IPAddress", "InterfaceAlias")


def _lease(resource: Resource, node: Node, problems: Diagnostics) -> None:
    is_changed = resource.properties.get("Dhcp") is not None
    if is_changed and _is_managed(resource.properties.get("InterfaceAlias"), node):
        _warn(resource, node, problems, "changes how addresses are given to", "Dhcp")


def _gateway(resource: Resource, node: Node, problems: Diagnostics) -> None:
    is_removed = not resource.properties.get("Address")
    if is_removed and _is_managed(resource.properties.get("InterfaceAlias"), node):
        _warn(resource, node, problems, "removes the default gateway of", "InterfaceAlias")


def _state(resource: Resource, node: Node, problems: Diagnostics) -> None:
    if same(resource.properties.get("State"), "Disabled") and _is_managed(
        resource.properties.get("Name"), node
    ):
        _warn(resource, node, problems, "disables", "State")


def _binding(resource: Resource, node: Node, problems: Diagnostics) -> None:
    given = resource.properties
    is_disabled = same(given.get("State"), "Disabled")
    is_protocol = str(given.get("ComponentId", "")).casefold() in {"ms_tcpip", "ms_tcpip6"}
    if is_disabled and is_protocol and _is_managed(given.get("InterfaceAlias"), node):
        _warn(resource, node, problems, f"takes {given['ComponentId']} from", "State")


def _name(resource: Resource, node: Node, problems: Diagnostics) -> None:
    given = resource.properties
    if _is_managed(given.get("Name"), node) and not same(given.get("NewName"), node.management_adapter):
        _warn(resource, node, problems, "renames", "NewName")


def _team(resource: Resource, node: Node, problems: Diagnostics) -> None:
    taken = resource.properties.get("TeamMembers") or ()
    if is_present(resource.properties) and any(_is_managed(name, node) for name in taken):
        _warn(resource, node, problems, "puts into a team", "TeamMembers")


def _is_managed(alias: object, node: Node) -> bool:
    return bool(node.management_adapter) and same(alias, node.management_adapter)


RULES = (
    Rule(frozenset({"ipaddress", "xipaddress"}), _address),
    Rule(frozenset({"netipinterface", "dhcpclient", "xdhcpclient"}), _lease),
    Rule(frozenset({"defaultgatewayaddress", "xdefaultgatewayaddress"}), _gateway),
    Rule(frozenset({"netadapterstate"}), _state),
    Rule(frozenset({"netadapterbinding", "xnetadapterbinding"}), _binding),
    Rule(frozenset({"netadaptername", "xnetadaptername"}), _name),
    Rule(frozenset({"networkteam", "xnetworkteam"}), _team),
)
