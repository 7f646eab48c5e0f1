"""Resources ask the same cmdlets as the published modules, in the same order: so any of them can be made to fail."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from provisioner.lab.machine.area import Ledger
from provisioner.lab.resources.base import ResourceError
from tests.unit.lab.machines import context
from tests.unit.lab.resources.cluster import test_goldens as cluster
from tests.unit.lab.resources.computer import test_goldens as computer
from tests.unit.lab.resources.golden import Key, all_cases, bound, script_errors
from tests.unit.lab.resources.hyperv import test_goldens as hyperv
from tests.unit.lab.resources.iscsi import test_goldens as iscsi
from tests.unit.lab.resources.network import test_goldens as network
from tests.unit.lab.resources.security import test_goldens as security
from tests.unit.lab.resources.storage import test_goldens as storage

_SCENARIOS = {
    key: scenario
    for family in (cluster, computer, hyperv, iscsi, network, security, storage)
    for key, scenario in family.SCENARIOS.items()
}
#: Asked of something else than the ledger: whether a module is installed, the clock, the log-on.
_NO_CMDLETS = {"Get-Module", "Start-Sleep", "advapi32:LogonUser", "WindowsImpersonationContext.Undo"}
#: What the machine asks itself below a cmdlet.
_BELOW = {"WriteFile", "LogonUser", "Get-Cluster -Name", "Set-NetIPInterface"}
#: Called, but not recorded.
_UNRECORDED = {
    "Get-NetFirewallProfile",
    *(
        f"Get-NetFirewall{kind}Filter"
        for kind in ("Address", "Application", "Interface", "InterfaceType", "Port", "Security", "Service")
    ),
}
#: Cases that differ for their reasons, and systems without the cmdlets for time zones, which the lab has not.
_OTHERS = {
    *network.DIFFERING,
    *computer.DIFFERING,
    ("TimeZone", "old_os_cim_and_dotnet"),
    ("TimeZone", "nano_tzutil"),
}


@pytest.mark.parametrize(("key", "case"), all_cases(_SCENARIOS))
async def test_a_resource_asks_what_the_published_module_asked(
    key: Key, case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if (key[1], case["case"]) in _OTHERS:
        pytest.skip("what differs asks for something else")
    scenario = _SCENARIOS[key]
    made = scenario.make(case["state_before"])
    properties = bound(case, scenario)
    scenario.prepare(made, properties)
    script_errors(made, case["state_before"])
    asked: list[str] = []
    attempt = Ledger.attempt

    def noted(ledger: Ledger, cmdlet: str) -> None:
        asked.append(cmdlet)
        attempt(ledger, cmdlet)

    monkeypatch.setattr(Ledger, "attempt", noted)
    functions = {
        "get": (scenario.resource.get, case["get_calls"]),
        "test": (scenario.resource.test, case["test_calls"]),
        "set": (scenario.resource.set, case["set"]["calls"]),
    }
    for name, (function, recorded) in functions.items():
        asked.clear()
        with suppress(ResourceError):
            await function(properties, context(made))
        wanted = [call["cmdlet"].rpartition(":")[2] for call in recorded if call["cmdlet"] not in _NO_CMDLETS]
        # How often is another matter: a machine may look twice.
        assert _firsts(asked, _BELOW | _UNRECORDED) == _firsts(wanted, set()), name


def _firsts(cmdlets: list[str], ignored: set[str]) -> list[str]:
    return [cmdlet for cmdlet in dict.fromkeys(cmdlets) if cmdlet not in ignored]
