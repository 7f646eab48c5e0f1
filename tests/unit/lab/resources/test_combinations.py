"""Recorded states meet recorded properties of other cases: a resource answers or refuses, and never breaks.

What the published module would say is not known here, but that it says something is.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.shared_data import shared
from tests.unit.lab.resources.basics import test_goldens as basics
from tests.unit.lab.resources.cluster import test_goldens as cluster
from tests.unit.lab.resources.computer import test_goldens as computer
from tests.unit.lab.resources.files import test_goldens as files
from tests.unit.lab.resources.golden import Key, Scenario, cases, simulated
from tests.unit.lab.resources.hyperv import test_goldens as hyperv
from tests.unit.lab.resources.iscsi import test_goldens as iscsi
from tests.unit.lab.resources.network import test_goldens as network
from tests.unit.lab.resources.security import test_goldens as security
from tests.unit.lab.resources.storage import test_goldens as storage

# Slow: every pair of some thousand recorded cases, half a minute of a processor.
pytestmark = pytest.mark.slow

_SCENARIOS: dict[Key, Scenario] = {
    key: scenario
    for family in (basics, files, network, computer, hyperv, iscsi, storage, cluster, security)
    for key, scenario in family.SCENARIOS.items()
}
#: What only looks, waits or cleans up: nothing of it can fail.
_NEVER_FAIL = {"Get-Module", "Start-Sleep", "WindowsImpersonationContext.Undo"}
#: What no recorded case that our conversion knows comes to: a package on a share.
_NOT_REACHED = {"New-PSDrive", "Remove-PSDrive"}
#: Values that no property wants, or that some do.
_STRANGE: tuple[Any, ...] = (None, "", [], [""], -1, 0, True, "*", "a/b", ["a", "b"], ["/24"], "X" * 20)
#: Credentials and paths.
_READ_BY_THE_TEST = {"Credential", "DomainAdministratorCredential", "DomainName", "JoinOU", "Path"}
_KEYS = [pytest.param(key, id=key[1]) for key in _SCENARIOS]


@pytest.mark.parametrize("key", _KEYS)
async def test_a_recorded_state_meets_the_properties_of_other_cases(key: Key) -> None:
    recorded = cases(*key)
    answers = [
        await simulated(
            {"state_before": one["state_before"], "parameters": other["parameters"]}, _SCENARIOS[key]
        )
        for one in recorded[::2]
        for other in recorded
    ]
    assert all(isinstance(answer["test_before"], bool | tuple) for answer in answers)


@pytest.mark.parametrize("key", _KEYS)
async def test_a_property_may_have_any_value(key: Key) -> None:
    for case in cases(*key)[::3]:
        for name in case["parameters"].keys() - _READ_BY_THE_TEST:
            for value in _STRANGE:
                changed = {**case, "parameters": {**case["parameters"], name: value}}
                answer = await simulated(changed, _SCENARIOS[key])
                assert isinstance(answer["test_before"], bool | tuple)


@pytest.mark.parametrize("key", _KEYS)
async def test_an_error_of_every_cmdlet_that_the_module_calls_is_met(key: Key) -> None:
    recorded = cases(*key)
    working = [await simulated(case, _SCENARIOS[key]) for case in recorded]
    for cmdlet in _called(key):
        for case, works in zip(recorded, working, strict=True):
            if await simulated(_failing(case, cmdlet), _SCENARIOS[key]) != works:
                break
        else:
            pytest.fail(f"nothing differs when {cmdlet} fails")


def _called(key: Key) -> list[str]:
    listed = json.loads(shared("resource-goldens", key[0], f"{key[1]}.calls.json").read_text("utf-8"))
    # A program is no cmdlet: what fails of it is silent.
    return [
        cmdlet
        for cmdlet in listed["calls"]
        if not cmdlet.endswith(".exe") and cmdlet not in _NEVER_FAIL | _NOT_REACHED
    ]


def _failing(case: dict[str, Any], cmdlet: str) -> dict[str, Any]:
    state = case["state_before"]
    return {**case, "state_before": {**state, "errors": {**state.get("errors", {}), cmdlet: "Broken"}}}
