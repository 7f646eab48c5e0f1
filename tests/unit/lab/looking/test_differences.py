"""What `provision lab diff` shows of two states, and what it never shows."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from provisioner.lab.looking.differences import Difference, differences

SECRET = "S3cret-of-somebody"


def shown(before: Any, after: Any) -> list[tuple[str, str, str]]:
    return [(each.path, each.before, each.after) for each in differences(before, after)]


def test_records_of_a_list_are_told_by_name() -> None:
    before = {"services": [{"name": "a", "status": "Stopped"}, {"name": "b", "status": "Stopped"}]}
    after = {"services": [{"name": "b", "status": "Running"}, {"name": "a", "status": "Stopped"}]}
    assert shown(before, after) == [("services/b/status", '"Stopped"', '"Running"')]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"users": {"bob": {"password": "aa"}}}, {"users": {"bob": {"password": SECRET}}}),
        ({"users": {"bob": {}}}, {"users": {"bob": {"nt_hash": SECRET}}}),
        ({"iscsi": {"targets": []}}, {"iscsi": {"targets": [{"name": "t", "chap_secret": SECRET}]}}),
        ({"iscsi": {"targets": [["t", 1]]}}, {"iscsi": {"targets": [["t", {"chap_secret": [SECRET]}]]}}),
        ({"areas": {}}, {"areas": {"k": {"deep": [{"x": 1, "inner": {"secret": {"value": SECRET}}}]}}}),
        ({"areas": {"k": [1]}}, {"areas": {"k": [1, {"password_salt": SECRET}]}}),
        ({"files": []}, {"files": [{"path": "C:\\x", "nested": [{"content": SECRET}]}]}),
        ({"lcm": {"pending": None}}, {"lcm": {"pending": base64.b64encode(SECRET.encode()).decode()}}),
    ],
)
def test_neither_secrets_nor_contents_are_shown_however_deep(before: Any, after: Any) -> None:
    for first, second in ((before, after), (after, before)):
        found = list(differences(first, second))
        assert found
        for each in found:
            assert SECRET not in each.before + each.after
            assert base64.b64encode(SECRET.encode()).decode() not in each.before + each.after


def test_that_a_secret_changed_is_told() -> None:
    (only,) = differences({"u": {"password": "one"}}, {"u": {"password": "two"}})
    assert only == Difference("u/password", '"(hidden)"', '"(hidden)"')


def test_contents_are_told_by_their_size() -> None:
    content = base64.b64encode(b"twelve bytes").decode()
    assert shown({"f": {"x": {"content": ""}}}, {"f": {"x": {"content": content}}}) == [
        ("f/x/content", '"0 bytes"', '"12 bytes"')
    ]
