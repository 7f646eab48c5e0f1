"""A text of a document comes out of the evaluation of a configuration file as it went in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner import documents
from provisioner.configuration.importing.escaping import literal, literals
from provisioner.diagnostics import SourceFile
from provisioner.documents import plain
from provisioner.expressions import Expressions

EVALUATE = Expressions({}).evaluate


def through_a_file(text: str) -> object:
    written = documents.dump({"text": literal(text)})
    tree, problems = documents.parse(written, SourceFile("x.yaml", written))
    assert tree is not None, list(problems)
    return EVALUATE(plain(tree)["text"])


@pytest.mark.parametrize(
    "text", ["", "plain", "a { b } c", "{# no comment #}", "[concat('a')]", "}}", "a\r\nb"]
)
def test_a_text_that_is_no_expression_stays_as_it_is(text: str) -> None:
    assert literal(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "{{ x }}",
        "{{",
        "{%",
        "{{{",
        "a {{ b",
        "{% if x %}",
        "{{ x }}\n",
        "{{ x }}\n\n",
        "{{'\"\\'}}",
        "\r{{\r\n",
        "{\r{%",
    ],
)
def test_a_text_that_looks_like_an_expression_survives(text: str) -> None:
    assert literal(text) != text
    assert through_a_file(text) == text


@settings(max_examples=1500, deadline=None)
@given(st.text(alphabet="{}%#-+ \n\r\t'\"a\\|"))
def test_any_text_survives(text: str) -> None:
    assert through_a_file(text) == text


def test_every_text_inside_a_value_is_made_literal_and_no_key_is() -> None:
    assert literals({"{{": ["{{", 1, True, None, {"a": "{%"}]}) == {
        "{{": ["{{ '{{' }}", 1, True, None, {"a": "{{ '{%' }}"}]
    }
