"""What is said about wrong inventories: tests/cases/inventory/NAME.yml gives NAME.txt.

Set REGENERATE=1 to write the texts anew, and review the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from provisioner.diagnostics import SourceFile
from provisioner.inventory.loader import read_inventory

CASES = Path(__file__).parents[2] / "cases/inventory"


@pytest.mark.parametrize("case", sorted(CASES.glob("*.yml")), ids=lambda path: path.stem)
def test_the_messages_about_an_inventory_are_the_golden_ones(case: Path) -> None:
    text = case.read_text()
    inventory, problems = read_inventory(text, SourceFile(case.name, text))
    said = "\n\n".join(problem.render() for problem in problems) + "\n"
    golden = case.with_suffix(".txt")
    if os.environ.get("REGENERATE"):
        golden.write_text(said)
    assert said == golden.read_text()
    assert (inventory is None) is problems.has_errors
    assert "canary" not in said
