"""Resources that stop, restart or shut out the remoting a node is managed through.

The service is WinRM; its port is opened by the built-in rules WINRM-HTTP-In-TCP and WINRM-HTTPS-In-TCP and their
variants. Source: resource facts D (Firewall) and E (WSManListener).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.configuration.rules.base import Rule, at, is_present, same

if TYPE_CHECKING:
    from provisioner.configuration.model import Resource
    from provisioner.diagnostics import Diagnostics
    from provisioner.inventory.model import Node

_SUMMARY = "Remoting may be cut"
_HELP = "The connection is lost in the middle of the run, maybe for good. Leave it out if that is not meant."


def _service(resource: Resource, node: Node, problems: Diagnostics) -> None:
    given = resource.properties
    if not same(given.get("Name"), "WinRM"):
        return
    is_stopped = same(given.get("State"), "Stopped") or not is_present(given)
    if is_stopped or same(given.get("StartupType"), "Disabled"):
        what = "stops the service WinRM" if is_stopped else "disables the service WinRM"
        _warn(resource, node, problems, what, "State", "StartupType", "Ensure")


def _firewall(resource: Resource, node: Node, problems: Diagnostics) -> None:
    given = resource.properties
    closes = not is_present(given) or same(given.get("Enabled"), "False")
    blocks = same(given.get("Action"), "Block")
    is_builtin = str(given.get("Name", "")).casefold().startswith("winrm-http")
    is_inbound = not same(given.get("Direction"), "Outbound")
    ports = {str(port) for port in given.get("LocalPort") or ()}
    shuts_port = blocks and not closes and is_inbound and str(node.connection.endpoint.port) in ports
    if (is_builtin and (closes or blocks)) or shuts_port:
        _warn(resource, node, problems, "closes the port of WinRM", "Enabled", "Action", "Ensure", "Name")


def _profile(resource: Resource, node: Node, problems: Diagnostics) -> None:
    if same(resource.properties.get("AllowInboundRules"), "False"):
        _warn(resource, node, problems, "has the firewall refuse all that comes in", "AllowInboundRules")


def _listener(resource: Resource, node: Node, problems: Diagnostics) -> None:
    scheme = "HTTPS" if node.connection.endpoint.tls else "HTTP"
    if not is_present(resource.properties) and same(resource.properties.get("Transport"), scheme):
        _warn(resource, node, problems, f"removes the {scheme} listener", "Ensure")


def _warn(resource: Resource, node: Node, problems: Diagnostics, does: str, *names: str) -> None:
    problems.warning(
        _SUMMARY,
        f"'{resource.id}' {does}, and node '{node.name}' is managed through it.",
        at(resource, *names),
        _HELP,
    )


RULES = (
    Rule(frozenset({"service", "xservice"}), _service),
    Rule(frozenset({"firewall", "xfirewall"}), _firewall),
    Rule(frozenset({"firewallprofile"}), _profile),
    Rule(frozenset({"wsmanlistener"}), _listener),
)
