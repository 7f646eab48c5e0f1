"""What the journal calls an inventory: a killed run must be found again, and by nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.engine.work import ApplyOptions
from provisioner.project import ApplyRequest, Project
from provisioner.reports.base import FanOut
from provisioner.state.sqlite import SqliteStateStore

INVENTORY = """\
site: test
connection: {user: u, password: "env:PROJECT_TEST_PASSWORD", connect_timeout: 1}
nodes:
  hv01: {address: 127.0.0.1, connection: {port: 9}}
"""


def _apply(inventory: Path) -> None:
    project = Project.of(inventory)
    project.apply(project.compile(inventory), ApplyRequest(ApplyOptions().allow_reboot), FanOut([]))


def _names(root: Path) -> list[str]:
    store = SqliteStateStore(root / ".provisioner" / "state.db")
    try:
        return [run.inventory for run in reversed(store.runs())]
    finally:
        store.close()


def test_an_inventory_has_one_name_from_every_working_directory_and_shares_it_with_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROJECT_TEST_PASSWORD", "Project-1!")
    (tmp_path / "roles").mkdir()
    for site in ["east", "west"]:
        (tmp_path / site).mkdir()
        (tmp_path / site / "inventory.yaml").write_text(INVENTORY, encoding="utf-8")
    (tmp_path / "also").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path / "east")
    _apply(Path("inventory.yaml"))
    monkeypatch.chdir(tmp_path / "west")
    _apply(Path("inventory.yaml"))
    monkeypatch.chdir(tmp_path)
    _apply(tmp_path / "also" / "east" / "inventory.yaml")
    assert _names(tmp_path) == ["east/inventory.yaml", "west/inventory.yaml", "east/inventory.yaml"]
