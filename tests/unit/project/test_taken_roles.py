"""A role that was taken from a node stays on it; who takes it away without undoing it is told before the run."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from provisioner.addresses import NodeName
from provisioner.cli.app import main
from provisioner.events import Event, NodeDone, Recorded, RunStarted
from provisioner.inventory.loader import load_inventory
from provisioner.project import Project
from provisioner.project.model import Compilation
from provisioner.project.runs import taken_roles
from provisioner.state.sqlite import SqliteStateStore
from tests.compiling import BASE, write

INVENTORY = BASE["inventory.yaml"]
N1 = NodeName("n1")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, {})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def done_with(folder: Path, *roles: str, number: int = 1, operation: str = "apply") -> None:
    """Have the journal say that the node was done with these roles."""
    store = SqliteStateStore(folder / ".provisioner" / "state.db")
    run = f"run-{number}"
    events: tuple[Event, ...] = (
        RunStarted(run, "inventory.yaml", operation, ("n1",), 1, {}),
        NodeDone(N1, 1, 0, 0, roles),
    )
    for sequence, event in enumerate(events, 1):
        store.append(Recorded(run, sequence, "2026-01-01T00:00:00+00:00", event))
    store.close()


def said(inventory: str = INVENTORY) -> list[str]:
    Path("inventory.yaml").write_text(inventory, encoding="utf-8")
    project = Project.of(Path("inventory.yaml"))
    return project.taken_roles(project.compile(Path("inventory.yaml"))).rendered()


def test_nothing_is_said_of_a_node_the_journal_does_not_know() -> None:
    assert said() == []


def test_nothing_is_said_of_roles_that_are_still_there(folder: Path) -> None:
    done_with(folder, "web")
    assert said() == []


def test_a_role_that_is_gone_is_named_with_its_node_and_what_to_write(folder: Path) -> None:
    done_with(folder, "web", "storage")
    [told] = said()
    assert told.startswith("inventory.yaml:4:3: warning: Role taken away")
    assert "Node 'n1' had the role 'storage' when it was last done" in " ".join(told.split())
    assert "'decommission: [storage]'" in told


def test_it_is_said_once_more_only_until_the_node_is_done_without_the_role(folder: Path) -> None:
    done_with(folder, "web", "storage")
    assert said()
    assert said()
    done_with(folder, "web", number=2)
    assert said() == []


def test_a_verification_is_no_proof_that_a_role_is_gone(folder: Path) -> None:
    done_with(folder, "web", "storage")
    done_with(folder, number=2, operation="verify")
    assert said()


def test_a_role_that_is_undone_is_not_taken_away() -> None:
    rid = INVENTORY.replace("roles: [web]", "roles: [], decommission: [web]")
    Path("inventory.yaml").write_text(rid, encoding="utf-8")
    inventory, problems = load_inventory(Path("inventory.yaml"))
    assert inventory is not None
    compilation = Compilation(inventory, {}, problems)
    assert taken_roles(compilation, {N1: ("web",)}).rendered() == []
    assert taken_roles(compilation, {N1: ("web", "storage")}).rendered()


def test_a_role_that_another_one_requires_is_not_gone(folder: Path) -> None:
    base = folder / "roles" / "base"
    base.mkdir()
    (base / "role.yaml").write_text("description: Required.\nmodules: {}\n", encoding="utf-8")
    role = folder / "roles" / "web" / "role.yaml"
    role.write_text(role.read_text("utf-8") + "requires: [base]\n", encoding="utf-8")
    done_with(folder, "base", "web")
    assert said() == []


def test_nodes_that_are_not_selected_are_not_spoken_of(folder: Path) -> None:
    done_with(folder, "web", "storage")
    Path("inventory.yaml").write_text(INVENTORY + "  n2: {address: 192.0.2.2, roles: [web]}\n", "utf-8")
    project = Project.of(Path("inventory.yaml"))
    assert project.taken_roles(project.compile(Path("inventory.yaml"), "n2")).rendered() == []
    assert project.taken_roles(project.compile(Path("inventory.yaml"), "n1")).rendered()


def test_apply_says_it_before_it_contacts_anybody(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", "Quiet-Harbour-7")
    done_with(folder, "web", "storage")
    closed = INVENTORY.replace("address: 192.0.2.1", "address: 127.0.0.1, connection: {port: 9}")
    Path("inventory.yaml").write_text(closed, encoding="utf-8")
    result = CliRunner().invoke(main, ["apply", "inventory.yaml", "--json"])
    assert "Role taken away" in result.stderr
    assert [line for line in result.stdout.splitlines() if '"NodeFailed"' in line]
    assert "Role taken away" not in result.stdout
