"""CHAP of a target: what a node cannot read back is known by a marker, and no secret is ever told."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.lab.machine.ground.iscsi import InitiatorId, Target
from provisioner.lab.machine.machine import Machine
from provisioner.lab.resources.base import ResourceError
from provisioner.lab.resources.iscsi.target_chap import IscsiTargetChap
from tests.unit.lab.machines import context, iscsi_machine

_SECRET, _OTHER = "twelve-chars", "thirteen-char"
_KEY = r"SOFTWARE\provisioner\Markers\IscsiTargetChap"


def _target_server() -> Machine:
    made = iscsi_machine()
    made.iscsi.adopt(
        [], [Target("volumes", "iqn.1991-05.com.microsoft:n-volumes-target", (InitiatorId("IQN", "*"),))]
    )
    return made


def _wanted(secret: str = _SECRET, user: str = "hv01", **more: Any) -> dict[str, Any]:
    return {"TargetName": "volumes", "Chap": {"UserName": user, "Password": secret}} | more


def _reverse(secret: str = _OTHER) -> dict[str, Any]:
    return {"ReverseChap": {"UserName": "st01", "Password": secret}}


async def _test(of: Machine, properties: dict[str, Any]) -> bool:
    return await IscsiTargetChap().test(properties, context(of))


async def _set(of: Machine, properties: dict[str, Any]) -> None:
    await IscsiTargetChap().set(properties, context(of))


async def test_a_rotated_secret_is_noticed_though_nobody_can_read_it() -> None:
    made = _target_server()
    assert not await _test(made, _wanted())
    await _set(made, _wanted())
    assert await _test(made, _wanted())
    assert made.iscsi.target("volumes").chap_secret == _SECRET
    assert not await _test(made, _wanted(_OTHER))
    assert not await _test(made, _wanted(user="HV01"))
    await _set(made, _wanted(_OTHER))
    assert made.iscsi.target("volumes").chap_secret == _OTHER
    assert await _test(made, _wanted(_OTHER))


async def test_both_directions_have_markers_of_their_own_that_hold_no_secret() -> None:
    made = _target_server()
    await _set(made, _wanted() | _reverse())
    assert await _test(made, _wanted() | _reverse())
    found = made.iscsi.target("volumes")
    assert (found.reverse_user, found.reverse_secret) == ("st01", _OTHER)
    markers = {name: value.data for name, value in made.registry.values(_KEY).items()}
    assert sorted(markers) == ["Chap volumes", "ReverseChap volumes"]
    assert all(secret not in text for text in markers.values() for secret in (_SECRET, _OTHER))
    assert not await _test(made, _wanted())
    await _set(made, _wanted())
    assert made.iscsi.target("volumes").reverse_user == ""
    assert await _test(made, _wanted())


async def test_a_target_set_up_by_hand_has_an_unknown_secret() -> None:
    made = _target_server()
    made.iscsi.change_target("volumes", chap_user="hv01", chap_secret=_SECRET)
    assert not await _test(made, _wanted())


async def test_a_set_that_is_cut_off_is_repeated() -> None:
    made = _target_server()
    await _set(made, _wanted())
    made.registry.delete_value(_KEY, "Chap volumes")
    assert not await _test(made, _wanted())


async def test_absent_switches_both_off_and_forgets() -> None:
    made = _target_server()
    await _set(made, _wanted() | _reverse())
    gone = {"TargetName": "volumes", "Ensure": "Absent"}
    assert not await _test(made, gone)
    assert (await IscsiTargetChap().get({"TargetName": "volumes"}, context(made)))["Ensure"] == "Present"
    await _set(made, gone)
    assert await _test(made, gone)
    assert made.registry.values(_KEY) == {}
    assert await _test(made, {"TargetName": "nobody", "Ensure": "Absent"})


@pytest.mark.parametrize(
    ("properties", "error_id"),
    [
        ({"TargetName": "volumes"}, "ChapMissing"),
        (_wanted("eleven-char"), "SecretLength"),
        (_wanted("seventeen-letters"), "SecretLength"),
        (_wanted() | _reverse("short"), "SecretLength"),
        (_wanted() | _reverse(_SECRET), "SecretsEqual"),
        (_wanted("-----BEGIN CMS-----\nMIIB"), "SecretNotDecrypted"),
        (_wanted() | {"TargetName": "nobody"}, "TargetNotFound"),
    ],
)
async def test_what_cannot_be_is_told_without_the_secret(properties: dict[str, Any], error_id: str) -> None:
    with pytest.raises(ResourceError) as failed:
        await _set(_target_server(), properties)
    assert failed.value.error_id == error_id
    for credential in (properties.get("Chap"), properties.get("ReverseChap")):
        assert credential is None or credential["Password"] not in failed.value.message
