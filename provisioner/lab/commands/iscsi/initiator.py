"""Commands of the iSCSI initiator: targets, portals, sessions and connections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import instance, query, value_of
from provisioner.lab.commands.failure import reporting, texts
from provisioner.lab.machine.iscsi.initiator import PORT, Connection, Initiator, Known, Login, Path, Portal
from provisioner.lab.machine.storage.disks import not_found
from provisioner.lab.values import PsObject, UInt16, UInt32

_NAMESPACE: Final = "ROOT/Microsoft/Windows/Storage"
#: Parameters that take an object which sessions and connections belong to.
_ASSOCIATED: Final = ("IscsiTarget", "IscsiSession")
_Row = tuple[str, Path]


async def get_target(invocation: Invocation) -> None:
    """Write the known targets."""
    with reporting(invocation, "Get-IscsiTarget"):
        rows = invocation.node.machine.area(Initiator).targets()
        readers = {"NodeAddress": lambda item: item.iqn}
        found = query(invocation, "Get-IscsiTarget", "MSFT_iSCSITarget", rows, readers)
        for item in found:
            invocation.output.write(_target(item))


async def get_portal(invocation: Invocation) -> None:
    """Write the portals."""
    with reporting(invocation, "Get-IscsiTargetPortal"):
        rows = invocation.node.machine.area(Initiator).portals()
        readers = {
            "TargetPortalAddress": lambda item: item.address,
            "InitiatorPortalAddress": lambda item: item.initiator_address,
        }
        found = query(invocation, "Get-IscsiTargetPortal", "MSFT_iSCSITargetPortal", rows, readers)
        for item in found:
            invocation.output.write(_portal(item))


async def get_session(invocation: Invocation) -> None:
    """Write the sessions, of given or piped targets when there are any."""
    for row in await _chosen(invocation, "Get-IscsiSession"):
        invocation.output.write(_session(row, invocation.node.machine.area(Initiator).iqn))


async def get_connection(invocation: Invocation) -> None:
    """Write the connections, of given or piped targets or sessions when there are any."""
    for _iqn, path in await _chosen(invocation, "Get-IscsiConnection"):
        if path.connection is not None:
            invocation.output.write(_connection(path.connection))


async def new_portal(invocation: Invocation) -> None:
    """Look for targets at a portal and remember it."""
    given = invocation.parameters
    address = str(given.get("TargetPortalAddress") or "")
    with reporting(invocation, "New-IscsiTargetPortal", target=address):
        made = _wanted_portal(given, address)
        invocation.node.machine.area(Initiator).add_portal(made)
        invocation.output.write(_portal(made))


async def remove_portal(invocation: Invocation) -> None:
    """Forget portals."""
    for address in texts(invocation.parameters.get("TargetPortalAddress")):
        with reporting(invocation, "Remove-IscsiTargetPortal", target=address):
            own = str(invocation.parameters.get("InitiatorPortalAddress") or "")
            port = invocation.parameters.get("TargetPortalPortNumber")
            invocation.node.machine.area(Initiator).remove_portal(
                address, own, int(port) if port is not None else None
            )


async def update_portal(invocation: Invocation) -> None:
    """Ask portals again."""
    for address in texts(invocation.parameters.get("TargetPortalAddress")):
        with reporting(invocation, "Update-IscsiTargetPortal", target=address):
            asked = _wanted_portal(invocation.parameters, address)
            invocation.node.machine.area(Initiator).refresh_portal(asked)


async def register(invocation: Invocation) -> None:
    """Let sessions come back after each boot."""
    await _persist(invocation, "Register-IscsiSession", is_persistent=True)


async def unregister(invocation: Invocation) -> None:
    """Let sessions come back no longer."""
    await _persist(invocation, "Unregister-IscsiSession", is_persistent=False)


async def _persist(invocation: Invocation, cmdlet: str, *, is_persistent: bool) -> None:
    initiator, given = invocation.node.machine.area(Initiator), invocation.parameters
    for identifier in await _identifiers(invocation):
        with reporting(invocation, cmdlet, target=identifier):
            found = [iqn for iqn, path in initiator.paths() if path.session.id == identifier]
            if not found:
                raise not_found("MSFT_iSCSISession", "SessionIdentifier", identifier, cmdlet)
            initiator.persist(
                found[0],
                is_persistent=is_persistent,
                session_id=identifier,
                user=str(given.get("ChapUsername") or ""),
                secret=str(given.get("ChapSecret") or ""),
            )


async def set_chap_secret(invocation: Invocation) -> None:
    """Choose the secret that targets have to prove that they know."""
    with reporting(invocation, "Set-IscsiChapSecret"):
        initiator = invocation.node.machine.area(Initiator)
        initiator.set_mutual_secret(str(invocation.parameters.get("ChapSecret") or ""))


async def update(invocation: Invocation) -> None:
    """Ask all portals again."""
    with reporting(invocation, "Update-IscsiTarget"):
        invocation.node.machine.area(Initiator).refresh()


async def connect(invocation: Invocation) -> None:
    """Log on to targets; without a portal through the first one that is known."""
    initiator = invocation.node.machine.area(Initiator)
    for iqn in await _addresses(invocation):
        with reporting(invocation, "Connect-IscsiTarget", target=iqn):
            initiator.target(iqn, "Connect-IscsiTarget")
            given = invocation.parameters
            portals = initiator.portals()
            address = given.get("TargetPortalAddress") or (portals[0].address if portals else "")
            login = Login(
                _wanted_portal(given, str(address)),
                str(given.get("AuthenticationType") or "NONE"),
                str(given.get("ChapUsername") or ""),
                str(given.get("ChapSecret") or ""),
                bool(given.get("IsPersistent")),
                bool(given.get("IsMultipathEnabled")),
            )
            made = initiator.connect(iqn, login)
            row = next(row for row in initiator.paths() if row[1].session.id == made.id)
            invocation.output.write(_session(row, initiator.iqn))


async def disconnect(invocation: Invocation) -> None:
    """End the sessions of targets."""
    for iqn in await _addresses(invocation):
        with reporting(invocation, "Disconnect-IscsiTarget", target=iqn):
            identifier = str(invocation.parameters.get("SessionIdentifier") or "")
            invocation.node.machine.area(Initiator).disconnect(iqn, identifier)


async def _addresses(invocation: Invocation) -> list[str]:
    if "NodeAddress" in invocation.parameters:
        return texts(invocation.parameters["NodeAddress"])
    return [str(value_of(item, "NodeAddress")) async for item in invocation.input]


async def _identifiers(invocation: Invocation) -> list[str]:
    if "SessionIdentifier" in invocation.parameters:
        return texts(invocation.parameters["SessionIdentifier"])
    return [str(value_of(item, "SessionIdentifier")) async for item in invocation.input]


async def _chosen(invocation: Invocation, cmdlet: str) -> list[_Row]:
    given = [invocation.parameters[name] for name in _ASSOCIATED if name in invocation.parameters]
    asked = given or [item async for item in invocation.input]
    with reporting(invocation, cmdlet):
        initiator = invocation.node.machine.area(Initiator)
        initiator.demand(cmdlet)
        return [row for row in initiator.paths() if not asked or any(_belongs(row, item) for item in asked)]
    return []


def _belongs(row: _Row, item: Any) -> bool:
    """Whether a session is the given one, or one of the given target."""
    iqn, path = row
    identifier = value_of(item, "SessionIdentifier")
    if identifier is not None:
        return bool(path.session.id == identifier)
    return iqn.casefold() == str(value_of(item, "NodeAddress")).casefold()


def _wanted_portal(given: Mapping[str, Any], address: str) -> Portal:
    return Portal(
        address,
        str(given.get("InitiatorPortalAddress") or ""),
        int(given.get("TargetPortalPortNumber") or PORT),
        str(given.get("InitiatorInstanceName") or ""),
        bool(given.get("IsDataDigest")),
        bool(given.get("IsHeaderDigest")),
    )


def _target(item: Known) -> PsObject:
    return instance(
        "MSFT_iSCSITarget",
        {"NodeAddress": item.iqn, "IsConnected": item.is_connected},
        namespace=_NAMESPACE,
        key=item.iqn,
    )


def _portal(item: Portal) -> PsObject:
    return instance(
        "MSFT_iSCSITargetPortal",
        {
            "TargetPortalAddress": item.address,
            "TargetPortalPortNumber": UInt16(item.port),
            "InitiatorPortalAddress": item.initiator_address,
            "InitiatorInstanceName": item.instance,
            "IsDataDigest": item.is_data_digest,
            "IsHeaderDigest": item.is_header_digest,
        },
        namespace=_NAMESPACE,
        key=item.address,
    )


def _session(row: _Row, initiator: str) -> PsObject:
    iqn, path = row
    session = path.session
    return instance(
        "MSFT_iSCSISession",
        {
            "SessionIdentifier": session.id,
            "TargetNodeAddress": iqn,
            "InitiatorNodeAddress": initiator,
            "InitiatorPortalAddress": session.initiator_address,
            "InitiatorInstanceName": session.instance,
            "AuthenticationType": session.authentication,
            "IsConnected": path.connection is not None,
            "IsDiscovered": True,
            "IsPersistent": session.is_persistent,
            "IsDataDigest": session.is_data_digest,
            "IsHeaderDigest": session.is_header_digest,
            "NumberOfConnections": UInt32(1 if path.connection else 0),
        },
        namespace=_NAMESPACE,
        key=session.id,
    )


def _connection(connection: Connection) -> PsObject:
    return instance(
        "MSFT_iSCSIConnection",
        {
            "ConnectionIdentifier": connection.id,
            "InitiatorAddress": connection.initiator_address,
            "InitiatorPortNumber": UInt16(0),
            "TargetAddress": connection.target_address,
            "TargetPortNumber": UInt16(connection.port),
        },
        namespace=_NAMESPACE,
        key=connection.id,
    )
