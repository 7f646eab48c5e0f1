"""A password that stands in a role or a configuration file by mistake is never part of a message."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.diagnostics import SourceFile, SourceRange
from provisioner.roles.masking import load, starred


@pytest.mark.parametrize(
    "text",
    [
        "a: {password: canary}",
        "a: {Password: 'can\n  ary'}",
        "pasword: canary",
        "Credential: canary",
        "RunAsCredential: {user: x, password: canary}",
        "Secrets: {rabbit: canary, list: [canary]}",
        "password: [canary]",
        "password: 1234567",
        "password: \"{{ 'canary' }}\"",
        "password: {{ canary",
        "token: canary",
        "x: &a {password: canary}\ny: *a",
    ],
)
def test_what_may_be_a_password_is_starred_out_in_place(text: str, tmp_path: Path) -> None:
    path = tmp_path / "web.dsc.yaml"
    path.write_text(text, encoding="utf-8")
    tree, problems = load(path, "web.dsc.yaml")
    shown = tree.where.source.text if tree else "".join(problem.render() for problem in problems)
    assert "canary" not in shown
    assert "ary'" not in shown
    assert "1234567" not in shown
    if tree:
        assert [len(line) for line in shown.splitlines()] == [len(line) for line in text.splitlines()]


@pytest.mark.parametrize(
    "text",
    [
        "password: env:NAME|url",
        "password: '{{ account.password }}'",
        "PasswordNeverExpires: true",
        "Password: {user: x, password: file:a.txt}",
        "password:",
        "Credential: '{{ account }}'",
    ],
)
def test_what_only_refers_to_a_password_is_shown(text: str, tmp_path: Path) -> None:
    path = tmp_path / "web.dsc.yaml"
    path.write_text(text, encoding="utf-8")
    tree, _ = load(path, "web.dsc.yaml")
    assert tree is not None
    assert tree.where.source.text == text


def test_a_position_can_be_quoted_with_another_one_hidden() -> None:
    source = SourceFile("a", "user: x, password: canary")
    user, password = SourceRange(source, 1, 7, 1, 8), SourceRange(source, 1, 20, 1, 26)
    assert starred(user, password).source.text == "user: x, password: ******"
    assert starred(password).source.text == "user: x, password: ******"
    assert starred(user, password).column == 7
    elsewhere = SourceRange(SourceFile("b", "canary"), 1, 1, 1, 7)
    assert starred(user, elsewhere).source.text == source.text
