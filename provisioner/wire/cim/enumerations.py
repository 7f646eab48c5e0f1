"""The CIM side of a service: operations handed out, their results answered, enumerations kept between pulls.

Sans-I/O. An operation that was read from a request is handed out as ``CimRequested``; whoever carries it out
returns a result for its ticket. Enumerations are their user's own and end when nobody pulls from them for the
service's enumeration time-out.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias
from xml.etree import ElementTree as ET

from provisioner.wire import faults as wsman_faults
from provisioner.wire import namespaces as ns
from provisioner.wire.cim import faults
from provisioner.wire.cim.requests import (
    ENUMERATE,
    EnumerateClass,
    GetInstance,
    InvokeMethod,
    Operation,
    read_max_elements,
    read_operation,
)
from provisioner.wire.cim.values import Instance, fragment_xml, instance_xml, output_xml, reference_xml
from provisioner.wire.contents import Await, Caller, Refuse, Respond
from provisioner.wire.envelope import Request
from provisioner.wire.settings import ServiceSettings

#: What an answer needs besides its items.
_OVERHEAD_BYTES: Final = 1800
_N: Final = f"{{{ns.ENUMERATION}}}"
PULL: Final = f"{ns.ENUMERATION}/Pull"
RELEASE: Final = f"{ns.ENUMERATION}/Release"


@dataclass(frozen=True, slots=True)
class CimRequested:
    """Carry this out and call ``answered``."""

    ticket: int
    operation: Operation
    user: str


@dataclass(frozen=True, slots=True)
class Found:
    """Instances. ``names`` are the properties a query chose; empty for all."""

    instances: tuple[Instance, ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Returned:
    """What a method gave: its spelling, and its out parameters with ReturnValue, in order."""

    method: str
    values: tuple[tuple[str, object], ...]


Result: TypeAlias = Found | Returned | wsman_faults.WSManFault
CimEffect: TypeAlias = Respond | Refuse | Await | CimRequested


@dataclass(slots=True)
class _Pending:
    request: Request
    operation: Operation
    caller: Caller


@dataclass(slots=True)
class _Enumeration:
    caller: Caller
    items: list[str]
    used_at: float


class CimRequests:
    """All CIM requests of one node."""

    def __init__(self, settings: ServiceSettings, new_id: Callable[[], uuid.UUID]) -> None:
        self._settings = settings
        self._new_id = new_id
        self._pending: dict[int, _Pending] = {}
        self._enumerations: dict[str, _Enumeration] = {}

    def handle(self, ticket: int, request: Request, caller: Caller, now: float) -> list[CimEffect]:
        """Take one request.

        Raises:
            WSManFault: It is refused.
        """
        self.sweep(now)
        match request.action:
            case "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Pull":
                return [self._pull(ticket, request, caller, now)]
            case "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Release":
                key, _ = self._find(request.payload("Release", ns.ENUMERATION), caller)
                del self._enumerations[key]
                return [Respond(ticket, f"{RELEASE}Response", "")]
        self._check_operations(caller)
        operation = read_operation(request)
        self._pending[ticket] = _Pending(request, operation, caller)
        timeout_s = min(request.operation_timeout_s, self._settings.max_timeout_s)
        return [Await(ticket, timeout_s), CimRequested(ticket, operation, caller.user)]

    def answered(self, ticket: int, result: Result, now: float) -> list[CimEffect]:
        """An operation was carried out; nothing happens when its request has ended meanwhile."""
        pending = self._pending.pop(ticket, None)
        if pending is None:
            return []
        try:
            return [self._answer(ticket, pending, result, now)]
        except wsman_faults.WSManFault as fault:
            return [Refuse(ticket, fault)]

    def expire(self, ticket: int) -> list[CimEffect]:
        """The time of a request is over; what it began goes on."""
        return [Refuse(ticket, wsman_faults.timed_out())] if self._pending.pop(ticket, None) else []

    def abandon(self, ticket: int) -> None:
        """The connection of a request is gone."""
        self._pending.pop(ticket, None)

    def sweep(self, now: float) -> None:
        """Forget the enumerations nobody pulls from."""
        limit = self._settings.enumeration_timeout_s
        for key in [key for key, item in self._enumerations.items() if now - item.used_at > limit]:
            del self._enumerations[key]

    def forget_all(self) -> None:
        """Forget everything, as a reboot does."""
        self._enumerations.clear()

    # -- inside --------------------------------------------------------------------------------------------

    def _check_operations(self, caller: Caller) -> None:
        """Refuse one more of a user who has as many calls and enumerations under way as are allowed."""
        allowed = self._settings.quotas.max_operations_per_user
        under_way = [item.caller for item in self._pending.values()]
        under_way += [item.caller for item in self._enumerations.values()]
        if sum(owner.is_same_user(caller) for owner in under_way) >= allowed:
            raise wsman_faults.too_many_operations(allowed)

    def _answer(self, ticket: int, pending: _Pending, result: Result, now: float) -> Respond:
        match pending.operation, result:
            case EnumerateClass() as asked, Found(instances, names):
                return self._enumerated(ticket, pending, asked, _items(asked, instances, names), now)
            case GetInstance(), Found((instance,), _):
                body = instance_xml(instance)
                if len(body) + _OVERHEAD_BYTES > pending.request.max_envelope_bytes:
                    raise wsman_faults.response_too_large()
                return Respond(ticket, f"{ns.TRANSFER}/GetResponse", body)
            case InvokeMethod(target), Returned(method, values):
                body = output_xml(target.uri, method, dict(values))
                if len(body.encode()) + _OVERHEAD_BYTES > pending.request.max_envelope_bytes:
                    raise wsman_faults.response_too_large()
                return Respond(ticket, f"{pending.request.action}Response", body)
            case _, wsman_faults.WSManFault() as fault:
                raise fault
        raise AssertionError(f"{result!r} is no answer to {pending.operation!r}")

    def _enumerated(
        self, ticket: int, pending: _Pending, asked: EnumerateClass, items: list[str], now: float
    ) -> Respond:
        taken: list[str] = []
        if asked.is_optimized:
            taken = self._batch(items, asked.max_elements, pending.request.max_envelope_bytes)
        is_over = asked.is_optimized and not items
        context = "" if is_over else self._keep(pending.caller, items, now)
        inside = f"<w:Items>{''.join(taken)}</w:Items>" if asked.is_optimized else ""
        end = "<w:EndOfSequence/>" if is_over else ""
        body = (
            f"<n:EnumerateResponse><n:EnumerationContext>{context}</n:EnumerationContext>{inside}{end}"
            "</n:EnumerateResponse>"
        )
        return Respond(ticket, f"{ENUMERATE}Response", body)

    def _pull(self, ticket: int, request: Request, caller: Caller, now: float) -> Respond:
        element = request.payload("Pull", ns.ENUMERATION)
        limit = read_max_elements(element, f"{_N}MaxElements")
        key, enumeration = self._find(element, caller)
        enumeration.used_at = now
        taken = self._batch(enumeration.items, limit, request.max_envelope_bytes)
        context = f"<n:EnumerationContext>{key}</n:EnumerationContext>"
        end = ""
        if not enumeration.items:
            del self._enumerations[key]
            context, end = "", "<n:EndOfSequence/>"
        body = f"<n:PullResponse>{context}<n:Items>{''.join(taken)}</n:Items>{end}</n:PullResponse>"
        return Respond(ticket, f"{PULL}Response", body)

    def _batch(self, items: list[str], limit: int, max_envelope_bytes: int) -> list[str]:
        """Take from the front what one answer may hold."""
        room = max_envelope_bytes - _OVERHEAD_BYTES
        count = 0
        for item in items[: min(limit, self._settings.max_batch_items)]:
            room -= len(item.encode())
            if room < 0:
                break
            count += 1
        if items and not count:
            raise wsman_faults.response_too_large()
        taken, items[:] = items[:count], items[count:]
        return taken

    def _keep(self, caller: Caller, items: list[str], now: float) -> str:
        key = f"uuid:{str(self._new_id()).upper()}"
        self._enumerations[key] = _Enumeration(caller, items, now)
        return key

    def _find(self, element: ET.Element, caller: Caller) -> tuple[str, _Enumeration]:
        text = element.findtext(f"{_N}EnumerationContext")
        key = (text or "").strip().upper().replace("UUID:", "uuid:")
        found = self._enumerations.get(key)
        if found is None:
            raise faults.no_such_context()
        if not found.caller.is_same_user(caller):
            raise wsman_faults.access_denied()
        return key, found


def _items(asked: EnumerateClass, instances: tuple[Instance, ...], names: tuple[str, ...]) -> list[str]:
    match asked.mode:
        case "reference":
            return [reference_xml(item) for item in instances]
        case "both":
            return [f"<w:Item>{instance_xml(item)}{reference_xml(item)}</w:Item>" for item in instances]
    return [fragment_xml(item, names) if names else instance_xml(item) for item in instances]
