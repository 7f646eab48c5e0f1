"""A node whose own configuration takes its network away is gone without a word, for a while or for good."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from provisioner.lab.control import ask
from provisioner.lab.hosting.app import Lab, LabSpec
from provisioner.lab.spec import NodeSpec
from tests.networks import own_network

PORT = 15985
PROBE = b"POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"


def _asked(address: str, within_s: float) -> str:
    try:
        with socket.create_connection((address, PORT), within_s) as connection:
            connection.sendall(PROBE)
            return connection.recv(12).decode() or "closed"
    except TimeoutError:
        return "silence"
    except OSError as error:
        return type(error).__name__


async def answer(address: str, within_s: float) -> str:
    """What a client sees that asks once: the first word of an answer, or what befell it."""
    return await asyncio.to_thread(_asked, address, within_s)


async def control(folder: Path, request: dict[str, object]) -> None:
    await asyncio.to_thread(ask, folder, request)


@pytest.mark.parametrize("seconds", [1.5, None])
async def test_connections_are_not_answered_until_it_is_back(tmp_path: Path, seconds: float | None) -> None:
    address = f"{own_network()}.1"
    lab = Lab(LabSpec("gone", [NodeSpec("n1", address, PORT, "u", b"\0" * 16)], tmp_path))
    came_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(lab.run(lambda _status: came_up.set_result(None)))
    try:
        await came_up
        assert await answer(address, 2) == "HTTP/1.1 401"
        with socket.create_connection((address, PORT)) as kept:
            await asyncio.sleep(0.05)  # until the node has taken it
            lab._nodes[0].machine.on_network(seconds)
            await asyncio.sleep(0.05)  # a listener changes in the loop's next turn
            assert await answer(address, 0.7) == "silence"
            kept.setblocking(False)
            with pytest.raises(BlockingIOError):
                kept.recv(1)  # neither reset nor closed

        if seconds is None:
            await asyncio.sleep(1.0)
            assert await answer(address, 0.5) == "silence"
            await control(tmp_path, {"op": "restore", "node": "n1"})
        for _ in range(50):
            if await answer(address, 1) == "HTTP/1.1 401":
                return
            await asyncio.sleep(0.1)
        pytest.fail("the node did not come back")
    finally:
        lab.stop()
        await running
