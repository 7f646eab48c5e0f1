"""Many nodes, one process: a listener for each, on its own loopback address.

Follows each node's power: a node that goes down resets its connections and forgets its shells; it is reachable
again when it says so. A network can be cut, which leaves the shells alone. Never binds anything but 127/8.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ipaddress
import logging
import socket
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Final, Protocol

from provisioner.lab.server.http import Timeouts
from provisioner.lab.server.runspace import ListCommands, RunPipeline
from provisioner.lab.server.wsman import Listener, ServedNode
from provisioner.wire.settings import ServiceSettings

_LOG: Final = logging.getLogger("provisioner.lab")
_LOOPBACK: Final = ipaddress.ip_network("127.0.0.0/8")
_BACKLOG: Final = 128
_SWEEP_S: Final = 5.0
#: Connections that fill a queue of length 0; the kernel takes one more than asked for.
_FILLERS: Final = 2
#: Turns of the loop after which a connection that was just being accepted has come up, and is gone again.
_LAST_TURNS: Final = 3
_LAST_TURN_S: Final = 0.005


class FleetNode(ServedNode, Protocol):
    """What the fleet needs to know of a simulated node."""

    address: str
    port: int

    @property
    def https_port(self) -> int | None:
        """Where it answers HTTPS, if it does."""
        ...

    @property
    def is_up(self) -> bool:
        """Whether it answers the network."""
        ...

    def on_power(self, callback: Callable[[bool], None]) -> Any:
        """Have ``callback`` called with False when it goes down, True when it answers again."""
        ...


class NotLoopbackError(ValueError):
    """A simulated node was given an address that others could reach."""


def _default_run_pipeline() -> RunPipeline:
    # Imported late: the commands' floor knows every area of the machine, tests of the wire need none of it.
    run: RunPipeline = import_module("provisioner.lab.commands.pipeline").run_pipeline
    return run


def _default_list_commands() -> ListCommands:
    found: ListCommands = import_module("provisioner.lab.commands.pipeline").list_commands
    return found


def _bind(raw: socket.socket, node: FleetNode, port: int) -> None:
    """Bind to a node's own address; the error says which one was not to be had."""
    try:
        raw.bind((node.address, port))
    except OSError as problem:
        place = f"{node.name} cannot listen on {node.address}:{port}"
        raise OSError(problem.errno, f"{place}: {problem.strerror}") from problem


class Closable(Protocol):
    """Something that listens."""

    def close(self) -> None:
        """Listen no more."""
        ...


class BlackHole:
    """A port that answers no SYN: its queue of connections is full, so the kernel drops whoever comes."""

    def __init__(self, node: FleetNode, port: int) -> None:
        self._listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            _bind(self._listening, node, port)
        except BaseException:
            self._listening.close()
            raise
        self._listening.listen(0)
        self._fillers = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(_FILLERS)]
        for filler in self._fillers:
            filler.setblocking(False)
            filler.connect_ex((node.address, port))

    def close(self) -> None:
        """Listen no more."""
        for filler in self._fillers:
            filler.close()
        self._listening.close()


class _Place:
    """One node's address: the listener, and whether it is open."""

    def __init__(self, node: FleetNode, listener: Listener) -> None:
        self.node = node
        self.listener = listener
        self.servers: list[Closable] = []
        self.is_cut = False
        #: Whether nothing listens although the node is up: its service restarts.
        self.is_shut = False
        #: Whether nobody even answers a SYN.
        self.is_hole = False
        self.mend_timer: asyncio.TimerHandle | None = None
        self.lock = asyncio.Lock()

    def ports(self) -> list[tuple[int, Callable[[], asyncio.BaseProtocol]]]:
        """Return where the node listens and what meets a client there; one port may be for HTTPS alone."""
        plain = (self.node.port, self.listener.new_connection)
        if self.node.https_port is None:
            return [plain]
        secure = (self.node.https_port, self.listener.new_tls_connection)
        return [secure] if self.node.https_port == self.node.port else [plain, secure]

    def close(self) -> None:
        """Listen no more; connections stay."""
        for server in self.servers:
            server.close()
        self.servers.clear()


def _listen_for_ssh(port: int, place: _Place) -> Closable:
    # Imported late: few nodes have it, and it takes a tenth of a second.
    made: Any = import_module("provisioner.lab.server.ssh").SshServer
    run_process = import_module("provisioner.lab.processes.run").run_process
    server: Any = made(place.node, place.listener.accounts, run_process)
    server.listen(port)
    closable: Closable = server
    return closable


class Fleet:
    """The listeners of all nodes. To be used from one event loop.

    ``run_pipeline`` and ``list_commands`` default to those of ``lab.commands.pipeline``.

    Raises:
        NotLoopbackError: An address is outside 127/8.
    """

    def __init__(
        self,
        nodes: Sequence[FleetNode],
        run_pipeline: RunPipeline | None = None,
        list_commands: ListCommands | None = None,
        settings: ServiceSettings | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._nodes = tuple(nodes)
        for node in self._nodes:
            if ipaddress.ip_address(node.address) not in _LOOPBACK:
                raise NotLoopbackError(f"{node.name}: {node.address} is no loopback address")
        self._run_pipeline = run_pipeline or _default_run_pipeline()
        self._list_commands = list_commands or _default_list_commands()
        self._settings = settings or ServiceSettings()
        self._timeouts = timeouts or Timeouts()
        self._places: dict[str, _Place] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._is_running = False
        #: Told the name of a node whose network was cut or mended.
        self.on_reach: Callable[[str], None] = lambda _name: None

    async def start(self) -> None:
        """Open the listeners of all nodes that are up.

        Raises:
            OSError: An address and port is taken; the ones opened so far are closed again.
        """
        self._is_running = True
        for node in self._nodes:
            listener = Listener(node, self._run_pipeline, self._list_commands, self._settings, self._timeouts)
            place = self._places[node.name] = _Place(node, listener)
            node.on_power(functools.partial(self._power, place))
        try:
            for place in self._places.values():
                await self._reconcile(place)
        except OSError:
            await self.stop()
            raise
        self._sweeper = asyncio.get_running_loop().call_later(_SWEEP_S, self._sweep)

    async def stop(self) -> None:
        """Close everything; connections are reset, pipelines stopped."""
        self._is_running = False
        if self._sweeper is not None:
            self._sweeper.cancel()
        for place in self._places.values():
            if place.mend_timer is not None:
                place.mend_timer.cancel()
            place.listener.end_shells()
            place.listener.abort_connections()
            place.close()
        for task in list(self._tasks):
            with contextlib.suppress(asyncio.CancelledError):
                await task
        for _ in range(_LAST_TURNS):
            await asyncio.sleep(_LAST_TURN_S)
            for place in self._places.values():
                place.listener.abort_connections()
        await asyncio.sleep(0)

    def cut(self, name: str, for_s: float | None = None) -> None:
        """Cut a node's network: connections are reset and none is taken, for a while or until ``restore``.

        Raises:
            KeyError: There is no such node.
        """
        place = self._places[name]
        place.is_cut = True
        if place.mend_timer is not None:
            place.mend_timer.cancel()
            place.mend_timer = None
        self._close(place)
        self.on_reach(name)
        if for_s is not None:
            place.mend_timer = asyncio.get_running_loop().call_later(for_s, self.restore, name)

    def restore(self, name: str) -> None:
        """Mend a node's network.

        Raises:
            KeyError: There is no such node.
        """
        place = self._places[name]
        place.is_cut = False
        if place.mend_timer is not None:
            place.mend_timer.cancel()
            place.mend_timer = None
        self._soon(place)
        self.on_reach(name)

    def shut(self, name: str) -> None:
        """Stop the service of a node: connections are reset and none is taken, until ``reopen``.

        Raises:
            KeyError: There is no such node.
        """
        place = self._places[name]
        place.is_shut = True
        self._close(place)

    def reopen(self, name: str) -> None:
        """Start the service of a node again, or listen where the node is by now.

        Raises:
            KeyError: There is no such node.
        """
        place = self._places[name]
        place.is_shut = False
        self._close(place)
        self._soon(place)

    def swallow(self, name: str, *, is_hole: bool) -> None:
        """Have new connections to a node vanish without an answer, or be taken again; old ones stay.

        Raises:
            KeyError: There is no such node.
        """
        place = self._places[name]
        place.is_hole = is_hole
        place.close()
        self._soon(place)
        self.on_reach(name)

    def is_cut(self, name: str) -> bool:
        """Whether nothing new reaches a node now: its network is cut, or swallows what is sent."""
        place = self._places[name]
        return place.is_cut or place.is_hole

    def listener(self, name: str) -> Listener:
        """Give a node's listener.

        Raises:
            KeyError: There is no such node.
        """
        return self._places[name].listener

    def counters(self, name: str) -> dict[str, Any]:
        """Return what has happened on a node's listener, as plain data.

        Raises:
            KeyError: There is no such node.
        """
        place = self._places[name]
        listener = place.listener
        return {
            "connections": listener.counters.connections,
            "connections_open": listener.connections_open,
            "logons": listener.counters.logons,
            "requests": listener.counters.requests,
            "shells_open": listener.shells_open,
            "pipelines": listener.pipelines_run,
            "cut": self.is_cut(name),
        }

    # -- inside --------------------------------------------------------------------------------------------

    def _power(self, place: _Place, is_up: bool) -> None:  # noqa: FBT001 - the callback's form
        if not self._is_running:
            return
        if is_up:
            self._soon(place)
            return
        self._close(place)
        place.listener.end_shells()

    @staticmethod
    def _close(place: _Place) -> None:
        place.close()
        place.listener.abort_connections()

    def _soon(self, place: _Place) -> None:
        task = asyncio.get_running_loop().create_task(self._reopen(place))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reopen(self, place: _Place) -> None:
        try:
            await self._reconcile(place)
        except OSError as problem:
            _LOG.error("%s cannot listen again: %s", place.node.name, problem)

    async def _reconcile(self, place: _Place) -> None:
        """Open the listener if it should be open and is not."""
        async with place.lock:
            if place.servers or not self._should_listen(place):
                return
            try:
                for port, new_connection in place.ports():
                    if place.is_hole:
                        place.servers.append(BlackHole(place.node, port))
                        continue
                    place.servers.append(await self._listen(place.node, port, new_connection))
                if place.node.logon.ssh_port is not None:
                    place.servers.append(_listen_for_ssh(place.node.logon.ssh_port, place))
            except BaseException:
                place.close()
                raise
            if not self._should_listen(place):
                self._close(place)

    @staticmethod
    async def _listen(
        node: FleetNode, port: int, new_connection: Callable[[], asyncio.BaseProtocol]
    ) -> asyncio.Server:
        raw = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            raw.setblocking(False)
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            _bind(raw, node, port)
            loop = asyncio.get_running_loop()
            return await loop.create_server(new_connection, sock=raw, backlog=_BACKLOG)
        except BaseException:
            raw.close()
            raise

    def _should_listen(self, place: _Place) -> bool:
        return self._is_running and place.node.is_up and not (place.is_cut or place.is_shut)

    def _sweep(self) -> None:
        for place in self._places.values():
            place.listener.sweep()
        self._sweeper = asyncio.get_running_loop().call_later(_SWEEP_S, self._sweep)
