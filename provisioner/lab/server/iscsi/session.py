"""One connection to a target server, without a socket: bytes in, bytes out (RFC 7143).

It logs initiators on, tells them of their targets and lets them go. Of SCSI it knows what is needed to look at a
disk (REPORT LUNS, INQUIRY, READ CAPACITY); reading and writing blocks is refused as a disk refuses what it cannot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from provisioner.lab.server.iscsi import pdu, scsi
from provisioner.lab.server.iscsi.negotiation import (
    CHAP_MD5,
    DEFAULT_SEGMENT,
    answers,
    as_binary,
    binary_of,
    is_response,
    response,
)
from provisioner.lab.server.iscsi.pdu import IscsiError, Pdu

_TRANSIT, _CONTINUE, _FINAL = 0x80, 0x40, 0x80
_SECURITY, _OPERATIONAL, _FULL = 0, 1, 3
_AUTHENTICATION_FAILED, _NOT_FOUND, _MISSING, _NO_SESSION_TYPE = 0x0201, 0x0203, 0x0207, 0x0209
_INITIATOR_ERROR, _BAD_VERSION = 0x0200, 0x0205
_PROTOCOL_ERROR, _NOT_SUPPORTED = 0x04, 0x05
_WINDOW: Final = 32
_CHAP_IDENTIFIER: Final = 1
#: The number that a session gets; one connection is one session here.
_TSIH: Final = 1
_CONTINUATION: Final = 1


@dataclass(frozen=True, slots=True)
class OfferedTarget:
    """A target as an initiator meets it. ``luns`` are sizes in bytes; without a ``user`` there is no CHAP.

    With a ``reverse_user`` the target proves itself to initiators that ask for it.
    """

    iqn: str
    luns: Sequence[int] = ()
    user: str = ""
    secret: str = field(default="", repr=False)
    reverse_user: str = ""
    reverse_secret: str = field(default="", repr=False)


class TargetServer(Protocol):
    """What the connection asks of the machine behind it."""

    def offered(self, initiator: str) -> Sequence[OfferedTarget]:
        """Targets that this initiator may see, by name."""
        ...


@dataclass(slots=True)
class TargetConnection:
    """The target's end. ``portals`` are what TargetAddress says; ``challenge`` are 16 bytes nobody can guess."""

    server: TargetServer
    portals: Sequence[str]
    challenge: bytes
    is_closed: bool = False
    _reader: pdu.Reader = field(default_factory=pdu.Reader)
    _stage: int = _SECURITY
    _keys: dict[str, str] = field(default_factory=dict)
    _pending: bytes = b""
    _target: OfferedTarget | None = None
    _is_authenticated: bool = False
    _status_number: int = 1
    _expected: int = 1
    _segment: int = DEFAULT_SEGMENT
    _said: set[str] = field(default_factory=set)
    #: The rest of an answer that did not fit into one PDU.
    _rest: bytes = b""

    def receive(self, data: bytes) -> bytes:
        """Take what came; give what to send. When ``is_closed`` is true afterwards, the connection ends."""
        sent = b""
        try:
            for item in self._reader.feed(data):
                sent += self._answer(item)
                if self.is_closed:
                    break
        except IscsiError:
            self.is_closed = True
        return sent

    def _answer(self, item: Pdu) -> bytes:
        if self._stage != _FULL:
            if item.opcode != pdu.LOGIN_REQUEST:
                self.is_closed = True
                return b""
            return self._login(item)
        self._expected = item.command_number + (0 if item.is_immediate else 1)
        match item.opcode:
            case pdu.TEXT_REQUEST:
                return self._text(item)
            case pdu.LOGOUT_REQUEST:
                self.is_closed = True
                return self._numbered(pdu.LOGOUT_RESPONSE, _FINAL, item)
            case pdu.NOP_OUT:
                if item.tag == pdu.RESERVED_TAG:
                    return b""
                fields = [(20, "I", pdu.RESERVED_TAG)]
                return self._numbered(pdu.NOP_IN, _FINAL, item, fields, item.data)
            case pdu.SCSI_COMMAND if self._target is not None:
                return self._command(item, self._target)
            case pdu.TASK_MANAGEMENT if self._target is not None:
                return self._numbered(pdu.TASK_RESPONSE, _FINAL, item)
            case _:
                return self._reject(item, _NOT_SUPPORTED)

    # -- login ----------------------------------------------------------------------------------------------

    def _login(self, item: Pdu) -> bytes:
        stage, next_stage = item.flags >> 2 & 3, item.flags & 3
        wants_transit = bool(item.flags & _TRANSIT)
        self._expected = item.command_number
        if item.header[3] > 0:
            return self._refuse(item, _BAD_VERSION)
        self._pending += item.data
        if item.flags & _CONTINUE:
            return self._login_response(item, stage << 2)
        given = pdu.keys_of(self._pending)
        self._pending = b""
        self._keys.update(given)
        if "MaxRecvDataSegmentLength" in self._keys:
            self._segment = _number(self._keys["MaxRecvDataSegmentLength"])
        refused = self._identify()
        if refused:
            return self._refuse(item, refused)
        said = [] if "TargetPortalGroupTag" in self._said else [("TargetPortalGroupTag", "1")]
        self._said.add("TargetPortalGroupTag")
        if stage == _SECURITY:
            answer, failed = self._authenticate(given)
            if failed:
                return self._refuse(item, _AUTHENTICATION_FAILED)
            said += answer
        elif self._needs_secret and not self._is_authenticated:
            return self._refuse(item, _AUTHENTICATION_FAILED)
        is_discovery = self._target is None
        said += answers(given, is_discovery=is_discovery)
        may_leave = stage != _SECURITY or not self._needs_secret or self._is_authenticated
        flags = stage << 2
        if wants_transit and may_leave:
            flags |= _TRANSIT | next_stage
            self._stage = next_stage
        return self._login_response(item, flags, pdu.text_of(said))

    @property
    def _needs_secret(self) -> bool:
        return self._target is not None and bool(self._target.user)

    def _identify(self) -> int:
        """Find out who wants what; give the status of a refusal, or 0."""
        initiator = self._keys.get("InitiatorName", "")
        if not initiator:
            return _MISSING
        kind = self._keys.get("SessionType", "Normal")
        if kind == "Discovery":
            return 0
        if kind != "Normal":
            return _NO_SESSION_TYPE
        if "TargetName" not in self._keys:
            return _MISSING
        wanted = self._keys["TargetName"].casefold()
        offered = (item for item in self.server.offered(initiator) if item.iqn.casefold() == wanted)
        self._target = next(offered, None)
        return 0 if self._target is not None else _NOT_FOUND

    def _authenticate(self, given: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], bool]:
        """Take a step of the security stage: what to say, and whether it failed."""
        keys = dict(given)
        target = self._target
        if "CHAP_R" in keys and target is not None:
            self._is_authenticated = keys.get("CHAP_N") == target.user and is_response(
                keys["CHAP_R"], target.secret, _CHAP_IDENTIFIER, self.challenge
            )
            if not self._is_authenticated:
                return [], True
            return self._prove(keys, target)
        if "CHAP_A" in keys:
            if CHAP_MD5 not in keys["CHAP_A"].split(","):
                return [], True
            return [
                ("CHAP_A", CHAP_MD5),
                ("CHAP_I", str(_CHAP_IDENTIFIER)),
                ("CHAP_C", as_binary(self.challenge)),
            ], False
        if "AuthMethod" not in keys:
            return [], False
        methods = keys["AuthMethod"].split(",")
        method = "CHAP" if self._needs_secret else "None"
        if method not in methods:
            return [("AuthMethod", "Reject")], True
        return [("AuthMethod", method)], False

    def _prove(self, keys: dict[str, str], target: OfferedTarget) -> tuple[list[tuple[str, str]], bool]:
        """Answer the challenge of an initiator that wants the target to prove itself (reverse CHAP)."""
        if "CHAP_C" not in keys:
            return [], False
        challenge, identifier = binary_of(keys["CHAP_C"]), keys.get("CHAP_I", "")
        # A challenge that is our own would have us answer for the initiator (RFC 7143, 12.1.3).
        if not (target.reverse_user and challenge and identifier.isdecimal()) or challenge == self.challenge:
            self._is_authenticated = False
            return [], True
        said = response(target.reverse_secret, int(identifier) & 0xFF, challenge)
        return [("CHAP_N", target.reverse_user), ("CHAP_R", as_binary(said))], False

    def _login_response(self, item: Pdu, flags: int, data: bytes = b"", status: int = 0) -> bytes:
        isid, tsih = item.header[8:14], _TSIH if self._stage == _FULL else 0
        fields = [
            *((8 + at, "B", value) for at, value in enumerate(isid)),
            (14, "H", tsih),
            (16, "I", item.tag),
            (24, "I", self._take_number()),
            (28, "I", self._expected),
            (32, "I", self._expected + _WINDOW),
            (36, "H", status),
        ]
        return pdu.build(pdu.LOGIN_RESPONSE, flags, fields, data)

    def _refuse(self, item: Pdu, status: int) -> bytes:
        self.is_closed = True
        return self._login_response(item, item.flags & 0x0C, status=status)

    # -- full feature phase ---------------------------------------------------------------------------------

    def _text(self, item: Pdu) -> bytes:
        if item.word(20) == _CONTINUATION and self._rest:
            return self._text_part(item)
        said: list[tuple[str, str]] = []
        for name, value in pdu.keys_of(item.data):
            if name == "SendTargets":
                said += self._targets(value)
            elif name != "InitiatorAlias":
                said.append((name, "NotUnderstood"))
        self._rest = pdu.text_of(said)
        return self._text_part(item)

    def _text_part(self, item: Pdu) -> bytes:
        part, self._rest = self._rest[: self._segment], self._rest[self._segment :]
        flags = _CONTINUE if self._rest else _FINAL
        fields = [(20, "I", _CONTINUATION if self._rest else pdu.RESERVED_TAG)]
        return self._numbered(pdu.TEXT_RESPONSE, flags, item, fields, part)

    def _targets(self, wanted: str) -> list[tuple[str, str]]:
        offered = self.server.offered(self._keys["InitiatorName"])
        if wanted != "All":
            name = wanted or (self._target.iqn if self._target else "")
            offered = [item for item in offered if item.iqn.casefold() == name.casefold()]
        return [
            pair
            for item in offered
            for pair in (
                ("TargetName", item.iqn),
                *(("TargetAddress", f"{portal},1") for portal in self.portals),
            )
        ]

    def _command(self, item: Pdu, target: OfferedTarget) -> bytes:
        command = item.header[32:48]
        done = scsi.execute(command, scsi.lun_number(item.lun), target.luns)
        wanted = item.word(20)
        if done.sense:
            data = len(done.sense).to_bytes(2, "big") + done.sense
            fields = [(3, "B", scsi.CHECK_CONDITION)]
            return self._numbered(pdu.SCSI_RESPONSE, _FINAL, item, fields, data)
        data = done.data[:wanted]
        residual = wanted - len(data)
        underflow = 0x02 if residual else 0
        if not data:
            fields = [(44, "I", residual)]
            return self._numbered(pdu.SCSI_RESPONSE, _FINAL | underflow, item, fields)
        # Data that fit into one PDU carry the status themselves.
        fields = [(20, "I", pdu.RESERVED_TAG), (44, "I", residual)]
        return self._numbered(pdu.DATA_IN, _FINAL | underflow | 0x01, item, fields, data)

    def _reject(self, item: Pdu, reason: int) -> bytes:
        fields = [(2, "B", reason), (16, "I", pdu.RESERVED_TAG), *self._numbers()]
        return pdu.build(pdu.REJECT, _FINAL, fields, item.header)

    def _numbered(
        self,
        opcode: int,
        flags: int,
        item: Pdu,
        fields: Sequence[tuple[int, str, int]] = (),
        data: bytes = b"",
    ) -> bytes:
        return pdu.build(opcode, flags, [(16, "I", item.tag), *self._numbers(), *fields], data)

    def _numbers(self) -> list[tuple[int, str, int]]:
        return [
            (24, "I", self._take_number()),
            (28, "I", self._expected),
            (32, "I", self._expected + _WINDOW),
        ]

    def _take_number(self) -> int:
        number = self._status_number
        self._status_number = (number + 1) & 0xFFFFFFFF
        return number


def _number(text: str) -> int:
    try:
        return max(512, int(text, 0))
    except ValueError:
        return DEFAULT_SEGMENT
