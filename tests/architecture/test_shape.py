"""The size and shape of the code: blueprint limits as tests."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(ROOT.glob("provisioner/**/*.py"))
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "core", "manager", "handler", "misc"}

LONGEST_MODULE = 600
LONGEST_FUNCTION = 80
MOST_PARAMETERS = 8
MOST_MODULES = 15


@dataclass(frozen=True, slots=True)
class _Function:
    place: str
    lines: int
    parameters: int


@cache
def _functions() -> tuple[_Function, ...]:
    return tuple(
        _measured(path, item)
        for path in MODULES
        for item in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def _measured(path: Path, item: ast.FunctionDef | ast.AsyncFunctionDef) -> _Function:
    assert item.end_lineno is not None
    names = [arg.arg for arg in [*item.args.posonlyargs, *item.args.args, *item.args.kwonlyargs]]
    return _Function(
        f"{path.relative_to(ROOT)}:{item.name}",
        item.end_lineno - item.lineno + 1,
        len([name for name in names if name not in {"self", "cls"}]),
    )


def test_there_are_modules_to_judge() -> None:
    assert len(MODULES) > 50


def test_no_module_is_longer_than_the_limit() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_no_function_is_longer_than_the_limit() -> None:
    assert {each.place: each.lines for each in _functions() if each.lines > LONGEST_FUNCTION} == {}


def test_no_function_takes_more_parameters_than_the_limit() -> None:
    wide = {each.place: each.parameters for each in _functions() if each.parameters > MOST_PARAMETERS}
    assert wide == {}


def test_no_package_has_more_modules_than_the_limit() -> None:
    crowded = {}
    for folder in {path.parent for path in MODULES}:
        # Registries of one-file-each plug-ins (checks, commands, resources) and their families grow on purpose.
        if {folder.name, folder.parent.name} & {"checks", "commands", "resources"}:
            continue
        modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        if folder != ROOT / "provisioner" and len(modules) > MOST_MODULES:
            crowded[str(folder.relative_to(ROOT))] = len(modules)
    assert crowded == {}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_is_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if text.strip() and path.name != "__init__.py":
        assert ast.get_docstring(ast.parse(text)), f"{path} has no docstring"


def test_no_module_has_a_name_that_says_nothing() -> None:
    named = {path.stem for path in MODULES} | {path.parent.name for path in MODULES}
    assert named & BANNED_NAMES == set()


def test_nothing_is_left_to_do_in_the_code() -> None:
    pattern = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in [*MODULES, *ROOT.glob("dsc_configs/**/*.psm1"), *ROOT.glob("roles/**/*.yaml")]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []
