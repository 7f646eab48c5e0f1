"""Diagnostics: positions, carets, order, suggestions."""

from __future__ import annotations

import pytest

from provisioner.diagnostics import Diagnostics, SourceFile, SourceRange, did_you_mean
from provisioner.errors import InputError


def _range(text: str, line: int, column: int, width: int) -> SourceRange:
    return SourceRange(SourceFile("lab.yaml", text), line, column, line, column + width)


def test_a_diagnostic_shows_position_line_caret_detail_and_help() -> None:
    problems = Diagnostics()
    problems.error(
        "Unknown role",
        "No role is called 'hyperv'.",
        _range("a: 1\nroles: [hyperv]\n", 2, 9, 6),
        "Did you mean 'x'?",
    )
    (only,) = problems
    assert only.render() == (
        "lab.yaml:2:9: error: Unknown role\n"
        "  2 | roles: [hyperv]\n"
        "    |         ^^^^^^\n"
        "  No role is called 'hyperv'.\n"
        "  Did you mean 'x'?"
    )


def test_a_caret_stands_under_its_character_behind_tabs() -> None:
    problems = Diagnostics()
    problems.warning("S", "D.", _range("\tkey: v", 1, 2, 3))
    (only,) = problems
    assert "    | \t^^^" in only.render()


def test_a_range_over_several_lines_is_underlined_to_the_end_of_the_first() -> None:
    where = SourceRange(SourceFile("f", "abc\ndef"), 1, 2, 2, 2)
    problems = Diagnostics()
    problems.error("S", "D.", where)
    (only,) = problems
    assert only.render().splitlines()[2].endswith("^^")


def test_a_position_beyond_the_end_shows_no_line() -> None:
    problems = Diagnostics()
    problems.error("S", "D.", _range("", 9, 1, 1))
    (only,) = problems
    assert only.render() == "f:9:1".replace("f", "lab.yaml") + ": error: S\n  D."


def test_problems_come_in_file_order_and_all_at_once() -> None:
    problems = Diagnostics()
    problems.error("Second", "D.", _range("a\nb\n", 2, 1, 1))
    problems.error("First", "D.", _range("a\nb\n", 1, 1, 1))
    with pytest.raises(InputError) as raised:
        problems.raise_errors()
    assert [text.splitlines()[0] for text in raised.value.problems] == [
        "lab.yaml:1:1: error: First",
        "lab.yaml:2:1: error: Second",
    ]


def test_warnings_alone_stop_nothing() -> None:
    problems = Diagnostics()
    problems.warning("S", "D.")
    problems.raise_errors()
    assert len(problems) == 1


@pytest.mark.parametrize(
    ("seen", "known", "said"),
    [
        ("hyperv-host", ["hyperv_host", "iscsi_target"], "Did you mean 'hyperv_host'?"),
        ("ENSURE", ["Ensure"], "Did you mean 'Ensure'?"),
        ("web", ["web"], ""),
        ("zzz", ["b", "a"], "Known here: a, b."),
        ("zzz", [], ""),
        (
            "zzz",
            [f"word{n}" for n in range(10)],
            "Known here: word0, word1, word2, word3, word4, word5, word6, word7 and 2 more.",
        ),
    ],
)
def test_a_suggestion_is_the_closest_word_or_the_known_ones(seen: str, known: list[str], said: str) -> None:
    assert did_you_mean(seen, known) == said


def test_a_problem_that_several_nodes_share_is_told_once() -> None:
    found = Diagnostics()
    for _ in range(2):
        found.warning("S", "D.", _range("a: 1", 1, 1, 1))
    problems = Diagnostics()
    problems.extend(found)
    problems.extend(found)
    assert len(problems) == 1


def test_extending_keeps_the_first_of_equal_problems_whichever_way_they_came() -> None:
    one, two = Diagnostics(), Diagnostics()
    for problems in (one, two):
        problems.error("A", "first")
        problems.error("A", "first")
    one.extend(two)
    one.error("B", "second")
    one.extend([*two, *one])
    assert [problem.detail for problem in one] == ["first", "second"]


def test_a_great_many_problems_are_collected_and_shown_in_time_that_grows_with_their_number() -> None:
    source = SourceFile("many.yaml", "key: value\n" * 20_000)
    problems = Diagnostics()
    for number in range(1, 20_001):
        found = Diagnostics()
        found.warning("W", "detail", SourceRange(source, number, 1, number, 4))
        problems.extend(found)
    assert len("\n".join(problem.render() for problem in problems)) > 20_000


def test_what_many_nodes_have_in_common_is_told_once() -> None:
    where = _range("certificate: certs/", 1, 14, 6)
    problems = Diagnostics()
    for number in range(12):
        problems.error("S", f"Node 'n{number}' has no certs/n{number}.cer.", where, f"Run: fetch n{number}.")
    problems.error("S", "Node 'n1' has no other.", where)
    told, other = problems.rendered()
    assert told.splitlines()[-3:] == [
        "  Node 'n0' has no certs/n0.cer.",
        "  Run: fetch n0.",
        "  So it is with 11 more nodes: n1, n2, n3, n4, n5, n6, n7, n8 and 3 more.",
    ]
    assert other.endswith("Node 'n1' has no other.")


@pytest.mark.parametrize(
    "detail",
    ["Node 'n{}' lacks it.", "'n{}' lacks it.", "Node 'n1' lacks 'n{}'."],
    ids=["few nodes", "no nodes", "one node"],
)
def test_only_the_name_of_the_node_makes_problems_alike(detail: str) -> None:
    count = 3 if detail.startswith("Node 'n{") else 9
    problems = Diagnostics()
    for number in range(2, 2 + count):
        problems.error("S", detail.format(number), _range("a: 1", 1, 1, 1))
    assert len(problems.rendered()) == count
