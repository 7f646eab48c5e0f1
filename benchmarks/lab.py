"""Measure a lab: start of many nodes, memory, sessions per second. Results belong in docs/benchmarks.md.

    python benchmarks/lab.py [--nodes 2000] [--clients 2]

Every node is asked one command by unmodified pypsrp (NTLM, message encryption). The clients run on the same
machine and need more of its time than the lab does: CPU per session of the lab says more than sessions per second.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

PROVISION = [sys.executable, "-m", "provisioner.cli", "lab"]
TICKS = os.sysconf("SC_CLK_TCK")


def lab(environment: dict[str, str], *arguments: str) -> str:
    """Run a verb of the lab."""
    done = subprocess.run(
        [*PROVISION, *arguments], env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout


def resident_mib(pid: int) -> float:
    """Memory of a process now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu_s(pid: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def ask_all(nodes: list[tuple[str, int]], password: str) -> int:
    """Open a session on each node, run one command, close it."""
    warnings.simplefilter("ignore")
    answered = 0
    for address, port in nodes:
        wsman = WSMan(
            address,
            port=port,
            ssl=False,
            auth="ntlm",
            encryption="always",
            username="provisioner",
            password=password,
        )
        with wsman, RunspacePool(wsman) as pool:
            shell = PowerShell(pool)
            shell.add_cmdlet("Get-Service").add_parameter("Name", "WinRM")
            answered += len(shell.invoke()) == 1
    return answered


def measure(count: int, clients: int, shards: int) -> None:
    """Print one row for a lab of ``count`` nodes."""
    with tempfile.TemporaryDirectory() as name:
        environment = os.environ | {"PROVISIONER_LAB_HOME": name}
        before = time.monotonic()
        lab(environment, "up", "--count", str(count), "--shards", str(shards))
        started_s = time.monotonic() - before
        try:
            status: dict[str, Any] = json.loads(lab(environment, "status", "lab", "--json"))
            pid = int(status["pid"])
            password = (Path(name) / "lab" / ".secrets" / "password").read_text(encoding="utf-8").strip()
            idle_mib, used_s = resident_mib(pid), cpu_s(pid)
            nodes = [(node["address"], node["port"]) for node in status["nodes"]]
            before = time.monotonic()
            with ProcessPoolExecutor(clients) as pool:
                shares = [nodes[number::clients] for number in range(clients)]
                answered = sum(pool.map(ask_all, shares, [password] * clients))
            asked_s = time.monotonic() - before
            assert answered == count, f"{count - answered} nodes did not answer"
            session_ms = (cpu_s(pid) - used_s) * shards / count * 1000
            print(
                f"| {count} | {shards} | {started_s:.2f} | {idle_mib:.0f} | {resident_mib(pid):.0f} "
                f"| {count / asked_s:.0f} | {session_ms:.1f} |",
                flush=True,
            )
        finally:
            lab(environment, "down", "lab")


def main() -> None:
    """Run all sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", default="50,500,2000")
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--shards", type=int, default=1)
    chosen = parser.parse_args()
    print("| nodes | processes | start s | MiB idle | MiB after | sessions/s | lab CPU ms/session |")
    print("|---|---|---|---|---|---|---|")
    for count in chosen.nodes.split(","):
        measure(int(count), chosen.clients, chosen.shards)


if __name__ == "__main__":
    main()
