"""One lab in several processes: each serves its share of the nodes, the first one answers for all.

Forks before any event loop exists. A shard that loses the first process ends by itself. Nodes of different shards
do not share a world: clusters and a directory reach as far as a shard.
"""

from __future__ import annotations

import asyncio
import json
import os
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from provisioner.lab.control import LabError, ask
from provisioner.lab.hosting.app import Lab, LabSpec
from provisioner.lab.hosting.background import Ready

_FOLDER = "shards"
_STATUS_S = 60.0


@dataclass(frozen=True, slots=True)
class _Shard:
    """Another process with a share of the nodes. ``folder`` is where it is asked."""

    folder: Path
    pid: int
    nodes: frozenset[str]


def run_lab(spec: LabSpec, shards: int, ready: Ready) -> None:
    """Run a lab until SIGTERM, SIGINT or ``provision lab down``, in ``shards`` processes of which this is one.

    Raises:
        LabError: an address is taken, or a shard did not start.
    """
    if shards == 1:
        asyncio.run(Lab(spec).run(ready))
        return
    shares = [spec.nodes[number::shards] for number in range(shards)]
    lifeline, held = os.pipe()
    others = [_fork(spec, number, share, lifeline, held) for number, share in enumerate(shares) if number]
    os.close(lifeline)
    first = Lab(replace(spec, nodes=shares[0]), asking=lambda request, local: _route(others, request, local))
    try:
        asyncio.run(first.run(lambda status: ready(_merged(status, others))))
    finally:
        os.close(held)
        for shard in others:
            os.waitpid(shard.pid, 0)


def _fork(spec: LabSpec, number: int, share: Sequence[Any], lifeline: int, held: int) -> _Shard:
    """Start one process; return when its nodes answer."""
    folder = spec.folder / _FOLDER / str(number)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        os.close(held)
        os._exit(_serve(replace(spec, nodes=share, control=folder), lifeline, writer))
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as pipe:
        word = json.loads(pipe.read() or '{"error": "it ended without a word"}')
    if "error" in word:
        raise LabError(f"shard {number}: {word['error']}")
    return _Shard(folder, pid, frozenset(node.name for node in share))


def _serve(spec: LabSpec, lifeline: int, writer: int) -> int:
    told = False

    def ready(_status: dict[str, Any]) -> None:
        nonlocal told
        told = True
        os.write(writer, b"{}")
        os.close(writer)

    async def main() -> None:
        lab = Lab(spec)
        asyncio.get_running_loop().add_reader(lifeline, lab.stop)
        await lab.run(ready)

    try:
        asyncio.run(main())
    except BaseException as error:  # noqa: BLE001 - the last frame of a process: everything is reported
        if not isinstance(error, LabError):
            traceback.print_exc()
        if not told:
            os.write(writer, json.dumps({"error": str(error) or type(error).__name__}).encode())
        return 1
    return 0


async def _route(
    others: Sequence[_Shard], request: dict[str, Any], local: Callable[[dict[str, Any]], Any]
) -> dict[str, Any]:
    """Answer a request here, in the shard that has the node, or in all of them."""
    loop = asyncio.get_running_loop()
    for shard in others:
        if request.get("node") in shard.nodes:
            return await loop.run_in_executor(None, ask, shard.folder, request)
    if others and request.get("op") == "scenario":
        raise LabError("A scenario needs a lab in one process.", "Start it without --shards.")
    answer: dict[str, Any] = await local(request)
    if request.get("op") == "status":
        return await loop.run_in_executor(None, _merged, answer, others)
    return answer


def _merged(status: dict[str, Any], others: Sequence[_Shard]) -> dict[str, Any]:
    """Add the nodes of the other shards to the first one's status."""
    nodes = [*status["nodes"]]
    for shard in others:
        nodes += ask(shard.folder, {"op": "status"}, timeout_s=_STATUS_S)["nodes"]
    return {**status, "nodes": sorted(nodes, key=lambda node: str(node["name"]))}
