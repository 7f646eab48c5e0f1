"""Drive a simulated resource through a golden case and put both answers in one form.

A scenario makes a machine of the recorded ``state_before`` and reads the part of ``state_after`` that the machine
models. Order of calls is that of the recording: Test, Set (always), Test.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.machine import Machine
from provisioner.lab.resources.base import ResourceError, SimulatedResource
from tests.shared_data import shared
from tests.unit.lab.machines import context


@dataclass(frozen=True)
class Scenario:
    """``make`` a machine of state_before, ``read`` state_after of both sides in one form."""

    resource: SimulatedResource
    make: Callable[[dict[str, Any]], Machine]
    read: Callable[[Machine, dict[str, Any]], Any]
    expected: Callable[[dict[str, Any]], Any]


def cases(module: str, resource: str) -> list[dict[str, Any]]:
    lines = shared("resource-goldens", module, f"{resource}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def script_errors(machine: Machine, state: dict[str, Any]) -> None:
    """Let cmdlets fail as the fakes of the recording were told to; ``Name!`` ends the statement."""
    for name, text in state.get("errors", {}).items():
        is_terminating = name.endswith("!")
        machine.ledger.failing[name.rstrip("!").rpartition(":")[2]] = MachineError(
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


def _recorded_test(answer: dict[str, Any]) -> Any:
    if answer.get("error"):
        return _error(answer["error"])
    if answer.get("nonterminating_errors"):
        return _error(answer["nonterminating_errors"][0])
    return answer["result"]


async def _test(scenario: Scenario, machine: Machine, properties: dict[str, Any]) -> Any:
    try:
        return await scenario.resource.test(properties, context(machine))
    except ResourceError as error:
        return _error(error)


def recorded(case: dict[str, Any], scenario: Scenario, *, with_set: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {"test_before": _recorded_test(case["test_before"])}
    if with_set:
        done = case["set"]
        after = case["state_before"] if case["state_after"] == "unchanged" else case["state_after"]
        answer |= {
            "set_error": _error(done["error"]) if done["error"] else None,
            "set_nonterminating": [_error(item)[:2] for item in done.get("nonterminating_errors", ())],
            "reboot": done["dsc_machine_status"] == 1,
            "state_after": scenario.expected(after),
            "test_after": _recorded_test(case["test_after"]),
        }
    return answer


def _value(recorded: Any) -> Any:
    if isinstance(recorded, dict) and "$credential" in recorded:
        return {"UserName": recorded["$credential"], "Password": recorded["password"]}
    return recorded


async def simulated(
    case: dict[str, Any], scenario: Scenario, *, with_set: bool, settle: Callable[[Machine], None]
) -> dict[str, Any]:
    machine = scenario.make(case["state_before"])
    script_errors(machine, case["state_before"])
    properties = {name: _value(value) for name, value in case["parameters"].items()}
    answer: dict[str, Any] = {"test_before": await _test(scenario, machine, properties)}
    if not with_set:
        return answer
    doing = context(machine)
    error: ResourceError | None = None
    try:
        await scenario.resource.set(properties, doing)
    except ResourceError as raised:
        error = raised
    settle(machine)
    scripted = dict(machine.ledger.failing)
    machine.ledger.failing.clear()
    state_after = scenario.read(machine, case["state_before"])
    machine.ledger.failing.update(scripted)
    answer |= {
        "set_error": _error(error) if error else None,
        "set_nonterminating": [_error(item)[:2] for item in doing.nonterminating],
        "reboot": doing.reboot_requested,
        "state_after": state_after,
        "test_after": await _test(scenario, machine, properties),
    }
    return answer
