"""A fleet gives the same bytes however the work is shared, and whatever ends a process on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from provisioner.addresses import NodeName
from provisioner.errors import InputError, ProvisionerError, WorkerLost
from provisioner.project import CompileRequest, Project, workers
from provisioner.project.compiler import NodeCompiler
from provisioner.project.staging import Staging
from tests.compiling import REPOSITORY
from tests.unit.project.fleets import FILES, compiled, contents, made, many_nodes, write_files

PROVISION = [sys.executable, "-m", "provisioner.cli"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(REPOSITORY)}
COUNT = 90


def test_the_work_of_these_tests_is_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = []
    share = workers.share

    def counting(work: Any, portions: Any, count: int) -> Any:
        counts.append(count)
        return share(work, portions, count)

    monkeypatch.setattr(workers, "share", counting)
    compiled(many_nodes(tmp_path, COUNT), jobs=2)
    assert counts == [2]


@pytest.mark.slow
def test_documents_are_the_same_bytes_for_any_number_of_processes_hash_seed_and_cache(tmp_path: Path) -> None:
    inventory = many_nodes(tmp_path, COUNT)
    formats = ("--format", "mof,ps1,dsc3-yaml,dsc3-json")
    trees = []
    for seed, jobs, more in [("0", "1", ()), ("1", "2", ()), ("2", "3", ("--no-cache",)), ("3", "2", ())]:
        output = tmp_path / f"out{seed}"
        done = subprocess.run(
            [*PROVISION, "compile", str(inventory), "-o", str(output), "--jobs", jobs, *more, *formats],
            env=ENVIRONMENT | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        trees.append(contents(output))
    assert len(trees[0]) == COUNT * 5
    assert all(tree == trees[0] for tree in trees)


def test_memory_shared_by_nodes_makes_no_difference_to_a_node_alone(tmp_path: Path) -> None:
    inventory = many_nodes(tmp_path, 30)
    compiled(inventory, use_cache=False)
    for name in ("n000", "n007", "n029"):
        request = CompileRequest(tmp_path / "alone", name, use_cache=False)
        Project(tmp_path).write(inventory, request)
    alone = contents(tmp_path / "alone")
    assert len(alone) == 6
    assert alone.items() <= contents(tmp_path / "out").items()


def test_problems_of_all_nodes_come_at_once_and_nothing_is_replaced(tmp_path: Path) -> None:
    good = many_nodes(tmp_path, COUNT)
    compiled(good, jobs=2)
    before = contents(tmp_path / "out")
    bad = "".join(
        f"  b{number}: {{address: 203.0.113.{number}, groups: [west], variables: {{port: no{number}}}}}\n"
        for number in range(20)
    )
    inventory = many_nodes(tmp_path, COUNT, bad)
    told = []
    for jobs in (1, 2):
        with pytest.raises(InputError) as caught:
            compiled(inventory, jobs=jobs)
        told.append(caught.value.problems)
        assert contents(tmp_path / "out") == before
    assert len(told[0]) == 20
    assert told[0] == told[1]


def test_a_worker_that_dies_is_an_error_and_nothing_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inventory = many_nodes(tmp_path, COUNT)
    compiled(inventory)
    before = contents(tmp_path / "out")
    honest = NodeCompiler.compile

    def deadly(self: NodeCompiler, name: NodeName, *args: Any, **kwargs: Any) -> Any:
        if name == "n042":
            os.kill(os.getpid(), signal.SIGKILL)
        return honest(self, name, *args, **kwargs)

    monkeypatch.setattr(NodeCompiler, "compile", deadly)
    with pytest.raises(WorkerLost, match="signal 9") as caught:
        compiled(inventory, jobs=2, use_cache=False)
    assert "--jobs 1" in caught.value.help
    assert contents(tmp_path / "out") == before


class OddError(Exception):
    """An exception that cannot be sent: it takes more than it keeps."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one + two)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ZeroDivisionError("by zero"), ZeroDivisionError),
        (OddError("by ", "zero"), RuntimeError),
        (ProvisionerError("by zero"), ProvisionerError),
        (OSError(28, "by zero"), OSError),
    ],
)
def test_what_a_worker_raises_is_raised_here(error: Exception, kind: type[Exception]) -> None:
    def work(_portion: int) -> int:
        raise error

    with pytest.raises(kind, match="by zero"):
        list(workers.share(work, [1, 2, 3], 2))


def test_every_portion_is_done_once_by_whoever_is_free() -> None:
    def work(portion: int) -> tuple[int, int]:
        time.sleep(0.001 * (portion % 3))
        return portion, os.getpid()

    results = list(workers.share(work, range(200), 3))
    assert sorted(portion for portion, _ in results) == list(range(200))
    assert 1 < len({process for _, process in results}) <= 3
    assert os.getpid() not in {process for _, process in results}


def test_workers_end_when_nobody_wants_their_results_any_more() -> None:
    results = workers.share(lambda portion: (portion, os.getpid()), range(100), 2)
    _, process = next(results)
    results.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


# --- killed, interrupted, and two at once --------------------------------------------------------------------


def _begin(inventory: Path, output: Path, *more: str) -> subprocess.Popen[bytes]:
    """Start a compile and wait until documents wait in its staging folder."""
    process = subprocess.Popen(
        [*PROVISION, "compile", str(inventory), "-o", str(output), "--jobs", "2", *more],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    for _ in range(3000):
        if process.poll() is not None or any(output.glob(".provision-*/*.mof")):
            return process
        time.sleep(0.005)
    raise AssertionError("nothing was written")


def _slow_fleet(folder: Path) -> Path:
    """Write a fleet that keeps two processes busy for a while."""
    resources = "".join(
        f"  - {{name: r{number}, type: PSDscResources/Environment, properties: {{Name: E{number}, "
        f"Value: '{{{{ node.name }}}}'}}}}\n"
        for number in range(60)
    )
    inventory = many_nodes(folder, 250)
    base = FILES["dsc_configs/base.dsc.yaml"]
    (folder / "dsc_configs/base.dsc.yaml").write_text(base + resources, encoding="utf-8")
    return inventory


def _group_is_gone(group: int) -> bool:
    for _ in range(1000):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False


@pytest.mark.slow
def test_a_compile_that_was_killed_leaves_the_old_documents_and_the_next_one_is_right(tmp_path: Path) -> None:
    inventory = _slow_fleet(tmp_path)
    output = tmp_path / "out"
    compiled(inventory, jobs=2)
    changed = (tmp_path / "roles/base/templates/motd.txt").read_text() + "more\n"
    (tmp_path / "roles/base/templates/motd.txt").write_text(changed)
    before = contents(output)
    process = _begin(inventory, output)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert _group_is_gone(process.pid), "workers outlived the process they work for"
    left = contents(output)
    assert {name: raw for name, raw in left.items() if not name.startswith(".")} == before
    compiled(inventory, jobs=2)
    compiled(inventory, "fresh", use_cache=False)
    assert contents(output) == contents(tmp_path / "fresh")


@pytest.mark.slow
def test_an_interrupted_compile_ends_at_once_and_leaves_nothing(tmp_path: Path) -> None:
    inventory = _slow_fleet(tmp_path)
    process = _begin(inventory, tmp_path / "out")
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.decode().strip() == "interrupted"
    assert _group_is_gone(process.pid)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_two_compiles_into_one_folder_at_once_are_both_right(tmp_path: Path) -> None:
    inventory = _slow_fleet(tmp_path)
    both = [_begin(inventory, tmp_path / "out") for _ in range(2)]
    for process in both:
        _, errors = process.communicate(timeout=100)
        assert process.returncode == 0, errors
    compiled(inventory, "fresh", use_cache=False)
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")
    assert made(compiled(inventory)) == set()


# --- the staging folder --------------------------------------------------------------------------------------


def test_a_folder_in_the_place_of_a_document_keeps_all_of_them_from_being_replaced(tmp_path: Path) -> None:
    inventory = write_files(tmp_path)
    compiled(inventory)
    (tmp_path / "out" / "w2.mof").unlink()
    (tmp_path / "out" / "w2.mof").mkdir()
    before = contents(tmp_path / "out")
    (tmp_path / "roles/base/templates/motd.txt").write_text("Other")
    with pytest.raises(ProvisionerError, match="nothing was replaced"):
        compiled(inventory)
    assert contents(tmp_path / "out") == before


def test_a_staging_folder_is_cleared_away_only_when_nobody_works_in_it(tmp_path: Path) -> None:
    with Staging(tmp_path) as living:
        dead = tmp_path / ".provision-dead"
        dead.mkdir()
        (dead / "lock").touch()
        (dead / "n1.mof").touch()
        with Staging(tmp_path):
            assert not dead.exists()
            assert living._folder.exists()
    assert list(tmp_path.iterdir()) == []
