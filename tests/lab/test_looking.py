"""Looking at one node: the shell of `provision lab shell` and the fixtures' `run`."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from provisioner.lab.control import LabError
from provisioner.lab.looking.views import run_line
from provisioner.lab.pytest_plugin import StartFleet
from provisioner.lab.simulated_node import SimulatedNode
from provisioner.lab.spec import NodeSpec


def _read_until(terminal: int, text: str) -> str:
    """Read what a terminal shows until it ends with a text."""
    shown, end = "", time.monotonic() + 30
    while not shown.rstrip().endswith(text):
        assert time.monotonic() < end, shown
        if select.select([terminal], [], [], 0.1)[0]:
            shown += os.read(terminal, 4096).decode()
    return shown


@pytest.mark.slow
def test_a_person_at_the_prompt_may_interrupt_a_line_and_goes_on(lab_fleet: StartFleet) -> None:
    lab = lab_fleet(1)
    terminal, inside = pty.openpty()
    person = subprocess.Popen(
        [sys.executable, "-m", "provisioner.cli", "lab", "shell", "node01", "--name", lab.folder.name],
        env=os.environ | {"PROVISIONER_LAB_HOME": str(lab.folder.parent)},
        stdin=inside,
        stdout=inside,
        stderr=inside,
    )
    os.close(inside)
    try:
        prompt = "PS node01>"
        assert "Get-Command" in _read_until(terminal, prompt)
        os.write(terminal, b"half a li")
        _read_until(terminal, "half a li")
        person.send_signal(signal.SIGINT)
        _read_until(terminal, prompt)
        os.write(terminal, b"hostname\n")
        assert "NODE01" in _read_until(terminal, prompt)
        os.write(terminal, b"No-Such\n")
        assert "CommandNotFoundException" in _read_until(terminal, prompt)
        os.write(terminal, b"exit\n")
        assert person.wait(30) == 0
    finally:
        person.kill()
        person.wait()
        os.close(terminal)


async def test_a_node_that_is_off_has_no_console(tmp_path: Path) -> None:
    node = SimulatedNode(NodeSpec("node01", "127.0.0.9", 5985, "u", b""), tmp_path)
    with pytest.raises(LabError, match="node01 is restarting"):
        await run_line(node, "hostname")
