"""Inventories of Ansible are read as ansible-inventory reads them.

Each folder of tests/cases/foreign holds an inventory and, in expected.json, the hosts, groups and merged variables that
``ansible-inventory --list`` of ansible-core 2.19 showed for it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from provisioner.inventory.foreign.model import ALL, UNGROUPED
from provisioner.inventory.foreign.reading import read_foreign
from tests.compiling import REPOSITORY

CASES = sorted(path.parent for path in REPOSITORY.glob("tests/cases/foreign/*/expected.json"))


def source_of(case: Path) -> Path:
    [path] = [each for each in case.iterdir() if each.is_file() and each.name != "expected.json"]
    return path


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_hosts_groups_and_variables_are_those_ansible_sees(case: Path) -> None:
    inventory, problems = read_foreign(source_of(case))
    assert inventory is not None, [problem.render() for problem in problems]
    groups = inventory.groups_of()
    seen: dict[str, Any] = {
        host: {
            "groups": sorted(set(groups[host]) - {ALL, UNGROUPED}),
            "variables": {
                name: given.located.value for name, given in inventory.effective(host, groups[host]).items()
            },
        }
        for host in inventory.hosts
    }
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))["hosts"]
    assert sorted(seen) == sorted(expected)
    for host, facts in expected.items():
        assert seen[host]["groups"] == facts["groups"], host
        # Through JSON, so that 1 is not True and 1.0 not 1.
        assert json.dumps(seen[host]["variables"], sort_keys=True) == json.dumps(
            facts["variables"], sort_keys=True
        ), host


def test_there_are_cases() -> None:
    assert len(CASES) >= 9
