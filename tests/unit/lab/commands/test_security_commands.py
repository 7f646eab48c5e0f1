"""What checks ask of WinRM, certificates and user rights: the state that resources change is what commands show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner.lab.lcm.host import LcmOptions
from provisioner.lab.machine.security.certificate_store import CertificateStore, StoredCertificate, read
from provisioner.lab.machine.security.user_rights import UserRights
from provisioner.lab.machine.security.wsman_listeners import Listeners
from provisioner.lab.simulated_node import SimulatedNode
from provisioner.lab.values import TerminatingError
from tests.unit.lab.commands.recording import Recorded, call, make_node, run

_RIGHT = {"Policy": "Log_on_as_a_service", "Identity": ["Administrators"]}
_SERVICE = "winrm/config/service"


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    return make_node(tmp_path)


async def _invoked(node: SimulatedNode, method: str, **others: Any) -> Recorded:
    given = {
        "Name": "UserRightsAssignment",
        "ModuleName": {"ModuleName": "SecurityPolicyDsc", "ModuleVersion": "2.10.0.0"},
        "Property": _RIGHT,
    }
    return await run(node, call("Invoke-DscResource", Method=method, **{**given, **others}))


def _only(recorded: Recorded) -> dict[str, Any]:
    assert recorded.errors == []
    [shown] = recorded.values
    return {**shown.properties, **shown.extended}


@pytest.mark.parametrize("accepts", [("big-endian",), ("little-endian",), ("raw",), ("big-endian", "raw")])
async def test_a_resource_is_asked_by_itself_whatever_framing_the_lcm_takes(
    node: SimulatedNode, accepts: tuple[str, ...]
) -> None:
    node.lcm._engine.options = LcmOptions(accepts)
    assert _only(await _invoked(node, "Test"))["InDesiredState"] is False
    node.machine.area(UserRights).configure("SeServiceLogonRight", ["Administrators"])
    assert _only(await _invoked(node, "Test"))["InDesiredState"] is True
    assert _only(await _invoked(node, "get"))["Identity"] == [r"BUILTIN\Administrators"]


async def test_a_resource_is_not_set_by_itself(node: SimulatedNode) -> None:
    with pytest.raises(TerminatingError, match="comes in a document"):
        await _invoked(node, "Set")


@pytest.mark.parametrize("wrong", [{"Name": "UserRight"}, {"ModuleName": "SecurityPolicy"}])
async def test_a_resource_that_is_not_there_is_not_found(node: SimulatedNode, wrong: dict[str, str]) -> None:
    with pytest.raises(TerminatingError, match="was not found"):
        await _invoked(node, "Get", **wrong)


async def test_a_property_the_resource_does_not_have_is_an_error_of_the_lcm(node: SimulatedNode) -> None:
    recorded = await _invoked(node, "Test", Property={**_RIGHT, "Policies": 'a "quoted" \\ text'})
    assert recorded.values == []
    assert recorded.errors


async def test_settings_of_winrm_are_shown_as_they_were_set(node: SimulatedNode) -> None:
    before = _only(await run(node, call("Get-WSManInstance", _SERVICE)))
    assert before["AllowUnencrypted"] == "false"
    assert "Basic" not in before
    node.machine.area(Listeners).set_service("AllowUnencrypted", "true")
    node.machine.area(Listeners).set_service("AuthBasic", "true")
    assert _only(await run(node, call("Get-WSManInstance", _SERVICE)))["AllowUnencrypted"] == "true"
    shown = _only(await run(node, call("Get-WSManInstance", f"{_SERVICE}/auth")))
    assert (shown["Basic"], shown["Kerberos"]) == ("true", "true")


async def test_certificates_are_listed_by_store_and_by_what_they_are_for(node: SimulatedNode) -> None:
    [pair] = node.machine.certificates.own
    described = read(pair.certificate)
    store = node.machine.area(CertificateStore)
    store.add(StoredCertificate(**{**_fields(described), "store": r"LocalMachine\Root", "usages": ()}))

    async def listed(name: str, **more: Any) -> list[Any]:
        recorded = await run(node, call("Get-ChildItem", rf"Cert:\LocalMachine\{name}", **more))
        assert recorded.errors == []
        return [each.properties["HasPrivateKey"] for each in recorded.values]

    assert await listed("Root") == [False]
    assert await listed("My") == [True]
    assert await listed("root", DocumentEncryptionCert=True) == []
    assert await listed("CA") == []


def _fields(described: StoredCertificate) -> dict[str, Any]:
    return {name: getattr(described, name) for name in StoredCertificate.__slots__}
