"""PDUs of iSCSI as bytes (RFC 7143, 11): header fields by name, text keys, and how a stream is cut into PDUs."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

HEADER_SIZE: Final = 48
#: More than any PDU that a target of ours has to read: keys of a login, data of a small write.
_LARGEST_DATA: Final = 2**20
_WORD: Final = 4
RESERVED_TAG: Final = 0xFFFFFFFF

NOP_OUT, SCSI_COMMAND, TASK_MANAGEMENT, LOGIN_REQUEST, TEXT_REQUEST, DATA_OUT, LOGOUT_REQUEST = range(7)
NOP_IN, SCSI_RESPONSE, TASK_RESPONSE, LOGIN_RESPONSE, TEXT_RESPONSE, DATA_IN, LOGOUT_RESPONSE = range(
    0x20, 0x27
)
REJECT: Final = 0x3F
IMMEDIATE: Final = 0x40


class IscsiError(Exception):
    """What came is no iSCSI."""


@dataclass(frozen=True, slots=True)
class Pdu:
    """One PDU that came: its header of 48 bytes and its data."""

    header: bytes
    data: bytes = b""

    @property
    def opcode(self) -> int:
        """What it is."""
        return self.header[0] & 0x3F

    @property
    def is_immediate(self) -> bool:
        """Whether it takes no number of the command sequence."""
        return bool(self.header[0] & IMMEDIATE)

    @property
    def flags(self) -> int:
        """The second byte."""
        return self.header[1]

    @property
    def lun(self) -> bytes:
        """LUN; of a login the ISID and the TSIH."""
        return self.header[8:16]

    @property
    def tag(self) -> int:
        """Initiator task tag."""
        return self.word(16)

    @property
    def command_number(self) -> int:
        """CmdSN."""
        return self.word(24)

    def word(self, offset: int) -> int:
        """Give four bytes of the header as a number."""
        return int(struct.unpack_from(">I", self.header, offset)[0])


@dataclass(slots=True)
class Reader:
    """Cuts a stream into PDUs; no digests were agreed on."""

    _rest: bytes = b""

    def feed(self, data: bytes) -> Iterator[Pdu]:
        """Give the PDUs that are whole now.

        Raises:
            IscsiError: a PDU is larger than any that makes sense.
        """
        self._rest += data
        while len(self._rest) >= HEADER_SIZE:
            ahs = self._rest[4] * _WORD
            size = int.from_bytes(self._rest[5:8], "big")
            if size > _LARGEST_DATA:
                raise IscsiError(f"a PDU with {size} bytes of data")
            end = HEADER_SIZE + ahs + size
            padded = end + -size % _WORD
            if len(self._rest) < padded:
                return
            pdu = Pdu(self._rest[:HEADER_SIZE], self._rest[HEADER_SIZE + ahs : end])
            self._rest = self._rest[padded:]
            yield pdu


def build(opcode: int, flags: int, fields: Iterable[tuple[int, str, int]], data: bytes = b"") -> bytes:
    """Make a PDU. ``fields`` are offset, struct code and value; the length of the data is set."""
    header = bytearray(HEADER_SIZE)
    header[0], header[1] = opcode, flags
    header[5:8] = len(data).to_bytes(3, "big")
    for offset, code, value in fields:
        struct.pack_into(f">{code}", header, offset, value)
    return bytes(header) + data + bytes(-len(data) % _WORD)


def keys_of(data: bytes) -> list[tuple[str, str]]:
    """Read ``key=value`` pairs.

    Raises:
        IscsiError: a part has no equals sign, or is no UTF-8.
    """
    pairs = []
    for part in data.split(b"\0"):
        if not part:
            continue
        name, equals, value = part.partition(b"=")
        if not equals:
            raise IscsiError("text without a key")
        try:
            pairs.append((name.decode("utf-8"), value.decode("utf-8")))
        except UnicodeDecodeError as error:
            raise IscsiError("text that is no UTF-8") from error
    return pairs


def text_of(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Write ``key=value`` pairs."""
    return b"".join(f"{name}={value}\0".encode() for name, value in pairs)
