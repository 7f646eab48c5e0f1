"""findstr finds literal texts in its input; systeminfo tells what the machine is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from provisioner.lab.processes.base import ProcessCall
from provisioner.lab.processes.run import run_process
from provisioner.lab.simulated_node import SimulatedNode
from tests.unit.lab.commands.recording import make_node

_TEXT = b"OS Name: Windows\r\nHost OS\r\nnothing\r\n"


class Kept:
    """What a program wrote."""

    def __init__(self) -> None:
        self.out = self.err = b""

    def stdout(self, data: bytes) -> None:
        self.out += data

    def stderr(self, data: bytes) -> None:
        self.err += data


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    return make_node(tmp_path)


async def _run(node: SimulatedNode, line: str, data: bytes = b"") -> tuple[int, bytes, bytes]:
    kept = Kept()
    call = ProcessCall(line, (), uses_cmd=False, stdin=_once(data), user="HV01\\provisioner")
    return await run_process(node, call, kept), kept.out, kept.err


@pytest.mark.parametrize(
    ("line", "code", "out"),
    [
        ('findstr /B /C:"OS"', 0, b"OS Name: Windows\r\n"),
        ("findstr OS", 0, b"OS Name: Windows\r\nHost OS\r\n"),
        ("findstr /E OS", 0, b"Host OS\r\n"),
        ("findstr windows", 1, b""),
        ("findstr /i /e os", 0, b"Host OS\r\n"),
        ('findstr "Host noth"', 0, b"Host OS\r\nnothing\r\n"),
        ('findstr /C:"Host noth"', 1, b""),
        ("findstr /V OS", 0, b"nothing\r\n"),
        ("findstr /X nothing", 0, b"nothing\r\n"),
        ("findstr /X noth", 1, b""),
    ],
)
async def test_findstr_writes_the_lines_that_match(
    node: SimulatedNode, line: str, code: int, out: bytes
) -> None:
    assert await _run(node, line, _TEXT) == (code, out, b"")


@pytest.mark.parametrize(
    "line", ["findstr", "findstr O.", "findstr /R OS", "findstr OS C:\\file.txt", "findstr /S OS"]
)
async def test_findstr_refuses_what_it_does_not_simulate(node: SimulatedNode, line: str) -> None:
    code, out, err = await _run(node, line, _TEXT)
    assert (code, out) == (2, b"")
    assert b"simulated" in err


async def test_systeminfo_tells_what_the_node_is(node: SimulatedNode) -> None:
    code, out, _ = await _run(node, "systeminfo")
    lines = dict(line.split(":", 1) for line in out.decode().strip().splitlines())
    assert code == 0
    assert lines["Host Name"].strip() == node.computer_name
    assert lines["OS Version"].strip() == "10.0.20348 N/A Build 20348"
    assert (await _run(node, "systeminfo /S other"))[0] == 1
