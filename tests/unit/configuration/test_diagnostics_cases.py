"""Every case below tests/cases/diagnostics: a project with a mistake in it, and the exact text we print."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.compiling import REPOSITORY, compile_project, write

FOLDER = REPOSITORY / "tests/cases/diagnostics"


def cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{path.stem}-{case['case'].replace(' ', '-')}")
        for path in sorted(FOLDER.glob("compile-*.yml"))
        for case in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]


def rendered(case: dict[str, Any], folder: Path) -> str:
    write(folder, case["files"])
    configurations, problems = compile_project(folder)
    if problems.has_errors:
        assert configurations == {} or len(configurations) < len(problems) + 1
    return "\n\n".join(problem.render() for problem in problems) + "\n"


@pytest.mark.parametrize("case", cases())
def test_a_mistake_is_reported_word_by_word(
    case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert rendered(case, tmp_path) == case["expect"]


def test_there_are_cases() -> None:
    assert len(cases()) > 40
