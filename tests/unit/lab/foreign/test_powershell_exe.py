"""powershell.exe in the classic shell: options, streams, exit codes."""

from __future__ import annotations

import base64
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from provisioner.lab.processes.base import ProcessCall
from provisioner.lab.processes.run import run_process
from provisioner.lab.simulated_node import SimulatedNode
from tests.unit.lab.commands.recording import make_node

_BAD_OPTION = 0xFFFD0000


@dataclass
class Kept:
    """What a program wrote, and how it ended."""

    out: bytes = b""
    err: bytes = b""
    code: int = -1

    def stdout(self, data: bytes) -> None:
        self.out += data

    def stderr(self, data: bytes) -> None:
        self.err += data


async def _given(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def powershell(node: SimulatedNode, arguments: str, *stdin: bytes) -> Kept:
    kept = Kept()
    call = ProcessCall(
        f"powershell {arguments}",
        (),
        uses_cmd=False,
        stdin=_given(*stdin),
        user="HV01\\provisioner",
        codepage=65001,
    )
    kept.code = await run_process(node, call, kept)
    return kept


def encoded(script: str) -> str:
    return base64.b64encode(script.encode("utf-16-le")).decode()


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    return make_node(tmp_path)


@pytest.mark.parametrize(
    "arguments",
    [
        "-Command Write-Output hi",
        "-c Write-Output hi",
        "Write-Output hi",
        "-NoLogo -NoP -NonI -Sta -ExecutionPolicy Bypass -Command Write-Output hi",
        "/nologo /command Write-Output hi",
        '-ep RemoteSigned -WindowStyle Hidden -c "Write-Output hi"',
        f"-EncodedCommand {encoded('Write-Output hi')}",
        f"-e {encoded('Write-Output hi')}",
        f"-enc {encoded('Write-Output hi')} -NoProfile",
    ],
)
async def test_the_command_is_found_behind_its_options(node: SimulatedNode, arguments: str) -> None:
    kept = await powershell(node, arguments)
    assert (kept.out, kept.err, kept.code) == (b"hi\r\n", b"", 0)


async def test_a_script_may_come_by_standard_input(node: SimulatedNode) -> None:
    for arguments in ("-Command -", "-NoProfile"):
        kept = await powershell(node, arguments, b"Write-Output one\r\nWrite-", b"Output two\r\nexit 4\r\n")
        assert (kept.out, kept.code) == (b"one\r\ntwo\r\n", 4)


@pytest.mark.parametrize(
    "arguments",
    [
        "-EncodedCommand %%%",
        "-EncodedCommand",
        "-ExecutionPolicy Whatever -Command hostname",
        "-File C:\\missing.ps1",
        "-File",
        "-Version 2 -Command hostname",
        "-NoExit -Command hostname",
        "-?",
    ],
)
async def test_bad_options_are_refused(node: SimulatedNode, arguments: str) -> None:
    kept = await powershell(node, arguments)
    assert kept.code == _BAD_OPTION
    assert kept.out == b""
    assert kept.err != b""


async def test_errors_are_clixml_only_for_an_encoded_command(node: SimulatedNode) -> None:
    plain = await powershell(node, "-Command Get-Service nope")
    assert plain.err.startswith(b"Get-Service : Cannot find any service with service name 'nope'.\r\n")
    assert plain.code == 1
    script = encoded("Get-Service nope")
    assert (await powershell(node, f"-EncodedCommand {script}")).err.startswith(b"#< CLIXML\r\n<Objs ")
    assert not (await powershell(node, f"-OutputFormat Text -EncodedCommand {script}")).err.startswith(b"#<")


async def test_warnings_go_where_a_console_shows_them(node: SimulatedNode) -> None:
    assert (await powershell(node, "Write-Warning careful")).out == b"WARNING: careful\r\n"
    kept = await powershell(node, f"-e {encoded('Write-Warning careful')}")
    assert (kept.out, kept.code) == (b"", 0)
    assert b'<S S="warning">' in kept.err


async def test_a_program_gives_its_lines_and_only_success_or_failure(node: SimulatedNode) -> None:
    kept = await powershell(node, "hostname")
    assert (kept.out, kept.code) == (b"HV01\r\n", 0)
    kept = await powershell(node, "-Command cmd /c exit 3")
    assert kept.code == 1
    kept = await powershell(node, "-Command nosuchprogram")
    assert kept.code == 1
    assert b"CommandNotFoundException" in kept.err


async def test_what_windows_ends_by_a_path_is_not_started(node: SimulatedNode) -> None:
    kept = await powershell(node, "-Command C:\\Windows\\hostname.exe")
    assert kept.code == 1
    assert kept.out == b""


async def test_a_script_that_starts_itself_ends(node: SimulatedNode) -> None:
    node.machine.files.write("C:\\Windows\\Temp\\a.ps1", b"powershell -File C:\\Windows\\Temp\\a.ps1")
    kept = await powershell(node, "-File C:\\Windows\\Temp\\a.ps1")
    assert kept.code == 1
    assert b"any deeper" in kept.err
    assert (await powershell(node, "hostname")).code == 0


async def test_no_command_line_makes_it_fail_otherwise(node: SimulatedNode) -> None:
    draw = random.Random(3)
    words = [
        *(
            "-Command",
            "-c",
            "-File",
            "-e",
            "-EncodedCommand",
            "-NoProfile",
            "-",
            "/",
            "-?",
            "--%",
            "-OutputFormat",
        ),
        *(
            "hostname",
            "Get-Service",
            "-Name",
            "WinRM",
            "|",
            ";",
            '"',
            "'",
            "$x",
            "@(",
            "exit",
            "3",
            encoded("hostname"),
        ),
        *("\0", "\u2019", "\ud800", "Text", "%TEMP%", "C:\\Windows"),
    ]
    for _ in range(1_000):
        line = " ".join(draw.choices(words, k=draw.randint(0, 8)))
        kept = await powershell(node, line, draw.choice([b"", b"hostname\r\n", b"\xff\xfe\0"]))
        assert 0 <= kept.code <= 0xFFFFFFFF, line
