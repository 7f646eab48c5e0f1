"""Drive a simulated resource through a golden case and put both answers in one form.

A scenario makes a machine of the recorded ``state_before`` and reads the part of ``state_after`` that the machine
models. Order of calls is that of the recording: Get, Test, Set (always), Test, Get. Each case is equal in every
field of ``FIELDS``, or it stands in the ``differing`` table of its family with exactly the fields that differ and
the reason, which is one of the imitation behind the recording and not of the module's logic.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.machine import Machine
from provisioner.lab.resources.base import ResourceError, SimulatedResource
from tests.shared_data import shared
from tests.unit.lab.machines import REBOOTED, context

FIELDS = (
    "get",
    "test_before",
    "set_error",
    "set_nonterminating",
    "reboot",
    "state_after",
    "test_after",
    "get_after",
)


def nothing(_made: Machine, _properties: dict[str, Any]) -> None:
    """Most properties ask for nothing that the machine of a recorded state lacks."""


def boot_what_is_pending(made: Machine) -> None:
    """Settle: the recorded fakes finish at once what our machine keeps pending until the next boot."""
    if made.features.needs_restart:
        made.on_boot(REBOOTED)


@dataclass(frozen=True)
class Scenario:
    """``make`` a machine of state_before, ``read`` state_after of both sides in one form.

    ``prepare`` gives the machine what the recorded fakes had without saying so: what the properties ask about.
    ``settle`` runs between Set and what follows. ``given`` puts recorded parameters into the form of our machine. ``shown`` puts the values of a Get (of either side) in one form;
    what is None there is the same as what is missing.
    """

    resource: SimulatedResource
    make: Callable[[dict[str, Any]], Machine]
    read: Callable[[Machine, dict[str, Any]], Any]
    expected: Callable[[dict[str, Any]], Any]
    prepare: Callable[[Machine, dict[str, Any]], None] = nothing
    settle: Callable[[Machine], None] = boot_what_is_pending
    given: Callable[[dict[str, Any]], dict[str, Any]] = dict
    shown: Callable[[dict[str, Any]], dict[str, Any]] = dict
    #: Puts parameters that mean something of the recorded state only, given after the parameters, into ours.
    adapt: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]] = lambda properties, _state: properties


class Different:
    """Why a case differs from the recording, and in which of the ``FIELDS``."""

    def __init__(self, reason: str, *fields: str) -> None:
        assert fields, "what does not differ does not belong into the table"
        assert not set(fields) - set(FIELDS)
        self.reason = reason
        self.fields = set(fields)


Key = tuple[str, str]
#: By resource and case.
Differing = Mapping[tuple[str, str], Different]


def cases(module: str, resource: str) -> list[dict[str, Any]]:
    lines = shared("resource-goldens", module, f"{resource}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def all_cases(scenarios: Mapping[Key, Scenario]) -> list[Any]:
    """Give parameters (key, case) of a test for every case of every resource (module, resource)."""
    try:
        return [
            pytest.param(key, case, id=f"{key[1]}-{case['case']}")
            for key in scenarios
            for case in cases(*key)
        ]
    except pytest.skip.Exception as missing:
        return [pytest.param(None, None, id="missing", marks=pytest.mark.skip(str(missing)))]


def unknown_cases(scenarios: Mapping[Key, Scenario], differing: Differing) -> set[tuple[str, str]]:
    """Give the entries of a table that name no recorded case."""
    return differing.keys() - {(key[1], case["case"]) for key in scenarios for case in cases(*key)}


async def compare(key: Key, case: dict[str, Any], scenario: Scenario, differing: Differing) -> None:
    """Assert that a case is equal, but for exactly the fields that the table names."""
    ours, theirs = await simulated(case, scenario), recorded(case, scenario)
    listed = differing.get((key[1], case["case"]))
    allowed = listed.fields if listed else set()
    unequal = {field for field in FIELDS if ours[field] != theirs[field]}
    unlisted = unequal - allowed
    told = [f"{field}: {ours[field]!r}, recorded {theirs[field]!r}" for field in FIELDS if field in unlisted]
    assert not told, "\n".join(told)
    assert allowed == unequal, f"the table lists what does not differ: {sorted(allowed - unequal)}"


def script_errors(machine: Machine, state: dict[str, Any]) -> None:
    """Let cmdlets fail as the fakes of the recording were told to; ``Name!`` ends the statement."""
    for name, text in state.get("errors", {}).items():
        is_terminating = name.endswith("!")
        bare = name.rstrip("!").rpartition(":")[2].rpartition("\\")[2]
        machine.ledger.failing[bare] = MachineError(
            text,
            "ScriptedError",
            "InvalidOperation" if is_terminating else "InvalidResult",
            "System.InvalidOperationException" if is_terminating else "System.Exception",
            is_terminating=is_terminating,
        )
    if state.get("sc_fails"):
        machine.ledger.failing["sc.exe"] = MachineError("", "NativeCommandError", "NotSpecified")


def _error(record: dict[str, Any] | ResourceError) -> tuple[str, str, str]:
    """Id without the class of the cmdlet (the fakes have none), category, exception."""
    if isinstance(record, ResourceError):
        return record.error_id.partition(",")[0], record.category, record.exception_type
    return record["id"].partition(",")[0], record["category"], record["exception"]


def _first_complaint(answer: dict[str, Any]) -> tuple[str, str, str] | None:
    if answer.get("error"):
        return _error(answer["error"])
    if answer.get("nonterminating_errors"):
        return _error(answer["nonterminating_errors"][0])
    return None


def _recorded_get(answer: dict[str, Any], scenario: Scenario) -> Any:
    return _first_complaint(answer) or _shown(answer["values"], scenario)


def _shown(values: Mapping[str, Any], scenario: Scenario) -> dict[str, Any]:
    listed = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    return {name: value for name, value in scenario.shown(listed).items() if value is not None}


def _recorded_test(answer: dict[str, Any]) -> Any:
    return _first_complaint(answer) or answer["result"]


async def _get(scenario: Scenario, machine: Machine, properties: dict[str, Any]) -> Any:
    doing = context(machine)
    try:
        values = await scenario.resource.get(properties, doing)
    except ResourceError as error:
        return _error(error)
    return _error(doing.nonterminating[0]) if doing.nonterminating else _shown(values, scenario)


async def _test(scenario: Scenario, machine: Machine, properties: dict[str, Any]) -> Any:
    doing = context(machine)
    try:
        answer = await scenario.resource.test(properties, doing)
    except ResourceError as error:
        return _error(error)
    return _error(doing.nonterminating[0]) if doing.nonterminating else answer


def recorded(case: dict[str, Any], scenario: Scenario) -> dict[str, Any]:
    """Give what the published module did, in the form of ``simulated``."""
    done = case["set"]
    after = case["state_before"] if case["state_after"] == "unchanged" else case["state_after"]
    get_after = case["get"] if case["get_after"] == "same" else case["get_after"]
    return {
        "get": _recorded_get(case["get"], scenario),
        "test_before": _recorded_test(case["test_before"]),
        "set_error": _error(done["error"]) if done["error"] else None,
        "set_nonterminating": [_error(item)[:2] for item in done.get("nonterminating_errors", ())],
        "reboot": done["dsc_machine_status"] == 1,
        "state_after": scenario.expected(after),
        "test_after": _recorded_test(case["test_after"]),
        "get_after": _recorded_get(get_after, scenario),
    }


def _value(recorded: Any) -> Any:
    if isinstance(recorded, dict) and "$credential" in recorded:
        return {"UserName": recorded["$credential"], "Password": recorded["password"]}
    return recorded


def bound(case: dict[str, Any], scenario: Scenario) -> dict[str, Any]:
    """Give the properties of a case."""
    properties = scenario.given({name: _value(value) for name, value in case["parameters"].items()})
    return scenario.adapt(properties, case["state_before"])


async def simulated(case: dict[str, Any], scenario: Scenario) -> dict[str, Any]:
    """Give what our resource does on a machine of the same state."""
    machine = scenario.make(case["state_before"])
    properties = bound(case, scenario)
    scenario.prepare(machine, properties)
    script_errors(machine, case["state_before"])
    answer: dict[str, Any] = {
        "get": await _get(scenario, machine, properties),
        "test_before": await _test(scenario, machine, properties),
    }
    doing = context(machine)
    error: ResourceError | None = None
    try:
        await scenario.resource.set(properties, doing)
    except ResourceError as raised:
        error = raised
    scenario.settle(machine)
    scripted = dict(machine.ledger.failing)
    machine.ledger.failing.clear()
    state_after = scenario.read(machine, case["state_before"])
    machine.ledger.failing.update(scripted)
    return answer | {
        "set_error": _error(error) if error else None,
        "set_nonterminating": [_error(item)[:2] for item in doing.nonterminating],
        "reboot": doing.reboot_requested,
        "state_after": state_after,
        "test_after": await _test(scenario, machine, properties),
        "get_after": await _get(scenario, machine, properties),
    }
