"""Who the computer is: its description, its workgroup or domain, and the name it will have after a boot.

A join shows at once where Windows shows it at once (Win32_ComputerSystem), and counts for logons from the boot on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area, MachineError
from provisioner.lab.machine.directory.domains import (
    NO_OBJECT,
    Directory,
    DirectoryComputer,
    Domain,
    host_spns,
)
from provisioner.lab.machine.ground import names

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

_INVALID: Final = "System.InvalidOperationException"
_LONGEST_NAME: Final = 15


@dataclass(frozen=True, slots=True)
class Login:
    """A user name, perhaps with its domain, and a password."""

    user: str
    password: str


class Identity(Area["Machine"]):
    """``domain`` is a DNS name, or empty on a machine of a workgroup."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self.description: str | None = ""
        self.workgroup = "WORKGROUP"
        self.domain = ""
        #: The domain that counts since the last boot, by its short name; what USERDOMAIN is for the system.
        self.active_domain = ""
        #: Name of the controller that logged the running account on, if one did.
        self.logon_server = ""

    @property
    def name(self) -> str:
        """The active name."""
        return self.owner.computer_name

    @property
    def pending_name(self) -> str:
        """The name from the next boot on; often the active one."""
        return names.pending(self.owner.registry, self.name)

    @property
    def directory(self) -> Directory:
        """The domains of the lab."""
        return self.owner.world.area(Directory)

    @property
    def account(self) -> DirectoryComputer | None:
        """The computer's own object in its domain."""
        domain = self.directory.find(self.domain) if self.domain else None
        if domain is None:
            return None
        return self.directory.computer(domain, self.name) or self.directory.computer(
            domain, self.pending_name
        )

    def describe(self, text: str) -> None:
        """Set the description of the computer."""
        self.owner.ledger.attempt("Set-CimInstance")
        self.description = text
        self._changed("described")

    def rename(self, new_name: str, login: Login | None = None) -> None:
        """Ask for a new name from the next boot on, as Rename-Computer does.

        Raises:
            MachineError: the name is the old one or none, or the domain refuses.
        """
        self.owner.ledger.attempt("Rename-Computer")
        if new_name.casefold() == self.name.casefold():
            raise MachineError(
                f"Skip computer '{self.name}' with new name '{new_name}' because the new name is the same as the "
                "current name.",
                "NewNameIsOldName",
                "InvalidArgument",
                _INVALID,
            )
        _check_name(self.name, new_name)
        if self.domain:
            self._rename_account(new_name, login)
        names.request(self.owner.registry, new_name)
        self._changed(f"will be {new_name}")

    def _rename_account(self, new_name: str, login: Login | None) -> None:
        try:
            domain = self.directory.reach(self.domain)
            if login:
                self.directory.authenticate(domain, login.user, login.password)
        except MachineError as error:
            raise MachineError(
                f"Fail to rename computer '{self.name}' to '{new_name}' due to the following exception: "
                f"{error.message}",
                "FailToRenameComputer",
                "OperationStopped",
                _INVALID,
            ) from None
        old = self.pending_name if self.directory.computer(domain, self.pending_name) else self.name
        self.directory.rename_computer(domain, old, new_name)

    def join_domain(self, name: str, login: Login, unit: str = "", new_name: str = "") -> None:
        """Join a domain, as Add-Computer does; the account is made where it should be, or taken over.

        Raises:
            MachineError: the computer is in it already, or the domain refuses; nothing has changed then.
        """
        failure = self._failure_to_join()
        if self.domain and name.casefold() in {
            self.domain.casefold(),
            self.domain.partition(".")[0].casefold(),
        }:
            raise MachineError(
                f"Cannot add computer '{self.name}' to domain '{name}' because it is already in that domain.",
                "AddComputerToSameDomain",
                "InvalidOperation",
                _INVALID,
            )
        if new_name:
            _check_name(self.name, new_name)
        try:
            domain = self.directory.reach(name)
            self.directory.check_clock(domain, self.owner.clock_skew_s)
            self.directory.authenticate(domain, login.user, login.password)
            self._put_account(domain, unit, (not failure and new_name) or self.pending_name)
        except MachineError as error:
            raise self._join_failed(name, error.message) from None
        self.domain = domain.name
        if failure:
            raise failure
        if new_name:
            names.request(self.owner.registry, new_name)
        self._changed(f"joined {domain.name}")

    def _failure_to_join(self) -> MachineError | None:
        """Give an injected failure that comes after the join: in the domain, under the old name."""
        try:
            self.owner.ledger.attempt("Add-Computer")
        except MachineError as error:
            if error.error_id.partition(",")[0] == "FailToRenameAfterJoinDomain":
                return error
            raise
        return None

    def _put_account(self, domain: Domain, unit: str, name: str) -> None:
        container = unit or domain.default_container
        known = self.directory.computer(domain, name)
        if unit and known and known.container.casefold() != unit.casefold():
            raise MachineError("The account already exists.", "AccountExists", "ResourceExists", _INVALID)
        if not domain.has_container(container):
            raise MachineError(NO_OBJECT, "NoSuchObject", "ObjectNotFound", _INVALID)
        if known is None:
            host = f"{name.casefold()}.{domain.name}"
            made = DirectoryComputer(
                name, f"CN={name},{container}", host, tuple(host_spns(name, domain.name))
            )
            self.directory.put_computer(domain, made)

    def _join_failed(self, name: str, why: str) -> MachineError:
        left = (
            f"from its current domain '{self.domain}'"
            if self.domain
            else f"from its current workgroup '{self.workgroup}'"
        )
        return MachineError(
            f"Computer '{self.name}' failed to join domain '{name}' {left} with following error message: {why}",
            "FailToJoinDomainFromDomain" if self.domain else "FailToJoinDomainFromWorkgroup",
            "OperationStopped",
            _INVALID,
        )

    def join_workgroup(self, name: str, new_name: str = "") -> None:
        """Leave the domain, if any, for a workgroup.

        Raises:
            MachineError: the computer is in it already, or the new name is none.
        """
        self.owner.ledger.attempt("Add-Computer")
        if not self.domain and name.casefold() == self.workgroup.casefold():
            raise MachineError(
                f"Cannot add computer '{self.name}' to workgroup '{name}' because it is already in that "
                "workgroup.",
                "AddComputerToSameWorkgroup",
                "InvalidOperation",
                _INVALID,
            )
        if new_name:
            _check_name(self.name, new_name)
            names.request(self.owner.registry, new_name)
        self.domain, self.workgroup = "", name
        self._changed(f"is in workgroup {name}")

    def on_boot(self) -> None:
        """Let the membership count for logons."""
        domain = self.directory.find(self.domain) if self.domain else None
        self.active_domain = domain.netbios if domain else self.domain.partition(".")[0].upper()

    @property
    def user_domain(self) -> str:
        """What USERDOMAIN is for what runs as the system."""
        return self.active_domain or self.name

    def _changed(self, what: str) -> None:
        self.owner.ledger.changed("identity", what)

    def to_plain(self) -> dict[str, Any]:
        """Give all but the names."""
        return {
            "description": self.description,
            "workgroup": self.workgroup,
            "domain": self.domain,
            "active_domain": self.active_domain,
            "logon_server": self.logon_server,
        }

    def load(self, plain: dict[str, Any]) -> None:
        """Take over what ``to_plain`` gave; parts may be left out."""
        for name, value in plain.items():
            setattr(self, name, value)


def _check_name(old: str, new: str) -> None:
    if not 1 <= len(new) <= _LONGEST_NAME or any(char in "\\/:*?\"<>|.,~!@#$%^&'(){} " for char in new):
        raise MachineError(
            f"Skip computer '{old}' with new name '{new}' because the new name is not valid. The new computer "
            "name entered is not properly formatted. Standard names may contain letters (a-z, A-Z), numbers "
            "(0-9), and hyphens (-), but no spaces or periods (.). The name may not consist entirely of digits, "
            "and may not be longer than 63 characters.",
            "InvalidNewName",
            "InvalidArgument",
            _INVALID,
        )
