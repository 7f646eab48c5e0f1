"""What is said about inventories of other tools: tests/cases/foreign_messages/NAME gives NAME.txt.

Set REGENERATE=1 to write the texts anew, and review the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from provisioner.diagnostics import SourceFile
from provisioner.inventory.foreign.reading import Form, read_foreign_text
from provisioner.inventory.foreign.translate import translate
from tests.compiling import REPOSITORY

CASES = REPOSITORY / "tests/cases/foreign_messages"


@pytest.mark.parametrize(
    "case", sorted(path for path in CASES.iterdir() if path.suffix != ".txt"), ids=lambda path: path.name
)
def test_the_messages_about_a_foreign_inventory_are_the_golden_ones(case: Path) -> None:
    text = case.read_text(encoding="utf-8")
    form = Form.VAGRANT if case.suffix == ".vagrant" else Form.AUTO
    foreign, problems = read_foreign_text(text, SourceFile(case.name, text), form)
    imported = None
    if foreign is not None:
        imported, found = translate(foreign, "site")
        problems.extend(found)
    said = "\n\n".join(problem.render() for problem in problems) + "\n"
    if imported is not None:
        said += f"\n{imported.text}"
        said += "".join(
            f"# {path}: {'known' if secret else 'unknown'}\n" for path, secret in imported.secrets.items()
        )
    golden = case.with_name(f"{case.name}.txt")
    if os.environ.get("REGENERATE"):
        golden.write_text(said, encoding="utf-8")
    assert said == golden.read_text(encoding="utf-8")
    assert (imported is None) is problems.has_errors
    assert "canary" not in said.replace("canary_name", "")
