"""A line of a template is quoted without the password that stands in it by mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compiling import compile_project, write


def test_a_wrong_expression_beside_a_written_password_shows_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    configuration = (
        "resources:\n  - name: a\n    type: PSDscResources/Service\n"
        "    properties: {Name: a, Description: \"{{ template('a.j2') }}\"}\n"
    )
    template = "[database]\npassword = cAnArY {{ nmae }}\n"
    write(tmp_path, {"dsc_configs/web.dsc.yaml": configuration, "roles/web/templates/a.j2": template})
    _, problems = compile_project(tmp_path)
    said = "\n".join(problem.render() for problem in problems)
    assert "a.j2:2:1: error: Unknown name in an expression" in said
    assert "cAnArY" not in said
