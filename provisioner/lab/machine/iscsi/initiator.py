"""The iSCSI initiator of a machine: portals, discovered targets, sessions.

It talks to the target servers of other machines in the same world, found by the address of their portal. Sessions
bring the disks of the target, and take them away when they end: one disk for all of them where Multipath I/O
claims disks on iSCSI, one for each where nobody does.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area, MachineError
from provisioner.lab.machine.computer.identity import Identity
from provisioner.lab.machine.iscsi.portals import TargetPortals
from provisioner.lab.machine.storage.disks import Disks, not_found
from provisioner.lab.machine.storage.multipath import Multipath

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

SERVICE: Final = "MSiSCSI"
PORT: Final = 3260
_INSTANCE: Final = "ROOT\\ISCSIPRT\\0000_0"
_ANY: Final = "0.0.0.0"  # noqa: S104 - what Windows shows for an address that it chose itself
_EXCEPTION: Final = "Microsoft.Management.Infrastructure.CimException"
_EMPTY_DISK: Final = 2**30
_BUS: Final = "iSCSI"
_MUTUAL: Final = "mutualchap"
#: The number in the identifier of the first session with a target.
_FIRST: Final = 2


@dataclass(frozen=True, slots=True)
class Portal:
    """Where targets are looked for. ``initiator_address`` is empty when the initiator chooses."""

    address: str
    initiator_address: str = ""
    port: int = PORT
    instance: str = ""
    is_data_digest: bool = False
    is_header_digest: bool = False


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection of a session; addresses are addresses, never names."""

    target_address: str
    initiator_address: str
    port: int
    id: str


@dataclass(frozen=True, slots=True)
class Session:
    """A session. ``authentication``: NONE, ONEWAYCHAP or MUTUALCHAP.

    A persistent one comes back after a boot, with the user and secret it logged on with.
    """

    authentication: str
    instance: str
    initiator_address: str
    id: str
    is_persistent: bool = False
    is_data_digest: bool = False
    is_header_digest: bool = False
    user: str = ""
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Path:
    """A session and its connection, which it can lose while Windows tries to get it back."""

    session: Session
    connection: Connection | None


@dataclass(frozen=True, slots=True)
class Known:
    """A target that was discovered, with its sessions."""

    iqn: str
    paths: tuple[Path, ...] = ()

    @property
    def is_connected(self) -> bool:
        """Whether it has a session."""
        return bool(self.paths)


@dataclass(frozen=True, slots=True)
class Login:
    """What Connect-IscsiTarget may be told."""

    portal: Portal
    authentication: str = "NONE"
    user: str = ""
    secret: str = field(default="", repr=False)
    is_persistent: bool = False
    is_multipath: bool = False


class Initiator(Area["Machine"]):
    """Portals in the order of their making, targets by IQN. ``isns`` is the initiator's own iSNS server."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._portals: list[Portal] = []
        self._targets: dict[str, Known] = {}
        self.isns: str | None = None
        #: Whether the iSNS setting of the target server is this one too. On Windows it is another class.
        self.shares_isns = False
        #: What targets have to prove that they know (mutual CHAP); one for the whole initiator.
        self.mutual_secret = ""

    @property
    def iqn(self) -> str:
        """Name of the initiator."""
        domain = self.owner.area(Identity).domain
        name = f"{self.owner.computer_name}.{domain}" if domain else self.owner.computer_name
        return f"iqn.1991-05.com.microsoft:{name}".casefold()

    def demand(self, cmdlet: str) -> None:
        """Raise what ``cmdlet`` gives while the service does not run."""
        self.owner.ledger.attempt(cmdlet)
        service = self.owner.services.find(SERVICE)
        if service is None or service.status != "Running":
            raise _failure("0x80070426", "The service has not been started.")

    def isns_server(self) -> str | None:
        """Give the iSNS server (the class MSiSCSIInitiator_iSNSServerClass)."""
        self.owner.ledger.attempt("Get-WmiObject")
        return self.isns

    def connection(self, known: Known) -> Connection | None:
        """Give the first connection of a target (Get-IscsiConnection)."""
        self.owner.ledger.attempt("Get-IscsiConnection")
        return known.paths[0].connection if known.paths else None

    def session(self, known: Known) -> Session | None:
        """Give the first session of a target (Get-IscsiSession)."""
        self.owner.ledger.attempt("Get-IscsiSession")
        return known.paths[0].session if known.paths else None

    def paths(self) -> list[tuple[str, Path]]:
        """Give all sessions, each with the name of its target (Get-IscsiSession and its connections)."""
        self.demand("Get-IscsiSession")
        self.owner.ledger.attempt("Get-IscsiConnection")
        return [(known.iqn, path) for known in self._targets.values() for path in known.paths]

    # -- portals --------------------------------------------------------------------------------------------

    def portals(self, address: str | None = None, initiator_address: str = "") -> list[Portal]:
        """Portals of an address, or all (Get-IscsiTargetPortal).

        Raises:
            MachineError: there is none of this address.
        """
        self.demand("Get-IscsiTargetPortal")
        found = [
            item
            for item in self._portals
            if (address is None or item.address.casefold() == address.casefold())
            and (not initiator_address or item.initiator_address == initiator_address)
        ]
        if not found and address is not None:
            raise not_found("MSFT_iSCSITargetPortal", "TargetPortalAddress", address, "Get-IscsiTargetPortal")
        return found

    def add_portal(self, portal: Portal) -> None:
        """Look for targets at a portal and remember it (New-IscsiTargetPortal).

        Raises:
            MachineError: nobody answers there.
        """
        self.demand("New-IscsiTargetPortal")
        self._discover(portal)
        self._portals.append(portal)
        self.owner.ledger.changed("initiator", f"portal {portal.address} added")

    def refresh(self) -> None:
        """Ask all portals again (Update-IscsiTarget)."""
        self.demand("Update-IscsiTarget")
        for portal in self._portals:
            self._discover(portal)

    def refresh_portal(self, portal: Portal) -> None:
        """Ask one portal again (Update-IscsiTargetPortal).

        Raises:
            MachineError: nobody answers there.
        """
        self.demand("Update-IscsiTargetPortal")
        self._discover(portal)

    def remove_portal(self, address: str, initiator_address: str = "", port: int | None = None) -> None:
        """Forget a portal; targets that it gave stay known."""
        gone = self.portals(address, initiator_address)
        self.owner.ledger.attempt("Remove-IscsiTargetPortal")
        self._portals = [item for item in self._portals if item not in gone or port not in {None, item.port}]
        self.owner.ledger.changed("initiator", f"portal {address} removed")

    def _discover(self, portal: Portal) -> None:
        server, _address = self._server(portal)
        for target in server.iscsi.offered(self.iqn, self._own_address(portal)):
            self._targets.setdefault(target.iqn.casefold(), Known(target.iqn))

    # -- targets and sessions -------------------------------------------------------------------------------

    def targets(self) -> list[Known]:
        """All known targets (Get-IscsiTarget)."""
        self.demand("Get-IscsiTarget")
        return list(self._targets.values())

    def target(self, iqn: str, cmdlet: str = "Get-IscsiTarget") -> Known:
        """Look a known target up.

        Raises:
            MachineError: it was never discovered.
        """
        self.demand(cmdlet)
        found = self._targets.get(iqn.casefold())
        if found is None:
            raise not_found("MSFT_iSCSITarget", "NodeAddress", iqn, cmdlet)
        return found

    def connect(self, iqn: str, login: Login) -> Session:
        """Log on to a target; its disks appear (Connect-IscsiTarget).

        Raises:
            MachineError: nobody answers, the target does not let this initiator in or cannot prove itself, or it
                is logged on already and this session is no path of Multipath I/O.
        """
        self.demand("Connect-IscsiTarget")
        known = self._targets.get(iqn.casefold(), Known(iqn))
        standing = tuple(path for path in known.paths if path.connection is not None)
        if standing and not login.is_multipath:
            raise _failure("0xefff003f", "The target has already been logged in via an iSCSI session.")
        path = self._log_on(known, login)
        self._put(Known(known.iqn, (*standing, path)), "connected")
        self._follow_disks(iqn)
        return path.session

    def _log_on(self, known: Known, login: Login) -> Path:
        server, address = self._server(login.portal)
        own = self._own_address(login.portal)
        target = server.iscsi.log_on(known.iqn, self.iqn, own, login.user, login.secret)
        if login.authentication.casefold() == _MUTUAL and (
            not target.reverse_user or target.reverse_secret != self.mutual_secret
        ):
            server.iscsi.log_off(known.iqn)
            raise _failure("0xefff0009", "Authentication Failure.")
        mark = hashlib.sha256(f"{self.iqn}/{known.iqn}".encode()).hexdigest()[:8]
        taken = {path.session.id for path in known.paths}
        number = _FIRST
        while _session_id(mark, number) in taken:
            number += 1
        session = Session(
            login.authentication,
            login.portal.instance or _INSTANCE,
            login.portal.initiator_address or _ANY,
            _session_id(mark, number),
            login.is_persistent,
            login.portal.is_data_digest,
            login.portal.is_header_digest,
            login.user,
            login.secret,
        )
        own_shown = login.portal.initiator_address or _ANY
        connection = Connection(address, own_shown, login.portal.port, f"ffff{mark}-{number - 1}")
        return Path(session, connection)

    def disconnect(self, iqn: str, session_id: str = "") -> None:
        """End sessions of a target, all or one; without any its disks disappear (Disconnect-IscsiTarget)."""
        known = self.target(iqn, "Disconnect-IscsiTarget")
        gone = [path for path in known.paths if session_id in {"", path.session.id}]
        for _path in gone:
            self._log_off(known.iqn)
        left = tuple(path for path in known.paths if path not in gone)
        self._put(Known(known.iqn, left), f"disconnected {session_id}".strip())
        self._follow_disks(known.iqn)

    def persist(
        self, iqn: str, *, is_persistent: bool, session_id: str = "", user: str = "", secret: str = ""
    ) -> None:
        """Let sessions come back after boots, or not (Register-, Unregister-IscsiSession)."""
        known = self.target(iqn, "Register-IscsiSession" if is_persistent else "Unregister-IscsiSession")
        paths = tuple(
            replace(
                path,
                session=replace(
                    path.session,
                    is_persistent=is_persistent,
                    user=user or path.session.user,
                    secret=secret or path.session.secret,
                ),
            )
            if session_id in {"", path.session.id}
            else path
            for path in known.paths
        )
        self._put(Known(known.iqn, paths), f"persistent: {is_persistent}")

    def set_mutual_secret(self, secret: str) -> None:
        """Choose what targets have to prove that they know (Set-IscsiChapSecret)."""
        self.demand("Set-IscsiChapSecret")
        self.mutual_secret = secret
        self.owner.ledger.changed("initiator", "secret of mutual CHAP changed")

    def _follow_disks(self, iqn: str) -> None:
        """Let disks of a target come and go with its sessions."""
        known, disks = self._targets[iqn.casefold()], self.owner.area(Disks)
        server = self._server_of(known.iqn)
        is_claimed = self.owner.area(Multipath).is_claiming(_BUS)
        copies = min(len(known.paths), 1) if is_claimed else len(known.paths)
        wanted = set()
        for number, (path, size) in enumerate(server.iscsi.luns(known.iqn) if server and copies else ()):
            for copy in range(copies):
                source = _source(known.iqn, number, copy)
                identity = f"{server.name}/{path}" if server else path
                disks.attach(source, size or _EMPTY_DISK, bus=_BUS, identity=identity, is_shared=True)
                wanted.add(source)
        for source in disks.sources(_sources(known.iqn)):
            if source not in wanted:
                disks.detach(source)

    def register_isns(self, server: str) -> None:
        """Write the class WT_iSNSServer, which is the setting of the target server.

        Raises:
            MachineError: there is no such class without a target server.
        """
        self.owner.ledger.attempt("Set-WmiInstance")
        if self.shares_isns:
            self.isns = server
        elif self.owner.iscsi.is_installed:
            self.owner.iscsi.set_isns(server)
        else:
            raise MachineError(
                'Invalid class "WT_iSNSServer"',
                "SetWMIManagementException",
                "InvalidOperation",
                "System.Management.ManagementException",
            )

    def remove_isns(self) -> None:
        """Forget the iSNS server."""
        self.owner.ledger.attempt("Remove-WmiObject")
        self.isns = None
        self.owner.ledger.changed("initiator", "iSNS server removed")

    # -- names and addresses --------------------------------------------------------------------------------

    def resolve(self, name: str) -> list[str]:
        """Give the addresses of a name; an address is its own.

        Raises:
            MachineError: nobody has this name.
        """
        try:
            return [str(ipaddress.ip_address(name))]
        except ValueError:
            self.owner.ledger.attempt("Resolve-DnsName")
            found = self.owner.world.machine(name)
        if found is None:
            raise MachineError(
                f"{name} : DNS name does not exist",
                "DNS_ERROR_RCODE_NAME_ERROR",
                "ResourceUnavailable",
                "System.ComponentModel.Win32Exception",
            )
        return [found.address]

    def _server(self, portal: Portal) -> tuple[Machine, str]:
        """Find the target server that listens there, and the address it does so on."""
        try:
            addresses = self.resolve(portal.address)
        except MachineError:
            addresses = []
        for machine in self.owner.world.machines():
            listening = machine.area(TargetPortals).listening() if machine.iscsi.is_serving else ()
            for item in listening:
                if item.address in addresses and item.port == portal.port:
                    return machine, item.address
        raise _failure("0xefff0003", "Connection Failed.")

    def _own_address(self, portal: Portal) -> str:
        return portal.initiator_address or self.owner.address

    # -- state ----------------------------------------------------------------------------------------------

    def on_boot(self) -> None:
        """Sessions end; the persistent ones come back where the target still lets them in."""
        for known in list(self._targets.values()):
            if not known.paths:
                continue
            for _path in known.paths:
                self._log_off(known.iqn)
            self._put(Known(known.iqn), "lost at a boot")
            for path in known.paths:
                if path.session.is_persistent:
                    self._return(known.iqn, path)
            self._follow_disks(known.iqn)

    def _return(self, iqn: str, path: Path) -> None:
        service = self.owner.services.find(SERVICE)
        connection, session = path.connection, path.session
        if service is None or service.status != "Running" or connection is None:
            return
        own = "" if connection.initiator_address == _ANY else connection.initiator_address
        portal = Portal(
            connection.target_address,
            own,
            connection.port,
            session.instance,
            session.is_data_digest,
            session.is_header_digest,
        )
        known = self._targets[iqn.casefold()]
        login = Login(portal, session.authentication, session.user, session.secret, is_persistent=True)
        try:
            back = self._log_on(known, login)
        except MachineError:
            return
        self._put(Known(known.iqn, (*known.paths, back)), "back after a boot")

    def _log_off(self, iqn: str) -> None:
        server = self._server_of(iqn)
        if server is not None:
            server.iscsi.log_off(iqn)

    def _server_of(self, iqn: str) -> Machine | None:
        return next((one for one in self.owner.world.machines() if one.iscsi.has_target(iqn)), None)

    def _put(self, known: Known, what: str) -> None:
        self._targets[known.iqn.casefold()] = known
        self.owner.ledger.changed("initiator", f"{known.iqn} {what}")

    def adopt(self, portals: list[Portal], targets: list[Known]) -> None:
        """Take over portals and targets as they are; nobody is asked."""
        self._portals = list(portals)
        self._targets = {item.iqn.casefold(): item for item in targets}

    def to_plain(self) -> Any:
        """Give portals, targets with their sessions, and the iSNS server."""
        return {
            "portals": [asdict(item) for item in self._portals],
            "targets": [asdict(item) for item in self._targets.values()],
            "isns": self.isns,
            "mutual_secret": self.mutual_secret,
        }

    def load(self, plain: Any) -> None:
        """Take over what ``to_plain`` gave."""
        self.isns = plain.get("isns")
        self.mutual_secret = plain.get("mutual_secret", "")
        self.adopt(
            [Portal(**item) for item in plain.get("portals", ())],
            [_known(item) for item in plain.get("targets", ())],
        )


def _known(plain: Mapping[str, Any]) -> Known:
    paths = [
        Path(Session(**item["session"]), Connection(**item["connection"]) if item["connection"] else None)
        for item in plain["paths"]
    ]
    return Known(plain["iqn"], tuple(paths))


def _session_id(mark: str, number: int) -> str:
    return f"ffff{mark}-40000137{number:08x}"


def _sources(iqn: str) -> str:
    return f"iscsi:{iqn.casefold()}:"


def _source(iqn: str, number: int, copy: int) -> str:
    """Name a disk by its LUN; ``copy`` counts paths that nobody makes one disk of."""
    return f"{_sources(iqn)}{number}" + (f":{copy}" if copy else "")


def _failure(code: str, message: str) -> MachineError:
    """Make an error of the initiator service; ``code`` is its HRESULT."""
    return MachineError(message, f"HRESULT {code}", "NotSpecified", _EXCEPTION)
