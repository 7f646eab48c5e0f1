"""What is asked of a node before anything is sent to it: whether the document would cut the way it came by.

An external switch takes its adapter away from the host unless the host is given a port on it, and a team takes its
members. When the inventory names the adapter a node is managed through, the compiler judges that; when it does
not, only the node knows on which adapter the address is that we are connected to. Where addresses are translated
on the way, not even the node has it: then it is the adapter its default route leaves by, by which it answers.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisioner.configuration.rules.switches import is_team
from provisioner.engine.failure import NodeFailure
from provisioner.errors import NodeError
from provisioner.events import Problem, ResourceProgress
from provisioner.transport.base import Pipeline
from provisioner.transport.base import Record as Row

if TYPE_CHECKING:
    from provisioner.engine.link import Link
    from provisioner.engine.work import NodeWork, Record
    from provisioner.transport.base import Result

#: All of them: asked for without a filter, since one that finds nothing is an error.
ADDRESSES = Pipeline.of("Get-NetIPAddress")
ROUTES = Pipeline.of("Get-NetRoute")
ADAPTERS = Pipeline.of("Get-NetAdapter")

_OWN = frozenset({"127.0.0.1", "::1"})
_DEFAULT_ROUTES = {4: "0.0.0.0/0", 6: "::/0"}
_HELP_SWITCH = "Set 'AllowManagementOS: true' on the switch, or give it another adapter."
_HELP_TEAM = (
    "Leave the adapter out of the team. If the team gets the same address back, and only then, say in the "
    "inventory which adapter the node is managed through, 'management_adapter: NAME' beside its address."
)
_HELP_UNKNOWN = (
    "Name the adapter in the inventory, 'management_adapter: NAME' beside the node's address, or set "
    "'AllowManagementOS: true' on the switch."
)


@dataclass(frozen=True, slots=True)
class _Way:
    """The adapters we may have come by, folded, and how that is known; empty with the reason why it is not."""

    adapters: frozenset[str]
    why: str
    is_guess: bool = False


async def refuse_to_cut(link: Link, work: NodeWork, record: Record) -> None:
    """Ask the node which adapter it is managed through, when its switches or teams take any.

    Where the node does not have the address we came by, the adapter of its default route counts, and ``record`` is
    told so.

    Raises:
        NodeFailure: This adapter would be taken away from the host, or the node does not tell which it is.
    """
    if not work.taken_adapters:
        return
    way = await _way(link, work)
    if not way.adapters:
        raise NodeFailure(
            [
                _problem(
                    work,
                    resource,
                    f"takes {_listed(adapters)} away from the host, and the node does not tell which adapter has "
                    f"the address {work.address}, through which it is managed{way.why}",
                    _HELP_UNKNOWN,
                )
                for resource, adapters in work.taken_adapters.items()
            ],
            NodeError.__name__,
        )
    carriers = way.adapters | _descriptions(await _asked(link, ADAPTERS), way.adapters)
    cut = [
        _problem(
            work,
            resource,
            f"takes the adapter '{adapter}' away from the host, which {way.why}: with this done, nobody reaches "
            "the node again",
            _HELP_TEAM if is_team(_type_of(resource)) else _HELP_SWITCH,
        )
        for resource, adapters in work.taken_adapters.items()
        for adapter in adapters
        if adapter.casefold() in carriers
    ]
    if cut:
        raise NodeFailure(cut, NodeError.__name__)
    if way.is_guess:
        for resource, adapters in work.taken_adapters.items():
            text = f"takes {_listed(adapters)} and leaves the adapter which {way.why}"
            record(ResourceProgress(work.name, resource, "Warning", text))


async def _way(link: Link, work: NodeWork) -> _Way:
    """Find the adapters that carry our address, or else the one the default route leaves by."""
    if work.management_adapter:
        return _Way(frozenset({work.management_adapter.casefold()}), "is the one the inventory names")
    address = work.address
    wanted = await _addresses(address)
    told = await _asked(link, ADDRESSES)
    known = [
        (_normal(str(row.get("IPAddress") or "")), str(row.get("InterfaceAlias") or "").casefold())
        for row in _rows(told)
    ]
    # Every machine has these, so they say nothing: who goes to one comes by a forwarded port.
    known = [(each, alias) for each, alias in known if each not in _OWN]
    carriers = frozenset(alias for each, alias in known if each in wanted and alias)
    if carriers:
        return _Way(carriers, f"has the address {address}")
    reason = told.terminated or next(iter(told.errors), None)
    if reason or not any(each and alias for each, alias in known):
        return _Way(frozenset(), f": {reason.message}" if reason else "")
    families = {ipaddress.ip_address(each).version for each in wanted} or {4}
    routes = _rows(await _asked(link, ROUTES))
    found = frozenset[str]().union(*(_leaving(routes, _DEFAULT_ROUTES[family]) for family in families))
    if len(found) != 1:
        said = "has no default route" if not found else "has default routes by several adapters alike"
        return _Way(frozenset(), f": none has it, as behind a translation of addresses, and the node {said}")
    why = (
        f"has the default route, while none has the address {address} (it is translated on the way, it seems)"
    )
    return _Way(found, why, is_guess=True)


def _leaving(routes: list[Row], destination: str) -> frozenset[str]:
    """Return the adapters, folded, of the best routes to a destination."""
    costs: dict[str, int] = {}
    for row in routes:
        alias = str(row.get("InterfaceAlias") or "").casefold()
        if alias and row.get("DestinationPrefix") == destination:
            cost = int(row.get("RouteMetric") or 0) + int(row.get("InterfaceMetric") or 0)
            costs[alias] = min(cost, costs.get(alias, cost))
    return frozenset(alias for alias, cost in costs.items() if cost == min(costs.values()))


def _descriptions(told: Result, adapters: frozenset[str]) -> frozenset[str]:
    """Return what else these adapters are called, folded: a switch may name its adapters so."""
    return frozenset(
        str(row.get("InterfaceDescription") or "").casefold()
        for row in _rows(told)
        if str(row.get("Name") or "").casefold() in adapters
    ) - {""}


async def _asked(link: Link, pipeline: Pipeline) -> Result:
    result: Result = await link.ask(lambda api: api.run(pipeline))
    return result


def _rows(result: Result) -> list[Row]:
    return [row for row in result.output if isinstance(row, Row)]


def _problem(work: NodeWork, resource: str, message: str, help: str) -> Problem:
    return Problem(message, resource, work.positions.get(resource.casefold(), ""), help=help)


def _type_of(resource: str) -> str:
    return resource.removeprefix("[").partition("]")[0]


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
