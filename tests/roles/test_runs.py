"""Every role does on simulated nodes what its runs say; see ``tests.roles.runs`` for what a file of runs holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.roles.runs import case_files, fail, refuse, run

#: The release that a mistake is told on.
_FIRST = "2022"
_FILES = case_files()


def _releases(case: dict[str, Any]) -> list[str]:
    return list(case.get("windows", ["2016", "2019", "2022", "2025"]))


def _first(case: dict[str, Any]) -> str:
    releases = _releases(case)
    return _FIRST if _FIRST in releases else releases[-1]


_RUNS = [
    pytest.param(case, windows, id=f"{name}-{windows}")
    for name, case in _FILES
    for windows in _releases(case)
]


def _steps(kind: str) -> list[Any]:
    return [
        pytest.param(case, step, id=f"{name}-{step['case']}")
        for name, case in _FILES
        for step in case.get(kind, ())
    ]


# Slow: ten and more applies each, 5 to 25 seconds of a processor.
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("case", "windows"), _RUNS)
def test_a_role_comes_up_is_mended_and_changes_only_what_it_must(
    case: dict[str, Any], windows: str, tmp_path: Path
) -> None:
    run(case, windows, tmp_path)


@pytest.mark.parametrize(("case", "step"), _steps("refused"))
def test_what_cannot_be_is_refused_before_anything_is_contacted(
    case: dict[str, Any], step: dict[str, Any], tmp_path: Path
) -> None:
    refuse(case, step, _first(case), tmp_path)


@pytest.mark.parametrize(("case", "step"), _steps("fails"))
def test_what_only_the_node_can_tell_is_told(
    case: dict[str, Any], step: dict[str, Any], tmp_path: Path
) -> None:
    fail(case, step, _first(case), tmp_path)


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in _FILES])
def test_at_least_five_mistakes_are_told_precisely(case: dict[str, Any]) -> None:
    assert len(case.get("refused", ())) + len(case.get("fails", ())) >= 5
