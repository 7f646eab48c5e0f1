"""Which transports there are, by scheme. A transport's library is imported when the first one is made."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from provisioner.addresses import Logon
from provisioner.diagnostics import did_you_mean
from provisioner.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from provisioner.addresses import Endpoint, NodeName
    from provisioner.inventory.model import Node
    from provisioner.secrets.model import Secret
    from provisioner.transport.base import Transport

#: Scheme to "module:Class". Other packages add theirs through this entry point group.
ENTRY_POINTS = "provisioner.transports"
BUILT_IN: dict[str, str] = {
    "psrp": "provisioner.transport.psrp:PsrpTransport",
}


def create(  # noqa: PLR0913 - one parameter per connection setting of the inventory
    scheme: str,
    node: NodeName,
    endpoint: Endpoint,
    user: str,
    password: Secret | None,
    *,
    connect_timeout_s: float,
    logon: Logon | None = None,
) -> Transport:
    """Make the transport of one node; nothing is connected yet. Paths of ``logon`` are used as they are.

    Raises:
        UsageError: No transport has this scheme.
    """
    found = _find(scheme)
    return found(node, endpoint, user, password, connect_timeout_s=connect_timeout_s, logon=logon or Logon())


def create_for(node: Node, password: Secret | None, base: Path) -> Transport:
    """Make the transport the inventory in the folder ``base`` asks for; nothing is connected yet.

    Raises:
        UsageError: No transport has the scheme.
    """
    connection = node.connection
    return create(
        connection.transport,
        node.name,
        connection.endpoint,
        connection.user,
        password,
        connect_timeout_s=connection.connect_timeout_s,
        logon=_located(connection.logon, base),
    )


def _located(logon: Logon, base: Path) -> Logon:
    def path(text: str) -> str:
        return str(base / Path(text).expanduser()) if text else ""

    return replace(
        logon,
        ca_certificates=path(logon.ca_certificates),
        client_certificate=path(logon.client_certificate),
        client_key=path(logon.client_key),
    )


def _find(scheme: str) -> Callable[..., Transport]:
    if target := BUILT_IN.get(scheme):
        module, _, name = target.partition(":")
        found: Callable[..., Transport] = getattr(import_module(module), name)
        return found
    added = entry_points(group=ENTRY_POINTS)
    for entry in added:
        if entry.name == scheme:
            loaded: Callable[..., Transport] = entry.load()
            return loaded
    known = [*BUILT_IN, *(entry.name for entry in added)]
    raise UsageError(f"There is no transport '{scheme}'.", did_you_mean(scheme, known))
