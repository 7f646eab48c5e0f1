"""Resources of policies and listeners answer as the published modules do: every recorded case."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.computer.identity import Identity
from provisioner.lab.machine.machine import Machine
from provisioner.lab.machine.security.certificate_store import CertificateStore, StoredCertificate
from provisioner.lab.machine.security.user_rights import UserRights
from provisioner.lab.machine.security.wsman_listeners import Listener, Listeners
from provisioner.lab.resources.security.user_rights_assignment import UserRightsAssignment
from provisioner.lab.resources.security.wsman_listener import WSManListener
from tests.unit.lab.machines import machine
from tests.unit.lab.resources.golden import Different, Key, Scenario, all_cases, compare, unknown_cases

_ACCOUNTS = {
    "S-1-5-21-1-1-1-1001": r"CONTOSO\svc1",
    "S-1-5-21-1-1-1-1002": r"CONTOSO\svc2",
    "S-1-5-21-2-2-2-500": r"NODE1\Administrator",
    "S-1-5-21-2-2-2-1001": r"NODE1\loc1",
}


def _rights(state: dict[str, Any]) -> Machine:
    made = machine(user="")
    for sid in made.accounts.local_sids():
        del made.accounts._names[sid]
    made.accounts.adopt(_ACCOUNTS)
    made.area(UserRights).adopt(state["rights"])
    if state.get("secedit_fails"):
        made.ledger.failing["Start-Process"] = MachineError("", "NativeCommandError", "NotSpecified")
    return made


def _read_rights(made: Machine, _before: dict[str, Any]) -> Any:
    return {name: list(holders) for name, holders in made.area(UserRights).export().items()}


def _expected_rights(state: dict[str, Any]) -> Any:
    return {name: holders for name, holders in state["rights"].items() if holders}


def _listening(state: dict[str, Any]) -> Machine:
    made = machine(name="NODE1", user="")
    made.area(Identity).domain = "contoso.com"
    made.area(Listeners).adopt(
        [
            Listener(
                item["Address"],
                item["Transport"],
                item["Port"],
                item.get("Hostname") or "",
                item.get("CertificateThumbprint") or "",
                item.get("Source") or "",
                item.get("Enabled", "true"),
                item.get("URLPrefix", "wsman"),
            )
            for item in state["listeners"]
        ]
    )
    for item in state.get("certificates", ()):
        made.area(CertificateStore).add(
            StoredCertificate(
                item["Thumbprint"], item["Subject"], item["Issuer"], tuple(item["Dns"]), tuple(item["Usages"])
            )
        )
    return made


def _read_listeners(made: Machine, _before: dict[str, Any]) -> Any:
    return [
        {
            "Address": item.address,
            "Transport": item.transport,
            "Port": item.port,
            "Hostname": item.hostname,
            "Enabled": item.enabled,
            "URLPrefix": item.url_prefix,
            "CertificateThumbprint": item.thumbprint,
            "Source": item.source or None,
        }
        for item in made.area(Listeners).all()
    ]


SCENARIOS = {
    ("SecurityPolicyDsc", "UserRightsAssignment"): Scenario(
        UserRightsAssignment(), _rights, _read_rights, _expected_rights
    ),
    ("WSManDsc", "WSManListener"): Scenario(
        WSManListener(), _listening, _read_listeners, lambda state: state["listeners"]
    ),
}

DIFFERING: dict[tuple[str, str], Different] = {}


@pytest.mark.parametrize(("key", "case"), all_cases(SCENARIOS))
async def test_a_resource_answers_as_the_published_module_did(key: Key, case: dict[str, Any]) -> None:
    await compare(key, case, SCENARIOS[key], DIFFERING)


def test_every_listed_difference_is_one_of_a_recorded_case() -> None:
    assert not unknown_cases(SCENARIOS, DIFFERING)
