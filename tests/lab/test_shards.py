"""A lab in several processes is one lab to whoever asks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from tests.networks import own_network


class Sharded:
    """A lab of six nodes in three processes, steered as people do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.network = own_network()
        self.environment = os.environ | {"PROVISIONER_LAB_HOME": str(folder / "labs"), "LAB_PASSWORD": "pw"}
        nodes = "".join(f"  n{number}: {{address: {self.network}.{number}}}\n" for number in range(1, 7))
        self.inventory = folder / "inventory.yaml"
        self.inventory.write_text(
            "site: lab\nconnection: {port: 15985, user: provisioner, password: 'env:LAB_PASSWORD'}\n"
            f"nodes:\n{nodes}",
            encoding="utf-8",
        )

    def lab(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "provisioner.cli", "lab", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def up(self) -> subprocess.CompletedProcess[str]:
        return self.lab("up", str(self.inventory), "--name", "sharded", "--shards", "3")

    def status(self) -> dict[str, Any]:
        done = self.lab("status", "sharded", "--json")
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def family(self) -> list[int]:
        """The processes of the lab."""
        first = self.status()["pid"]
        children = Path(f"/proc/{first}/task/{first}/children").read_text(encoding="utf-8").split()
        return [first, *map(int, children)]

    def name_of(self, number: int) -> str:
        """What a node calls itself, asked with a client that is not ours."""
        wsman = WSMan(
            f"{self.network}.{number}",
            port=15985,
            ssl=False,
            auth="ntlm",
            username="provisioner",
            password="pw",
        )
        with wsman, RunspacePool(wsman) as pool:
            shell = PowerShell(pool)
            shell.add_cmdlet("Get-CimInstance").add_parameter("ClassName", "Win32_ComputerSystem")
            return str(shell.invoke()[0].adapted_properties["Name"])


@pytest.fixture
def sharded(tmp_path: Path) -> Iterator[Sharded]:
    made = Sharded(tmp_path)
    done = made.up()
    assert done.returncode == 0, done.stderr
    yield made
    made.lab("down", "sharded")


def gone(pids: list[int]) -> bool:
    """Whether all these processes end within ten seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not any(Path(f"/proc/{pid}/cmdline").exists() and is_running(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def is_running(pid: int) -> bool:
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False


def test_all_nodes_answer_and_one_status_shows_them(sharded: Sharded) -> None:
    assert [node["name"] for node in sharded.status()["nodes"]] == ["n1", "n2", "n3", "n4", "n5", "n6"]
    assert [sharded.name_of(number) for number in range(1, 7)] == ["N1", "N2", "N3", "N4", "N5", "N6"]
    assert len(sharded.family()) == 3


def test_a_node_of_any_process_can_be_steered(sharded: Sharded) -> None:
    for node in ("n1", "n2", "n3"):
        assert sharded.lab("cut", node, "--name", "sharded").returncode == 0
    assert [node["cut"] for node in sharded.status()["nodes"]] == [True] * 3 + [False] * 3
    assert sharded.lab("cut", "n9", "--name", "sharded").returncode != 0


def test_taking_it_down_ends_all_processes_and_it_comes_up_again(sharded: Sharded) -> None:
    pids = sharded.family()
    assert sharded.lab("down", "sharded").returncode == 0
    assert gone(pids)
    assert sharded.up().returncode == 0


def test_killing_the_first_process_ends_the_others(sharded: Sharded) -> None:
    pids = sharded.family()
    os.kill(pids[0], signal.SIGKILL)
    assert gone(pids)
    assert sharded.up().returncode == 0


def test_an_address_that_is_taken_in_another_process_is_named(sharded: Sharded, tmp_path: Path) -> None:
    before = sharded.family()
    again = sharded.lab("up", str(sharded.inventory), "--name", "second", "--shards", "3")
    assert again.returncode != 0
    assert f"{sharded.network}." in again.stderr
    assert sharded.family() == before
