from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from provisioner import documents
from provisioner.diagnostics import SourceFile
from provisioner.expressions import MAX_SIZE, ExpressionError, Expressions, is_expression

TABLE = yaml.safe_load((Path(__file__).parents[1] / "cases/expressions/scalars.yml").read_text())
BIG = "x" * 1_000_000


def scalar(written: str) -> Any:
    text = f"- {written}\n"
    tree, problems = documents.parse(text, SourceFile("case.yaml", text))
    assert isinstance(tree, documents.Sequence)
    assert not problems.has_errors
    item = tree.items[0]
    assert isinstance(item, documents.Scalar)
    return item.value


def evaluated(text: str, **variables: Any) -> Any:
    return Expressions(variables).evaluate(text)


def refusal(text: str, **variables: Any) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        evaluated(text, **variables)
    return caught.value


@pytest.mark.parametrize("case", TABLE["scalars"], ids=lambda case: case["yaml"] or "(empty)")
def test_every_form_of_a_scalar_yields_the_type_of_the_table(case: dict[str, Any]) -> None:
    value = scalar(case["yaml"])
    expressions = Expressions(TABLE["variables"])
    if "error" in case:
        with pytest.raises(ExpressionError) as caught:
            expressions.evaluate(value)
        assert case["error"] in caught.value.message
        return
    if isinstance(value, str):
        value = expressions.evaluate(value)
    assert type(value).__name__ == case["type"]
    assert value == case["value"]


def test_the_table_has_the_thirty_forms_that_were_asked_for() -> None:
    assert len(TABLE["scalars"]) >= 40
    assert len({case["yaml"] for case in TABLE["scalars"]}) == len(TABLE["scalars"])


@given(st.text())
def test_text_without_braces_is_returned_untouched(text: str) -> None:
    if not is_expression(text):
        assert evaluated(text) is text


@given(st.text())
def test_any_text_either_yields_a_value_or_the_one_kind_of_error(text: str) -> None:
    for form in ("{{" + text, "{{" + text + "}}", "{%" + text + "%}", text):
        with contextlib.suppress(ExpressionError):
            evaluated(form, a=1)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_a_whole_expression_returns_the_very_value_of_its_variable(value: Any) -> None:
    assert evaluated("{{ value }}", value=value) is value


@given(st.text(), st.text())
def test_a_mixed_scalar_is_text_even_when_it_looks_like_something_else(before: str, value: str) -> None:
    if not is_expression(before) and "{#" not in before and "{" not in before[-1:]:
        expected = (before + "\0").replace("\r\n", "\n").replace("\r", "\n").removesuffix("\0")
        assert evaluated(before + "{{ value }}{{ '' }}", value=value) == expected + value


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'a' * 10 ** 9 }}",
        "{{ 10 ** 9 * 'a' }}",
        "{{ [1] * 10 ** 9 }}",
        "{{ 9 ** (9 ** 9) }}",
        "{{ (9 ** 999) * (9 ** 999) * (9 ** 999) }}",
        "{{ range(10 ** 9) | list }}",
        "{{ 'a' | center(10 ** 9) }}",
        "{{ 'a' | indent(10 ** 9, true) }}",
        "{{ 'a' | indent('x' * 1000000, true) | indent(big, true) }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '%.1000000000f' % 1 }}",
        "{{ '%*d' % (10 ** 9, 1) }}",
        "{{ '%(a(b))1000000000d' % {'a(b)': 1} }}",
        "{{ '%1000000000d' | format(1) }}",
        "{{ ('%s' * 1000) % ((big,) * 1000) }}",
        "{{ '{:1000000000}'.format(1) }}",
        "{{ '{:1000000000}'.format_map({}) }}",
        "{{ ''['format'](1) }}",
        "{{ big.replace('x', big) }}",
        "{{ big.replace('', big, 5) }}",
        "{{ big | replace('x', big) }}",
        "{{ big.join(range(1000)) }}",
        "{{ ([big] * 1000) | join }}",
        "{{ [[big] * 1000] * 1000 }}",
        "x{{ [[big] * 1000] * 1000 }}",
        "{{ [[big] * 1000] * 1000 ~ 'a' }}",
        "{{ [[big] * 1000] * 1000 | string }}",
        "{{ ([[big] * 1000] * 1000) | tojson }}",
        "{{ big + big }}",
        "{{ big ~ big }}",
        "{{ big }}{{ big }}",
        "{{ big.ljust(10 ** 9) }}",
        "{{ big.expandtabs(10 ** 9) }}",
        "{{ (1).to_bytes(10 ** 9, 'big') }}",
        "{{ 1 | round(10 ** 9) }}",
        "{{ [[1]] | sum(start=[]) }}",
        "{{ {} | tojson(indent=10 ** 9) }}",
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
        "{% set n = namespace(a='x') %}{% for i in range(99) %}{% set n.a = n.a ~ n.a %}{% endfor %}",
        "{% set n = namespace(a=[1]) %}{% for i in range(99) %}{% set n.a = [n.a, n.a] %}{% endfor %}{{ n.a }}",
        "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
        "{% for i in [[[]]] recursive %}{{ loop(i) }}{% endfor %}",
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
        "{{ " + "[" * 150 + "1" + "]" * 150 + " }}",
        "{{ " + "not " * 5000 + "1 }}",
        "{{ 1" + " + 1" * 5000 + " }}",
    ],
)
def test_what_would_take_too_much_time_or_memory_is_refused(text: str) -> None:
    # Without the bounds these run for hours or fill the memory; the timeout of the tests would tell.
    refusal(text, big=BIG)


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ ''['__class__'] }}",
        "{{ '' | attr('__class__') }}",
        "{{ [''] | map(attribute='__class__') | list }}",
        "{{ f.__globals__ }}",
        "{{ f.__code__ }}",
        "{{ dict.fromkeys([1]) }}",
        "{{ dict.__subclasses__() }}",
        "{{ self.__init__ }}",
        "{{ self._TemplateReference__context }}",
        "{{ namespace.__init__.__globals__ }}",
        "{{ l.append(3) }}",
        "{{ l.clear() }}",
        "{{ d.update(a=2) }}",
        "{{ d.pop('a') }}",
        "{{ l.sort() }}",
        "{{ lipsum() }}",
        "{{ l | random }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{% extends 'x' %}",
        "{% block x %}{% endblock %}",
        "{% set x %}a{% endset %}",
    ],
)
def test_no_expression_leaves_the_sandbox_or_changes_a_value(text: str) -> None:
    values: dict[str, Any] = {"l": [2, 1], "d": {"a": 1}}
    with pytest.raises(ExpressionError):
        Expressions(values, {"f": lambda: None}).evaluate(text)
    assert values == {"l": [2, 1], "d": {"a": 1}}


def test_an_undefined_variable_is_named_with_the_known_ones() -> None:
    error = refusal("{{ adress }}", address=1, name=2)
    assert error.message == "The variable 'adress' is not defined."
    assert error.undefined_name == "adress"
    assert error.known == ("address", "name")


def test_a_missing_key_is_named_with_the_keys_of_its_mapping() -> None:
    error = refusal("{{ disk.sise }}", disk={"size": 1, "lun": 2})
    assert (error.undefined_name, error.known) == ("sise", ("lun", "size"))


def test_an_undefined_value_inside_a_list_is_found() -> None:
    assert refusal("{{ [1, nope] }}").undefined_name == "nope"
    assert refusal("{{ {'a': nope} }}").undefined_name == "nope"


def test_names_used_inside_the_engine_do_not_shadow_variables() -> None:
    assert evaluated("{{ result }}", result=7) == 7
    assert evaluated("{{ context }}-{{ environment }}", context=1, environment=2) == "1-2"


def test_functions_are_called_and_their_errors_pass_through() -> None:
    def fail() -> None:
        raise ExpressionError("inner", 5)

    expressions = Expressions({"n": 2}, {"double": lambda n: n * 2, "fail": fail})
    assert expressions.evaluate("{{ double(n) }}") == 4
    with pytest.raises(ExpressionError) as caught:
        expressions.evaluate("{{ fail() }}")
    assert (caught.value.message, caught.value.offset_line) == ("inner", 5)


def test_the_result_of_a_function_has_to_be_plain_data() -> None:
    with pytest.raises(ExpressionError, match="value of type object"):
        Expressions({}, {"f": object}).evaluate("{{ f() }}")


def test_a_function_that_is_not_called_is_an_error() -> None:
    with pytest.raises(ExpressionError, match="parentheses"):
        Expressions({}, {"f": object}).evaluate("{{ f }}")


def test_what_a_function_raises_becomes_an_expression_error() -> None:
    def fail() -> None:
        raise KeyError("k")

    with pytest.raises(ExpressionError, match="The expression fails"):
        Expressions({}, {"f": fail}).evaluate("{{ f() }}")


def test_a_template_keeps_every_space_and_its_last_line_end() -> None:
    assert Expressions({"a": 1}).render("[x]\n  a = {{ a }}  \n\n") == "[x]\n  a = 1  \n\n"
    assert Expressions({"a": 1}).render("{{ a }}") == "1"
    assert Expressions({"x": [1, 2]}).render("{% for i in x -%}\nv{{ i }}\n{% endfor %}") == "v1\nv2\n"


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("a\nb\n{{ nope }}\n", 3),
        ("a\n{% if %}\n", 2),
        ("a\n\n\n{{ 1 / 0 }}", 4),
        ("{% for i in [1] %}\n{{ i }}\n{{ 'a' + i }}\n{% endfor %}", 3),
        ("a\n{% macro f() %}{% endmacro %}", 2),
    ],
)
def test_an_error_in_a_template_names_its_line(template: str, line: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        Expressions({}).render(template)
    assert caught.value.offset_line == line


def test_a_template_cannot_be_or_become_too_large() -> None:
    with pytest.raises(ExpressionError, match="more than"):
        Expressions({}).render("x" * (MAX_SIZE + 1))
    with pytest.raises(ExpressionError, match="more than"):
        Expressions({}).render("{% for i in range(100000) %}" + "x" * 100 + "{% endfor %}")


def test_json_is_written_as_it_is() -> None:
    assert evaluated("{{ d | tojson }}", d={"b": "<é>", "a": None}) == '{"b": "<é>", "a": null}'


def test_the_filters_that_are_bounded_still_do_their_work() -> None:
    assert evaluated("{{ 'a' | center(5) }}") == "  a  "
    assert evaluated("{{ '%s-%03d' | format(v, 7) }}", v="x") == "x-007"
    assert evaluated("{{ '%(a)s' | format(a=1) }}") == "1"
    assert evaluated("{{ '100%%' % () }}") == "100%"
    assert evaluated("{{ 'a\nb' | indent(2) }}") == "a\n  b"
    assert evaluated("{{ l | join('-') }}", l=[1, 2]) == "1-2"
    assert evaluated("{{ l | join('-', attribute='a') }}", l=[{"a": 1}, {"a": 2}]) == "1-2"
    assert evaluated("{{ 'aab' | replace('a', 'c') }}") == "ccb"
    assert evaluated("{{ 'aab'.replace('a', 'c', 1) }}") == "cab"
    assert evaluated("{{ '-'.join(l) }}", l=["a", "b"]) == "a-b"
    assert evaluated("{{ 2.567 | round(1) }}") == 2.6
    assert evaluated("{{ l | sum(attribute='a') }}", l=[{"a": 1}, {"a": 2}]) == 3
    assert evaluated("{{ '<&' | e }}") == "&lt;&amp;"
    assert evaluated("{{ 2 ** 10 }}") == 1024
    assert evaluated("{{ 2 ** -1 }}") == 0.5
    assert evaluated("{{ [1] + [2] }}") == [1, 2]
    assert evaluated("{{ loop | default('free') }}") == "free"
    assert evaluated("{{ 'a/b/c' | split('/', 1) }}") == ["a", "b/c"]
    assert evaluated("{{ ['a=1', 'b=2'] | map('split', '=') | map('last') | list }}") == ["1", "2"]
    assert evaluated("{{ dict(l | zip(['x', 'y'])) }}", l=["a", "b"]) == {"a": "x", "b": "y"}


def test_lists_of_different_lengths_have_no_pairs() -> None:
    assert refusal("{{ [1] | zip([1, 2]) }}").message == "Lists of 1 and 2 items have no pairs."
    assert "empty separator" in refusal("{{ 'a' | split('') }}").message


def test_named_and_unnamed_format_values_do_not_mix() -> None:
    assert "not both" in refusal("{{ '%s' | format(1, a=2) }}").message


def test_a_long_message_is_cut() -> None:
    assert len(refusal("{{ d[key] }}", d={}, key="k" * 5000).message) <= 301
