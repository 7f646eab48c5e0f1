"""Measure apply and no-op re-run on simulated fleets, and compile time. Results belong in docs/benchmarks.md.

    python benchmarks/fleet.py [--nodes 5,50,200] [--parallel 50]

Simulated durations are zero, so what is measured is the controller, the wire and the lab itself; both run on this
machine. CPU and memory are the controller process's own (wait4); round trips are counted by the lab.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[1] / "inventories" / "lab" / "inventory.yaml"
PROVISION = [sys.executable, "-m", "provisioner.cli"]


@dataclass(frozen=True)
class Measure:
    """One run of the controller."""

    wall_s: float
    cpu_s: float
    peak_mib: float
    code: int


def write_inventory(folder: Path, count: int) -> Path:
    """Write an inventory of ``count`` nodes: the example's groups, three compute nodes to two storage nodes."""
    head = EXAMPLE.read_text(encoding="utf-8").split("\nnodes:")[0]
    lines = [head, "", "nodes:"]
    for number in range(count):
        group, name = ("compute", f"hv{number:04}") if number % 5 < 3 else ("storage", f"st{number:04}")
        address = f"127.77.{number // 200}.{number % 200 + 1}"
        lines.append(
            f"  {name}: {{address: {address}, groups: [{group}], "
            f'connection: {{user: bench, password: "env:BENCH_PASSWORD"}}}}'
        )
    path = folder / "inventory.yaml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def run(arguments: list[str], environment: dict[str, str]) -> Measure:
    """Run the controller once and account for its own process."""
    start = time.monotonic()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        process = subprocess.Popen(  # the program is this checkout's own
            [*PROVISION, *arguments], env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        code = os.waitstatus_to_exitcode(status)
        if code:
            output.seek(0)
            lines = output.readlines()
            failed = [line for line in lines if "NodeFailed" in line or '"outcome": "failed"' in line]
            print("".join((failed or lines)[-20:]), file=sys.stderr)
    return Measure(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, code)


def requests(environment: dict[str, str]) -> int:
    """Ask the lab how many HTTP requests its nodes have answered."""
    done = subprocess.run(
        [*PROVISION, "lab", "status", "bench", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return sum(int(node["requests"]) for node in json.loads(done.stdout)["nodes"])


def measure_fleet(count: int, parallel: int) -> None:
    """Print one row per run for a fleet of ``count`` nodes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inventory = str(write_inventory(folder, count))
        environment = os.environ | {
            "PROVISIONER_LAB_HOME": str(folder / "labs"),
            "BENCH_PASSWORD": "bench-Passw0rd!",
        }
        subprocess.run(
            [*PROVISION, "lab", "up", inventory, "--name", "bench", "--time-scale", "0"],
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        try:
            # The lab has written the certificates that credentials are encrypted to.
            compiled = run(["compile", inventory, "-o", str(folder / "out")], environment)
            cpu_ms = compiled.cpu_s / count * 1000
            print(
                f"| compile | {count} | {compiled.wall_s:.2f} | {cpu_ms:.1f} | - | {compiled.peak_mib:.0f} |"
            )
            for label in ("apply", "apply again"):
                before = requests(environment)
                done = run(["apply", inventory, "--yes", "--json", "--parallel", str(parallel)], environment)
                trips = (requests(environment) - before) / count
                failed = "" if done.code == 0 else f" (exit {done.code})"
                print(
                    f"| {label}{failed} | {count} | {done.wall_s:.2f} | {done.cpu_s / count * 1000:.0f} "
                    f"| {trips:.0f} | {done.peak_mib:.0f} |",
                    flush=True,
                )
        finally:
            subprocess.run(
                [*PROVISION, "lab", "down", "bench"], env=environment, check=True, stdout=subprocess.DEVNULL
            )


def main() -> None:
    """Run all sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", default="5,50,200")
    parser.add_argument("--parallel", type=int, default=50)
    chosen = parser.parse_args()
    print("| run | nodes | wall s | controller CPU ms/node | round trips/node | peak MiB |")
    print("|---|---|---|---|---|---|")
    for count in chosen.nodes.split(","):
        measure_fleet(int(count), chosen.parallel)


if __name__ == "__main__":
    main()
