"""Looking at one node: the shell of `provision lab shell` and the fixtures' `run`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from provisioner.cli.commands import lab_look
from provisioner.lab.control import LabError
from provisioner.lab.looking.views import run_line
from provisioner.lab.pytest_plugin import StartFleet
from provisioner.lab.simulated_node import SimulatedNode
from provisioner.lab.spec import NodeSpec


def _typing(*lines: str | BaseException) -> Callable[[str], str]:
    """What stands for input(): a person who types these, or presses keys that raise."""
    left = iter(lines)

    def typed(_prompt: str) -> str:
        line = next(left)
        if isinstance(line, BaseException):
            raise line
        return line

    return typed


@pytest.mark.parametrize("last", ["exit", EOFError()])
def test_a_person_at_the_prompt_may_interrupt_a_line_and_goes_on(
    lab_fleet: StartFleet,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    last: str | BaseException,
) -> None:
    lab = lab_fleet(1)
    monkeypatch.setattr("builtins.input", _typing(KeyboardInterrupt(), "", "No-Such", "hostname", last))
    lab_look.prompt(lab.folder, "node01")
    shown = capsys.readouterr()
    assert "Get-Command" in shown.out
    assert "NODE01" in shown.out
    assert "CommandNotFoundException" in shown.err


async def test_a_node_that_is_off_has_no_console(tmp_path: Path) -> None:
    node = SimulatedNode(NodeSpec("node01", "127.0.0.9", 5985, "u", b""), tmp_path)
    with pytest.raises(LabError, match="node01 is restarting"):
        await run_line(node, "hostname")
