"""What a property takes, in cases the diagnostics files cannot write down."""

from __future__ import annotations

import math
from typing import Any

import pytest

from provisioner.catalogue.schema import CimType, Property
from provisioner.configuration.values import convert
from provisioner.diagnostics import Diagnostics
from provisioner.roles.model import Value
from tests.unit.configuration.builders import at


def converted(prop: Property, data: Any) -> tuple[Any, list[str]]:
    problems = Diagnostics()
    return convert(prop, Value(data, at()), problems), [problem.summary for problem in problems]


@pytest.mark.parametrize("kind", [each for each in CimType if each.integer_range])
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
    for wrong in (math.inf, math.nan, True, "1"):
        assert converted(prop, wrong) == (None, ["Property has the wrong type"])


def test_a_date_has_the_form_of_mof() -> None:
    prop = Property("P", CimType.DATETIME)
    assert converted(prop, "20250131120000.000000+060") == ("20250131120000.000000+060", [])
    assert converted(prop, "2025-01-31") == (None, ["Property has the wrong type"])


def test_what_the_author_writes_is_looked_up_in_values_and_the_value_map_is_written() -> None:
    prop = Property("P", CimType.STRING, value_map=("0", "1"), values=("Off", "On"))
    assert converted(prop, "on") == ("1", [])
    assert converted(prop, "1") == (None, ["Value is not allowed"])


def test_an_empty_list_stays_an_empty_list() -> None:
    assert converted(Property("P", CimType.STRING, is_array=True), ()) == ((), [])


def test_a_list_out_of_an_expression_loses_its_nulls() -> None:
    assert converted(Property("P", CimType.STRING, is_array=True), ["a", None]) == (("a",), [])
