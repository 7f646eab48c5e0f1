"""The simulated resources of this family answer as the published modules do: every recorded case."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.lab.machine.machine import Machine
from provisioner.lab.machine.power import Plan
from provisioner.lab.resources.computer.power_plan import PowerPlan
from tests.unit.lab.machines import machine
from tests.unit.lab.resources.golden import Different, Key, Scenario, all_cases, compare, unknown_cases


def _plans(state: dict[str, Any]) -> Machine:
    made = machine()
    made.power.plans = tuple(Plan(item["FriendlyName"], item["Guid"]) for item in state["plans"])
    made.power.active = state["active"]
    return made


SCENARIOS = {
    ("ComputerManagementDsc", "PowerPlan"): Scenario(
        PowerPlan(), _plans, lambda made, _before: made.power.active, lambda state: state["active"]
    ),
}

DIFFERING: dict[tuple[str, str], Different] = {}


@pytest.mark.parametrize(("key", "case"), all_cases(SCENARIOS))
async def test_a_resource_answers_as_the_published_module_did(key: Key, case: dict[str, Any]) -> None:
    await compare(key, case, SCENARIOS[key], DIFFERING)


def test_every_listed_difference_is_one_of_a_recorded_case() -> None:
    assert not unknown_cases(SCENARIOS, DIFFERING)
