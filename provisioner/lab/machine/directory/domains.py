r"""Active Directory as the nodes of a lab share it: domains with their accounts, organizational units and groups.

A domain is reachable while one of its controllers is. A controller that is no node of the lab is always there.
Names of accounts are bare (``join``), with the domain's short name before them (``CONTOSO\join``) or its DNS name
behind (``join@contoso.com``).
"""

from __future__ import annotations

import hmac
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from provisioner.lab.domains import DomainSpec
from provisioner.lab.machine.area import Area, MachineError
from provisioner.lab.machine.directory.nt_hash import nt_hash
from provisioner.lab.machine.world import World

_INVALID_OPERATION: Final = "System.InvalidOperationException"
NO_DOMAIN: Final = "The specified domain either does not exist or could not be contacted."
WRONG_PASSWORD: Final = "The user name or password is incorrect."  # noqa: S105 - the text about a wrong one
TIME_SKEW: Final = "There is a time and/or date difference between the client and server."
_MOST_SKEW_S: Final = 300.0
NO_OBJECT: Final = "There is no such object on the server."


@dataclass(frozen=True, slots=True)
class DirectoryUser:
    """An account of a person or a service. No password fits one without a hash (hexadecimal digits)."""

    name: str
    nt_hash: str = field(default="", repr=False)
    groups: tuple[str, ...] = ()
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class DirectoryComputer:
    """A computer object. ``dn`` is its distinguished name.

    ``delegates_to`` is msDS-AllowedToDelegateTo, ``principals`` who may delegate to it (names of accounts),
    ``protocol_transition`` and ``trusted`` the flags TRUSTED_TO_AUTH_FOR_DELEGATION and TRUSTED_FOR_DELEGATION.
    """

    name: str
    dn: str
    dns_host_name: str = ""
    spns: tuple[str, ...] = ()
    delegates_to: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()
    protocol_transition: bool = False
    trusted: bool = False
    enabled: bool = True
    groups: tuple[str, ...] = ("Domain Computers",)
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def sam(self) -> str:
        """The account's name before Windows 2000: with a dollar sign."""
        return f"{self.name}$"

    @property
    def container(self) -> str:
        """Where the object is."""
        return self.dn.partition(",")[2]


@dataclass(slots=True)
class Domain:
    """One domain. ``computers_container`` is where computers go unless they are sent elsewhere."""

    name: str
    netbios: str
    controllers: tuple[str, ...] = ()
    users: dict[str, DirectoryUser] = field(default_factory=dict)
    units: list[str] = field(default_factory=list)
    computers: dict[str, DirectoryComputer] = field(default_factory=dict)
    computers_container: str = ""

    @property
    def root(self) -> str:
        """Distinguished name of the domain."""
        return ",".join(f"DC={label}" for label in self.name.split("."))

    @property
    def default_container(self) -> str:
        """Distinguished name of the place for computers that are not sent elsewhere."""
        return self.computers_container or f"CN=Computers,{self.root}"

    def has_container(self, dn: str) -> bool:
        """Whether objects can be put below ``dn``."""
        known = [
            self.root,
            self.default_container,
            f"CN=Computers,{self.root}",
            f"OU=Domain Controllers,{self.root}",
        ]
        return dn.casefold() in {item.casefold() for item in (*known, *self.units)}


class Directory(Area[World[Any]]):
    """All domains of a lab, by DNS name or short name without regard to case."""

    def __init__(self, owner: World[Any]) -> None:
        super().__init__(owner)
        self._domains: dict[str, Domain] = {}

    def add(self, domain: Domain) -> None:
        """Put a domain there, in place of one of the same name."""
        self._domains[domain.name.casefold()] = domain
        self._changed(domain, "made")

    def declare(self, spec: DomainSpec) -> None:
        """Put a domain there as the inventory describes it, unless it is there already."""
        if self.find(spec.name):
            return
        users = [DirectoryUser(user.name, user.nt_hash.hex(), user.groups) for user in spec.users]
        self.add(
            Domain(
                spec.name,
                spec.short_name,
                spec.controllers,
                {user.name.casefold(): user for user in users},
                list(spec.organizational_units),
                computers_container=spec.computers_container,
            )
        )

    def domains(self) -> tuple[Domain, ...]:
        """Give all domains."""
        return tuple(self._domains.values())

    def find(self, name: str) -> Domain | None:
        """Look a domain up; whether it can be reached is another question."""
        wanted = name.casefold()
        return next(
            (
                item
                for item in self._domains.values()
                if wanted in {item.name.casefold(), item.netbios.casefold()}
            ),
            None,
        )

    def reach(self, name: str) -> Domain:
        """Give a domain of which a controller answers.

        Raises:
            MachineError: there is none.
        """
        domain = self.find(name)
        if domain is None or not self.controllers(domain):
            raise MachineError(NO_DOMAIN, "DomainNotReachable", "OperationStopped", _INVALID_OPERATION)
        return domain

    def controllers(self, domain: Domain) -> list[str]:
        """Give the controllers that can be reached: nodes of the lab that are up, and those that are no nodes."""
        found = []
        for name in domain.controllers:
            node = self.owner.machine(name)
            if node is None or node.is_up:
                found.append(name)
        return found

    def check_clock(self, domain: Domain, skew_s: float) -> None:
        """Refuse a machine whose clock is too far from that of a controller; Kerberos would.

        Raises:
            MachineError: by more than five minutes.
        """
        nodes = [self.owner.machine(name) for name in self.controllers(domain)]
        skews = [node.clock_skew_s if node else 0.0 for node in nodes]
        if all(abs(skew_s - other) > _MOST_SKEW_S for other in skews):
            raise MachineError(TIME_SKEW, "TimeSkew", "OperationStopped", _INVALID_OPERATION)

    def authenticate(self, domain: Domain, user: str, password: str) -> DirectoryUser:
        """Give the account of a name and password.

        Raises:
            MachineError: they do not fit.
        """
        found = domain.users.get(bare_name(user).casefold())
        if (
            found is None
            or not found.enabled
            or not found.nt_hash
            or not hmac.compare_digest(found.nt_hash, nt_hash(password).hex())
        ):
            raise MachineError(WRONG_PASSWORD, "LogonFailure", "OperationStopped", _INVALID_OPERATION)
        return found

    def computer(self, domain: Domain, name: str) -> DirectoryComputer | None:
        """Look a computer object up by its name, with or without the dollar sign."""
        return domain.computers.get(name.rstrip("$").casefold())

    def put_computer(self, domain: Domain, computer: DirectoryComputer) -> None:
        """Make or replace a computer object.

        Raises:
            MachineError: its container does not exist.
        """
        if not domain.has_container(computer.container):
            raise MachineError(NO_OBJECT, "NoSuchObject", "ObjectNotFound", _INVALID_OPERATION)
        domain.computers[computer.name.casefold()] = computer
        self._changed(domain, f"computer {computer.name} set")

    def remove_computer(self, domain: Domain, name: str) -> None:
        """Delete a computer object with all below it; a missing one is no matter."""
        if domain.computers.pop(name.rstrip("$").casefold(), None):
            self._changed(domain, f"computer {name} removed")

    def rename_computer(self, domain: Domain, old: str, new: str) -> None:
        """Give a computer object, its host name and its service principal names another name."""
        found = domain.computers.pop(old.casefold(), None)
        if found:
            host = f"{new.casefold()}.{domain.name}"
            dn = f"CN={new},{found.container}"
            spns = tuple(host_spns(new, domain.name))
            domain.computers[new.casefold()] = replace(found, name=new, dn=dn, dns_host_name=host, spns=spns)
            self._changed(domain, f"computer {old} renamed to {new}")

    def _changed(self, domain: Domain, what: str) -> None:
        self.owner.ledger.changed("directory", f"{domain.name}: {what}")

    def to_plain(self) -> list[dict[str, Any]]:
        """Give all domains."""
        return [asdict(item) for item in self._domains.values()]

    def load(self, plain: list[dict[str, Any]]) -> None:
        """Take over what ``to_plain`` gave; parts of a domain may be left out."""
        for item in plain:
            users = [_tupled(DirectoryUser, user) for user in item.get("users", {}).values()]
            computers = [_tupled(DirectoryComputer, each) for each in item.get("computers", {}).values()]
            domain = Domain(
                item["name"],
                item.get("netbios") or item["name"].partition(".")[0].upper(),
                tuple(item.get("controllers", ("dc1",))),
                {user.name.casefold(): user for user in users},
                list(item.get("units", ())),
                {each.name.casefold(): each for each in computers},
                item.get("computers_container", ""),
            )
            self._domains[domain.name.casefold()] = domain


def bare_name(user: str) -> str:
    r"""Give the name of an account without its domain, before or behind it."""
    return user.rpartition("\\")[2].partition("@")[0]


def host_spns(name: str, domain: str) -> list[str]:
    """Give the service principal names a computer has from its join on."""
    host = f"{name.casefold()}.{domain}"
    return [f"{service}/{each}" for service in ("HOST", "RestrictedKrbHost") for each in (name, host)]


def _tupled(kind: Any, plain: dict[str, Any]) -> Any:
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()})
