"""What an expression reads is known from its text: never less than it looks up."""

from __future__ import annotations

import pytest
import yaml

from provisioner.expressions import ExpressionError, Expressions, literal_arguments, names_in
from tests.compiling import REPOSITORY

TABLE = yaml.safe_load((REPOSITORY / "tests/cases/expressions/scalars.yml").read_text())


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("plain", set()),
        ("{{ a }}", {"a"}),
        ("{{ a.b.c }}-{{ d['e'] }}", {"a", "d"}),
        ("{{ a[b] | default(c) }}", {"a", "b", "c"}),
        ("{% for x in xs if x != y %}{{ x ~ z }}{% endfor %}", {"x", "xs", "y", "z"}),
        ("{{ template('t') if big else other }}", {"template", "big", "other"}),
        ("{% set a = b %}{{ a }}", {"a", "b"}),
    ],
)
def test_names_are_told_from_the_text(text: str, names: set[str]) -> None:
    assert names_in(text) == frozenset(names)


def test_a_text_that_is_no_code_names_nothing_known() -> None:
    assert names_in("{{ a b") is None
    assert literal_arguments("{{ a b", "template") is None


@pytest.mark.parametrize(
    "case", [case for case in TABLE["scalars"] if "{" in case["yaml"]], ids=lambda case: case["yaml"]
)
def test_no_other_variable_matters(case: dict[str, object]) -> None:
    text = yaml.safe_load(f"- {case['yaml']}")[0]
    if not isinstance(text, str):
        return
    names = names_in(text)
    if names is None:
        return
    seen = {name: value for name, value in TABLE["variables"].items() if name in names}
    outcomes = []
    for variables in (TABLE["variables"], seen, {**TABLE["variables"], "another": 1}):
        try:
            outcomes.append(repr(Expressions(variables).evaluate(text)))
        except ExpressionError as error:
            outcomes.append(error.message)
    assert len(set(outcomes)) == 1


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("{{ template('a') }}", ("a",)),
        ("{{ template('a') ~ template('b') }}", ("a", "b")),
        ("{{ other('a') }}", ()),
        ("{{ template(name) }}", None),
        ("{{ template('a' ~ 'b') }}", None),
        ("{{ template('a', 'b') }}", None),
        ("{{ template(name='a') }}", None),
        ("{{ template(*['a']) }}", None),
        ("{{ [template][0]('a') }}", None),
        ("{% set t = template %}{{ t('a') }}", None),
    ],
)
def test_arguments_are_known_when_they_are_written_out(text: str, arguments: tuple[str, ...] | None) -> None:
    assert literal_arguments(text, "template") == arguments


def test_what_one_evaluation_sets_another_does_not_see() -> None:
    expressions = Expressions({"a": 1})
    assert expressions.evaluate("{% set b = 2 %}x{{ a + b }}") == "x3"
    with pytest.raises(ExpressionError, match="'b' is not defined"):
        expressions.evaluate("{{ b }}")


def test_every_evaluation_has_all_steps_for_its_loops() -> None:
    expressions = Expressions({"a": list(range(400))})
    for _ in range(3):
        assert expressions.evaluate("{% for x in a %}{% for y in a %}{% endfor %}{% endfor %}.") == "."
