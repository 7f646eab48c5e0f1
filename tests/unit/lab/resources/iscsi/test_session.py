"""Sessions of the initiator: one for each path, what is right stays connected, and no secret is ever told."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.lab.machine.ground.iscsi import InitiatorId, Target, VirtualDisk
from provisioner.lab.machine.iscsi.initiator import Initiator, Login, Path, Portal
from provisioner.lab.machine.iscsi.portals import TargetPortals
from provisioner.lab.machine.machine import Machine
from provisioner.lab.machine.network.ip import Ip
from provisioner.lab.machine.storage.disks import Disks
from provisioner.lab.machine.storage.multipath import FEATURE, Multipath
from provisioner.lab.resources.base import ResourceError
from provisioner.lab.resources.iscsi.session import IscsiSession
from tests.unit.lab.machines import BOOTED, REBOOTED, context, machine, node_spec

_IQN = "iqn.1991-05.com.microsoft:st01-volumes-target"
_OTHER = "iqn.1991-05.com.microsoft:st01-others-target"
_FIRST, _SECOND = "192.0.2.21", "198.51.100.21"
_SECRET, _ROTATED = "twelve-chars", "thirteen-char"


def _site(secret: str = "", admits: str = "*", *, has_multipath: bool = True) -> tuple[Machine, Machine]:
    """An initiator, and a target server with two addresses and two targets."""
    node = machine(name="hv01", computer_name="hv01", address="192.0.2.11")
    node.services.change("MSiSCSI", status="Running", start_mode="Auto")
    if has_multipath:
        node.features.install([FEATURE])
        node.on_boot(REBOOTED)
        node.area(Multipath).claim("iSCSI", is_claimed=True)
    server = Machine.create(node_spec(name="st01", computer_name="st01", address=_FIRST), BOOTED, node.world)
    server.features.install(["FS-iSCSITarget-Server"])
    server.area(Ip).add("Ethernet 2", _SECOND, 24)
    targets = [
        Target(
            name,
            f"iqn.1991-05.com.microsoft:st01-{name}-target",
            (InitiatorId("IQN", admits),),
            (rf"D:\{name}.vhdx",),
            chap_user="hv" if secret else "",
            chap_secret=secret,
        )
        for name in ("volumes", "others")
    ]
    disks = [VirtualDisk(rf"D:\{name}.vhdx", 2**30, "Dynamic") for name in ("volumes", "others")]
    server.iscsi.adopt(disks, targets)
    return node, server


def _wanted(*portals: str, **more: Any) -> dict[str, Any]:
    return {"TargetName": _IQN, "Portals": list(portals or (_FIRST,)), **more}


def _both(**more: Any) -> dict[str, Any]:
    return _wanted(_FIRST, _SECOND, IsMultipathEnabled=True, **more)


def _chap(secret: str = _SECRET, user: str = "hv") -> dict[str, Any]:
    return {"Chap": {"UserName": user, "Password": secret}}


async def _test(node: Machine, properties: dict[str, Any]) -> bool:
    return await IscsiSession().test(properties, context(node))


async def _set(node: Machine, properties: dict[str, Any]) -> None:
    await IscsiSession().set(properties, context(node))


async def _converge(node: Machine, properties: dict[str, Any]) -> list[str]:
    """Set once; give the identifiers of the sessions."""
    assert not await _test(node, properties)
    await _set(node, properties)
    assert await _test(node, properties)
    return [path.session.id for path in _paths(node)]


def _paths(node: Machine, iqn: str = _IQN) -> list[Path]:
    return [path for name, path in node.area(Initiator).paths() if name == iqn]


def _disks(node: Machine) -> int:
    return sum(1 for disk in node.area(Disks).all() if disk.bus == "iSCSI")


async def test_a_target_is_reached_over_every_path_and_all_come_back_after_a_boot() -> None:
    node, server = _site()
    await _converge(node, _both())
    shown = await IscsiSession().get(_both(), context(node))
    assert (shown["Ensure"], shown["Portals"]) == ("Present", [f"{_FIRST}:3260", f"{_SECOND}:3260"])
    assert [path.session.is_persistent for path in _paths(node)] == [True, True]
    assert (server.iscsi.target("volumes").sessions, _disks(node)) == (2, 1)
    node.on_boot(REBOOTED)
    assert await _test(node, _both())
    assert (server.iscsi.target("volumes").sessions, _disks(node)) == (2, 1)


async def test_a_disk_on_two_paths_shows_twice_where_nobody_claims_it() -> None:
    node, _server = _site(has_multipath=False)
    await _converge(node, _both())
    assert _disks(node) == 2
    node.area(Initiator).disconnect(_IQN, _paths(node)[0].session.id)
    assert _disks(node) == 1
    node.area(Initiator).disconnect(_IQN)
    assert _disks(node) == 0


async def test_what_is_right_stays_connected_when_a_path_is_added_or_lost() -> None:
    node, _server = _site()
    (first,) = await _converge(node, _wanted(IsMultipathEnabled=True))
    again = await _converge(node, _both())
    assert again[0] == first
    node.area(Initiator).disconnect(_IQN, again[1])
    assert (await _converge(node, _both()))[0] == first


async def test_a_session_that_only_does_not_come_back_is_registered_and_stays() -> None:
    node, _server = _site()
    initiator = node.area(Initiator)
    initiator.add_portal(Portal(_FIRST))
    session = initiator.connect(_IQN, Login(Portal(_FIRST)))
    assert await _converge(node, _wanted()) == [session.id]
    assert _paths(node)[0].session.is_persistent


async def test_the_address_a_session_goes_out_from_tells_paths_apart() -> None:
    node, _server = _site()
    one, two = f"{_FIRST}@192.0.2.11", f"{_FIRST}:3260@192.0.2.12"
    properties = _wanted(one, two, IsMultipathEnabled=True)
    await _converge(node, properties)
    assert [path.session.initiator_address for path in _paths(node)] == ["192.0.2.11", "192.0.2.12"]
    assert not await _test(node, _wanted(f"{_FIRST}@192.0.2.13"))


async def test_other_sessions_end_only_where_the_list_is_exclusive_and_after_the_wanted_ones_are_there() -> (
    None
):
    node, server = _site()
    await _converge(node, _both())
    assert await _test(node, _wanted(_SECOND))
    heard: list[int] = []
    server.ledger.listeners.append(lambda _area, _what: heard.append(server.iscsi.target("volumes").sessions))
    await _converge(node, _wanted(_SECOND, IsMultipathEnabled=True, Exclusive=True))
    assert [path.connection.target_address for path in _paths(node) if path.connection] == [_SECOND]
    assert min(heard) == 1


async def test_without_multipath_another_session_has_to_go_first() -> None:
    node, _server = _site()
    await _converge(node, _wanted())
    with pytest.raises(ResourceError) as failed:
        await _set(node, _wanted(f"{_FIRST}@192.0.2.99"))
    assert failed.value.error_id == "AlreadyLoggedOn"
    await _converge(node, _wanted(_SECOND, Exclusive=True))
    assert [path.connection.target_address for path in _paths(node) if path.connection] == [_SECOND]


async def test_a_secret_that_was_changed_is_applied_path_by_path() -> None:
    node, server = _site(_SECRET)
    before = await _converge(node, _both(**_chap()))
    assert {path.session.authentication for path in _paths(node)} == {"ONEWAYCHAP"}
    assert await _test(node, _both(**_chap()))
    server.iscsi.change_target("volumes", chap_secret=_ROTATED)
    sessions: list[int] = []
    server.ledger.listeners.append(
        lambda _area, _what: sessions.append(server.iscsi.target("volumes").sessions)
    )
    await _converge(node, _both(**_chap(_ROTATED)))
    assert min(sessions) == 1
    assert len(before) == 2
    node.on_boot(REBOOTED)
    assert await _test(node, _both(**_chap(_ROTATED)))


async def test_a_refused_secret_leaves_the_other_path_and_is_tried_again() -> None:
    node, server = _site(_SECRET)
    await _converge(node, _both(**_chap()))
    with pytest.raises(ResourceError) as failed:
        await _set(node, _both(**_chap(_ROTATED)))
    assert failed.value.error_id == "ChapRefused"
    assert server.iscsi.target("volumes").sessions == 1
    assert not await _test(node, _both(**_chap()))
    await _set(node, _both(**_chap()))
    assert await _test(node, _both(**_chap()))


async def test_a_session_with_the_wrong_authentication_is_the_only_one_that_logs_on_again() -> None:
    node, _server = _site()
    first, second = await _converge(node, _both())
    initiator = node.area(Initiator)
    initiator.disconnect(_IQN, second)
    initiator.connect(_IQN, Login(Portal(_SECOND), "ONEWAYCHAP", is_multipath=True))
    again = await _converge(node, _both())
    assert again[0] == first
    assert {path.session.authentication for path in _paths(node)} == {"NONE"}


async def test_a_portal_goes_with_the_last_target_behind_it() -> None:
    node, _server = _site()
    other = {**_wanted(), "TargetName": _OTHER}
    await _converge(node, _wanted())
    await _converge(node, other)
    gone = {"Ensure": "Absent"}
    await _converge(node, _wanted() | gone)
    assert [item.address for item in node.area(Initiator).portals()] == [_FIRST]
    assert await _test(node, other)
    await _converge(node, other | gone)
    assert node.area(Initiator).portals() == []
    assert await _test(node, _wanted() | gone)


async def test_to_be_absent_needs_no_secret_and_no_multipath() -> None:
    node, _server = _site()
    gone = _wanted(_FIRST, _SECOND, Ensure="Absent")
    assert await _test(node, gone)
    await _set(node, gone)
    assert await _test(node, gone)


async def test_a_target_that_was_made_after_the_portal_was_registered_is_found() -> None:
    node, server = _site()
    made = server.iscsi.targets()
    server.iscsi.adopt([], [])
    node.area(Initiator).add_portal(Portal(_FIRST))
    server.iscsi.adopt([], made)
    await _converge(node, _wanted())


async def test_no_marker_and_no_message_holds_a_secret() -> None:
    node, _server = _site(_SECRET)
    await _converge(node, _both(**_chap()))
    key = r"SOFTWARE\provisioner\Markers\IscsiSession"
    markers = {name: value.data for name, value in node.registry.values(key).items()}
    assert list(markers) == [_IQN]
    assert _SECRET not in markers[_IQN]
    await _set(node, _wanted(Ensure="Absent"))
    assert node.registry.values(key) == {}


@pytest.mark.parametrize(
    ("properties", "secret", "admits", "error_id", "said"),
    [
        (_wanted(**_chap(_ROTATED)), _SECRET, "*", "ChapRefused", "user or secret of Chap"),
        (_wanted(**_chap(user="HV")), _SECRET, "*", "ChapRefused", "user or secret of Chap"),
        (_wanted(), _SECRET, "*", "ChapRefused", "Chap is not given"),
        (_wanted(), "", "iqn.other", "TargetNotDiscovered", "iqn.1991-05.com.microsoft:hv01"),
        (_wanted("192.0.2.99"), "", "*", "PortalNotReachable", "192.0.2.99:3260"),
        (_wanted(f"{_FIRST}:3261"), "", "*", "PortalNotReachable", ":3261"),
    ],
)
async def test_a_log_on_that_fails_is_told_in_words(
    properties: dict[str, Any], secret: str, admits: str, error_id: str, said: str
) -> None:
    node, _server = _site(secret, admits)
    with pytest.raises(ResourceError) as failed:
        await _set(node, properties)
    assert failed.value.error_id == error_id
    assert said in failed.value.message
    assert _SECRET not in failed.value.message
    assert _ROTATED not in failed.value.message


async def test_a_target_that_admits_the_initiator_no_longer_refuses_the_log_on() -> None:
    node, server = _site()
    await _converge(node, _wanted())
    node.area(Initiator).disconnect(_IQN)
    server.iscsi.set_initiators("volumes", ["iqn.other"])
    with pytest.raises(ResourceError) as failed:
        await _set(node, _wanted())
    assert failed.value.error_id == "LogOnRefused"
    assert "iqn.1991-05.com.microsoft:hv01" in failed.value.message


async def test_a_portal_that_ends_to_listen_is_told_at_the_log_on() -> None:
    node, server = _site()
    await _converge(node, _wanted())
    node.area(Initiator).disconnect(_IQN)
    server.area(TargetPortals).set(_FIRST, is_enabled=False)
    with pytest.raises(ResourceError) as failed:
        await _set(node, _wanted())
    assert failed.value.error_id == "PortalNotReachable"
