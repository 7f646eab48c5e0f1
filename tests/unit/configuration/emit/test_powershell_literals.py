"""A literal means the text it was made of, by what real PowerShell said of such literals."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import tree_sitter
import tree_sitter_powershell
from hypothesis import given
from hypothesis import strategies as st

from provisioner.configuration.emit import powershell_literals as literals
from tests.shared_data import shared


def strings() -> list[dict[str, Any]]:
    path = shared("powershell-goldens", "parse", "quoting.jsonl")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def meaning(code: str) -> str:
    """The value of a literal of ours, by the rules of the language."""
    if code.startswith("'"):
        inside = code[1:-1]
        assert re.fullmatch("(?:[^'\u2018\u2019\u201a\u201b]|['\u2018\u2019\u201a\u201b]{2})*", inside)
        return re.sub("([\u2018\u2019\u201a\u201b'])['\u2018\u2019\u201a\u201b]", r"\1", inside)
    escapes = {"0": "\0", "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
    pattern = re.compile('`(.)|\\$\\(\\[char\\]0x([0-9A-F]{4})\\)|([^`$"\u201c\u201d\u201e])', re.DOTALL)
    inside = code[1:-1]
    assert "".join(found[0] for found in pattern.finditer(inside)) == inside
    return "".join(
        escapes.get(found[1], found[1]) if found[1] else chr(int(found[2], 16)) if found[2] else found[3]
        for found in pattern.finditer(inside)
    )


def test_a_literal_is_the_one_real_powershell_read_as_the_text() -> None:
    found = strings()
    assert len(found) > 90
    ours = {each["text"]: literals.text(each["text"]) for each in found}
    proven = {
        each["text"]
        for each in found
        if ours[each["text"]] == each["single"]["code"]
        and not each["single"]["parse_errors"]
        and each["single"]["value_utf16"] == each["single"]["result_utf16"] == each["utf16"]
    }
    # The rest is written between double quotes, so that it survives an editor.
    assert {text for text in ours if text not in proven} == {
        *("\r\n", "\0", "\x1b", "\x85", "\u2028", "\ud83d", "\ufeff", "x\ufeff"),
    }


def test_the_escapes_between_double_quotes_are_those_real_powershell_read() -> None:
    path = shared("powershell-goldens", "parse", "snippets.jsonl")
    snippets = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    [recorded] = [each for each in snippets if each["id"] == "quote-011"]
    [value] = [each["value"] for each in recorded["ast"] if each["node"] == "StringConstantExpressionAst"]
    known = value.removeprefix("DoubleQuoted:").replace("\x1b", "")  # Windows PowerShell has no escape for it
    assert literals.text(known) == recorded["text"].replace("`e", "")


@pytest.mark.parametrize(
    "text", ["", "a", "it's", "a\u2019b", "\u2018\u2018", '"', "$x $(1)", "`n", "a\nb'c", "\ttab"]
)
def test_a_printable_text_is_never_evaluated(text: str) -> None:
    assert literals.text(text).startswith("'")
    assert meaning(literals.text(text)) == text


@given(st.text(st.characters()))
def test_a_literal_means_its_text(text: str) -> None:
    assert meaning(literals.text(text)) == text


@given(st.text())
def test_a_literal_has_bytes_and_is_one_literal_to_a_parser(text: str) -> None:
    code = f"$x = {literals.text(text)}\n"
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    assert not parser.parse(code.encode()).root_node.has_error


@pytest.mark.parametrize(
    ("value", "spelled"),
    [
        ("20250131120000.000000+000", "[datetime]'2025-01-31T12:00:00.000000+00:00'"),
        ("20250131120000.500000-330", "[datetime]'2025-01-31T12:00:00.500000-05:30'"),
        ("20250131120000.500000+060", "[datetime]'2025-01-31T12:00:00.500000+01:00'"),
    ],
)
def test_a_date_is_the_same_moment(value: str, spelled: str) -> None:
    assert literals.date(value) == spelled


def test_numbers_booleans_and_characters() -> None:
    assert [literals.number(each) for each in (0, -5, 2**64 - 1, 1.0, 1e-07)] == [
        *("0", "-5", "18446744073709551615", "1.0", "0.0000001"),
    ]
    assert [literals.boolean(value=each) for each in (True, False)] == ["$true", "$false"]
    assert literals.character("'") == "[char]''''"


@pytest.mark.parametrize(
    ("name", "spelled"), [("Path", "Path"), ("Filter", "'Filter'"), ("Domain", "Domain")]
)
def test_a_property_named_like_a_statement_is_quoted(name: str, spelled: str) -> None:
    assert literals.name(name) == spelled
