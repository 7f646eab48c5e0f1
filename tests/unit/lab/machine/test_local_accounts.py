"""Local users and groups of a machine: who is there from the start, and what a restart of the lab keeps."""

from __future__ import annotations

from provisioner.lab.logon import LogonSpec, UserSpec
from provisioner.lab.machine.basics.local_accounts import LocalAccounts
from tests.unit.lab.machines import machine


def test_users_of_the_settings_are_in_their_groups() -> None:
    users = (
        UserSpec("operator", groups=("Remote Management Users",)),
        UserSpec("alice@LAB.TEST", groups=("Administrators",)),
    )
    made = machine(logon=LogonSpec(users=users))
    accounts = made.area(LocalAccounts)
    assert [user.name for user in accounts.users()] == ["Administrator", "Guest", "operator", "provisioner"]
    members = {
        name: [made.accounts.name(sid) for sid in group.members]
        for name in ("Administrators", "Remote Management Users", "Guests")
        if (group := accounts.group(name))
    }
    computer = made.computer_name
    assert members == {
        "Administrators": [f"{computer}\\Administrator", f"{computer}\\provisioner"],
        "Remote Management Users": [f"{computer}\\operator"],
        "Guests": [f"{computer}\\Guest"],
    }


def test_what_was_made_is_there_again_with_its_sid() -> None:
    made = machine()
    accounts = made.area(LocalAccounts)
    user = accounts.add_user("ops")
    accounts.set_password("ops", "Secret-1x")
    accounts.add_group("team")
    accounts.change_group("team", members=(user.sid,))
    plain = accounts.to_plain()
    assert "Secret" not in repr(plain)
    other = machine()
    other.area(LocalAccounts).load(plain)
    assert other.accounts.name(user.sid) == f"{other.computer_name}\\ops"
    assert other.area(LocalAccounts).can_log_on("ops", "Secret-1x")
    group = other.area(LocalAccounts).group("TEAM")
    assert group is not None
    assert group.members == (user.sid,)


def test_too_many_wrong_passwords_lock_an_account() -> None:
    accounts = machine().area(LocalAccounts)
    accounts.add_user("ops")
    accounts.set_password("ops", "Secret-1x")
    accounts.lockout_threshold = 2
    assert not accounts.can_log_on("ops", "wrong")
    assert accounts.can_log_on("ops", "Secret-1x")
    assert not accounts.can_log_on("ops", "wrong")
    assert not accounts.can_log_on("ops", "Secret-1x")
