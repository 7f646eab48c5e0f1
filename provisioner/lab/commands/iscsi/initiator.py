"""Commands of the iSCSI initiator: targets, portals, sessions and connections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import instance, query, value_of
from provisioner.lab.commands.failure import reporting, texts
from provisioner.lab.machine.iscsi.initiator import PORT, Initiator, Known, Login, Portal
from provisioner.lab.values import PsObject, UInt16, UInt32

_NAMESPACE: Final = "ROOT/Microsoft/Windows/Storage"


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
    for item in await _chosen(invocation, "Get-IscsiSession"):
        if item.session is not None:
            invocation.output.write(_session(item, invocation.node.machine.area(Initiator).iqn))


async def get_connection(invocation: Invocation) -> None:
    """Write the connections, of given or piped targets when there are any."""
    for item in await _chosen(invocation, "Get-IscsiConnection"):
        if item.connection is not None:
            invocation.output.write(_connection(item))


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
            invocation.node.machine.area(Initiator).remove_portal(address, own)


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
            )
            initiator.connect(iqn, login)
            invocation.output.write(_session(initiator.target(iqn), initiator.iqn))


async def disconnect(invocation: Invocation) -> None:
    """End the sessions of targets."""
    for iqn in await _addresses(invocation):
        with reporting(invocation, "Disconnect-IscsiTarget", target=iqn):
            invocation.node.machine.area(Initiator).disconnect(iqn)


async def _addresses(invocation: Invocation) -> list[str]:
    if "NodeAddress" in invocation.parameters:
        return texts(invocation.parameters["NodeAddress"])
    return [str(value_of(item, "NodeAddress")) async for item in invocation.input]


async def _chosen(invocation: Invocation, cmdlet: str) -> list[Known]:
    given = invocation.parameters.get("IscsiTarget")
    asked = [given] if given is not None else [item async for item in invocation.input]
    wanted = {str(value_of(item, "NodeAddress")).casefold() for item in asked}
    with reporting(invocation, cmdlet):
        initiator = invocation.node.machine.area(Initiator)
        initiator.demand(cmdlet)
        return [item for item in initiator.targets() if not wanted or item.iqn.casefold() in wanted]
    return []


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


def _session(item: Known, initiator: str) -> PsObject:
    session = item.session
    assert session is not None
    return instance(
        "MSFT_iSCSISession",
        {
            "SessionIdentifier": session.id,
            "TargetNodeAddress": item.iqn,
            "InitiatorNodeAddress": initiator,
            "InitiatorPortalAddress": session.initiator_address,
            "InitiatorInstanceName": session.instance,
            "AuthenticationType": session.authentication,
            "IsConnected": item.is_connected,
            "IsDiscovered": True,
            "IsPersistent": session.is_persistent,
            "IsDataDigest": session.is_data_digest,
            "IsHeaderDigest": session.is_header_digest,
            "NumberOfConnections": UInt32(1 if item.connection else 0),
        },
        namespace=_NAMESPACE,
        key=session.id,
    )


def _connection(item: Known) -> PsObject:
    connection = item.connection
    assert connection is not None
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
