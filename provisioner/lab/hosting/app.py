"""A whole lab: its nodes, the servers in front of them, and the control socket beside them."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import signal
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from provisioner.diagnostics import did_you_mean
from provisioner.lab.afflictions.lab_faults import LabFaults
from provisioner.lab.control import LabError, serve
from provisioner.lab.faults.base import Planned, When
from provisioner.lab.faults.network import HalfOpen
from provisioner.lab.hosting.background import Ready
from provisioner.lab.looking import views
from provisioner.lab.looking.recording import Recorder, read_recording, replay
from provisioner.lab.machine.machine import Machine
from provisioner.lab.machine.world import World
from provisioner.lab.server.fleet import Fleet
from provisioner.lab.server.iscsi.portals import Portals
from provisioner.lab.simulated_node import SimulatedNode
from provisioner.lab.spec import NodeSpec

_STATUS_FILE = "lab.json"
_WORLD_FILE = "world.json"


@dataclass(frozen=True, slots=True)
class LabSpec:
    """What a lab is made of. ``time_scale`` multiplies every simulated duration; 0 means no waiting.

    ``folder`` holds what the nodes are; it is asked in ``control``, which is the same folder when left out.
    """

    name: str
    nodes: Sequence[NodeSpec]
    folder: Path
    time_scale: float = 1.0
    control: Path | None = None


def node_folder(lab: Path, node: str) -> Path:
    """Return where a node of a lab keeps what it is."""
    return lab / "nodes" / node


def _read_world(folder: Path) -> dict[str, Any]:
    path = folder / _WORLD_FILE
    if not path.exists():
        return {}
    try:
        plain: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise LabError(
            f"what the nodes share, in {path}, is damaged ({error})",
            "Forget what the nodes were with 'provision lab up --fresh'.",
        ) from error
    return plain


Request: TypeAlias = dict[str, Any]
Local: TypeAlias = Callable[[Request], Awaitable[dict[str, Any]]]


def _here(request: Request, local: Local) -> Awaitable[dict[str, Any]]:
    return local(request)


class Lab:
    """A running lab. ``status`` is what ``provision lab status`` prints.

    ``asking`` sees each request that comes to the control socket, with what answers it here.
    """

    def __init__(
        self, spec: LabSpec, asking: Callable[[Request, Local], Awaitable[dict[str, Any]]] = _here
    ) -> None:
        self._spec = spec
        self._asking = asking
        self._own = spec.control or spec.folder
        self._started = datetime.now(UTC).isoformat(timespec="seconds")
        self._stopping = asyncio.Event()
        self._world: World[Machine] = World(_read_world(self._own))
        self._world.ledger.listeners.append(lambda _area, _what: self._save_world())
        self._nodes = [
            SimulatedNode(
                node, node_folder(spec.folder, node.name), time_scale=spec.time_scale, world=self._world
            )
            for node in spec.nodes
        ]
        self._fleet = Fleet(self._nodes)
        self._faults = LabFaults(self._nodes, self._fleet, self._own, spec.time_scale)
        self._portals = Portals(self._nodes, self._fleet.is_cut)
        self._fleet.on_reach = self._portals.follow
        for node in self._nodes:
            node.machine.on_network = functools.partial(self._lose_network, node.name)

    @property
    def nodes(self) -> Sequence[SimulatedNode]:
        """The nodes, in the order of the specification."""
        return self._nodes

    async def run(self, ready: Ready) -> None:
        """Bring all nodes up, say so, and serve until told to stop."""
        loop = asyncio.get_running_loop()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._stopping.set)
        async with contextlib.AsyncExitStack() as stack:
            for node in self._nodes:
                await node.start()
                stack.push_async_callback(node.stop)
            await self._open_fleet()
            stack.push_async_callback(self._fleet.stop)
            await self._portals.start()
            stack.push_async_callback(self._portals.stop)
            stack.callback(self._faults.stop)
            self._faults.start()
            control = await serve(self._own, lambda request: self._asking(request, self._answer))
            stack.callback(control.close)
            status = self.status()
            (self._own / _STATUS_FILE).write_text(json.dumps(status, indent=1), encoding="utf-8")
            ready(status)
            await self._stopping.wait()

    def stop(self) -> None:
        """Begin to end."""
        self._stopping.set()

    def _save_world(self) -> None:
        target = self._own / _WORLD_FILE
        temporary = target.with_suffix(".tmp")
        temporary.write_text(json.dumps(self._world.to_plain()), encoding="utf-8")
        temporary.replace(target)

    def _lose_network(self, name: str, seconds: float | None) -> None:
        """Let a node be gone that cut itself off: for simulated seconds, or until somebody mends it.

        Nothing resets its connections, as nothing does when an address moves. Where simulated time vanishes, a
        moment without a network still ends them.
        """
        if seconds is not None and not self._spec.time_scale:
            self._fleet.cut(name, 0.0)
            return
        self._faults.inject(name, Planned(HalfOpen(connections="ignored"), When(for_s=seconds)))

    async def _open_fleet(self) -> None:
        try:
            await self._fleet.start()
        except OSError as error:
            raise LabError(f"{error.strerror}. Does another lab use this address?") from error

    def status(self) -> dict[str, Any]:
        """Return the lab and its nodes as plain values."""
        return {
            "lab": self._spec.name,
            "pid": os.getpid(),
            "started": self._started,
            "folder": str(self._spec.folder),
            "time_scale": self._spec.time_scale,
            "nodes": [self._node_status(node) for node in self._nodes],
        }

    def _node_status(self, node: SimulatedNode) -> dict[str, Any]:
        return {
            "name": node.name,
            "address": node.address,
            "port": node.port,
            "state": "up" if node.is_up else "restarting",
            "lcm": node.lcm.state,
            "boot_time": node.machine.boot_time.isoformat(timespec="seconds"),
            **views.counted_resources(node),
            "faults": self._faults.of(node.name),
            **self._fleet.counters(node.name),
        }

    async def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        match request:
            case {"op": "hello"}:
                return {"lab": self._spec.name, "pid": os.getpid()}
            case {"op": "status"}:
                for (
                    node
                ) in self._nodes:  # the first time each has a document to read; clients go on meanwhile
                    views.counted_resources(node)
                    await asyncio.sleep(0)
                return self.status()
            case {"op": "down"}:
                self._stopping.set()
                return {"pid": os.getpid()}
            case {"op": "show", "node": str(node)}:
                return {**views.show(self._known(node)), "faults": self._faults.of(node)}
            case {"op": "diff", "node": str(node)}:
                return views.diff(self._known(node))
            case {"op": "run", "node": str(node), "line": str(line)}:
                return await views.run_line(self._known(node), line)
            case {"op": "record", "node": str(node), "path": path}:
                return self._record(self._known(node), None if path is None else Path(path))
            case {"op": "replay", "node": str(node), "path": str(path)}:
                found = self._known(node)
                exchanges = read_recording(Path(path))
                differing = await replay(exchanges, self._fleet.listener(node).answer, found.address)
                return {"exchanges": len(exchanges), "differences": differing}
        return await self._steer(request)

    async def _steer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do something to the lab, as asked."""
        match request:
            case {"op": "cut", "node": str(node), "seconds": seconds}:
                self._known(node)
                self._fleet.cut(node, None if seconds is None else float(seconds))
                return {"cut": node}
            case {"op": "restore", "node": str(node)}:
                self._known(node)
                self._faults.clear(node, HalfOpen.kind)
                self._fleet.restore(node)
                return {"restored": node}
            case {"op": "fault" | "clear", "node": str(node)}:
                self._known(node)
                return await self._faults.answer(request)
            case {"op": "scenario"}:
                return await self._faults.answer(request)
        raise LabError(f"the lab does not know the request {request!r}")

    def _record(self, node: SimulatedNode, path: Path | None) -> dict[str, Any]:
        """Begin to write down what is said to a node; without a path end it."""
        listener = self._fleet.listener(node.name)
        recorder = None if path is None else Recorder(path)
        if listener.recorder is not None:
            listener.recorder.close()
        listener.recorder = recorder
        return {"recording": path is not None}

    def _known(self, name: str) -> SimulatedNode:
        for node in self._nodes:
            if node.name == name:
                return node
        names = sorted(node.name for node in self._nodes)
        raise LabError(f"no node '{name}' in this lab", did_you_mean(name, names))
