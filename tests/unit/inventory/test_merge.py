"""Several layers, one value: the laws of each strategy, and knock-outs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner import documents
from provisioner.diagnostics import Diagnostics, SourceFile
from provisioner.documents import Mapping, Tree
from provisioner.inventory.merge import Findings, merge
from provisioner.inventory.rules import NO_RULES, Rules, read_rules
from provisioner.inventory.strategies import DEEP, REPLACE, Mode, Strategy, read_strategy


def tree(value: Any) -> Tree:
    text = documents.dump(value)
    read, problems = documents.parse(text, SourceFile("x.yaml", text))
    assert read is not None
    assert not problems.has_errors
    return read


def rules(written: dict[str, Any]) -> Rules:
    problems = Diagnostics()
    found, _ = read_rules(tree(written), problems)
    assert [problem.render() for problem in problems] == []
    return found


def merged(*layers: Any, by: Any = "deep") -> Any:
    """Merge plain values, the widest first, by a strategy or by rules for the variable ``v`` and below it."""
    if isinstance(by, dict) and "strategy" not in by:
        return documents.plain(merge(map(tree, layers), rules(by).at("v"), REPLACE))
    strategy = read_strategy(tree(by), Diagnostics())
    assert strategy is not None
    return documents.plain(merge(map(tree, layers), NO_RULES, strategy))


NAMES = st.text(alphabet="abcd", min_size=1, max_size=2)
SCALARS = st.booleans() | st.integers(0, 3) | NAMES
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=10,
)
MAPPINGS = st.dictionaries(NAMES, VALUES, max_size=4)
LISTS = st.lists(SCALARS, max_size=5)


def same(first: Any, second: Any) -> bool:
    """Equal with types: true is not 1."""
    return documents.dump(first) == documents.dump(second)


@given(st.lists(VALUES, min_size=1, max_size=4))
def test_replace_is_the_nearest_layer(layers: list[Any]) -> None:
    assert same(merged(*layers, by="replace"), layers[-1])


@given(MAPPINGS, MAPPINGS)
def test_deep_of_mappings_without_a_common_key_is_their_union(
    wide: dict[str, Any], near: dict[str, Any]
) -> None:
    near = {f"x{name}": value for name, value in near.items()}
    by = {"strategy": "deep", "lists": "append"}
    assert same(merged(wide, near, by=by), wide | near)


@given(st.lists(VALUES, min_size=1, max_size=3))
def test_merging_a_layer_with_itself_changes_nothing_but_duplicates(layers: list[Any]) -> None:
    once = merged(*layers)
    assert same(merged(once, once), once)


@given(VALUES, VALUES, VALUES)
def test_layers_may_be_merged_one_after_the_other(first: Any, second: Any, third: Any) -> None:
    assert same(merged(merged(first, second), third), merged(first, second, third))


@given(LISTS, LISTS)
def test_unique_keeps_order_and_drops_duplicates(wide: list[Any], near: list[Any]) -> None:
    seen: dict[str, Any] = {}
    for item in wide + near:
        seen.setdefault(documents.dump(item), item)
    assert same(merged(wide, near, by="unique"), list(seen.values()))


@given(LISTS, LISTS)
def test_append_keeps_everything(wide: list[Any], near: list[Any]) -> None:
    assert same(merged(wide, near, by="append"), wide + near)


@given(st.lists(NAMES, max_size=5), st.lists(NAMES, max_size=5))
def test_what_is_knocked_out_is_gone_and_only_that(wide: list[str], names: list[str]) -> None:
    result = merged(wide, [f"--{name}" for name in names], by="append")
    assert result == [item for item in wide if item not in names]


@given(MAPPINGS, st.sets(NAMES, max_size=3))
def test_a_knocked_out_key_is_gone_and_only_that(wide: dict[str, Any], names: set[str]) -> None:
    by = {"strategy": "deep", "lists": "append"}
    result = merged(wide, {f"--{name}": None for name in names}, by=by)
    assert same(result, {name: value for name, value in wide.items() if name not in names})


@given(MAPPINGS, MAPPINGS)
def test_every_part_of_a_merged_value_is_a_part_of_a_layer(
    wide: dict[str, Any], near: dict[str, Any]
) -> None:
    layers = [tree(wide), tree(near)]
    known = {id(leaf) for layer in layers for leaf in leaves(layer)}
    whole = merge(layers, NO_RULES, DEEP)
    assert {id(leaf) for leaf in leaves(whole)} <= known


def leaves(value: Tree) -> list[Tree]:
    match value:
        case Mapping():
            return [leaf for entry in value.entries for leaf in leaves(entry.value)]
        case documents.Sequence():
            return [leaf for item in value.items for leaf in leaves(item)]
        case _:
            return [value]


@pytest.mark.parametrize(
    ("layers", "by", "result"),
    [
        ([{"a": 1, "b": {"c": 1}}, {"b": {"d": 2}}], "deep", {"a": 1, "b": {"c": 1, "d": 2}}),
        ([{"a": [1, 2]}, {"a": [2, 3]}], "deep", {"a": [1, 2, 3]}),
        ([{"a": [1, 2]}, {"a": [2, 3]}], {"strategy": "deep", "lists": "replace"}, {"a": [2, 3]}),
        ([{"a": [1, 2]}, {"a": [2, 3]}], {"strategy": "deep", "lists": "append"}, {"a": [1, 2, 2, 3]}),
        ([{"a": {"x": 1}}, {"a": 5}], "deep", {"a": 5}),
        ([{"a": {"x": 1}}, {"a": None}], "deep", {"a": None}),
        ([{"a": 1}, None, {"b": 2}], "deep", {"b": 2}),
        ([{"a": 1}, None], "deep", None),
        ([[1, 1], [1]], "unique", [1]),
        ([[1], [True, 1.0, "1"]], "unique", [1, True, 1.0, "1"]),
        ([["a", "b"], ["--a", "c", "a"]], "unique", ["b", "c", "a"]),
        ([[1, "1"], ["--1"]], "unique", []),
        ([["a"], ["--"]], "unique", ["a", "--"]),
        ([["a", "--b"]], "unique", ["a"]),
        ([["a"], ["--a"]], "replace", ["--a"]),
        ([{"k": 1, "l": 2}, {"--k": None, "l": {"--m": 1}}], "deep", {"l": {}}),
        ([{"k": {"old": 1}}, {"--k": None, "k": {"new": 1}}], "deep", {"k": {"new": 1}}),
        # The rule of a part leads to it, and everything beside it is replaced.
        ([{"a": {"x": [1], "y": [1]}}, {"a": {"x": [2], "y": [2]}}], {"v.a.x": "unique"}, {"a": {"x": [1, 2], "y": [2]}}),
        ([{"a": {"x": 1}, "b": 1}, {"a": {"y": 2}}], {"v": "deep", "v.a": "replace"}, {"a": {"y": 2}, "b": 1}),
        ([{"p": {"l": [1]}, "q": {"l": [1]}}, {"p": {"l": [2]}, "q": {"l": [2]}}], {"v.*.l": "append", "v.q.l": "replace"},
         {"p": {"l": [1, 2]}, "q": {"l": [2]}}),
        ([{"a": {"b": {"x": [1], "y": [1]}}}, {"a": {"b": {"x": [2], "y": [2]}}}], {"v.a.*.x": "unique", "v.a.b.y": "append"},
         {"a": {"b": {"x": [1, 2], "y": [1, 2]}}}),
        ([{"a": {"l": [1]}, "l": [1]}, {"a": {"l": [2]}, "l": [2]}], {"v": "unique", "v.a": "deep"},
         {"a": {"l": [1, 2]}, "l": [2]}),
        # Items that a key tells apart.
        ([[{"n": "a", "x": 1}, {"n": "b"}], [{"n": "a", "y": 2}, {"n": "c"}]], {"strategy": "deep", "key": "n"},
         [{"n": "a", "x": 1, "y": 2}, {"n": "b"}, {"n": "c"}]),
        ([[{"n": "a"}, {"n": "b"}, "a"], ["--a"]], {"strategy": "unique", "key": "n"}, [{"n": "b"}]),
        ([[{"n": "a"}], [{"m": "a"}]], {"strategy": "deep", "key": "n"}, [{"n": "a"}, {"m": "a"}]),
    ],
)  # fmt: skip
def test_values_are_merged_as_documented(layers: list[Any], by: Any, result: Any) -> None:
    assert same(merged(*layers, by=by), result)


def test_an_item_of_two_layers_stands_in_the_wider_one() -> None:
    wide, near = tree(["a"]), tree([{"b": 1}, "a"])
    whole = merge([wide, near], NO_RULES, Strategy(Mode.UNIQUE))
    assert leaves(whole)[0] is leaves(wide)[0]


def test_a_merge_says_what_its_knock_outs_hit() -> None:
    findings = Findings()
    layers = [tree(["a", "b"]), tree(["--a", "--z"])]
    merge(layers, NO_RULES, Strategy(Mode.UNIQUE), findings)
    assert [where.line for where in findings.effective] == [1]
    assert [(where.line, what) for where, what in findings.idle.items()] == [(2, ("z", ("a", "b")))]


def test_layers_that_do_not_fit_are_noted_and_the_nearer_counts() -> None:
    findings = Findings()
    whole = merge([tree({"a": [1]}), tree({"a": {"b": 1}})], NO_RULES, DEEP, findings)
    assert documents.plain(whole) == {"a": {"b": 1}}
    assert list(findings.misfits.values()) == ["a list in a wider layer, a mapping here"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("deap", "Unknown merge strategy|Did you mean 'deep'?"),
        ([1], "Merge strategy has a wrong form"),
        ({"lists": "unique"}, "Key is missing|'strategy' is needed"),
        ({"strategy": "deep", "list": "unique"}, "Unknown key|Did you mean 'lists'?"),
        ({"strategy": "deep", "lists": "deep"}, "Unknown merge strategy"),
        ({"strategy": "unique", "lists": "append"}, "Only 'deep' meets lists inside"),
        ({"strategy": "deep", "key": 3}, "'key' is the name of a key"),
        ({"strategy": ["deep"]}, "Unknown merge strategy"),
    ],
)
def test_an_ill_formed_strategy_is_refused(written: Any, said: str) -> None:
    problems = Diagnostics()
    read_strategy(tree(written), problems)
    printed = "\n".join(problem.render() for problem in problems)
    assert all(part in printed for part in said.split("|")), printed
