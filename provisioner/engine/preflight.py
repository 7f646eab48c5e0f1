"""What is asked of a node before anything is sent to it: whether the document would cut the way it came by.

An external switch takes its adapter away from the host unless the host is given a port on it. When the inventory
names the adapter a node is managed through, the compiler refuses such a switch; when it does not, only the node
knows on which adapter the address is that we are connected to.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import TYPE_CHECKING

from provisioner.engine.failure import NodeFailure
from provisioner.errors import NodeError
from provisioner.events import Problem
from provisioner.transport.base import Pipeline, Record

if TYPE_CHECKING:
    from provisioner.engine.link import Link
    from provisioner.engine.work import NodeWork
    from provisioner.transport.base import Result

#: All addresses with the adapter each is on: asked for without a filter, since one that finds nothing is an error.
ADDRESSES = Pipeline.of("Get-NetIPAddress")

_HELP_TAKEN = "Set 'AllowManagementOS: true' on the switch, or give it another adapter."
_HELP_UNKNOWN = (
    "Name the adapter in the inventory, 'management_adapter: NAME' beside the node's address, or set "
    "'AllowManagementOS: true' on the switch."
)


async def refuse_to_cut(link: Link, work: NodeWork) -> None:
    """Ask the node which adapter carries the address it is managed through, when one of its switches takes any.

    Raises:
        NodeFailure: A switch would take this adapter away from the host, or the node does not tell which it is.
    """
    if not work.taken_adapters:
        return
    result = await link.ask(lambda api: api.run(ADDRESSES))
    carriers = _carriers(result, await _addresses(work.address))
    if not carriers:
        reason = result.terminated or next(iter(result.errors), None)
        why = f": {reason.message}" if reason else ""
        raise NodeFailure(
            [
                Problem(
                    f"takes {_listed(adapters)} away from the host, and the node does not tell which adapter has "
                    f"the address {work.address}, through which it is managed{why}",
                    resource,
                    work.positions.get(resource.casefold(), ""),
                    help=_HELP_UNKNOWN,
                )
                for resource, adapters in work.taken_adapters.items()
            ],
            NodeError.__name__,
        )
    cut = [
        Problem(
            f"takes the adapter '{adapter}' away from the host, which has the address {work.address}: with the "
            "switch made, nobody reaches the node again",
            resource,
            work.positions.get(resource.casefold(), ""),
            help=_HELP_TAKEN,
        )
        for resource, adapters in work.taken_adapters.items()
        for adapter in adapters
        if adapter.casefold() in carriers
    ]
    if cut:
        raise NodeFailure(cut, NodeError.__name__)


def _carriers(result: Result, wanted: frozenset[str]) -> frozenset[str]:
    """Return the adapters, folded, that carry one of the addresses."""
    rows = [row for row in result.output if isinstance(row, Record)]
    return frozenset(
        str(row.get("InterfaceAlias") or "").casefold()
        for row in rows
        if row.get("InterfaceAlias") and _normal(str(row.get("IPAddress") or "")) in wanted
    )


async def _addresses(host: str) -> frozenset[str]:
    """Return the addresses a host may have been reached by: itself, or all that its name stands for."""
    if address := _normal(host):
        return frozenset({address})
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return frozenset()
    return frozenset(_normal(str(each[4][0])) for each in found) - {""}


def _normal(text: str) -> str:
    """Return an address in its one spelling, without the zone Windows appends; empty when it is none."""
    try:
        return ipaddress.ip_address(text.partition("%")[0]).compressed
    except ValueError:
        return ""


def _listed(adapters: tuple[str, ...]) -> str:
    word = "the adapter" if len(adapters) == 1 else "the adapters"
    return f"{word} {', '.join(repr(each) for each in adapters)}"
