"""The iSCSI initiator of a machine: portals, discovered targets, sessions.

It talks to the target servers of other machines in the same world, found by the address of their portal. A
session brings the disks of the target, and takes them away when it ends.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area, MachineError
from provisioner.lab.machine.computer.identity import Identity
from provisioner.lab.machine.iscsi.portals import TargetPortals
from provisioner.lab.machine.storage.disks import Disks, not_found

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

SERVICE: Final = "MSiSCSI"
PORT: Final = 3260
_INSTANCE: Final = "ROOT\\ISCSIPRT\\0000_0"
_ANY: Final = "0.0.0.0"  # noqa: S104 - what Windows shows for an address that it chose itself
_EXCEPTION: Final = "Microsoft.Management.Infrastructure.CimException"
_EMPTY_DISK: Final = 2**30


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
    """A session. ``authentication``: NONE, OneWayCHAP or MutualCHAP; a persistent one comes back after a boot."""

    authentication: str
    instance: str
    initiator_address: str
    id: str
    is_persistent: bool = False
    is_data_digest: bool = False
    is_header_digest: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """A target that was discovered, with its connection and session if it has them."""

    iqn: str
    is_connected: bool = False
    connection: Connection | None = None
    session: Session | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """What Connect-IscsiTarget may be told."""

    portal: Portal
    authentication: str = "NONE"
    user: str = ""
    secret: str = ""
    is_persistent: bool = False


class Initiator(Area["Machine"]):
    """Portals in the order of their making, targets by IQN. ``isns`` is the initiator's own iSNS server."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._portals: list[Portal] = []
        self._targets: dict[str, Known] = {}
        self.isns: str | None = None
        #: Whether the iSNS setting of the target server is this one too. On Windows it is another class.
        self.shares_isns = False

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
        """Give the connection of a target (Get-IscsiConnection)."""
        self.owner.ledger.attempt("Get-IscsiConnection")
        return known.connection

    def session(self, known: Known) -> Session | None:
        """Give the session of a target (Get-IscsiSession)."""
        self.owner.ledger.attempt("Get-IscsiSession")
        return known.session

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

    def remove_portal(self, address: str, initiator_address: str = "") -> None:
        """Forget a portal; targets that it gave stay known."""
        gone = self.portals(address, initiator_address)
        self.owner.ledger.attempt("Remove-IscsiTargetPortal")
        self._portals = [item for item in self._portals if item not in gone]
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
            MachineError: nobody answers, the target does not let this initiator in, or it is logged on already.
        """
        self.demand("Connect-IscsiTarget")
        known = self._targets.get(iqn.casefold(), Known(iqn))
        if known.connection is not None and known.session is not None:
            raise _failure("0xefff003f", "The target has already been logged in via an iSCSI session.")
        server, address = self._server(login.portal)
        own = self._own_address(login.portal)
        target = server.iscsi.log_on(iqn, self.iqn, own, login.user, login.secret)
        mark = hashlib.sha256(f"{self.iqn}/{iqn}".encode()).hexdigest()[:8]
        session = Session(
            login.authentication,
            login.portal.instance or _INSTANCE,
            login.portal.initiator_address or _ANY,
            f"ffff{mark}-4000013700000002",
            login.is_persistent,
            login.portal.is_data_digest,
            login.portal.is_header_digest,
        )
        connection = Connection(
            address,
            login.portal.initiator_address or _ANY,
            login.portal.port,
            f"ffff{mark}-1",
        )
        self._put(Known(target.iqn, True, connection, session), "connected")
        for number, (path, size) in enumerate(server.iscsi.luns(target.iqn)):
            self.owner.area(Disks).attach(
                _source(target.iqn, number),
                size or _EMPTY_DISK,
                bus="iSCSI",
                identity=f"{server.name}/{path}",
                is_shared=True,
            )
        return session

    def disconnect(self, iqn: str) -> None:
        """End the session of a target; its disks disappear (Disconnect-IscsiTarget)."""
        known = self.target(iqn, "Disconnect-IscsiTarget")
        self._leave(known)
        self._put(Known(known.iqn), "disconnected")

    def persist(self, iqn: str, *, is_persistent: bool) -> None:
        """Let a session come back after boots, or not (Register-, Unregister-IscsiSession)."""
        known = self.target(iqn, "Register-IscsiSession" if is_persistent else "Unregister-IscsiSession")
        if known.session is not None:
            session = replace(known.session, is_persistent=is_persistent)
            self._put(replace(known, session=session), f"persistent: {is_persistent}")

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
            if known.session is None:
                continue
            self._leave(known, keep_disks=known.session.is_persistent)
            self._put(Known(known.iqn), "lost at a boot")
            connection = known.connection
            if known.session.is_persistent and connection is not None:
                portal = Portal(
                    connection.target_address,
                    "" if connection.initiator_address == _ANY else connection.initiator_address,
                    connection.port,
                )
                login = Login(portal, known.session.authentication, is_persistent=True)
                self._return(known, login)

    def _return(self, known: Known, login: Login) -> None:
        service = self.owner.services.find(SERVICE)
        if service is None or service.status != "Running":
            self._drop_disks(known.iqn)
            return
        try:
            server, _address = self._server(login.portal)
            server.iscsi.readmit(known.iqn, self.iqn, self._own_address(login.portal))
        except MachineError:
            self._drop_disks(known.iqn)
        else:
            self._put(known, "back after a boot")

    def _leave(self, known: Known, *, keep_disks: bool = False) -> None:
        if known.connection is not None:
            for machine in self.owner.world.machines():
                if machine.iscsi.has_target(known.iqn):
                    machine.iscsi.log_off(known.iqn)
        if not keep_disks:
            self._drop_disks(known.iqn)

    def _drop_disks(self, iqn: str) -> None:
        disks, number = self.owner.area(Disks), 0
        while disks.of(_source(iqn, number)):
            disks.detach(_source(iqn, number))
            number += 1

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
        }

    def load(self, plain: Any) -> None:
        """Take over what ``to_plain`` gave."""
        self.isns = plain.get("isns")
        self.adopt(
            [Portal(**item) for item in plain.get("portals", ())],
            [_known(item) for item in plain.get("targets", ())],
        )


def _known(plain: Mapping[str, Any]) -> Known:
    connection, session = plain.get("connection"), plain.get("session")
    return Known(
        plain["iqn"],
        plain.get("is_connected", False),
        Connection(**connection) if connection else None,
        Session(**session) if session else None,
    )


def _source(iqn: str, number: int) -> str:
    return f"iscsi:{iqn.casefold()}:{number}"


def _failure(code: str, message: str) -> MachineError:
    """Make an error of the initiator service; ``code`` is its HRESULT."""
    return MachineError(message, f"HRESULT {code}", "NotSpecified", _EXCEPTION)
