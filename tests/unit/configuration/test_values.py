"""What a property takes, in cases the diagnostics files cannot write down."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.catalogue.registry import Registry
from provisioner.catalogue.schema import CimType, Limits, Property
from provisioner.configuration.shapes import translated
from provisioner.roles.model import Value
from tests.unit.configuration.builders import at
from tests.unit.configuration.converting import converted

INTEGERS = [each for each in CimType if each.integer_range]


@pytest.mark.parametrize("kind", INTEGERS)
def test_an_integer_type_takes_its_whole_range_and_no_more(kind: CimType) -> None:
    assert kind.integer_range is not None
    lowest, highest = kind.integer_range
    prop = Property("P", kind)
    assert converted(prop, lowest) == (lowest, [])
    assert converted(prop, highest) == (highest, [])
    assert converted(prop, lowest - 1) == (None, ["Number is out of range"])
    assert converted(prop, highest + 1) == (None, ["Number is out of range"])
    assert converted(prop, True) == (None, ["Property has the wrong type"])


@pytest.mark.parametrize("kind", [CimType.REAL32, CimType.REAL64])
def test_a_real_takes_finite_numbers(kind: CimType) -> None:
    prop = Property("P", kind)
    assert converted(prop, 1) == (1.0, [])
    assert converted(prop, 1.5) == (1.5, [])
    for wrong in (math.inf, math.nan, 10**400):
        assert converted(prop, wrong) == (None, ["Number is out of range"])
    odd: tuple[Any, ...] = (True, "1")
    for each in odd:
        assert converted(prop, each) == (None, ["Property has the wrong type"])


@pytest.mark.parametrize("text", ["env:CHAP", "env:CHAP|url"])
def test_a_reference_in_a_text_is_warned_of_since_nobody_looks_it_up(text: str) -> None:
    assert converted(Property("ChapSecret", CimType.STRING), text) == (text, ["Reference is sent as text"])


@pytest.mark.parametrize("text", ["file:///C:/x", "env:", "env:two words", "Env:\\PATH", "see env:X"])
def test_texts_that_are_no_references_are_texts(text: str) -> None:
    assert converted(Property("P", CimType.STRING), text) == (text, [])


def test_a_short_real_has_a_largest_number() -> None:
    assert converted(Property("P", CimType.REAL32), 1e39) == (None, ["Number is out of range"])
    assert converted(Property("P", CimType.REAL64), 1e39) == (1e39, [])


@pytest.mark.parametrize(
    ("written", "held"),
    [
        ("20250131120000.000000+060", "20250131120000.000000+060"),
        ("00000001020304.000000:000", "00000001020304.000000:000"),
        ("2025-01-31T12:00:00+01:00", "20250131120000.000000+060"),
        ("2025-01-31 12:00:00.25-05:30", "20250131120000.250000-330"),
        ("2025-01-31T12:00Z", "20250131120000.000000+000"),
    ],
)
def test_a_date_is_held_in_the_form_of_cim(written: str, held: str) -> None:
    assert converted(Property("P", CimType.DATETIME), written) == (held, [])


@pytest.mark.parametrize(
    "written",
    ["2025-01-31", "2025-01-31T12:00:00", "2025-02-30T12:00:00Z", "20251331120000.000000+000", "now", 5],
)
def test_what_is_no_moment_is_no_date(written: Any) -> None:
    assert converted(Property("P", CimType.DATETIME), written) == (None, ["Property has the wrong type"])


def test_a_character_is_one_unit_of_utf_16() -> None:
    prop = Property("P", CimType.CHAR16)
    assert converted(prop, "c") == ("c", [])
    assert converted(prop, "€") == ("€", [])
    for wrong in ("", "cc", "\U0001f600", 5):
        assert converted(prop, wrong) == (None, ["Property has the wrong type"])


def test_what_the_author_writes_is_looked_up_in_values_and_the_value_map_is_written() -> None:
    prop = Property("P", CimType.STRING, value_map=("0", "1"), values=("Off", "On"))
    assert converted(prop, "on") == ("1", [])
    assert converted(prop, "1") == (None, ["Value is not allowed"])


def test_a_value_is_written_in_the_case_of_the_schema() -> None:
    assert converted(Property("P", CimType.STRING, value_map=("DWord",)), "dword") == ("DWord", [])


def test_a_number_with_names_takes_its_name_or_itself() -> None:
    prop = Property("P", CimType.UINT16, value_map=("0", "7"), values=("Off", "On"))
    assert converted(prop, "ON") == (7, [])
    assert converted(prop, 7) == (7, [])
    assert converted(prop, 1) == (None, ["Value is not allowed"])
    assert converted(prop, "Maybe") == (None, ["Value is not allowed"])
    assert converted(prop, 7.5) == (None, ["Property has the wrong type"])


def test_an_empty_list_stays_an_empty_list() -> None:
    assert converted(Property("P", CimType.STRING, is_array=True), ()) == ((), [])


def test_a_list_out_of_an_expression_loses_its_nulls() -> None:
    given_list = Value(["a", None], at())
    assert converted(Property("P", CimType.STRING, is_array=True), given_list) == (("a",), [])


@pytest.mark.parametrize(
    ("limits", "kind", "good", "bad", "summary"),
    [
        (Limits(range=(1, 9)), CimType.UINT8, 9, 10, "Number is out of range"),
        (Limits(range=(0.5, 1)), CimType.REAL64, 0.5, 0.4, "Number is out of range"),
        (Limits(range=(1, 9)), CimType.STRING, "3", "x", "Number is out of range"),
        (Limits(length=(2, 3)), CimType.STRING, "abc", "abcd", "Text is too short or too long"),
        (Limits(length=(2, 2)), CimType.STRING, "\U0001f600", "a", "Text is too short or too long"),
        (Limits(pattern="^[a-z]$"), CimType.STRING, "C", "CC", "Text has another form"),
        (Limits(refuses_empty=True), CimType.STRING, " ", "", "Value is empty"),
        (Limits(values=("Yes", "No")), CimType.STRING, "yes", "perhaps", "Value is not allowed"),
    ],
)
def test_a_limit_is_kept(limits: Limits, kind: CimType, good: Any, bad: Any, summary: str) -> None:
    assert converted(Property("P", kind, limits=limits), good)[1] == []
    assert converted(Property("P", kind, limits=limits), bad) == (None, [summary])
    several = Property("P", kind, is_array=True, limits=limits)
    assert converted(several, [good, bad, bad])[1] == [summary, summary]


def test_a_list_has_as_many_items_as_it_may() -> None:
    prop = Property("P", CimType.STRING, is_array=True, limits=Limits(count=(1, 2)))
    assert converted(prop, ["a", "b"]) == (("a", "b"), [])
    assert converted(prop, ["a", "b", "c"]) == (None, ["List has too few or too many items"])
    assert converted(prop, []) == (None, ["List has too few or too many items"])


def test_empty_texts_are_left_to_the_node_where_the_catalogue_is_not_sure() -> None:
    prop = Property("P", CimType.STRING, limits=Limits(refuses_empty=True, is_checked_on_node=True))
    assert converted(prop, "") == ("", [])


def test_an_empty_list_can_be_refused() -> None:
    prop = Property("P", CimType.STRING, is_array=True, limits=Limits(refuses_empty=True))
    assert converted(prop, []) == (None, ["Value is empty"])


@pytest.mark.parametrize(
    ("pattern", "text", "is_found"),
    [
        (r"^(?<drive>[a-z]):\\\k<drive>", "C:\\c", True),
        (r"\Aab\z", "ab\n", False),
        (r"\Aab\Z", "ab\n", True),
        (r"(?<=a)b", "ab", True),
        (r"^\d+$", "12", True),
    ],
)
def test_a_pattern_of_net_means_the_same_here(pattern: str, text: str, *, is_found: bool) -> None:
    compiled = translated(pattern)
    assert compiled is not None
    assert (compiled.search(text) is not None) is is_found


@pytest.mark.parametrize(
    "pattern", [r"[a-z-[aeiou]]", r"(?<open-close>a)", r"\p{L}", "(?'name'a)", "(", "(?<=a+)b"]
)
def test_a_pattern_python_cannot_say_is_left_to_windows(pattern: str) -> None:
    assert translated(pattern) is None
    prop = Property("P", CimType.STRING, limits=Limits(pattern=pattern))
    assert converted(prop, "anything") == ("anything", [])


def test_every_pattern_of_the_catalogue_can_be_said_here() -> None:
    patterns = {
        prop.limits.pattern
        for kind in Registry.builtin().resource_types()
        for prop in kind.properties
        if prop.limits and prop.limits.pattern
    }
    assert patterns
    assert [each for each in patterns if translated(each) is None] == []


_PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


@given(
    kind=st.sampled_from(list(CimType)),
    is_array=st.booleans(),
    data=st.recursive(
        _PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
    ),
)
def test_any_value_becomes_one_of_the_type_or_is_told(*, kind: CimType, is_array: bool, data: Any) -> None:
    if data is None:
        return  # not set
    made, said = converted(Property("P", kind, is_array), data)
    assert (made is None) == bool(said)
    if made is None:
        return
    assert isinstance(made, tuple) is is_array
    for item in made if is_array else (made,):
        wanted: type = {CimType.BOOLEAN: bool, CimType.REAL32: float, CimType.REAL64: float}.get(kind, str)
        assert type(item) is (int if kind in INTEGERS else wanted)
        if isinstance(item, str):
            assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]", item)


@given(st.lists(st.sampled_from(["Present", "ABSENT", "absent", "x", "présent", ""]), min_size=1))
def test_each_item_of_a_list_is_judged_alone(words: list[str]) -> None:
    prop = Property("P", CimType.STRING, is_array=True, value_map=("Present", "Absent"))
    made, said = converted(prop, words)
    wrong = [word for word in words if word.casefold() not in {"present", "absent"}]
    assert len(said) == len(wrong)
    assert made == (None if wrong else tuple(word.capitalize() for word in words))
