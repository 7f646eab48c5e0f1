from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from provisioner import documents
from provisioner.diagnostics import Diagnostics, SourceFile, SourceRange
from provisioner.documents import Mapping, Scalar, Sequence, Tree


def parsed(text: str) -> tuple[Tree | None, Diagnostics]:
    return documents.parse(text, SourceFile("x.yaml", text))


def tree_of(text: str) -> Tree:
    tree, problems = parsed(text)
    assert tree is not None
    assert [problem.render() for problem in problems] == []
    return tree


def messages(text: str) -> str:
    return "\n".join(problem.render() for problem in parsed(text)[1])


def excerpt(text: str, where: SourceRange) -> str:
    lines = text.splitlines()[where.line - 1 : where.end_line]
    lines[-1] = lines[-1][: where.end_column - 1]
    lines[0] = lines[0][where.column - 1 :]
    return "\n".join(lines)


def scalars(tree: Tree) -> list[Scalar]:
    match tree:
        case Scalar():
            return [tree]
        case Sequence():
            return [leaf for item in tree.items for leaf in scalars(item)]
        case Mapping():
            return [leaf for entry in tree.entries for leaf in (entry.key, *scalars(entry.value))]


WORDS = st.text(st.characters(categories=["L", "Nd"]), min_size=1, max_size=12).map(lambda word: "w" + word)
VALUES: st.SearchStrategy[Any] = st.recursive(
    WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)


@given(value=VALUES, is_flow=st.booleans())
def test_the_text_at_every_position_is_the_scalar(value: Any, *, is_flow: bool) -> None:
    text = yaml.safe_dump(
        value, allow_unicode=True, default_flow_style=is_flow, width=10_000, sort_keys=False
    )
    tree = tree_of(text)
    assert documents.plain(tree) == value
    for scalar in scalars(tree):
        assert excerpt(text, scalar.where).strip("'\"") == scalar.text


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_any_text_gives_a_tree_or_an_error(text: str) -> None:
    tree, problems = parsed(text)
    assert (tree is not None) or problems.has_errors
    for problem in problems:
        problem.render()


@given(st.text(alphabet="ab:-[]{}#&*!|>'\"%@`,? \n\t0.~<", max_size=60))
def test_any_mix_of_yaml_signs_gives_a_tree_or_an_error(text: str) -> None:
    tree, problems = parsed(text)
    assert (tree is not None) or problems.has_errors
    if tree is not None:
        documents.plain(tree)


@given(st.binary(max_size=200))
def test_any_bytes_in_a_file_give_a_tree_or_an_error(tmp_path_factory: Any, raw: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / "x.yaml"
    path.write_bytes(raw)
    tree, problems = documents.load(path)
    assert (tree is not None) or problems.has_errors
    for problem in problems:
        problem.render()


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True), ("True", True), ("TRUE", True), ("false", False), ("tRue", "tRue"),
        ("yes", "yes"), ("No", "No"), ("on", "on"), ("off", "off"), ("y", "y"),
        ("null", None), ("~", None), ("NULL", None), ("nil", "nil"), ("None", "None"),
        ("12", 12), ("-12", -12), ("+12", 12), ("0o17", 15), ("0x1f", 31), ("-0x1f", "-0x1f"), ("0b1", "0b1"),
        ("1.5", 1.5), ("1.", 1.0), (".5", 0.5), ("1e3", 1000.0), ("-1.5E-3", -0.0015), (".", "."), ("1e", "1e"),
        (".inf", math.inf), ("-.INF", -math.inf), ("inf", "inf"), ("nan", "nan"),
        ("12:30:00", "12:30:00"), ("1_000", "1_000"), ("2026-11-21", "2026-11-21"), ("1.2.3", "1.2.3"),
        ("\u0663", "\u0663"), ("=", "="), ("<<x", "<<x"), ("'12'", "12"), ('"true"', "true"), ("''", ""),
        ("|\n  12", "12\n"), (">-\n  true", "true"),
    ],
)  # fmt: skip
def test_plain_scalars_follow_the_core_schema_of_yaml_1_2(written: str, value: Any) -> None:
    seen = documents.plain(tree_of(f"- {written}\n"))[0]
    assert (type(seen), seen) == (type(value), value)


def test_not_a_number_is_a_float() -> None:
    assert math.isnan(documents.plain(tree_of("- .nan"))[0])


def test_a_leading_zero_is_read_as_decimal_and_warned_about() -> None:
    tree, problems = parsed("mode: 0755")
    assert tree is not None
    assert documents.plain(tree) == {"mode": 755}
    assert not problems.has_errors
    assert "Number with a leading zero" in messages("mode: 0755")


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "---\n", "---\n...\n"])
def test_an_empty_document_is_a_null_scalar(text: str) -> None:
    assert documents.plain(tree_of(text)) is None


@pytest.mark.parametrize("name", ["on", "yes", "no", "null_x", "0x", "1.2.3"])
def test_words_of_yaml_1_1_are_ordinary_keys(name: str) -> None:
    assert documents.plain(tree_of(f"{name}: 1")) == {name: 1}


def test_quoted_keys_may_look_like_anything() -> None:
    assert documents.plain(tree_of("'1': a\n\"<<\": b\n'': c")) == {"1": "a", "<<": "b", "": "c"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3", "x.yaml:3:1: error: Key appears twice|stands in line 1 already"),
        ("{a: 1, 'a': 3}", "x.yaml:1:8: error: Key appears twice"),
        ("1: a", "x.yaml:1:1: error: Key is not text|'1' as a number"),
        ("true: a", "x.yaml:1:1: error: Key is not text|as a boolean"),
        ("?\n: a", "error: Key is not text|an empty text as null"),
        ("? [a]\n: b", "x.yaml:1:3: error: Key is not text|A list or a mapping"),
        ("x: &x {a: 1}\ny:\n  <<: *x", "x.yaml:3:3: error: Merge keys are not used here"),
        ("a: !vault x", "x.yaml:1:4: error: Tags are not used here|'!vault'"),
        ("a: !!python/object:os.system x", "x.yaml:1:4: error: Tags are not used here"),
        ("a: !!map {}", "x.yaml:1:4: error: Tags are not used here"),
        ("a: &x [1, *x]", "x.yaml:1:11: error: Alias contains itself"),
        ("a: &x {b: *x}", "x.yaml:1:11: error: Alias contains itself"),
        ("a: *b", "x.yaml:1:4: error: Unknown alias|quotes"),
        ("c: &c 1\na: *b", "x.yaml:2:4: error: Unknown alias|Known here: &c."),
        ("a: 1\n---\nb: 2", "x.yaml:2:1: error: Several documents in one file"),
        ("a: {{ b }}", "x.yaml:1:4: error: Expression is not in quotes|    ^^^^^^^\n"),
        ("a: {{ b }}/c", "x.yaml:1:4: error: Expression is not in quotes"),
        ("- {{ b }}\n- 1", "x.yaml:1:3: error: Expression is not in quotes"),
        ("a: [{{ b }}]", "x.yaml:1:5: error: Expression is not in quotes"),
        ('a: "C:\\Windows"', "x.yaml:1:7: error: YAML cannot be read|single quotes"),
        ('a: "C:\\x"', "error: YAML cannot be read|single quotes"),
        ("a: 'b\nc: d", "x.yaml:1:4: error: YAML cannot be read|never closed"),
        ("a:\n\t- b", "x.yaml:2:1: error: YAML cannot be read|A tab"),
        ("a: @b", "x.yaml:1:4: error: YAML cannot be read|cannot start with '@'"),
        ("a: %b", "x.yaml:1:4: error: YAML cannot be read|cannot start with '%'"),
        ("a: b: c", "x.yaml:1:5: error: YAML cannot be read|quotes"),
        ("a: [1, 2\nb: 3", "error: YAML cannot be read|not closed"),
        ("a: {b: 1\nc: 3", "error: YAML cannot be read|not closed"),
        ("a: - b", "x.yaml:1:4: error: YAML cannot be read|A list cannot start here"),
        ("a:\n  - 1\n b: 2", "x.yaml:3:2: error: YAML cannot be read"),
        ("- a\nb", "x.yaml:2:1: error: YAML cannot be read"),
        ("{a: 1", "error: YAML cannot be read"),
        ("a\0b", "x.yaml:1:2: error: Character is not allowed in YAML|U+0000"),
        ("a: \x1b[31m", "x.yaml:1:4: error: Character is not allowed in YAML|U+001B"),
        ("a: \ud800", "x.yaml:1:4: error: Character is not allowed in YAML|U+D800"),
        ("- " + "9" * 5000, "x.yaml:1:3: error: Number is too long"),
        ("[" * 5000, "x.yaml:1:65: error: Nesting is too deep"),
        ("- " * 5000, "error: Nesting is too deep"),
        ("{a: " * 5000, "error: Nesting is too deep"),
        ("? " * 5000, "error: "),
    ],
)
def test_what_is_wrong_is_said_at_its_place(text: str, expected: str) -> None:
    said = messages(text)
    for part in expected.split("|"):
        assert part in said


def test_problems_of_the_content_are_reported_together_beside_the_tree() -> None:
    tree, problems = parsed("a: 1\na: 2\n1: 3\nb: !x 4\n")
    assert tree is not None
    assert documents.plain(tree) == {"a": 1, "1": 3, "b": 4}
    assert len(problems) == 3


def test_an_expression_without_quotes_is_reported_once() -> None:
    assert messages("a: {{ b }}-c\nd: 1").count("error:") == 1


def test_an_alias_repeats_its_value() -> None:
    assert documents.plain(tree_of("a: &x {b: [1]}\nc: *x\nd: [*x]")) == {
        "a": {"b": [1]}, "c": {"b": [1]}, "d": [{"b": [1]}],
    }  # fmt: skip
    assert documents.plain(tree_of("a: &k key\n*k : 1")) == {"a": "key", "key": 1}


def test_a_small_file_cannot_become_a_huge_tree() -> None:
    rounds = [f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 9) + "]" for i in range(1, 30)]
    assert "Document is too large" in messages("a0: &a0 [x]\n" + "\n".join(rounds))


def test_what_aliases_add_is_bounded_of_itself() -> None:
    text = "a: &a [1, 2, 3]\nb: [*a, *a, *a]"
    limits = documents.Limits(size_bytes=1000, values=1000, repeated=8)
    tree, problems = documents.parse(text, SourceFile("x", text), limits)
    assert tree is None
    assert "Its aliases stand for more than 8 values." in next(iter(problems)).render()


def test_aliases_cannot_build_a_deep_tree() -> None:
    rounds = [f"a{i}: &a{i} [[*a{i - 1}]]" for i in range(1, 2000)]
    assert "Nesting is too deep" in messages("a0: &a0 [x]\n" + "\n".join(rounds))


def test_the_position_of_a_block_mapping_ends_with_its_last_value() -> None:
    text = "a:\n  b: 1\n  c: 2\n\n# note\nd: 3\n"
    tree = tree_of(text)
    assert isinstance(tree, Mapping)
    inner = tree.get("a")
    assert inner is not None
    assert excerpt(text, inner.where) == "b: 1\n  c: 2"


@pytest.mark.parametrize(
    ("path", "position"),
    [
        ((), "x.yaml:1:1"),
        (("a",), "x.yaml:2:3"),
        (("a", "b"), "x.yaml:2:6"),
        (("a", "b", 1), "x.yaml:2:10"),
        (("a", "b", 7), "x.yaml:2:6"),
        (("a", "b", 1, "c"), "x.yaml:2:10"),
        (("a", "nope", "deeper"), "x.yaml:2:3"),
        (("empty",), "x.yaml:3:1"),
    ],
)
def test_a_path_leads_to_the_nearest_place_that_exists(path: tuple[str | int, ...], position: str) -> None:
    assert str(documents.locate(tree_of("a:\n  b: [1, 2]\nempty:\n"), path)) == position


@pytest.mark.parametrize(
    ("path", "value"),
    [((), {"a": [1, {"b": 2}]}), (("a", 1, "b"), 2), (("a", 2), None), (("a", "b"), None), (("x",), None)],
)
def test_a_path_leads_to_a_value_or_to_nothing(path: tuple[str | int, ...], value: Any) -> None:
    found = documents.step_into(tree_of("a: [1, {b: 2}]"), path)
    assert (documents.plain(found) if found else None) == value


def test_columns_count_characters_not_bytes() -> None:
    tree = tree_of("ä𝒳ö: {b: 1}")
    assert str(documents.locate(tree, ("ä𝒳ö", "b"))) == "x.yaml:1:10"


def test_keys_know_their_position() -> None:
    tree = tree_of("a: 1\n  \nb: 2")
    assert isinstance(tree, Mapping)
    entry = tree.entry("b")
    assert entry is not None
    assert (str(entry.key.where), tree.entry("c"), tree.get("c")) == ("x.yaml:3:1", None, None)


def test_quotes_are_remembered() -> None:
    tree = tree_of("[a, 'b', \"c\"]")
    assert [scalar.is_plain for scalar in scalars(tree)] == [True, False, False]


def test_a_file_with_byte_order_mark_and_windows_line_ends_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    tree, problems = documents.load(path)
    assert tree is not None
    assert (documents.plain(tree), len(problems)) == ({"a": 1, "b": 2}, 0)
    assert documents.locate(tree, ("a",)).column == 4


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("a: 1".encode("utf-16"), "is UTF-16"),
        (b"a: 1\nb: \xe4\n", ":2:4: error: File is not UTF-8"),
        (b"a: " + b"x" * documents.ORDINARY.size_bytes, "File is too large"),
    ],
)
def test_a_file_in_the_wrong_form_is_refused(tmp_path: Path, raw: bytes, expected: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(raw)
    tree, problems = documents.load(path)
    assert tree is None
    assert expected in next(iter(problems)).render()


def test_a_large_file_below_the_limit_is_read() -> None:
    text = "".join(f"key{i}: {{a: {i}, b: text}}\n" for i in range(20_000))
    assert len(documents.plain(tree_of(text))) == 20_000


@pytest.mark.parametrize(
    ("name", "expected"),
    [("missing.yaml", "no such file"), (".", "a folder"), ("bad\0name", "not a usable path")],
)
def test_a_file_that_cannot_be_opened_gives_an_error(tmp_path: Path, name: str, expected: str) -> None:
    tree, problems = documents.load(tmp_path / name, shown_as="shown")
    assert tree is None
    assert expected in next(iter(problems)).render()


def test_the_parser_written_in_python_gives_the_same_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: {b: [1, 'x', \"y\"], c: &r !t z}\nd:\n- |\n  t\n- *r\n- {{ e }}\n0755: 1\n"
    with_c = parsed(text)
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    without = parsed(text)
    assert with_c[0] == without[0]
    assert [p.render() for p in with_c[1]] == [p.render() for p in without[1]]


def test_a_long_line_is_shown_in_part_and_without_control_characters() -> None:
    said = messages("a: " + "x" * 5000 + "\x1b[31m" + "y" * 5000)
    assert max(len(line) for line in said.splitlines()) < 220
    assert "\x1b" not in said
    excerpt_line, caret_line = said.splitlines()[1:3]
    assert excerpt_line[caret_line.index("^")] == "\ufffd"
