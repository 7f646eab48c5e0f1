"""A lab and a controller in a folder of their own: what every whole-run test starts from.

Everything runs as separate processes, as people run it. What happened is read from the lab's own records
(``journal.jsonl`` and ``state/`` of each node), never only from the controller's output.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from tests.networks import own_network

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "inventories" / "lab" / "inventory.yaml"


class LabRun:
    """One lab with its inventory, project folder and state. Use ``running_lab``."""

    def __init__(self, folder: Path, inventory: str, time_scale: float = 0.0) -> None:
        self.folder = folder
        self.time_scale = time_scale
        self.network = own_network()
        self.inventory = folder / "inventory.yaml"
        self.write(inventory)
        self.environment = os.environ | {
            "PROVISIONER_LAB_HOME": str(folder / "labs"),
            "PYTHONWARNINGS": "default",
            "NO_COLOR": "1",
            "COLUMNS": "160",
        }

    def write(self, inventory: str) -> None:
        """(Re)write the inventory with addresses of this lab's own network."""
        self.inventory.write_text(inventory.replace("127.20.0", self.network), encoding="utf-8")

    def provision(
        self, *arguments: str, timeout_s: float = 110, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the controller to its end."""
        return subprocess.run(
            [sys.executable, "-m", "provisioner.cli", *arguments],
            cwd=self.folder,
            env=self.environment | (environment or {}),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def spawn(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the controller and leave it running."""
        return subprocess.Popen(
            [sys.executable, "-m", "provisioner.cli", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    def up(self) -> None:
        """Start the lab; its name is ``test``."""
        scale = str(self.time_scale)
        done = self.provision("lab", "up", str(self.inventory), "--name", "test", "--time-scale", scale)
        assert done.returncode == 0, done.stderr

    def down(self) -> None:
        """Stop the lab."""
        self.provision("lab", "down", "test")

    def apply(self, *more: str, **how: Any) -> subprocess.CompletedProcess[str]:
        """``provision apply --yes`` on the inventory."""
        return self.provision("apply", str(self.inventory), "--yes", *more, **how)

    def verify(self, *more: str) -> subprocess.CompletedProcess[str]:
        """``provision verify`` on the inventory."""
        return self.provision("verify", str(self.inventory), *more)

    def status(self) -> dict[str, dict[str, Any]]:
        """What the lab says of each node."""
        done = self.provision("lab", "status", "test", "--json")
        assert done.returncode == 0, done.stderr
        return {node["name"]: node for node in json.loads(done.stdout)["nodes"]}

    def journal(self, node: str, kind: str | None = None) -> list[dict[str, Any]]:
        """What happened to a node, by its own record; only one ``kind`` if given."""
        path = self.folder / "labs" / "test" / "nodes" / node / "journal.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        entries = [json.loads(line) for line in lines]
        return [entry for entry in entries if kind is None or entry["kind"] == kind]

    def count(self, node: str, kind: str) -> int:
        """How often something happened to a node."""
        return len(self.journal(node, kind))

    def machine(self, node: str) -> dict[str, Any]:
        """The state of a node's machine, as the lab keeps it."""
        folder = self.folder / "labs" / "test" / "nodes" / node / "state"
        return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")}

    def invoke(self, node: str, user: str, command: str, **parameters: object) -> PowerShell:
        """Run one command on a node with unmodified pypsrp, as somebody else's tool would."""
        status = self.status()[node]
        wsman = WSMan(
            status["address"],
            port=status["port"],
            ssl=False,
            auth="ntlm",
            encryption="always",
            username=user,
            password=self.password(node),
        )
        with wsman, RunspacePool(wsman) as pool:
            shell = PowerShell(pool)
            shell.add_cmdlet(command)
            for name, value in parameters.items():
                shell.add_parameter(name, value)
            shell.invoke()
        return shell

    def output_of(self, node: str, user: str, command: str, **parameters: object) -> list[Any]:
        """What a command gave; it must not have had an error."""
        shell = self.invoke(node, user, command, **parameters)
        assert not shell.had_errors, [str(error) for error in shell.streams.error]
        return list(shell.output)

    def errors_of(self, node: str, user: str, command: str, **parameters: object) -> list[Any]:
        """The error records a command wrote."""
        return list(self.invoke(node, user, command, **parameters).streams.error)

    def password(self, node: str) -> str:
        """The password the lab made for a node."""
        return (self.folder / ".secrets" / node).read_text(encoding="utf-8").strip()


def wait_for(what: str, condition: Callable[[], Any], limit_s: float = 100.0) -> None:
    """Look again and again until a condition holds. Only what hangs takes as long as the limit."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {limit_s} s for {what}"
        time.sleep(0.05)


def many_nodes(count: int) -> str:
    """Give the inventory of so many nodes, compute and storage in turn, with the password of ``LAB_PASSWORD``."""
    head = EXAMPLE.read_text(encoding="utf-8").split("\nnodes:")[0]
    nodes = "\n".join(
        f"  n{number:03}: {{address: 127.20.0.{number}, groups: [{'compute' if number % 2 else 'storage'}], "
        'connection: {user: tester, password: "env:LAB_PASSWORD"}}'
        for number in range(1, count + 1)
    )
    return f"{head}\n\nnodes:\n{nodes}\n"


@contextmanager
def running_lab(folder: Path, inventory: str | None = None, time_scale: float = 0.0) -> Iterator[LabRun]:
    """Give a running lab of the example inventory, or of the given text; take it down afterwards."""
    text = EXAMPLE.read_text(encoding="utf-8") if inventory is None else inventory
    run = LabRun(folder, text, time_scale)
    run.up()
    try:
        yield run
    finally:
        run.down()
