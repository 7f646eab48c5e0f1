"""Answers of the LCM, case by case: CLIXML as a node writes it in, values of ours out."""

from __future__ import annotations

from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from provisioner.node import lcm_answers
from provisioner.transport.base import Record
from provisioner.transport.psrp_values import ValueSerializer
from tests.yaml_files import read_yaml

CASES = Path(__file__).parents[2] / "cases" / "lcm"


def all_cases() -> list[Any]:
    cases = []
    for path in sorted(CASES.glob("*.yml")):
        for case in read_yaml(path):
            cases.append(pytest.param(case, id=f"{path.stem}: {case['name']}"))
    return cases


def answered(case: dict[str, Any]) -> Any:
    if "text" in case:
        return lcm_answers.read_error_text(case["text"])
    output = [ValueSerializer().deserialize(case["clixml"])]
    match case["read"]:
        case "test":
            return lcm_answers.read_test(output)
        case "meta_configuration":
            return lcm_answers.read_meta_configuration(output)
        case "statuses":
            return lcm_answers.read_statuses(output)
        case "output":
            return lcm_answers.read_output(output, b"\x09")
    raise AssertionError(case["read"])


def plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    match value:
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case bytes():
            return "".join(str(byte) for byte in value)
        case _:
            return value


def limited_to(found: Any, expected: Any) -> Any:
    """Drop from ``found`` what the case does not ask for."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return {key: limited_to(found.get(key), item) for key, item in expected.items()}
    if isinstance(expected, list) and isinstance(found, list) and len(found) == len(expected):
        return [limited_to(item, wanted) for item, wanted in zip(found, expected, strict=True)]
    return found


@pytest.mark.parametrize("case", all_cases())
def test_an_answer_is_read(case: dict[str, Any]) -> None:
    found = plain(answered(case))
    assert limited_to(found, case["expect"]) == case["expect"]


def test_times_of_statuses_carry_a_zone() -> None:
    record = Record((), {"configurationStatus": [Record((), {"StartDate": datetime(2026, 1, 1)})]})  # noqa: DTZ001
    (status,) = lcm_answers.read_statuses([record])
    assert status.start == datetime(2026, 1, 1, tzinfo=UTC)


def test_settings_are_complete() -> None:
    record = Record((), {"MetaConfiguration": Record((), {"A": 1, "PSComputerName": "x"})})
    found = lcm_answers.read_meta_configuration([record])
    assert found is not None
    assert found.settings == {"A": 1}


def test_a_method_that_does_not_say_what_it_returned_succeeded() -> None:
    assert lcm_answers.read_return_value([]) == 0
    assert lcm_answers.read_return_value([Record((), {"ReturnValue": 27})]) == 27


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("yesterday", None),
        (5, None),
    ],
)
def test_a_time_may_be_text(value: object, expected: datetime | None) -> None:
    assert lcm_answers.as_time(value) == expected
