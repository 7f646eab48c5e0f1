"""Local users and groups: what the security accounts manager of a machine keeps.

Names and SIDs are also known to the machine's ``accounts``. Of passwords only the NT hash is kept.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from provisioner.lab.machine.area import Area, MachineError
from provisioner.lab.machine.directory.nt_hash import nt_hash

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

_FIRST_RID = 1001
_NEEDED_KINDS = 3
_BUILTIN = "S-1-5-32-"
_DESCRIPTIONS = {
    "Administrators": "Administrators have complete and unrestricted access to the computer/domain",
    "Users": "Users are prevented from making accidental or intentional system-wide changes and can run most "
    "applications",
    "Guests": "Guests have the same access as members of the Users group by default, except for the Guest account "
    "which is further restricted",
    "Administrator": "Built-in account for administering the computer/domain",
    "Guest": "Built-in account for guest access to the computer/domain",
}


@dataclass(frozen=True, slots=True)
class User:
    """A local user. ``password`` is the NT hash in hexadecimal digits; ``failures`` counts wrong passwords."""

    name: str
    sid: str
    full_name: str = ""
    description: str = ""
    password: str = ""
    is_disabled: bool = False
    must_change: bool = False
    never_expires: bool = False
    cannot_change: bool = False
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """A local group; ``members`` are SIDs."""

    name: str
    sid: str
    description: str = ""
    members: tuple[str, ...] = ()


class LocalAccounts(Area["Machine"]):
    """Users and groups by name, without regard to case."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._users: dict[str, User] = {}
        self._groups: dict[str, Group] = {}
        #: Wrong passwords after which an account is locked; 0 for never.
        self.lockout_threshold = 0
        accounts = owner.accounts
        for sid in accounts.local_sids():
            name = accounts.name(sid).partition("\\")[2]
            is_guest = sid.endswith("-501")
            self._users[name.casefold()] = User(
                name,
                sid,
                description=_DESCRIPTIONS.get(name, ""),
                is_disabled=is_guest,
                never_expires=is_guest,
            )
        for sid, name in accounts.builtin():
            members = tuple(user.sid for user in self.users() if name in self._first_groups(user))
            self._groups[name.casefold()] = Group(name, sid, _DESCRIPTIONS.get(name, ""), members)

    def _first_groups(self, user: User) -> tuple[str, ...]:
        known = {"Administrator": ("Administrators",), "Guest": ("Guests",)}
        return known.get(user.name, self.owner.groups_of.get(user.name, ()))

    def users(self) -> list[User]:
        """All users by name."""
        return sorted(self._users.values(), key=lambda user: user.name.casefold())

    def groups(self) -> list[Group]:
        """All groups by name."""
        return sorted(self._groups.values(), key=lambda group: group.name.casefold())

    def user(self, name: str) -> User | None:
        """Look a user up by name or SID."""
        found = self._users.get(name.casefold())
        return found or next((item for item in self._users.values() if item.sid == name), None)

    def group(self, name: str) -> Group | None:
        """Look a group up by name or SID."""
        found = self._groups.get(name.casefold())
        return found or next((item for item in self._groups.values() if item.sid == name), None)

    def add_user(self, name: str) -> User:
        """Make a user without a password."""
        user = User(name, self._next_sid())
        self._users[name.casefold()] = user
        self._known(user.sid, name)
        return user

    def change_user(self, name: str, **fields: Any) -> User:
        """Change an existing user."""
        changed = self._users[name.casefold()] = replace(self._users[name.casefold()], **fields)
        self._tell(name)
        return changed

    def set_password(self, name: str, password: str) -> None:
        """Give a user another password.

        Raises:
            MachineError: the policy of Windows Server wants three kinds of characters and not the name itself.
        """
        kinds = (str.isupper, str.islower, str.isdigit, lambda char: not char.isalnum())
        used = sum(any(kind(char) for char in password) for kind in kinds)
        if used < _NEEDED_KINDS or (len(name) >= _NEEDED_KINDS and name.casefold() in password.casefold()):
            raise MachineError(
                "The password does not meet the password policy requirements. Check the minimum password length, "
                "password complexity and password history requirements.",
                "PasswordException",
                "InvalidArgument",
                "System.DirectoryServices.AccountManagement.PasswordException",
            )
        self.change_user(name, password=nt_hash(password).hex(), failures=0)

    def can_log_on(self, name: str, password: str) -> bool:
        """Try a password, as a logon does: a wrong one counts, and nobody else may log on who is locked out."""
        user = self._users[name.casefold()]
        is_right = hmac.compare_digest(user.password, nt_hash(password).hex())
        if self.lockout_threshold and user.failures >= self.lockout_threshold:
            return False
        if not is_right:
            self._users[name.casefold()] = replace(user, failures=user.failures + 1)
        return is_right and not user.is_disabled and not user.must_change

    def remove_user(self, name: str) -> None:
        """Delete a user; its SID stays where it stands."""
        user = self._users.pop(name.casefold())
        self.owner.accounts.forget(user.sid)
        self._tell(name)

    def add_group(self, name: str) -> Group:
        """Make an empty group."""
        group = Group(name, self._next_sid())
        self._groups[name.casefold()] = group
        self._known(group.sid, name)
        return group

    def change_group(self, name: str, **fields: Any) -> Group:
        """Change an existing group."""
        changed = self._groups[name.casefold()] = replace(self._groups[name.casefold()], **fields)
        self._tell(name)
        return changed

    def remove_group(self, name: str) -> None:
        """Delete a group."""
        group = self._groups.pop(name.casefold())
        self.owner.accounts.forget(group.sid)
        self._tell(name)

    def _next_sid(self) -> str:
        sids = [user.sid for user in self._users.values()] + [group.sid for group in self._groups.values()]
        local = [sid for sid in sids if not sid.startswith(_BUILTIN)]
        prefix = local[0].rpartition("-")[0]
        last = max(int(sid.rpartition("-")[2]) for sid in local)
        return f"{prefix}-{max(last + 1, _FIRST_RID)}"

    def _known(self, sid: str, name: str) -> None:
        self.owner.accounts.adopt({sid: f"{self.owner.computer_name}\\{name}"})
        self._tell(name)

    def _tell(self, name: str) -> None:
        self.owner.ledger.changed("accounts", f"{name} changed")

    def to_plain(self) -> dict[str, Any]:
        """Give all users and groups."""
        return {
            "users": [asdict(user) for user in self._users.values()],
            "groups": [{**asdict(group), "members": list(group.members)} for group in self._groups.values()],
            "lockout_threshold": self.lockout_threshold,
        }

    def load(self, plain: Mapping[str, Any]) -> None:
        """Take over what ``to_plain`` gave."""
        users = [User(**item) for item in plain["users"]]
        groups = [Group(**{**item, "members": tuple(item["members"])}) for item in plain["groups"]]
        self._users = {user.name.casefold(): user for user in users}
        self._groups = {group.name.casefold(): group for group in groups}
        self.lockout_threshold = plain.get("lockout_threshold", 0)
        computer = self.owner.computer_name
        names = {user.sid: user.name for user in users} | {group.sid: group.name for group in groups}
        self.owner.accounts.adopt(
            {sid: f"{computer}\\{name}" for sid, name in names.items() if not sid.startswith(_BUILTIN)}
        )
