"""The example of a whole site: a cluster of two, live migration between four hosts, a storage node, one apply.

What happened and in which order is read from the lab's own journals.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tests.lab.labs import ROOT, LabRun, running_lab

pytestmark = pytest.mark.slow

SITE = (ROOT / "inventories/lab/site.yaml").read_text(encoding="utf-8").replace("127.20.1", "127.20.0")
STORAGE, FORMER, JOINER, OTHERS = "st01", "hv01", "hv02", ("hv03", "hv04")
HOSTS = (FORMER, JOINER, *OTHERS)
NODES = (STORAGE, *HOSTS)
CLUSTERS = "machine.cluster.cluster:Clusters"
_LONG_S = 240


def _sets(run: LabRun, node: str) -> list[str]:
    return [entry["resource"] for entry in run.journal(node, "resource-set")]


def _apply_watched(run: LabRun) -> dict[str, dict[str, list[str]]]:
    """Apply; give for each node what was set on all nodes when its own first job began.

    Journals are read while the run goes on: clocks of nodes run ahead of each other, since a lab waits for nothing.
    """
    seen: dict[str, dict[str, list[str]]] = {}
    controller = run.spawn("apply", str(run.inventory), "--yes")
    deadline = time.monotonic() + _LONG_S
    while controller.poll() is None:
        assert time.monotonic() < deadline, "the apply did not end"
        for node in NODES:
            if node not in seen and run.count(node, "job-started"):
                seen[node] = {other: _sets(run, other) for other in NODES}
        time.sleep(0.02)
    output, errors = controller.communicate()
    assert controller.returncode == 0, output + errors
    return seen


def _world(run: LabRun) -> dict[str, Any]:
    """What the nodes share, as the lab keeps it."""
    path = run.folder / "labs" / "test" / "world.json"
    world: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return world


def _expect_the_site(run: LabRun) -> None:
    """The cluster, its disks and the delegation are there, by the lab's own state."""
    world = _world(run)
    (cluster,) = world[CLUSTERS]
    assert (cluster["name"], cluster["address"]) == ("clu1", f"{run.network}.90")
    assert cluster["nodes"] == [["HV01", "Up"], ["HV02", "Up"]]
    assert (cluster["quorum"]["resource_type"], cluster["quorum"]["resource_name"]) == (
        "Physical Disk",
        "witness",
    )
    assert {disk["name"]: disk["volume"] for disk in cluster["disks"]} == {"witness": "", "vms": "Volume1"}
    (domain,) = world["machine.directory.domains:Directory"]
    computers = {item["name"].upper(): item for item in domain["computers"].values()}
    for source, target in permutations(HOSTS, 2):
        allowed = {entry.casefold() for entry in computers[source.upper()]["delegates_to"]}
        wanted = f"microsoft virtual system migration service/{target}"
        assert any(entry.startswith(wanted) for entry in allowed), (source, target, allowed)
    again = {node: (run.count(node, "resource-set"), run.count(node, "boot")) for node in NODES}
    done = run.apply(timeout_s=_LONG_S)
    assert done.returncode == 0, done.stdout + done.stderr
    assert again == {node: (run.count(node, "resource-set"), run.count(node, "boot")) for node in NODES}


def _wait(what: str, condition: Callable[[], Any], limit_s: float = 120.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {limit_s} s for {what}"
        time.sleep(0.05)


def test_a_whole_site_comes_up_in_one_apply_in_the_order_its_parts_need(tmp_path: Path) -> None:
    with running_lab(tmp_path, SITE) as run:
        begun = _apply_watched(run)
        done = {node: _sets(run, node) for node in NODES}
        # The storage node before those that log on to it, the former before the one that joins.
        assert begun[FORMER][STORAGE] == done[STORAGE]
        assert begun[JOINER][FORMER] == done[FORMER]
        # Nobody waits for more than it has to.
        assert all(begun[node][STORAGE] != done[STORAGE] for node in OTHERS)
        for node in HOSTS:
            assert "[ComputerDelegation]delegation" in _sets(run, node)
        assert _sets(run, FORMER).count("[Cluster]clu1") == 1
        assert _sets(run, JOINER).count("[Cluster]clu1") == 1
        assert "[ClusterPhysicalDisk]vms" not in _sets(run, JOINER)
        simulated = {entry["simulated"] for node in NODES for entry in run.journal(node, "resource-set")}
        assert simulated == {"specific"}
        _expect_the_site(run)


@pytest.mark.parametrize("moment", ["[iSCSIServerTarget]cluster", "[Cluster]clu1"])
def test_a_controller_killed_in_the_middle_goes_on_where_it_was(tmp_path: Path, moment: str) -> None:
    node = STORAGE if "iSCSI" in moment else FORMER
    with running_lab(tmp_path, SITE, time_scale=0.05) as run:
        controller = run.spawn("apply", str(run.inventory), "--yes")
        _wait(moment, lambda: moment in _sets(run, node))
        controller.send_signal(signal.SIGKILL)
        controller.communicate()
        done = run.apply(timeout_s=_LONG_S)
        assert done.returncode == 0, done.stdout + done.stderr
        for each in NODES:
            sets = _sets(run, each)
            assert len(sets) == len(set(sets)), (each, sets)
        _expect_the_site(run)


def test_when_the_storage_node_fails_only_those_that_need_it_are_skipped(tmp_path: Path) -> None:
    # No drive E: the folder of the virtual disks cannot be made.
    broken = SITE.replace(r"D:\iSCSI", r"E:\iSCSI")
    with running_lab(tmp_path, broken) as run:
        done = run.apply("--json", timeout_s=_LONG_S)
        assert done.returncode == 1
        events = [json.loads(line) for line in done.stdout.splitlines()]
        ends = {
            event["node"]: event
            for event in events
            if event["type"] in {"NodeDone", "NodeFailed", "NodeSkipped"}
        }
        assert {name: event["type"] for name, event in ends.items()} == {
            STORAGE: "NodeFailed",
            FORMER: "NodeSkipped",
            JOINER: "NodeSkipped",
            **dict.fromkeys(OTHERS, "NodeDone"),
        }
        assert "st01" in ends[FORMER]["because"]
        for node in (FORMER, JOINER):
            assert run.journal(node, "job-started") == []
        # Mended, the same inventory brings up the rest.
        run.write(SITE)
        done = run.apply(timeout_s=_LONG_S)
        assert done.returncode == 0, done.stdout + done.stderr
        _expect_the_site(run)
