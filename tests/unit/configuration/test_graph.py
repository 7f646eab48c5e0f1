"""The order of resources: dependencies first, roles after what they require, otherwise as declared."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.configuration.between.graph import Edge, RoleNode, order, report_cycles, required_edges
from provisioner.diagnostics import Diagnostics
from tests.unit.configuration.builders import at


def edge(source: int, target: int) -> Edge:
    return Edge(source, target, at(source + 1), "dependsOn")


def roles(**members: tuple[Sequence[int], Sequence[str]]) -> dict[str, RoleNode]:
    """Roles in the order of an expansion: required ones first."""
    found: dict[str, RoleNode] = {}
    for name, (indexes, requires) in members.items():
        before = {index for role in found.values() for index in role.members}
        own = frozenset(indexes) - before
        found[name] = RoleNode(frozenset(indexes), own, {each: at() for each in requires})
    return found


def pairs(edges: Sequence[Edge]) -> set[tuple[int, int]]:
    return {(each.source, each.target) for each in edges}


def test_without_dependencies_the_order_is_that_of_declaration() -> None:
    assert order(4, []) == (0, 1, 2, 3)


def test_a_dependency_comes_first_and_the_rest_stays_in_place() -> None:
    assert order(4, [edge(0, 2)]) == (1, 2, 0, 3)


def test_a_role_that_requires_another_is_joined_first_to_last() -> None:
    declared = [edge(1, 0), edge(2, 1), edge(5, 4)]
    found = required_edges(roles(base=([0, 1, 2, 3], []), web=([4, 5, 6], ["base"])), declared)
    assert pairs(found) == {(4, 2), (4, 3), (6, 2), (6, 3)}
    assert {each.because for each in found} == {"role 'web' requires role 'base'"}


def test_an_empty_role_passes_on_what_it_requires() -> None:
    found = required_edges(roles(base=([0], []), middle=([], ["base"]), web=([1], ["middle"])), [])
    assert pairs(found) == {(1, 0)}


def test_a_shared_resource_comes_first_as_part_of_the_required_role() -> None:
    declared = [edge(1, 0), edge(2, 0)]
    found = required_edges(roles(base=([0, 1], []), web=([0, 2], ["base"])), declared)
    assert pairs(found) == {(2, 1)}


def test_an_edge_that_is_declared_already_is_not_repeated() -> None:
    found = required_edges(roles(base=([0], []), web=([1], ["base"])), [edge(1, 0)])
    assert found == ()


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, list[Edge]]:
    count = draw(st.integers(1, 12))
    ranks = draw(st.permutations(range(count)))
    found = draw(st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=20))
    return count, [edge(a, b) for a, b in found if ranks[a] > ranks[b]]


@given(graphs())
def test_any_order_has_everything_once_and_dependencies_first(graph: tuple[int, list[Edge]]) -> None:
    count, edges = graph
    found = order(count, edges)
    assert found is not None
    assert sorted(found) == list(range(count))
    assert all(found.index(each.target) < found.index(each.source) for each in edges)
    # The smallest order: nothing could have come earlier that was declared earlier.
    for position, index in enumerate(found):
        placed = set(found[:position])
        ready = [
            other
            for other in range(count)
            if other not in placed and all(e.target in placed for e in edges if e.source == other)
        ]
        assert index == min(ready)


def test_what_is_in_a_circle_has_no_order() -> None:
    assert order(3, [edge(0, 1), edge(1, 0)]) is None
    assert order(1, [edge(0, 0)]) is None


@given(graphs(), st.data())
def test_joining_the_ends_of_roles_says_the_same_as_joining_everything(
    graph: tuple[int, list[Edge]], data: st.DataObject
) -> None:
    count, edges = graph
    owner = data.draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))
    # Inside roles only: edges between roles could contradict what they require.
    edges = [each for each in edges if owner[each.source] == owner[each.target]]
    members = [[index for index in range(count) if owner[index] == role] for role in range(3)]
    three = roles(a=(members[0], []), b=(members[1], ["a"]), c=(members[2], ["b"]))
    joined = reachable(count, [*edges, *required_edges(three, edges)])
    everything = [
        edge(later, earlier)
        for high in range(3)
        for low in range(high)
        for later in members[high]
        for earlier in members[low]
    ]
    assert joined == reachable(count, [*edges, *everything])


@given(graphs(), st.data())
def test_what_roles_share_closes_no_circle_and_is_waited_for(
    graph: tuple[int, list[Edge]], data: st.DataObject
) -> None:
    count, _ = graph
    # Any resource may be declared by any of four roles, the first of which all others require.
    declaring = [data.draw(st.sets(st.integers(0, 3), min_size=1)) for _ in range(count)]
    members = [[index for index in range(count) if role in declaring[index]] for role in range(4)]
    four = roles(a=(members[0], []), b=(members[1], ["a"]), c=(members[2], ["a"]), d=(members[3], ["b", "c"]))
    edges = required_edges(four, [])
    assert order(count, edges) is not None
    closed = reachable(count, edges)
    for later, requires in ((1, [0]), (2, [0]), (3, [0, 1, 2])):
        for source in four["abcd"[later]].own:
            for target in {index for role in requires for index in members[role]}:
                assert (source, target) in closed


def reachable(count: int, edges: Sequence[Edge]) -> set[tuple[int, int]]:
    found = pairs(edges)
    for middle in range(count):
        for source in range(count):
            for target in range(count):
                if (source, middle) in found and (middle, target) in found:
                    found.add((source, target))
    return found


@pytest.mark.parametrize(
    ("edges", "rings"),
    [
        ([edge(0, 1), edge(1, 2)], []),
        ([edge(0, 0)], ["a depends on a"]),
        ([edge(0, 1), edge(1, 0)], ["a depends on b", "b depends on a"]),
        ([edge(2, 1), edge(1, 2), edge(0, 1)], ["b depends on c", "c depends on b"]),
    ],
)
def test_a_circle_is_told_step_by_step(edges: list[Edge], rings: list[str]) -> None:
    problems = Diagnostics()
    report_cycles(["a", "b", "c"], edges, problems)
    text = " ".join(problem.detail for problem in problems)
    assert [step for step in rings if step in text] == rings
    assert len(problems) == (1 if rings else 0)


def test_every_circle_is_reported() -> None:
    problems = Diagnostics()
    report_cycles(["a", "b", "c", "d"], [edge(0, 1), edge(1, 0), edge(2, 3), edge(3, 2)], problems)
    assert len(problems) == 2
