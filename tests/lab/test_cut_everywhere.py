"""The connection is cut once at each message of an apply: every node converges, and no leg has two jobs.

Many nodes, each behind a proxy that loses another message, half of them on the way there and half on the way back.
What happened is read from the lab's own records.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.lab.cutting import Cut, Cutter, cutting
from tests.lab.labs import EXAMPLE, LabRun, running_lab
from tests.networks import own_network

pytestmark = pytest.mark.slow

#: An apply with one reboot and its checks has about this many messages. Every fourth is cut, to save time.
_MESSAGES = 90
_CUTS = [(number, Cut.REQUEST) for number in range(1, _MESSAGES, 4)] + [
    (number, Cut.ANSWER) for number in range(3, _MESSAGES, 4)
]


def _inventory(count: int) -> str:
    """Return hosts without the agent: one reboot, little else."""
    head = EXAMPLE.read_text(encoding="utf-8").split("\nnodes:")[0]
    head = head.replace("[hyperv_vswitch, nova_compute]", "[hyperv_vswitch]")
    head = re.sub(r"(?m)^      openstack_runtime_installer:\n(?:        .*\n)+", "", head)
    # Short enough that a wait for something that never comes fails the test.
    head = head.replace("  port: 15985", "  port: 15985\n  reconnect_timeout: 40\n  reboot_timeout: 40")
    nodes = "\n".join(
        f"  n{n:03}: {{address: 127.20.0.{n}, groups: [compute], "
        # Without it the pool follows from the address, which is another one behind the proxy.
        f'variables: {{hyperv_mac_pool: "00155D00{n:02X}"}}, '
        f'connection: {{user: tester, password: "env:LAB_PASSWORD"}}}}'
        for n in range(1, count + 1)
    )
    return f"{head}\n\nnodes:\n{nodes}\n"


def test_a_message_lost_anywhere_costs_no_node_and_no_second_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_PASSWORD", "Cut-Everywhere-1!")
    text = _inventory(len(_CUTS))
    with running_lab(tmp_path, text) as run:
        proxies = own_network()
        cutters = {
            f"n{n:03}": Cutter(f"{proxies}.{n}", f"{run.network}.{n}", 15985, number, cut)
            for n, (number, cut) in enumerate(_CUTS, start=1)
        }
        run.inventory.write_text(text.replace("127.20.0", proxies), encoding="utf-8")
        with cutting(list(cutters.values())):
            done = run.apply("--parallel", "30")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        assert sum(cutter.has_cut for cutter in cutters.values()) > 0.8 * len(cutters)
        for node, cutter in cutters.items():
            jobs = [entry["job"] for entry in run.journal(node, "job-started")]
            story = f"{cutter.cut.value} {cutter.number} of {node} was lost"
            assert run.count(node, "boot") == 1, story
            assert len(jobs) == len(set(jobs)) == 2, story
        _nothing_left_to_do(run, text)


def _nothing_left_to_do(run: LabRun, text: str) -> None:
    run.write(text)
    again = run.apply("--parallel", "30")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "0 with changes · 0 reboots" in again.stdout
