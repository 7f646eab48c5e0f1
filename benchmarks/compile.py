"""Measure how long a generated fleet takes to compile. Results belong in docs/benchmarks.md.

    python benchmarks/compile.py [--nodes 10,100,1000,5490] [--resources 100] [--specific 20] [--jobs N]

One role holds all resources, of ten types of two modules. ``--specific`` is the share of them, in percent,
with values no two nodes have in common; the others hold literals and values of the site and of groups. Measured
are: *cold* (new output folder, empty cache), *warm* (nothing changed since), and *one changed* (one variable of
one node). CPU is that of all processes together; memory is the largest sum over all processes of what each has
resident, and of its proportional share (PSS), which counts pages that workers share once.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PROVISION = [sys.executable, "-m", "provisioner.cli"]
GROUPS = 20

ROLE = """\
description: A generated role with many resources.
variables:
  number: {type: integer, required: true, description: Number of the node.}
  asset: {type: string, required: true, description: Asset tag of the node.}
  rack: {type: string, required: true, description: Rack of the group.}
  domain: {type: string, required: true, description: DNS domain of the site.}
modules: {PSDscResources: "2.12.0.0", xHyper-V: "3.18.0", ComputerManagementDsc: "10.0.0"}
configurations: [fleet]
"""

#: (type, properties of a shared entry, properties of a node-specific entry); %d is the number of the entry.
KINDS = [
    (
        "PSDscResources/Registry",
        "Key: 'HKLM:\\SOFTWARE\\Fleet\\P%d', ValueName: V%d, ValueData: ['1'], ValueType: DWord, Force: true",
        "Key: 'HKLM:\\SOFTWARE\\Fleet\\P%d', ValueName: V%d, ValueData: ['{{ number * 7 }}'], ValueType: DWord",
    ),
    (
        "PSDscResources/Service",
        "Name: Service%d, StartupType: Automatic, State: Running, Description: 'Service %d of {{ domain }}'",
        "Name: Service%d, StartupType: Automatic, State: Running, Description: 'Service %d of {{ asset }}'",
    ),
    (
        "PSDscResources/Environment",
        "Name: FLEET_%d, Value: '{{ rack }}-%d', Ensure: Present, Target: [Machine]",
        "Name: FLEET_%d, Value: '{{ node.name }}-%d', Ensure: Present, Target: [Machine]",
    ),
    (
        "PSDscResources/WindowsFeature",
        "Name: Feature-%d, Ensure: Present, IncludeAllSubFeature: true, LogPath: 'C:\\Logs\\feature-%d.log'",
        "Name: Feature-%d, Ensure: Present, LogPath: 'C:\\Logs\\{{ asset | lower }}-%d.log'",
    ),
    (
        "PSDscResources/Group",
        "GroupName: Group%d, Description: 'Group %d', MembersToInclude: [Administrator, Guest], Ensure: Present",
        "GroupName: Group%d, Description: 'Group %d', MembersToInclude: ['{{ asset }}', Guest], Ensure: Present",
    ),
    (
        "PSDscResources/Script",
        "GetScript: '@{}', TestScript: 'Test-Path C:\\Fleet\\%d', SetScript: 'New-Item C:\\Fleet\\%d'",
        "GetScript: '@{}', TestScript: 'Test-Path C:\\Fleet\\%d', SetScript: 'New-Item C:\\{{ asset }}\\%d'",
    ),
    (
        "xHyper-V/xVMSwitch",
        "Name: Switch%d, Type: External, NetAdapterName: [Ethernet%d], AllowManagementOS: true, Ensure: Present",
        "Name: Switch%d, Type: Private, Id: '{{ asset }}-%d', Ensure: Present",
    ),
    (
        "xHyper-V/xVHD",
        "Name: disk%d, Path: 'D:\\Disks\\%d', Generation: Vhdx, MaximumSizeBytes: 10737418240, Ensure: Present",
        "Name: disk%d, Path: 'D:\\Disks\\%d', MaximumSizeBytes: '{{ 2 ** 30 + number * 2 ** 20 }}'",
    ),
    (
        "PSDscResources/WindowsOptionalFeature",
        "Name: Optional-%d, Ensure: Present, NoWindowsUpdateCheck: true, LogPath: 'C:\\Logs\\optional-%d.log'",
        "Name: Optional-%d, Ensure: Present, LogPath: 'C:\\Logs\\{{ \"%%05d-%d\" %% number }}.log'",
    ),
    (
        "PSDscResources/User",
        "UserName: user%d, FullName: 'User %d at {{ domain }}', Disabled: false, Ensure: Present",
        "UserName: user%d, FullName: 'User %d of {{ node.name }}', Disabled: '{{ number is odd }}'",
    ),
]


@dataclass(frozen=True)
class Measure:
    """One run, all of its processes together."""

    wall_s: float
    cpu_s: float
    resident_mib: float
    shared_fairly_mib: float


def write_fleet(folder: Path, nodes: int, resources: int, specific: int) -> Path:
    """Write a project with one inventory, one role and its configuration."""
    entries = []
    for number in range(resources):
        kind, shared, own = KINDS[number % len(KINDS)]
        # Spread over the list and over the kinds alike.
        is_own = (number * specific) // 100 != ((number + 1) * specific) // 100
        written = (own if is_own else shared) % (number, number)
        entry = f"  - name: r{number:03}\n    type: {kind}\n    properties: {{{written}}}\n"
        if number % 3 == 2:
            before = KINDS[(number - 1) % len(KINDS)][0].partition("/")[2]
            entry += f"    dependsOn: '[{before}]r{number - 1:03}'\n"
        entries.append(entry)
    groups = "".join(
        f"  rack{number}: {{roles: [fleet], variables: {{rack: R{number:02}}}}}\n" for number in range(GROUPS)
    )
    hosts = "".join(_node(number) for number in range(nodes))
    files = {
        "roles/fleet/role.yaml": ROLE,
        "dsc_configs/fleet.dsc.yaml": "resources:\n" + "".join(entries),
        "inventory.yaml": (
            "site: bench\nvariables: {domain: example.org}\n"
            "connection: {user: bench, password: 'env:BENCH_PASSWORD'}\n"
            f"groups:\n{groups}nodes:\n{hosts}"
        ),
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "inventory.yaml"


def _node(number: int, asset: str = "") -> str:
    address = f"10.{number // 62500}.{number // 250 % 250}.{number % 250 + 1}"
    return (
        f"  n{number:05}: {{address: {address}, groups: [rack{number % GROUPS}], "
        f"variables: {{number: {number}, asset: {asset or f'AT-{number * 37:07}'}}}}}\n"
    )


def run(arguments: list[str]) -> Measure:
    """Run the command once and watch all of its processes."""
    start = time.monotonic()
    before = os.times()
    process = subprocess.Popen(
        [*PROVISION, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    resident = fair = 0.0
    while process.poll() is None:
        now = _memory(process.pid)
        resident, fair = max(resident, now[0]), max(fair, now[1])
        time.sleep(0.05)
    wall = time.monotonic() - start
    assert process.stderr is not None
    errors = process.stderr.read()
    if process.returncode:
        sys.exit(f"{arguments} ended with {process.returncode}:\n{errors[-2000:]}")
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Measure(wall, cpu, resident, fair)


def _memory(pid: int) -> tuple[float, float]:
    """Return what a process and its children have resident, and their proportional share, in MiB."""
    resident = fair = 0.0
    pending = [pid]
    while pending:
        each = pending.pop()
        try:
            sizes = dict(
                line.split(":", 1) for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()[1:]
            )
            resident += int(sizes["Rss"].split()[0]) / 1024
            fair += int(sizes["Pss"].split()[0]) / 1024
            for task in Path(f"/proc/{each}/task").iterdir():
                pending += [int(child) for child in (task / "children").read_text().split()]
        except (OSError, KeyError, IndexError):
            continue  # it ended in between
    return resident, fair


def measure(nodes: int, resources: int, specific: int, options: list[str], parent: Path | None) -> None:
    """Print one row for each of cold, warm and one node changed."""
    with tempfile.TemporaryDirectory(dir=parent) as name:
        folder = Path(name)
        inventory = write_fleet(folder, nodes, resources, specific)
        command = ["compile", str(inventory), "-o", str(folder / "out"), *options]
        for label in ("cold", "warm", "one changed"):
            if label == "one changed":
                text = inventory.read_text(encoding="utf-8")
                changed = text.replace(_node(nodes // 2), _node(nodes // 2, "AT-changed"))
                assert changed != text
                inventory.write_text(changed, encoding="utf-8")
            done = run(command)
            each = done.cpu_s / nodes / resources * 1e6
            print(
                f"| {label} | {nodes} | {specific} % | {done.wall_s:.2f} | {done.cpu_s:.2f} | {each:.0f} "
                f"| {done.resident_mib:.0f} | {done.shared_fairly_mib:.0f} |",
                flush=True,
            )
        validated = run(["validate", str(inventory)])
        print(
            f"| validate | {nodes} | {specific} % | {validated.wall_s:.2f} | {validated.cpu_s:.2f} | "
            f"{validated.cpu_s / nodes / resources * 1e6:.0f} "
            f"| {validated.resident_mib:.0f} | {validated.shared_fairly_mib:.0f} |",
            flush=True,
        )
        shutil.rmtree(folder / "out")


def main() -> None:
    """Run all sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", default="10,100,1000,5490")
    parser.add_argument("--resources", type=int, default=100)
    parser.add_argument(
        "--specific", type=int, default=20, help="percent of resources with a node's own values"
    )
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder is made in it")
    chosen, options = parser.parse_known_args()
    print("| run | nodes | specific | wall s | CPU s | CPU µs/resource | resident MiB | PSS MiB |")
    print("|---|---|---|---|---|---|---|---|")
    for count in chosen.nodes.split(","):
        measure(int(count), chosen.resources, chosen.specific, options, chosen.folder)


if __name__ == "__main__":
    main()
