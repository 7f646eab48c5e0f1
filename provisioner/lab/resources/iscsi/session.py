"""IscsiSession of ProvisionerDsc (class PROV_IscsiSession): sessions with one target, one for each path.

Which secret was set last is known by a marker in the registry, as on Windows; no message holds a secret.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.iscsi.initiator import PORT, SERVICE, Initiator, Login, Path, Portal
from provisioner.lab.machine.security import secret_markers
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, calling, is_same, resource_error

_RULES: Final = (
    Rule("TargetName", may_be_empty=False, is_mandatory=True),
    Rule("Portals", "strings", is_mandatory=True),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("IsMultipathEnabled", "boolean"),
    Rule("Chap", "credential"),
    Rule("Exclusive", "boolean"),
)
_RESOURCE: Final = "IscsiSession"
_SHORTEST, _LONGEST = 12, 16
_HIGHEST_PORT: Final = 65535
_ENCRYPTED: Final = "-----begin cms-----"
_ENTRY: Final = re.compile(
    r"(?:\[([^\]@]*:[^\]@]*)\]|([0-9.]+))(?::([0-9]{1,5}))?(?:@(?:\[([^\]@]*:[^\]@]*)\]|([0-9.]+)))?"
)
_CHOSEN_BY_WINDOWS: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - what Windows shows, nothing listens
_CONNECTION_FAILED, _AUTHENTICATION_FAILED = "0xefff0003", "0xefff0009"
_LOGGED_ON: Final = "0xefff003f"


@dataclass(frozen=True, slots=True)
class _Entry:
    """A path that is wanted. ``own`` is empty when Windows chooses the address."""

    address: str
    port: int
    own: str = ""

    def __str__(self) -> str:
        place = f"{_bracketed(self.address)}:{self.port}"
        return f"{place}@{_bracketed(self.own)}" if self.own else place

    @property
    def place(self) -> tuple[str, int]:
        return self.address, self.port

    def is_over(self, path: Path) -> bool:
        """Whether a session is the one of this entry."""
        if path.connection is None or (path.connection.target_address, path.connection.port) != self.place:
            return False
        return not self.own or self.own in {path.session.initiator_address, path.connection.initiator_address}


@dataclass(frozen=True, slots=True)
class _Wish:
    """The properties, checked."""

    target: str
    entries: Sequence[_Entry]
    is_present: bool
    is_multipath: bool
    user: str
    secret: str
    has_chap: bool
    is_exclusive: bool

    @property
    def authentication(self) -> str:
        return "ONEWAYCHAP" if self.has_chap else "NONE"


class IscsiSession:
    """Stateless. What is right is left connected."""

    class_name = "PROV_IscsiSession"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource; without the service there are no sessions."""
        name = bind("Get-TargetResource", _RULES[:2], properties)["TargetName"]
        shown: list[str] = []
        if _is_running(context):
            for path in _paths(name, context):
                if path.connection is not None:
                    both = (path.session.initiator_address, path.connection.initiator_address)
                    own = next((each for each in both if each not in _CHOSEN_BY_WINDOWS), "")
                    shown.append(str(_Entry(path.connection.target_address, path.connection.port, own)))
        return {
            "TargetName": name,
            "Portals": sorted(shown),
            "Ensure": "Present" if shown else "Absent",
            "IsMultipathEnabled": None,
            "Chap": None,
            "Exclusive": None,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource; a service that does not run is a difference."""
        wish = _wish("Test-TargetResource", properties)
        if not _is_running(context):
            return False
        if not wish.is_present:
            return not _paths(wish.target, context) and not list(_unused_portals(wish, context))
        if list(_missing_portals(wish, context)) or not _is_known(wish.target, context):
            return False
        if list(_differences(wish, context)) or not _is_secret_right(wish, context):
            return False
        return not (wish.is_exclusive and _pairs(wish, context)[1])

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        wish = _wish("Set-TargetResource", properties)
        if not _is_running(context):
            raise resource_error(
                f"The service {SERVICE} (Microsoft iSCSI Initiator Service) does not run. Start it, and "
                "have it start automatically, before sessions are made.",
                "ServiceNotRunning",
                "ResourceUnavailable",
            )
        await context.sleep(context.machine.durations.disk_s)
        registry = context.machine.registry
        if not wish.is_present:
            _remove(wish, context)
            secret_markers.forget(registry, _RESOURCE, wish.target)
            return
        for entry in _missing_portals(wish, context):
            _add_portal(entry, context)
        _discover(wish, context)
        is_right = _is_secret_right(wish, context)
        if not is_right:
            secret_markers.forget(registry, _RESOURCE, wish.target)
        pairs, others = _pairs(wish, context)
        others = others if wish.is_exclusive else []
        if not wish.is_multipath:
            # Windows logs on to a target once then, so another session would be in the way.
            _end_others(wish, others, context)
            others = []
        for entry, path in pairs:
            _make_right(wish, entry, path, context, is_secret_right=is_right)
        _end_others(wish, others, context)
        left = list(_differences(wish, context))
        if left:
            raise resource_error(
                f"The sessions of the target '{wish.target}' were made, but read back otherwise: {' '.join(left)}",
                "SessionNotApplied",
                "InvalidResult",
            )
        if not wish.has_chap:
            secret_markers.forget(registry, _RESOURCE, wish.target)
        elif not is_right:
            secret_markers.mark(registry, _RESOURCE, wish.target, wish.secret)


# -- what is wanted ---------------------------------------------------------------------------------------------


def _wish(function: str, properties: Mapping[str, Any]) -> _Wish:
    bound = bind(function, _RULES, properties)
    target = bound["TargetName"]
    entries = [_entry(target, text) for text in bound["Portals"] or ()]
    held = {str(key).casefold(): value for key, value in (bound.get("Chap") or {}).items()}
    wish = _Wish(
        target,
        entries,
        not is_same(bound.get("Ensure", "Present"), "Absent"),
        bound.get("IsMultipathEnabled", False),
        str(held.get("username") or ""),
        str(held.get("password") or ""),
        bound.get("Chap") is not None,
        bound.get("Exclusive", False),
    )
    if wish.is_present:
        _check_paths(wish)
        _check_secret(wish)
    return wish


def _entry(target: str, text: str) -> _Entry:
    found = _ENTRY.fullmatch(text)
    if found is not None:
        six, four, port, own_six, own_four = found.groups()
        address, own = _address(six or four or ""), _address(own_six or own_four or "")
        number = int(port) if port else PORT
        if address and (own or not (own_six or own_four)) and 1 <= number <= _HIGHEST_PORT:
            return _Entry(address, number, own)
    raise resource_error(
        f"'{text}' of the target '{target}' is no path. Write ADDRESS:PORT@OWN with IP addresses, of "
        "which :PORT and @OWN may be left out; IPv6 addresses stand in brackets.",
        "PortalMalformed",
        "InvalidArgument",
    )


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _check_paths(wish: _Wish) -> None:
    if not wish.entries:
        raise resource_error(
            f"Sessions of the target '{wish.target}' should be present, but Portals is empty.",
            "PortalMissing",
            "InvalidArgument",
        )
    seen: dict[tuple[str, int], set[str]] = {}
    for entry in wish.entries:
        own = seen.setdefault(entry.place, set())
        if entry.own in own or (own and ("" in own or not entry.own)):
            raise resource_error(
                f"Two paths to the target '{wish.target}' go to {_Entry(*entry.place)}. Give each another "
                "address of this machine (@OWN), or leave one out.",
                "PortalTwice",
                "InvalidArgument",
            )
        own.add(entry.own)
    if len(wish.entries) > 1 and not wish.is_multipath:
        raise resource_error(
            f"The target '{wish.target}' has {len(wish.entries)} paths, and IsMultipathEnabled is not "
            "true. Without Multipath I/O Windows logs on to a target once.",
            "MultipathNeeded",
            "InvalidArgument",
        )


def _check_secret(wish: _Wish) -> None:
    if not wish.has_chap:
        return
    if wish.secret.lstrip().casefold().startswith(_ENCRYPTED):
        raise resource_error(
            f"Chap of the target '{wish.target}' arrived encrypted: does CertificateID of the LCM name the "
            "certificate?",
            "SecretNotDecrypted",
            "InvalidData",
        )
    if not _SHORTEST <= len(wish.secret) <= _LONGEST:
        raise resource_error(
            f"The secret of Chap of the target '{wish.target}' does not have {_SHORTEST} to {_LONGEST} "
            "characters, as Windows wants it.",
            "SecretLength",
            "InvalidArgument",
        )


# -- what there is ----------------------------------------------------------------------------------------------


def _is_running(context: ResourceContext) -> bool:
    service = context.machine.services.find(SERVICE)
    return service is not None and service.status == "Running"


def _paths(target: str, context: ResourceContext) -> list[Path]:
    with calling("Get-IscsiSession"):
        found = context.machine.area(Initiator).paths()
    return [path for iqn, path in found if is_same(iqn, target)]


def _portals(context: ResourceContext) -> list[Portal]:
    with calling("Get-IscsiTargetPortal"):
        return context.machine.area(Initiator).portals()


def _is_known(target: str, context: ResourceContext) -> bool:
    with calling("Get-IscsiTarget"):
        return any(is_same(item.iqn, target) for item in context.machine.area(Initiator).targets())


def _missing_portals(wish: _Wish, context: ResourceContext) -> Iterator[_Entry]:
    there = {(_address(item.address), item.port) for item in _portals(context)}
    for entry in wish.entries:
        if entry.place not in there:
            there.add(entry.place)
            yield entry


def _unused_portals(wish: _Wish, context: ResourceContext) -> Iterator[Portal]:
    """Give the portals of the entries that no session of another target uses."""
    with calling("Get-IscsiSession"):
        found = context.machine.area(Initiator).paths()
    used = {
        (path.connection.target_address, path.connection.port)
        for iqn, path in found
        if path.connection is not None and not is_same(iqn, wish.target)
    }
    places = {entry.place for entry in wish.entries}
    for portal in _portals(context):
        place = _address(portal.address), portal.port
        if place in places - used:
            yield portal


def _pairs(wish: _Wish, context: ResourceContext) -> tuple[list[tuple[_Entry, Path | None]], list[Path]]:
    """Give each entry with its session, and the sessions that belong to none."""
    left = _paths(wish.target, context)
    pairs: list[tuple[_Entry, Path | None]] = []
    for entry in wish.entries:
        found = next((path for path in left if entry.is_over(path)), None)
        if found is not None:
            left.remove(found)
        pairs.append((entry, found))
    return pairs, left


def _differences(wish: _Wish, context: ResourceContext) -> Iterable[str]:
    for entry, path in _pairs(wish, context)[0]:
        if path is None:
            yield f"There is no session over {entry}."
        elif not is_same(path.session.authentication, wish.authentication):
            yield f"The authentication over {entry} is {path.session.authentication}."
        elif not path.session.is_persistent:
            yield f"The session over {entry} is not persistent."


def _is_secret_right(wish: _Wish, context: ResourceContext) -> bool:
    if not wish.has_chap:
        return True
    return secret_markers.is_marked(context.machine.registry, _RESOURCE, wish.target, wish.secret)


# -- what is done -----------------------------------------------------------------------------------------------


def _add_portal(entry: _Entry, context: ResourceContext) -> None:
    context.verbose(f"Registering the portal {entry}.")
    try:
        context.machine.area(Initiator).add_portal(Portal(entry.address, entry.own, entry.port))
    except MachineError as error:
        raise resource_error(
            f"The portal {entry} cannot be registered. Does the target server listen there, and do "
            f"firewalls let this machine through? {error.message}",
            "PortalNotReachable",
            "ConnectionError",
        ) from None


def _discover(wish: _Wish, context: ResourceContext) -> None:
    """Ask the portals again for a target that is not known."""
    if _is_known(wish.target, context):
        return
    initiator = context.machine.area(Initiator)
    places = {entry.place for entry in wish.entries}
    for portal in _portals(context):
        if (_address(portal.address), portal.port) not in places:
            continue
        try:
            initiator.refresh_portal(portal)
        except MachineError as error:
            raise resource_error(
                f"The portal {_Entry(portal.address, portal.port)} does not answer. Does the target "
                f"server run? {error.message}",
                "PortalNotReachable",
                "ConnectionError",
            ) from None
    if not _is_known(wish.target, context):
        raise resource_error(
            f"No portal names the target '{wish.target}' to this initiator, {initiator.iqn}. Is the name "
            f"right, and does the target admit that initiator? Portals: {', '.join(map(str, wish.entries))}.",
            "TargetNotDiscovered",
            "ObjectNotFound",
        )


def _make_right(
    wish: _Wish, entry: _Entry, path: Path | None, context: ResourceContext, *, is_secret_right: bool
) -> None:
    """Let an entry have its session; one that logged on otherwise is ended first."""
    if path is not None and (
        not is_same(path.session.authentication, wish.authentication) or not is_secret_right
    ):
        context.verbose(f"Ending the session over {entry}: it logged on otherwise.")
        _end(wish.target, path, context)
        path = None
    if path is None:
        context.verbose(f"Logging on to {wish.target} over {entry}.")
        _connect(wish, entry, context)
    elif not path.session.is_persistent:
        context.verbose(f"Registering the session over {entry}.")
        with calling("Register-IscsiSession"):
            context.machine.area(Initiator).persist(
                wish.target,
                is_persistent=True,
                session_id=path.session.id,
                user=wish.user,
                secret=wish.secret,
            )


def _connect(wish: _Wish, entry: _Entry, context: ResourceContext) -> None:
    initiator = context.machine.area(Initiator)
    login = Login(
        Portal(entry.address, entry.own, entry.port),
        wish.authentication,
        wish.user,
        wish.secret,
        is_persistent=True,
        is_multipath=wish.is_multipath,
    )
    try:
        initiator.connect(wish.target, login)
    except MachineError as error:
        if _CONNECTION_FAILED in error.error_id:
            raise resource_error(
                f"Nobody answers at {entry} for the target '{wish.target}'. Does the target server listen "
                f"there, and do firewalls let this machine through? {error.message}",
                "PortalNotReachable",
                "ConnectionError",
            ) from None
        if _AUTHENTICATION_FAILED in error.error_id:
            raise resource_error(
                f"The target '{wish.target}' refuses the log-on over {entry}: user or secret of Chap are "
                f"not those of the target, or it asks for CHAP and Chap is not given. {error.message}",
                "ChapRefused",
                "AuthenticationError",
            ) from None
        if _LOGGED_ON in error.error_id:
            raise resource_error(
                f"The target '{wish.target}' has a session over another path, so it cannot be logged on to over "
                f"{entry}. Let Exclusive end that session, or set IsMultipathEnabled. {error.message}",
                "AlreadyLoggedOn",
                "ResourceExists",
            ) from None
        raise resource_error(
            f"The target '{wish.target}' refuses the log-on over {entry}. Does it admit this initiator, "
            f"{initiator.iqn}? {error.message}",
            "LogOnRefused",
            "PermissionDenied",
        ) from None


def _end_others(wish: _Wish, others: Sequence[Path], context: ResourceContext) -> None:
    for path in others:
        context.verbose(f"Ending the session {path.session.id}, which is not wanted.")
        _end(wish.target, path, context)


def _end(target: str, path: Path, context: ResourceContext) -> None:
    initiator = context.machine.area(Initiator)
    if path.session.is_persistent:
        with calling("Unregister-IscsiSession"):
            initiator.persist(target, is_persistent=False, session_id=path.session.id)
    with calling("Disconnect-IscsiTarget"):
        initiator.disconnect(target, path.session.id)


def _remove(wish: _Wish, context: ResourceContext) -> None:
    for path in _paths(wish.target, context):
        _end(wish.target, path, context)
    for portal in list(_unused_portals(wish, context)):
        with calling("Remove-IscsiTargetPortal"):
            context.machine.area(Initiator).remove_portal(
                portal.address, portal.initiator_address, portal.port
            )
