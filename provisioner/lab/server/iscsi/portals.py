"""The sockets of target servers: one for each portal of a node that is on loopback, while its target server runs.

Portals follow their machine: they open and close as role, service, addresses, power and network of the node come
and go. Addresses outside of 127.0.0.0/8 have no socket: they are known to other nodes of the lab only.
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import logging
import os
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from provisioner.lab.machine.ground.iscsi import IscsiTarget, Target
from provisioner.lab.machine.iscsi.portals import TargetPortals
from provisioner.lab.server.iscsi.session import OfferedTarget, TargetConnection

_LOG = logging.getLogger(__name__)
_CHALLENGE_SIZE: Final = 16
_LOOPBACK: Final = ipaddress.ip_network("127.0.0.0/8")
#: Parts of a machine whose changes can open or close a portal.
_FOLLOWED: Final = frozenset({"iscsi", "services", "features", "machine", "ip"})
_UNKNOWN_SIZE: Final = 2**30


class PortalNode(Protocol):
    """What a portal needs to know of a simulated node."""

    name: str
    address: str
    machine: Any

    @property
    def is_up(self) -> bool:
        """Whether it answers the network."""
        ...

    def on_power(self, callback: Callable[[bool], None]) -> Any:
        """Have ``callback`` called with False when it goes down, True when it answers again."""
        ...


class _Targets:
    """The targets of a machine, as one connection sees them."""

    def __init__(self, iscsi: IscsiTarget, peer: str) -> None:
        self._iscsi = iscsi
        self._peer = peer

    def offered(self, initiator: str) -> Sequence[OfferedTarget]:
        """Targets that this initiator may see."""
        return [self._shown(item) for item in self._iscsi.offered(initiator, self._peer)]

    def _shown(self, target: Target) -> OfferedTarget:
        sizes = [size or _UNKNOWN_SIZE for _path, size in self._iscsi.luns(target.iqn)]
        return OfferedTarget(
            target.iqn,
            sizes,
            target.chap_user,
            target.chap_secret,
            target.reverse_user,
            target.reverse_secret,
        )


class _Wire(asyncio.Protocol):
    """A socket and the connection that it serves."""

    def __init__(self, place: _Place) -> None:
        self._place = place
        self._transport: asyncio.Transport | None = None
        self._connection: TargetConnection | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        peer = str(transport.get_extra_info("peername")[0])
        machine = self._place.node.machine
        portals = [item.endpoint for item in machine.area(TargetPortals).listening()]
        self._connection = TargetConnection(
            _Targets(machine.iscsi, peer), portals, os.urandom(_CHALLENGE_SIZE)
        )
        self._place.open.add(transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        assert self._connection is not None
        answer = self._connection.receive(data)
        if answer:
            self._transport.write(answer)
        if self._connection.is_closed:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # the client went, however
        if self._transport is not None:
            self._place.open.discard(self._transport)


class _Place:
    def __init__(self, node: PortalNode) -> None:
        self.node = node
        #: What listens, by address and port.
        self.servers: dict[tuple[str, int], asyncio.Server] = {}
        self.open: set[asyncio.Transport] = set()
        self.lock = asyncio.Lock()


class Portals:
    """The portals of all nodes. To be used from one event loop.

    ``is_cut`` tells whether the network of a node is cut just now.
    """

    def __init__(
        self, nodes: Sequence[PortalNode], is_cut: Callable[[str], bool] = lambda _name: False
    ) -> None:
        self._nodes = nodes
        self._is_cut = is_cut
        self._places: dict[str, _Place] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_running = False

    async def start(self) -> None:
        """Open what should be open, and follow the nodes from now on."""
        self._is_running = True
        for node in self._nodes:
            node.machine.ledger.listeners.append(functools.partial(self._changed, node))
            node.on_power(functools.partial(self._power, node))
            if self._wanted(node):
                await self._reconcile(node)

    async def stop(self) -> None:
        """Close everything."""
        self._is_running = False
        for task in list(self._tasks):
            await asyncio.wait([task])
        for place in self._places.values():
            _close(place)
        await asyncio.sleep(0)

    def follow(self, name: str) -> None:
        """Look at a node again: its network was cut or mended."""
        for node in self._nodes:
            if node.name == name:
                self._soon(node)

    def _changed(self, node: PortalNode, area: str, _what: str) -> None:
        if area in _FOLLOWED and (node.name in self._places or self._wanted(node)):
            self._soon(node)

    def _power(self, node: PortalNode, is_up: bool) -> None:  # noqa: FBT001 - the callback's form
        place = self._places.get(node.name)
        if not is_up and place is not None:
            _close(place)
        elif is_up and self._wanted(node):
            self._soon(node)

    def _wanted(self, node: PortalNode) -> set[tuple[str, int]]:
        """Give address and port of each socket that should be open."""
        if not (self._is_running and node.is_up and node.machine.iscsi.is_serving):
            return set()
        if self._is_cut(node.name):
            return set()
        listening = node.machine.area(TargetPortals).listening()
        return {(item.address, item.port) for item in listening if _is_loopback(item.address)}

    def _soon(self, node: PortalNode) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            # Somebody changes a machine before or after the lab runs.
            return
        task = loop.create_task(self._reconcile(node))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reconcile(self, node: PortalNode) -> None:
        place = self._places.setdefault(node.name, _Place(node))
        async with place.lock:
            wanted = self._wanted(node)
            if not wanted:
                _close(place)
            for gone in place.servers.keys() - wanted:
                place.servers.pop(gone).close()
                for transport in [each for each in place.open if _end_of(each) == gone]:
                    transport.abort()
            for address, port in sorted(wanted - place.servers.keys()):
                try:
                    place.servers[address, port] = await _listen(place, address, port)
                except OSError as problem:
                    _LOG.error("%s has no iSCSI portal on %s:%d: %s", node.name, address, port, problem)


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address) in _LOOPBACK


def _end_of(transport: asyncio.Transport) -> tuple[str, int]:
    address, port = transport.get_extra_info("sockname")[:2]
    return address, port


def _close(place: _Place) -> None:
    for server in place.servers.values():
        server.close()
    place.servers.clear()
    for transport in list(place.open):
        transport.abort()


async def _listen(place: _Place, address: str, port: int) -> asyncio.Server:
    raw = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        raw.setblocking(False)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        raw.bind((address, port))
        return await asyncio.get_running_loop().create_server(lambda: _Wire(place), sock=raw)
    except BaseException:
        raw.close()
        raise
