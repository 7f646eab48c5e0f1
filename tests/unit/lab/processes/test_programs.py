"""Each program of the table can be loaded; lines that would wear the node out are refused or end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path

import pytest

from provisioner.lab.processes.base import NoSuchProgramError, ProcessCall
from provisioner.lab.processes.run import run_process
from provisioner.lab.processes.table import PROGRAMS, find, is_program_path
from provisioner.lab.simulated_node import SimulatedNode
from tests.unit.lab.machines import node_spec


class Console:
    """What a process wrote."""

    def __init__(self) -> None:
        self.out = b""
        self.err = b""

    def stdout(self, data: bytes) -> None:
        self.out += data

    def stderr(self, data: bytes) -> None:
        self.err += data


async def _nothing() -> AsyncIterator[bytes]:
    for _ in ():
        yield b""


def _run(folder: Path, line: str, *, uses_cmd: bool = True) -> tuple[int, Console]:
    console = Console()

    async def run() -> int:
        node = SimulatedNode(node_spec(), folder, time_scale=0.0)
        return await run_process(
            node, ProcessCall(line, (), uses_cmd, _nothing(), user="NODE1\\provisioner"), console
        )

    return asyncio.run(run()), console


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_each_program_of_the_table_is_there(name: str) -> None:
    folder, target = PROGRAMS[name]
    module, _, function = target.partition(":")
    assert find(name.upper() + ".EXE") is getattr(import_module(f"provisioner.lab.{module}"), function)
    assert is_program_path(f"{folder}\\{name}.exe".replace("\\", "/"))
    assert not is_program_path(name)
    assert find(f"C:\\elsewhere\\{name}.exe") is None


def test_without_cmd_an_unknown_program_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoSuchProgramError):
        _run(tmp_path, "nosuch.exe a", uses_cmd=False)
    with pytest.raises(NoSuchProgramError):
        _run(tmp_path, "", uses_cmd=False)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("x" * 8192, 1),
        ("&".join(["ver"] * 2000), 0),
        ("|".join(["ver"] * 2000), 0),
        ("&&".join(["rem"] * 1600), 0),
        ("(" * 49 + "ver" + ")" * 49, 0),
        ("(" * 4000, 1),
        ("cmd /c " * 900 + "ver", 1),
        ("^" * 8000, 1),
        ("cmd /c " * 9 + "ver", 0),
        ('"' * 8001, 1),
        ("%" * 8000, 1),
        ("echo " + ">" * 4000, 1),
        ("", 0),
    ],
)
def test_monstrous_lines_end(tmp_path: Path, line: str, code: int) -> None:
    assert _run(tmp_path, line)[0] == code


def test_a_batch_file_that_calls_itself_ends(tmp_path: Path) -> None:
    console = Console()

    async def run() -> int:
        node = SimulatedNode(node_spec(), tmp_path, time_scale=0.0)
        node.machine.files.seed("C:\\again.bat", b"call C:\\again.bat\r\n")
        return await run_process(node, ProcessCall("C:\\again", (), True, _nothing()), console)

    assert asyncio.run(run()) == 1
    assert b"R E C U R S I O N" in console.err


def test_a_shutdown_under_way_is_told_from_one_to_come(tmp_path: Path) -> None:
    codes = []

    async def run() -> None:
        node = SimulatedNode(node_spec(), tmp_path, time_scale=0.0)
        await node.start()
        is_back = asyncio.Event()
        node.on_power(lambda is_up: is_back.set() if is_up else None)

        async def say(line: str) -> None:
            codes.append(await run_process(node, ProcessCall(line, (), True, _nothing()), Console()))

        await say("shutdown /r /t 0")
        await say("shutdown /r /t 0")  # the first has not begun yet
        await asyncio.sleep(0.02)
        await say("shutdown /r /t 0")
        await say("shutdown /a")
        await is_back.wait()
        await say("shutdown /a")
        await say("shutdown /r /t 99999999999")
        await say("shutdown /r /s")
        await node.stop()

    asyncio.run(asyncio.wait_for(run(), 10))
    assert codes == [0, 1190, 1115, 1116, 1116, 87, 1]
