"""The control socket: request, answer, garbage, long folder names."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from provisioner.lab.control import LabError, ask, serve


async def _echo(request: dict[str, Any]) -> dict[str, Any]:
    if request["op"] == "fail":
        raise LabError("no such node")
    return {"echo": request["op"]}


async def test_a_request_is_answered_also_below_a_very_long_folder(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    server = await serve(folder, _echo)
    assert await asyncio.to_thread(ask, folder, {"op": "status"}) == {"echo": "status"}
    server.close()


async def test_a_refusal_reaches_the_asker_as_an_error(tmp_path: Path) -> None:
    server = await serve(tmp_path, _echo)
    with pytest.raises(LabError, match="no such node"):
        await asyncio.to_thread(ask, tmp_path, {"op": "fail"})
    server.close()


@pytest.mark.parametrize("garbage", [b"\n", b"not json\n", b"[]\n", b'{"op": 1}', b"\xff\xfe\n"])
async def test_garbage_does_not_end_the_server(tmp_path: Path, garbage: bytes) -> None:
    server = await serve(tmp_path, _echo)

    def send() -> None:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(tmp_path / "control.sock"))
            line.sendall(garbage)
            line.shutdown(socket.SHUT_WR)
            line.recv(1000)

    await asyncio.to_thread(send)
    assert await asyncio.to_thread(ask, tmp_path, {"op": "x"}) == {"echo": "x"}
    server.close()


def test_asking_where_no_lab_runs_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="is not running"):
        ask(tmp_path, {"op": "status"})
