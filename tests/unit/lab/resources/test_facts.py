"""Resources without recorded cases do what their descriptions say: the cases below tests/cases/lab."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.lab.resources.facts import cases, differences


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{name}-{case['case']}") for name, case in cases()])
async def test_a_resource_does_what_is_known_of_it(case: dict[str, Any]) -> None:
    assert await differences(case) == []


async def test_a_case_that_is_wrong_in_everything_is_noticed() -> None:
    case = {
        "module": "PSDscResources",
        "class": "MSFT_ServiceResource",
        "properties": {"Name": "BITS", "State": "Running"},
        "get": {"State": "Running"},
        "test": True,
        "set": {"error": "Path", "reboot": True},
        "after": {"services": {"BITS": {"status": "Stopped"}, "None": {}}, "files": {"C:\\x": "y"}},
        "test_after": {"error": "Path"},
    }
    assert len(await differences(case)) == 8
