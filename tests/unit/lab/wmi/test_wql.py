"""WQL: what matches, what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.lab.wmi.wql import WqlError, parse_condition, parse_query

SERVICE = {
    "Name": "W32Time",
    "State": "Running",
    "ProcessId": 12,
    "Started": True,
    "Note": None,
    "Path": "C:\\a_b",
}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("Name = 'w32time'", True),
        ('NAME = "W32Time"', True),
        ("Name <> 'x'", True),
        ("Name != 'W32Time'", False),
        ("ProcessId > 11 AND ProcessId <= 12", True),
        ("ProcessId = '12'", True),
        ("ProcessId < 'abc'", False),
        ("Started = TRUE", True),
        ("Started = 'false'", False),
        ("Note IS NULL", True),
        ("Name IS NOT NULL", True),
        ("Note = 'x'", False),
        ("Name LIKE 'W32%'", True),
        ("Name LIKE 'w__time'", True),
        ("Name LIKE '[a-c]%'", False),
        ("Name LIKE '[^a-c]%'", True),
        ("Name LIKE '.*'", False),
        ("Path = 'C:\\\\a_b'", True),
        ("Name = 'x' OR State = 'Running' AND ProcessId = 12", True),
        ("(Name = 'x' OR State = 'Running') AND ProcessId = 13", False),
        ("NOT Name = 'x'", True),
        ("Note > 5", False),
    ],
)
def test_conditions_hold_as_wmi_says(condition: str, *, holds: bool) -> None:
    assert parse_condition(condition)(SERVICE) is holds


def test_a_query_names_its_class_and_properties() -> None:
    query = parse_query("select Name, State from Win32_Service where Name='x'")

    assert (query.class_name, query.properties) == ("Win32_Service", ("Name", "State"))
    assert query.condition({"Name": "X"})
    assert parse_query(" SELECT * FROM Win32_Service ").condition({})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Name",
        "Name =",
        "Name LIKE 5",
        "Name ~ 'x'",
        "Name = 'open",
        "Name = 'a' 'b'",
        "(" * 80 + "Name=1",
        "= 1",
    ],
)
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(WqlError):
        parse_condition(text)


@pytest.mark.parametrize(
    "text", ["", "select", "delete from X", "select a b from X", "select * from X where"]
)
def test_what_is_no_query_is_refused(text: str) -> None:
    with pytest.raises(WqlError):
        parse_query(text)


def test_an_unknown_property_is_refused_when_it_is_looked_at() -> None:
    with pytest.raises(WqlError):
        parse_condition("Bogus = 1")(SERVICE)


@given(st.text(max_size=60))
def test_no_text_gives_anything_but_an_answer_or_a_refusal(text: str) -> None:
    for whole in (text, f"Name LIKE '{text}'", f"Name = {text}"):
        try:
            parse_condition(whole)(SERVICE)
        except WqlError:
            continue
