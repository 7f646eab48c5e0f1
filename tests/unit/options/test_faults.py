"""What is said of configuration files: the cases of tests/cases/options, and what holds for all of them."""

from __future__ import annotations

import re
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from provisioner.diagnostics import Severity
from provisioner.errors import UsageError
from provisioner.options.catalogue import catalogue, is_known, releases
from provisioner.options.check import check_bytes, check_text
from provisioner.options.faults import Fault

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "cases/options/faults.yml").read_text(encoding="utf-8")
)
WARNINGS = {"deprecated", "duplicate", "clear-secret"}


def faults_of(case: dict[str, Any]) -> list[Fault]:
    placeholder = re.compile(case["placeholder"]) if "placeholder" in case else None
    release = str(case.get("release", "2023.1"))
    return check_text(case["text"], case["service"], release, placeholder=placeholder)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_a_file_has_the_faults_of_its_case(case: dict[str, Any]) -> None:
    found = faults_of(case)
    expected = [each.split(" ", 2) for each in case["faults"]]
    assert len(found) == len(expected), [each.rendered("FILE") for each in found]
    for fault, (line, *words) in zip(found, expected, strict=True):
        said = fault.rendered("FILE")
        assert fault.line == int(line), said
        assert " ".join(words[1:] if words[0] == fault.kind.value else words) in said, said
        assert words[0] == fault.kind.value or "-" not in words[0], said


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_every_fault_is_one_line_without_a_secret(case: dict[str, Any]) -> None:
    for fault in faults_of(case):
        said = fault.rendered("FILE")
        assert said.startswith(f"FILE:{fault.line}: {fault.severity.value}: ")
        assert said.isprintable()
        assert "canary" not in said
        assert fault.message.endswith(".")
        assert not fault.help or fault.help[-1] in ".?/]", fault.help


def test_every_sort_of_fault_has_a_case() -> None:
    told = {each.kind for case in CASES for each in faults_of(case)}
    assert {each.value for each in type(next(iter(told)))} == {each.value for each in told}


def test_what_a_service_lives_with_is_a_warning() -> None:
    for case in CASES:
        for fault in faults_of(case):
            if fault.kind.value in WARNINGS:
                assert fault.severity is Severity.WARNING
            elif not fault.only_a_warning:
                assert fault.severity is Severity.ERROR


def test_bytes_that_are_no_utf_8_are_told_with_their_line() -> None:
    (fault,) = check_bytes("[DEFAULT]\nlog_dir = C:\\Zürich\n".encode("cp1252"), "nova", "2023.1")[:1]
    assert (fault.line, fault.severity) == (2, Severity.ERROR)
    assert "0xfc" in fault.message
    found = check_bytes(b"[DEFAULT]\rlog_dir = \xfc\r\nlog_file = \xe9\n", "nova", "2023.1")
    assert [fault.line for fault in found if fault.severity is Severity.ERROR] == [2, 3]
    (fault,) = check_bytes("[DEFAULT]\n".encode("utf-16"), "nova", "2023.1")
    assert "UTF-16" in fault.message


def test_a_value_that_is_a_secret_is_not_shown() -> None:
    text = "[neutron]\nauth_type = password\npassword = $canary\n[DEFAULT]\ntransport_url = rabbit://u:canary@h/$canary\n"
    found = check_text(text, "nova", "2023.1")
    assert len(found) == 2
    assert all("canary" not in repr(fault) for fault in found)


def test_control_characters_of_a_file_do_not_reach_the_terminal() -> None:
    text = "[DEFAULT]\ndebug = \x1b[31mred\nx\x1b[0m = 1\n[\x07]\na = 1\n"
    for fault in check_text(text, "nova", "2023.1"):
        assert fault.rendered("FILE").isprintable()


def test_services_and_releases_that_nobody_knows_are_told() -> None:
    assert is_known("cinder", "2025.2")
    assert not is_known("nova", "2025.2")
    assert not is_known("nova", "")
    with pytest.raises(UsageError, match="There are: ceilometer, cinder") as caught:
        check_text("", "nva", "2023.1")
    assert caught.value.help == "Did you mean 'nova'?"
    with pytest.raises(UsageError, match=r"nova 2024\.1 are not known") as caught:
        check_text("", "nova", "2024.1")
    assert caught.value.help == "Known releases of nova: 2023.1, 2023.2."
    with pytest.raises(UsageError) as caught:
        check_text("", "nova", "2023.3")
    assert caught.value.help.startswith("Known releases of nova: 2023.1, 2023.2. Did you mean '2023.")


def test_a_file_of_thousands_of_unknown_options_and_a_value_of_megabytes_take_no_minutes() -> None:
    began = time.process_time()
    found = check_text(f"[DEFAULT]\ndebug = {'a' * 1_000_000}\n", "nova", "2023.1")
    assert [fault.message for fault in found] == [
        "a value of 1000000 characters is not what it takes: true or false."
    ]
    found = check_text("[DEFAULT]\n" + "".join(f"opt{n} = 1\n" for n in range(2000)), "nova", "2023.1")
    assert len(found) == 2000
    assert time.process_time() - began < 10


def test_references_that_lead_far_or_grow_come_to_an_end() -> None:
    texts = [
        name
        for name, option in catalogue("nova", "2023.1").sections["DEFAULT"].items()
        if option.facts["type"] == "String" and option.facts.keys() <= {"type", "default"}
    ]
    every = [
        f"{section}.{name}"
        for section, options in catalogue("nova", "2023.1").sections.items()
        for name, option in options.items()
        if section != "DEFAULT" and option.facts == {"type": "String"}
    ]
    long = [f"[{at.partition('.')[0]}]\n{at.partition('.')[2]} = ${{{to}}}" for at, to in pairwise(every)]
    assert len(long) > 100
    found = check_text("\n".join(long), "nova", "2023.1")
    assert "more than 50 times" in found[0].message
    doubled = "\n".join(f"{at} = ${to}${to}" for at, to in pairwise(texts))
    found = check_text(f"[DEFAULT]\n{doubled}\n{texts[-1]} = x\n", "nova", "2023.1")
    assert "makes the value longer than 1048576 letters" in found[0].message


def test_releases_are_in_the_order_of_their_numbers() -> None:
    assert releases() == {
        "ceilometer": ("2023.1", "2023.2"),
        "cinder": ("2023.1", "2025.2"),
        "cloudbase-init": ("1.1.4", "1.1.9"),
        "neutron-hyperv-agent": ("2023.1",),
        "neutron-ovs-agent": ("2023.1",),
        "nova": ("2023.1", "2023.2"),
    }


def test_a_long_file_is_judged_at_once() -> None:
    lines = ["[DEFAULT]", *(f"no_such_option_{number} = {number}" for number in range(20))]
    for section, options in catalogue("cinder", "2025.2").sections.items():
        lines += [f"[{section}]", *(f"{name} = $my_ip" for name in options)]
    start = time.process_time()
    assert len(check_text("\n".join(lines), "cinder", "2025.2")) > 20
    assert time.process_time() - start < 5
