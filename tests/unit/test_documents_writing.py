"""``dump``: what is written is read back equal, by YAML 1.2 (ours) and YAML 1.1 (PyYAML's safe loader) alike."""

from __future__ import annotations

import math
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from provisioner import documents
from provisioner.diagnostics import SourceFile

WORDS = st.sampled_from(
    [
        "", " ", "on", "yes", "No", "y", "N", "null", "~", "true", "FALSE", "0755", "0o17", "0x1f", "0b1", "1_000",
        "12:30", "190:20:30", "1e3", "1.5", ".5", ".inf", "-.INF", ".nan", "=", "<<", "2026-11-21",
        "2026-11-21 10:00:00", "- a", "-a", "--x", "?", "? a", ":", "a:", "a: b", "a:b", "a #b", "a#b", "#a", "#",
        "{{ x }}", "a {{ x }}", "[a]", "{a}", "*a", "&a", "!a", "|", ">", "|-\n", "%a", "@a", "`a`", "'", '"', "'a'",
        "---", "--- a", "...", "... a", "\n", "\n\n", "a\n", "a\nb", "a\n\n", "\na\n", " a\nb", "\ta\nb", "a\n b\n",
        "a \nb\t\n", "a\n   ", "   \na\n", "a\r\nb", "\x85", "a\u2028b\n", "\ufeff", "\x00", "\x1b[0m", "\x7f",
        "C:\\Temp", "ä", "\U0001f600", "\ufffe", "\xa0", "a\tb", "x" * 5000, "word " * 400, "#a\nb", "--- \nb", "a: b\n",
    ]
)  # fmt: skip
TEXTS = WORDS | st.text(max_size=30) | st.text(alphabet="ab \n\t:#-'\"|>{}[],&*!%@~0.1e\\", max_size=30)
FLOATS = st.floats(allow_nan=False)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=25,
)


def read_back(text: str) -> Any:
    tree, problems = documents.parse(text, SourceFile("x.yaml", text))
    assert [problem.render() for problem in problems] == []
    assert tree is not None
    return documents.plain(tree)


def typed(value: Any) -> Any:
    """Keep what ``==`` forgets: 1 is not True is not 1.0, and keys have an order."""
    match value:
        case dict():
            return [(key, typed(item)) for key, item in value.items()]
        case list():
            return [typed(item) for item in value]
        case _:
            return (type(value), repr(value))


@given(VALUES)
def test_what_is_written_is_read_back_equal_by_both_versions_of_yaml(value: Any) -> None:
    text = documents.dump(value)
    assert typed(read_back(text)) == typed(value)
    assert typed(yaml.safe_load(text)) == typed(value)
    assert documents.dump(value) == text


@given(VALUES)
def test_a_text_is_written_alike_wherever_it_stands(value: Any) -> None:
    nested = {"a": [[value], {"b": value}]}
    assert (
        typed(yaml.safe_load(documents.dump(nested)))
        == typed(nested)
        == typed(read_back(documents.dump(nested)))
    )


EXAMPLE = {
    "name": "hv01",
    "empty": {"list": [], "mapping": {}, "nothing": None},
    "items": [{"one": 1, "two": [1.5, 1e16]}, ["a", ["b"]], "on", "--gone"],
    "script": "first\n\n  second\n",
    "unended": "a\nb",
    "indented": "  a\nb\n\n",
    "path": "C:\\Program Files\\x",
    "said": "it's: so",
    "control": "a\tb",
    "long": "word " * 40 + "end",
}

WRITTEN = f"""\
name: hv01
empty:
  list: []
  mapping: {{}}
  nothing: null
items:
  - one: 1
    two:
      - 1.5
      - 1.0e+16
  - - a
    - - b
  - 'on'
  - '--gone'
script: |
  first

    second
unended: |-
  a
  b
indented: |2+
    a
  b

path: C:\\Program Files\\x
said: 'it''s: so'
control: "a\\tb"
long: {"word " * 40}end
"""


def test_the_form_is_block_style_in_the_order_of_the_keys() -> None:
    assert documents.dump(EXAMPLE) == WRITTEN


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "{}\n"), ([], "[]\n"), (None, "null\n"), ("", "''\n"), ("a\n", "|\n  a\n"), (math.inf, ".inf\n"),
        (-math.inf, "-.inf\n"), (math.nan, ".nan\n"), (True, "true\n"), ((1, 2), "- 1\n- 2\n"), (-0.0, "-0.0\n"),
    ],
)  # fmt: skip
def test_a_document_may_be_any_value(value: Any, text: str) -> None:
    assert documents.dump(value) == text


def test_a_key_of_any_length_is_read_back() -> None:
    value = {"k" * 3000: {"a": [1]}, "\n" * 600: [2], "z": 3}
    assert read_back(documents.dump(value)) == value == yaml.safe_load(documents.dump(value))


@pytest.mark.parametrize(("value", "error"), [({1: 2}, TypeError), (object(), TypeError), (b"", TypeError)])
def test_what_is_no_plain_data_is_refused(value: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        documents.dump(value)


def test_what_no_reader_takes_is_refused() -> None:
    for value in ("\ud800", 10**500):
        with pytest.raises(ValueError, match=r"surrogate|digits"):
            documents.dump([value])
