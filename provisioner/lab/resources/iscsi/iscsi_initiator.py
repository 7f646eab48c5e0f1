"""iSCSIInitiator of iSCSIDsc 1.5 (class DSR_iSCSIInitiator), with the Booleans that count although not given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.iscsi.initiator import (
    PORT,
    Connection,
    Initiator,
    Known,
    Login,
    Portal,
    Session,
)
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, calling, is_same
from provisioner.lab.resources.calls import written

_RULES = (
    Rule("NodeAddress", is_mandatory=True, may_be_empty=False),
    Rule("TargetPortalAddress", is_mandatory=True, may_be_empty=False),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("InitiatorPortalAddress"),
    Rule("TargetPortalPortNumber", "uint16"),
    Rule("InitiatorInstanceName"),
    Rule("AuthenticationType", allowed=("None", "OneWayCHAP", "MutualCHAP")),
    Rule("ChapUsername"),
    Rule("ChapSecret"),
    Rule("IsDataDigest", "boolean"),
    Rule("IsHeaderDigest", "boolean"),
    Rule("IsMultipathEnabled", "boolean"),
    Rule("IsPersistent", "boolean"),
    Rule("ReportToPNP", "boolean"),
    Rule("iSNSServer"),
)
_ABSENT = "Microsoft.PowerShell.Cmdletization.Cim.CimJobException"
_REMOVE_WMI = "Microsoft.PowerShell.Commands.RemoveWmiObject"
_T = TypeVar("_T")


class IscsiInitiator:
    """Stateless. A Boolean that is not given is False to the module, never nothing."""

    class_name = "DSR_iSCSIInitiator"
    module = "iSCSIDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource: what the session says, else the connection, else the portal."""
        bound = bind("Get-TargetResource", _RULES[:4], properties)
        answer: dict[str, Any] = {
            "NodeAddress": bound["NodeAddress"],
            "TargetPortalAddress": bound["TargetPortalAddress"],
            "InitiatorPortalAddress": bound.get("InitiatorPortalAddress", ""),
            "Ensure": "Absent",
        }
        portal = _portal(bound, context)
        if portal is not None:
            answer |= {
                "TargetPortalAddress": portal.address,
                "InitiatorPortalAddress": portal.initiator_address or None,
                "TargetPortalPortNumber": portal.port,
                "InitiatorInstanceName": portal.instance,
                "IsDataDigest": portal.is_data_digest,
                "IsHeaderDigest": portal.is_header_digest,
            }
        target = _target(bound, context)
        if target is not None:
            answer |= {"NodeAddress": target.iqn, "IsConnected": target.is_connected}
            if target.is_connected:
                answer |= {"Ensure": "Present", **_shown(target, context)}
        return {**answer, "iSNSServer": _isns(context)}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        portal = _portal(bound, context)
        isns = _isns(context)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            target = _target(bound, context)
            return not (target and target.is_connected) and portal is None and not isns
        return (
            portal is not None
            # Looked for also behind a wrong portal: what cannot be asked for is an error even then.
            and _is_connected(bound, context)
            and _is_portal_right(bound, portal)
            and ("iSNSServer" not in bound or (isns is not None and is_same(isns, bound["iSNSServer"])))
        )

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = bind("Set-TargetResource", _RULES, properties)
        await context.sleep(context.machine.durations.disk_s)
        initiator = context.machine.area(Initiator)
        portal, isns = _portal(bound, context), _isns(context)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            target = _target(bound, context)
            if target and target.is_connected:
                with calling("Disconnect-IscsiTarget"):
                    initiator.disconnect(target.iqn)
            if portal is not None:
                _forget(bound, context)
            if isns:
                with calling(_REMOVE_WMI):
                    initiator.remove_isns()
            return
        if portal is not None and not _is_portal_right(bound, portal):
            _forget(bound, context)
            portal = None
        if portal is None:
            with calling("New-IscsiTargetPortal"):
                initiator.add_portal(_wanted_portal(bound))
        _connect(bound, context)
        _register(bound, isns, context)


def _lookup(command: str, action: Callable[[], _T]) -> _T | None:
    """Look something up; what a query does not find is absent, every other error is thrown."""
    with calling(command):
        try:
            return action()
        except MachineError as error:
            if error.exception_type != _ABSENT:
                raise
            return None


def _portal(bound: Mapping[str, Any], context: ResourceContext) -> Portal | None:
    initiator = context.machine.area(Initiator)
    own = bound.get("InitiatorPortalAddress", "")
    found = _lookup("Get-IscsiTargetPortal", lambda: initiator.portals(bound["TargetPortalAddress"], own))
    return found[0] if found else None


def _target(bound: Mapping[str, Any], context: ResourceContext) -> Known | None:
    initiator = context.machine.area(Initiator)
    return _lookup("Get-IscsiTarget", lambda: initiator.target(bound["NodeAddress"]))


def _isns(context: ResourceContext) -> str | None:
    """Ask for the iSNS server; without an answer there is none."""
    return written(
        context,
        "Microsoft.PowerShell.Commands.GetWmiObjectCommand",
        context.machine.area(Initiator).isns_server,
    )


def _connection(target: Known, context: ResourceContext) -> Connection | None:
    initiator = context.machine.area(Initiator)
    return _lookup("Get-IscsiConnection", lambda: initiator.connection(target))


def _session(target: Known, context: ResourceContext) -> Session | None:
    initiator = context.machine.area(Initiator)
    return _lookup("Get-IscsiSession", lambda: initiator.session(target))


def _is_connected(bound: Mapping[str, Any], context: ResourceContext) -> bool:
    """Whether there is a session as it is wanted, in the order of Test: the first thing missing decides."""
    target = _target(bound, context)
    connection = _connection(target, context) if target and target.is_connected else None
    if target is None or connection is None:
        return False
    given = "InitiatorPortalAddress" in bound
    is_right = _is_connection_right(bound, connection, context, compares_initiator=given)
    session = _session(target, context)
    return (
        session is not None
        and is_right
        and _is_session_right(bound, session)
        and session.is_persistent == bound.get("IsPersistent", False)
    )


def _shown(target: Known, context: ResourceContext) -> dict[str, Any]:
    connection, session = _connection(target, context), _session(target, context)
    answer: dict[str, Any] = {}
    if connection is not None:
        answer |= {
            "TargetPortalAddress": connection.target_address,
            "InitiatorPortalAddress": connection.initiator_address,
            "TargetPortalPortNumber": connection.port,
            "ConnectionIdentifier": connection.id,
        }
    if session is not None:
        answer |= {
            "AuthenticationType": session.authentication,
            "InitiatorInstanceName": session.instance,
            "InitiatorPortalAddress": session.initiator_address,
            "IsConnected": True,
            "IsDataDigest": session.is_data_digest,
            "IsDiscovered": True,
            "IsHeaderDigest": session.is_header_digest,
            "IsPersistent": session.is_persistent,
            "SessionIdentifier": session.id,
        }
    return answer


def _wanted_portal(bound: Mapping[str, Any]) -> Portal:
    return Portal(
        bound["TargetPortalAddress"],
        bound.get("InitiatorPortalAddress", ""),
        bound.get("TargetPortalPortNumber") or PORT,
        bound.get("InitiatorInstanceName", ""),
        bound.get("IsDataDigest", False),
        bound.get("IsHeaderDigest", False),
    )


def _is_portal_right(bound: Mapping[str, Any], portal: Portal) -> bool:
    port, instance = bound.get("TargetPortalPortNumber"), bound.get("InitiatorInstanceName")
    return (
        (not port or portal.port == port)
        and (not instance or is_same(portal.instance, instance))
        and portal.is_data_digest == bound.get("IsDataDigest", False)
        and portal.is_header_digest == bound.get("IsHeaderDigest", False)
    )


def _is_connection_right(
    bound: Mapping[str, Any], connection: Connection, context: ResourceContext, *, compares_initiator: bool
) -> bool:
    """Compare a connection. Set compares its initiator even when none is given."""
    initiator = context.machine.area(Initiator)
    own = bound.get("InitiatorPortalAddress", "")
    addresses = written(context, "Resolve-DnsName", lambda: initiator.resolve(bound["TargetPortalAddress"]))
    port = bound.get("TargetPortalPortNumber")
    return (
        connection.target_address in (addresses or ())
        and (not compares_initiator or is_same(connection.initiator_address, own))
        and (not port or connection.port == port)
    )


def _is_session_right(bound: Mapping[str, Any], session: Session) -> bool:
    instance, authentication = bound.get("InitiatorInstanceName"), bound.get("AuthenticationType")
    own = bound.get("InitiatorPortalAddress")
    return (
        (not authentication or is_same(session.authentication, authentication))
        and (not instance or is_same(session.instance, instance))
        and (own is None or is_same(session.initiator_address, own))
        and session.is_data_digest == bound.get("IsDataDigest", False)
        and session.is_header_digest == bound.get("IsHeaderDigest", False)
    )


def _forget(bound: Mapping[str, Any], context: ResourceContext) -> None:
    with calling("Remove-IscsiTargetPortal"):
        context.machine.area(Initiator).remove_portal(
            bound["TargetPortalAddress"], bound.get("InitiatorPortalAddress", "")
        )


def _connect(bound: Mapping[str, Any], context: ResourceContext) -> None:
    """Connect anew unless all is right, and register the session when persistence is asked for."""
    initiator = context.machine.area(Initiator)
    target = _target(bound, context)
    connection = _connection(target, context) if target else None
    session = _session(target, context) if target else None
    connects = True
    if target and connection and session:
        is_right = _is_connection_right(bound, connection, context, compares_initiator=True)
        connects = not (is_right and _is_session_right(bound, session))
        if connects:
            with calling("Disconnect-IscsiTarget"):
                initiator.disconnect(target.iqn)
    if connects:
        login = Login(
            _wanted_portal(bound),
            bound.get("AuthenticationType", "NONE"),
            bound.get("ChapUsername", ""),
            bound.get("ChapSecret", ""),
            bound.get("IsPersistent", False),
        )
        with calling("Connect-IscsiTarget"):
            session = initiator.connect(bound["NodeAddress"], login)
    persistent = bound.get("IsPersistent")
    if persistent is not None and session is not None and session.is_persistent != persistent:
        with calling("Register-IscsiSession" if persistent else "Unregister-IscsiSession"):
            initiator.persist(bound["NodeAddress"], is_persistent=persistent)


def _register(bound: Mapping[str, Any], current: str | None, context: ResourceContext) -> None:
    if "iSNSServer" not in bound:
        return
    initiator = context.machine.area(Initiator)
    if not bound["iSNSServer"]:
        if current:
            with calling(_REMOVE_WMI):
                initiator.remove_isns()
        return
    try:
        initiator.register_isns(bound["iSNSServer"])
    except MachineError as error:
        # The module swallows what registering answers.
        context.verbose(f"iSNS: {error.message}")
