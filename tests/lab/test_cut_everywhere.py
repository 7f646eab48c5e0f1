"""The connection is cut at each message of a whole apply: every node converges, and no leg has two jobs.

Many nodes, each behind a proxy that cuts another message. What happened is read from the lab's own records.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.lab.cutting import Cut, Cutter, cutting
from tests.lab.labs import EXAMPLE, LabRun, own_network, running_lab

pytestmark = pytest.mark.slow

#: An apply with one reboot has about this many messages; each node loses one of them.
_FIRST = int(os.environ.get("CUT_FIRST", "1"))
_LAST = int(os.environ.get("CUT_LAST", "150"))
_STEP = int(os.environ.get("CUT_STEP", "3"))


def _inventory(count: int) -> str:
    head = EXAMPLE.read_text(encoding="utf-8").split("\nnodes:")[0]
    head = head.replace("roles: [hyperv_host, nova_compute]", "roles: [hyperv_host]")
    head = head.replace("  port: 15985", "  port: 15985\n  reconnect_timeout: 30\n  reboot_timeout: 60")
    head = "\n".join(line for line in head.splitlines() if "nova_msi" not in line)
    nodes = "\n".join(
        f"  n{n:03}: {{address: 127.20.0.{n}, groups: [compute], "
        f'connection: {{user: tester, password: "env:LAB_PASSWORD"}}}}'
        for n in range(1, count + 1)
    )
    return f"{head}\n\nnodes:\n{nodes}\n"


@pytest.mark.parametrize("cut", list(Cut))
def test_a_cut_at_any_message_ends_converged_without_a_second_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: Cut
) -> None:
    monkeypatch.setenv("LAB_PASSWORD", "Cut-Everywhere-1!")
    numbers = range(_FIRST, _LAST + 1, _STEP)
    text = _inventory(len(numbers))
    with running_lab(tmp_path, text) as run:
        proxies = own_network()
        cutters = [
            Cutter(f"{proxies}.{n}", f"{run.network}.{n}", 15985, number, cut)
            for n, number in enumerate(numbers, start=1)
        ]
        run.inventory.write_text(text.replace("127.20.0", proxies), encoding="utf-8")
        with cutting(cutters):
            done = run.apply("--json", "--parallel", "25")
            again = run.apply("--json", "--parallel", "25")
        events = [json.loads(line) for line in done.stdout.splitlines()]
        Path("/tmp/w/cut-events.jsonl").write_text(done.stdout)
        failed = {event["node"]: event for event in events if event["type"] == "NodeFailed"}
        story = [
            f"{cutter.number} {cutter.has_cut} seen={cutter.seen}: {failed.get(f'n{n:03}')} {_jobs(run, n)}"
            for n, cutter in enumerate(cutters, start=1)
        ]
        Path(f"/tmp/w/cut-story-{cut.value}.txt").write_text("\n".join(story))
        assert "Traceback" not in done.stderr
        assert done.returncode == 0, failed
        assert any(cutter.has_cut for cutter in cutters)
        for n, _cutter in enumerate(cutters, start=1):
            started = [entry["job"] for entry in run.journal(f"n{n:03}", "job-started")]
            assert len(started) == len(set(started)) == run.count(f"n{n:03}", "boot") + 1, story[n - 1]
        assert again.returncode == 0, again.stdout[-2000:]


def _jobs(run: LabRun, n: int) -> str:
    return f"jobs={run.count(f'n{n:03}', 'job-started')} boots={run.count(f'n{n:03}', 'boot')}"
