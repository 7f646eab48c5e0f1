"""Who is made or changed on a machine logs on to it, or no longer does."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.lab.resources.basics.group import Group
from provisioner.lab.resources.basics.user import User
from provisioner.lab.server.authentication.accounts import Accounts
from provisioner.lab.server.authentication.model import LogonFailure
from provisioner.lab.simulated_node import SimulatedNode
from tests.unit.lab.machines import context, node_spec

_PASSWORD = "Ocean-Drive-4711"


async def _make(node: SimulatedNode, **more: object) -> None:
    wanted = {"UserName": "operator", "Password": {"UserName": "operator", "Password": _PASSWORD}, **more}
    await User().set(wanted, context(node.machine))


def _log_on(node: SimulatedNode, password: str = _PASSWORD) -> bool:
    identity = Accounts(node).log_on_with_password("operator", password)
    assert identity.principal == f"{node.computer_name}\\operator"
    assert node.is_administrator(identity.principal) is identity.user.is_administrator
    return identity.user.is_administrator


async def test_a_user_that_a_resource_has_made_logs_on_as_what_its_groups_make_it(tmp_path: Path) -> None:
    node = SimulatedNode(node_spec(name="hv01"), tmp_path, time_scale=0)
    with pytest.raises(LogonFailure):
        _log_on(node)
    await _make(node)
    assert not _log_on(node)
    await Group().set(
        {"GroupName": "Administrators", "MembersToInclude": ["operator"]}, context(node.machine)
    )
    assert _log_on(node)
    with pytest.raises(LogonFailure):
        _log_on(node, "Another-Drive-4711")
    await _make(node, Disabled=True)
    with pytest.raises(LogonFailure):
        _log_on(node)


async def test_an_account_may_be_removed_again(tmp_path: Path) -> None:
    node = SimulatedNode(node_spec(name="hv01"), tmp_path, time_scale=0)
    await _make(node)
    assert not _log_on(node)
    await User().set({"UserName": "operator", "Ensure": "Absent"}, context(node.machine))
    with pytest.raises(LogonFailure):
        _log_on(node)
