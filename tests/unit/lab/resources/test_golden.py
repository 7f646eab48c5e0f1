"""The comparison with recorded cases notices both a difference nobody listed and a listed one that is none."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.lab.machine.ground.power import Plan
from provisioner.lab.resources.computer.power_plan import PowerPlan
from tests.unit.lab.machines import machine
from tests.unit.lab.resources.golden import Different, Scenario, compare

_KEY = ("ComputerManagementDsc", "PowerPlan")


def _made(state: dict[str, Any]) -> Any:
    made = machine()
    made.power.plans = (Plan("Balanced", state["active"]),)
    made.power.active = state["active"]
    return made


_SCENARIO = Scenario(PowerPlan(), _made, lambda made, _: made.power.active, lambda state: state["active"])


def _case(*, result: bool) -> dict[str, Any]:
    shown = {"values": {"IsSingleInstance": "Yes", "Name": "Balanced", "IsActive": True}}
    return {
        "case": "invented",
        "state_before": {"active": "381b4222-f694-41f0-9685-ff5bb260df2e"},
        "parameters": {"IsSingleInstance": "Yes", "Name": "Balanced"},
        "get": shown,
        "test_before": {"result": result},
        "set": {"error": None, "dsc_machine_status": None},
        "state_after": "unchanged",
        "test_after": {"result": True},
        "get_after": "same",
    }


async def test_a_case_that_is_equal_passes() -> None:
    await compare(_KEY, _case(result=True), _SCENARIO, {})


async def test_a_difference_nobody_listed_fails() -> None:
    with pytest.raises(AssertionError, match="test_before"):
        await compare(_KEY, _case(result=False), _SCENARIO, {})


async def test_a_listed_difference_passes_with_exactly_its_fields() -> None:
    listed = {("PowerPlan", "invented"): Different("invented", "test_before")}
    await compare(_KEY, _case(result=False), _SCENARIO, listed)
    with pytest.raises(AssertionError, match="lists what does not differ"):
        await compare(_KEY, _case(result=True), _SCENARIO, listed)
