"""Every case below tests/cases/diagnostics: a project with a mistake in it, and the exact text we print.

A case replaces files of the base project of ``tests/compiling.py``. With ``argv`` it is a run of the command, and the
text is all it prints; otherwise every node is compiled. docs/diagnostics.md is made of the same cases. REGENERATE=1
writes the texts and the page anew: review the difference.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provisioner import documents
from provisioner.cli.app import main
from tests.compiling import REPOSITORY, compile_project, write
from tests.yaml_files import read_yaml

FOLDER = REPOSITORY / "tests/cases/diagnostics"
PAGE = REPOSITORY / "docs/diagnostics.md"
KINDS = 60
#: Wrong usage has no fixed summary: it names what was given on the command line.
_SUMMARY = re.compile(r"^(?:\S.*: )?(error|warning): (?!--)(.+)$", re.MULTILINE)


def load() -> dict[Path, list[dict[str, Any]]]:
    return {path: read_yaml(path) for path in sorted(FOLDER.glob("*.yml"))}


CASES = load()


def rendered(case: dict[str, Any], folder: Path) -> str:
    write(folder, case["files"])
    if "argv" in case:
        result = CliRunner().invoke(main, case["argv"])
        assert result.exit_code == case.get("exit_code", 2)
        return result.output.replace(f"{folder}/", "")
    configurations, problems = compile_project(folder)
    if problems.has_errors:
        assert configurations == {} or len(configurations) < len(problems) + 1
    return "\n\n".join(problem.render() for problem in problems) + "\n"


def page() -> str:
    """Return docs/diagnostics.md as it has to be."""
    counts: Counter[tuple[str, str]] = Counter()
    for cases in CASES.values():
        for case in cases:
            counts.update(set(_SUMMARY.findall(case["expect"])))
    rows = [
        f"| {summary} | {severity} | {counts[severity, summary]} |" for severity, summary in sorted(counts)
    ]
    parts = [_INTRODUCTION.format(cases=sum(len(cases) for cases in CASES.values()), kinds=len(counts))]
    parts.append(
        "\n".join(["| what is wrong | how bad | cases below |", "| --- | --- | --- |", *sorted(rows)])
    )
    for path, cases in CASES.items():
        parts.append(f"## {path.stem.replace('-', ', ', 1).replace('-', ' ').capitalize()}")
        for case in cases:
            head = f"### {case['case'][0].upper()}{case['case'][1:]}"
            run = f"`provision {' '.join(case['argv'])}`\n\n" if "argv" in case else ""
            parts.append(f"{head}\n\n{run}```\n{case['expect'].rstrip()}\n```")
    return "\n\n".join(parts) + "\n"


_INTRODUCTION = """\
# What is said about wrong input

Everything that is wrong is said at once, before any node is contacted, each with the place it stands at: file, line
and column, the line itself, what was seen and why that is wrong, and what to do about it. Errors stop the work (exit
code 2), warnings do not. Passwords that stand in a file by mistake are starred out.

This page is made of the cases in `tests/cases/diagnostics`, word by word ({cases} cases, {kinds} kinds of message):
each is a small project with one mistake or a few. `REGENERATE=1 pytest -n0 tests/unit/configuration/test_diagnostics_cases.py`
writes it anew."""


@pytest.mark.parametrize(
    ("path", "number"),
    [
        pytest.param(path, number, id=f"{path.stem}-{case['case'].replace(' ', '-')}")
        for path, cases in CASES.items()
        for number, case in enumerate(cases)
    ],
)
def test_a_mistake_is_reported_word_by_word(
    path: Path, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    case = CASES[path][number]
    said = rendered(case, tmp_path)
    if os.environ.get("REGENERATE"):
        case["expect"] = said
        path.write_text("\n".join(documents.dump([each]) for each in CASES[path]), encoding="utf-8")
    assert said == case["expect"]
    assert "canary" not in said


def test_the_page_shows_all_of_them() -> None:
    if os.environ.get("REGENERATE"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()


def test_there_are_cases_of_many_kinds() -> None:
    summaries = {
        found for cases in CASES.values() for case in cases for found in _SUMMARY.findall(case["expect"])
    }
    assert len(summaries) >= KINDS
