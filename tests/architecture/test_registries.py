"""Every "module:name" string in a registry leads to something: the import linter cannot see these."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_REFERENCE = re.compile(r"(provisioner(?:\.\w+)+):(\w+)")


def _references() -> list[str]:
    found = set()
    for path in ROOT.glob("provisioner/**/*.py"):
        text = path.read_text(encoding="utf-8")
        # Most modules name none, and reading all as syntax trees takes seconds in each process of a test run.
        for item in ast.walk(ast.parse(text)) if _REFERENCE.search(text) else ():
            if isinstance(item, ast.Constant) and isinstance(item.value, str):
                match = _REFERENCE.fullmatch(item.value)
                if match:
                    found.add(item.value)
    return sorted(found)


def test_there_are_registries() -> None:
    assert len(_references()) > 10


@pytest.mark.parametrize("reference", _references())
def test_a_registered_name_resolves(reference: str) -> None:
    module, _, name = reference.partition(":")
    assert hasattr(importlib.import_module(module), name)
