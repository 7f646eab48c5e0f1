"""Every example of the README, run as written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.networks import own_network

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def _commands() -> list[list[str]]:
    lines = [line for block in _blocks("sh") for line in block.splitlines()]
    return [line.split() for line in lines if line.startswith("provision ")]


def test_there_are_examples_to_run() -> None:
    assert [command[1] for command in _commands()] == ["lab", "apply", "verify", "lab", "lab", "lab"]


@pytest.mark.slow
def test_the_commands_to_try_by_hand_work_in_this_order(tmp_path: Path) -> None:
    # The checkout as it is, but for its addresses: other tests may use those.
    for name in ["roles", "dsc_configs"]:
        (tmp_path / name).symlink_to(ROOT / name)
    inventory = tmp_path / "inventories" / "lab" / "inventory.yaml"
    inventory.parent.mkdir(parents=True)
    text = (ROOT / "inventories/lab/inventory.yaml").read_text(encoding="utf-8")
    inventory.write_text(text.replace("127.20.0", own_network()), encoding="utf-8")
    environment = os.environ | {"PROVISIONER_LAB_HOME": str(tmp_path / "labs")}
    try:
        for command in _commands():
            done = subprocess.run(
                [sys.executable, "-m", "provisioner.cli", *command[1:]],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                timeout=100,
                check=False,
                stdin=subprocess.DEVNULL,
            )
            assert done.returncode == 0, (command, done.stdout, done.stderr)
    finally:
        stop = [sys.executable, "-m", "provisioner.cli", "lab", "down"]
        subprocess.run(stop, env=environment, check=False, capture_output=True)


def test_the_example_inventory_is_valid(tmp_path: Path) -> None:
    (example,) = _blocks("yaml")
    (tmp_path / "inventory.yaml").write_text(example, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "provisioner.cli", "validate", "inventory.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_the_two_commands_are_targets_of_make() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^make (\w+)", _blocks("sh")[0], re.MULTILINE)
    assert targets == ["demo", "test"]
    assert all(re.search(rf"^{target}: setup", makefile, re.MULTILINE) for target in targets)
