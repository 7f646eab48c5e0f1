"""Branches of the published modules that no recorded case takes: the cases below tests/cases/lab/branches.

A file is named like its resource. It has a ``state`` as the recorded cases write theirs and ``cases`` that may
change keys of it; every case names what it says of the ``FIELDS`` of a recorded one. Where an error is meant, its
id stands alone or under ``error``; ``state_after`` is again a change of the state.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.lab.resources.cluster import test_goldens as cluster
from tests.unit.lab.resources.computer import test_goldens as computer
from tests.unit.lab.resources.golden import FIELDS, Scenario, simulated
from tests.unit.lab.resources.hyperv import test_goldens as hyperv
from tests.unit.lab.resources.iscsi import test_goldens as iscsi
from tests.unit.lab.resources.network import test_goldens as network
from tests.unit.lab.resources.security import test_goldens as security
from tests.unit.lab.resources.storage import test_goldens as storage
from tests.yaml_files import read_yaml

_CASES = Path(__file__).parents[3] / "cases" / "lab" / "branches"
_SCENARIOS: dict[str, Scenario] = {
    resource: scenario
    for family in (cluster, computer, hyperv, iscsi, network, security, storage)
    for (_module, resource), scenario in family.SCENARIOS.items()
}
_ANSWERS = ("get", "test_before", "test_after", "get_after")
#: What only stands beside the fields.
_BESIDE = {"case", "state", "parameters"}


def _cases() -> list[Any]:
    read = {path.stem: read_yaml(path) for path in sorted(_CASES.glob("*.yml"))}
    return [
        pytest.param(resource, {**case, "state": {**it["state"], **case.get("state", {})}}, id=case["case"])
        for resource, it in read.items()
        for case in it["cases"]
    ]


def _told(answer: Any) -> Any:
    """An error as its id."""
    return {"error": answer[0]} if isinstance(answer, tuple) and len(answer) == 3 else answer


async def differences(resource: str, case: dict[str, Any]) -> list[str]:
    """Run a case; say what is not as it wants it."""
    unknown = case.keys() - _BESIDE - set(FIELDS)
    assert not unknown, f"no field of a case: {unknown}"
    scenario = _SCENARIOS[resource]
    answer = await simulated({"state_before": case["state"], "parameters": case["parameters"]}, scenario)
    actual = answer | {name: _told(answer[name]) for name in _ANSWERS}
    actual["set_error"] = answer["set_error"] and answer["set_error"][0]
    actual["set_nonterminating"] = [item[0] for item in answer["set_nonterminating"]]
    wanted = {name: value for name, value in case.items() if name in FIELDS}
    if "state_after" in wanted:
        wanted["state_after"] = scenario.expected({**case["state"], **wanted["state_after"]})
    for name in wanted.keys() & {"get", "get_after"}:
        whole = actual[name]
        actual[name] = {key: whole.get(key) for key in wanted[name]}
        if "error" not in wanted[name]:
            form = scenario.shown({**whole, **wanted[name]})
            wanted[name] = {key: form[key] for key in wanted[name]}
    return [
        f"{name}: wanted {it!r}, got {actual[name]!r}" for name, it in wanted.items() if it != actual[name]
    ]


@pytest.mark.parametrize(("resource", "case"), _cases())
async def test_a_resource_takes_the_branch_of_its_module(resource: str, case: dict[str, Any]) -> None:
    assert await differences(resource, case) == []


async def test_a_case_that_is_wrong_in_everything_is_noticed() -> None:
    case = {
        "state": {"disks": [], "answer_null": True},
        "parameters": {"Path": "E:\\iSCSI\\a.vhdx", "DiskType": "Thick"},
        "get": {"Ensure": "Present"},
        "test_before": True,
        "set_error": "Path",
        "set_nonterminating": ["Path"],
        "reboot": True,
        "state_after": {"disks": [{"Path": "x", "Size": 1, "DiskType": "Fixed"}]},
        "test_after": False,
        "get_after": {"Ensure": "Present"},
    }
    assert len(await differences("iSCSIVirtualDisk", case)) == len(FIELDS)
