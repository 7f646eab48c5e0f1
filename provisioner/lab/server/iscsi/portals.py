"""The sockets of target servers: TCP 3260 on a node's own address, while its target server runs.

A portal follows its machine: it opens and closes as role, service, power and network of the node come and go.
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
from provisioner.lab.server.iscsi.session import OfferedTarget, TargetConnection

_LOG = logging.getLogger(__name__)
PORT: Final = 3260
_CHALLENGE_SIZE: Final = 16
_LOOPBACK: Final = ipaddress.ip_network("127.0.0.0/8")
#: Parts of a machine whose changes can open or close a portal.
_FOLLOWED: Final = frozenset({"iscsi", "services", "features", "machine"})
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
        return OfferedTarget(target.iqn, sizes, target.chap_user, target.chap_secret)


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
        node = self._place.node
        self._connection = TargetConnection(
            _Targets(node.machine.iscsi, peer), f"{node.address}:{PORT}", os.urandom(_CHALLENGE_SIZE)
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
        self.server: asyncio.Server | None = None
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
            if self._should_listen(node):
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
        if area in _FOLLOWED and (node.name in self._places or self._should_listen(node)):
            self._soon(node)

    def _power(self, node: PortalNode, is_up: bool) -> None:  # noqa: FBT001 - the callback's form
        place = self._places.get(node.name)
        if not is_up and place is not None:
            _close(place)
        elif is_up and self._should_listen(node):
            self._soon(node)

    def _should_listen(self, node: PortalNode) -> bool:
        return (
            self._is_running
            and node.is_up
            and not self._is_cut(node.name)
            and bool(node.machine.iscsi.listens_on(PORT))
        )

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
            if not self._should_listen(node):
                _close(place)
            elif place.server is None:
                try:
                    place.server = await _listen(place)
                except OSError as problem:
                    _LOG.error("%s has no iSCSI portal on %s:%d: %s", node.name, node.address, PORT, problem)


def _close(place: _Place) -> None:
    if place.server is not None:
        place.server.close()
        place.server = None
    for transport in list(place.open):
        transport.abort()


async def _listen(place: _Place) -> asyncio.Server:
    address = place.node.address
    if ipaddress.ip_address(address) not in _LOOPBACK:
        raise OSError(f"{address} is no loopback address")
    raw = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        raw.setblocking(False)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        raw.bind((address, PORT))
        return await asyncio.get_running_loop().create_server(lambda: _Wire(place), sock=raw)
    except BaseException:
        raw.close()
        raise
