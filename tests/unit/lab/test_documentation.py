"""The pages about the lab list what its registries hold, no more and no less, and how each resource is judged."""

from __future__ import annotations

import collections
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pytest

from provisioner.catalogue.registry import Registry
from provisioner.lab.commands.registry import table
from provisioner.lab.processes.table import PROGRAMS
from provisioner.lab.resources.registry import TABLE
from tests.unit.lab.resources import facts, golden

_DOCS: Final = Path(__file__).resolve().parents[3] / "docs"
_RECORDED: Final = (
    "basics",
    "cluster",
    "computer",
    "files",
    "hyperv",
    "iscsi",
    "network",
    "security",
    "storage",
)
#: Modules whose resources have neither recordings nor descriptions.
_OTHERS: Final = {
    "HyperVDsc": "the preview of the next xHyper-V: judged by its own tests only",
    "ProvisionerDsc": "judged by its own tests only",
}


def _rows(page: str, heading: str) -> list[str]:
    lines = (_DOCS / page).read_text(encoding="utf-8").splitlines()
    start = lines.index(heading) + 2
    end = next(number for number, line in enumerate([*lines[start:], ""], start) if not line.startswith("|"))
    return lines[start:end]


def _names() -> dict[tuple[str, str], str]:
    """The name of each resource in a configuration, by module and folded class; that of the first release counts."""
    found: dict[tuple[str, str], str] = {}
    for kind in Registry.builtin().resource_types():
        found.setdefault((kind.module, kind.class_name.casefold()), kind.name)
    return found


@cache
def _described() -> frozenset[tuple[str, str]]:
    return frozenset((case["module"], case["class"]) for _, case in facts.cases())


@cache
def _recordings() -> dict[tuple[str, str], Any]:
    found = {}
    for family in _RECORDED:
        tests = import_module(f"tests.unit.lab.resources.{family}.test_goldens")
        for key in tests.SCENARIOS:
            found[key] = sum(name == key[1] for name, _ in tests.DIFFERING)
    return found


def _judged(class_name: str, module: str, name: str) -> str:
    """Say what holds a resource against something, as its row does."""
    recordings = _recordings()
    if (module, name) in recordings:
        listed = recordings[module, name]
        total = len(golden.cases(module, name))
        return f"recorded: {total - listed} equal, {listed} listed"
    if (module, class_name) in _described():
        return "described"
    return _OTHERS[module]


def resource_rows() -> list[str]:
    """The table of the page."""
    names = _names()
    named = {(module, names[module, class_name.casefold()]): class_name for class_name, module in TABLE}
    return [
        f"| {module} | `{name}` | {_judged(class_name, module, name)} |"
        for (module, name), class_name in sorted(named.items(), key=lambda item: item[0])
    ]


def command_rows() -> list[str]:
    """The table of the page."""
    by_module = collections.defaultdict(list)
    for spec in table().values():
        by_module[spec.module or "(programs)"].append(spec.name)
    return [
        f"| {module} | {', '.join(f'`{name}`' for name in sorted(names))} |"
        for module, names in sorted(by_module.items(), key=lambda item: item[0].casefold())
    ]


def test_the_page_of_resources_lists_the_specific_ones_and_how_they_are_judged() -> None:
    assert _rows("lab-resources.md", "| module | resource | held against |") == resource_rows()


def test_the_page_of_commands_lists_them_by_module() -> None:
    assert _rows("lab-powershell.md", "| module | commands |") == command_rows()


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_the_page_of_commands_names_each_program(program: str) -> None:
    text = (_DOCS / "lab-powershell.md").read_text(encoding="utf-8")
    assert f"`{program}`" in text.partition("## Programs")[2]
