"""PSRP messages and the fragments they travel in.

Bytes in, messages out, and back. Nothing here knows what a message means.

Source: MS-PSRP 2.2.1 (message) and 2.2.4 (fragment); behaviour on odd input as measured on a real server.
"""

from __future__ import annotations

import codecs
import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

_HEADER: Final = struct.Struct(">QQBI")
_MESSAGE: Final = struct.Struct("<II16s16s")
_START: Final = 1
_END: Final = 2

#: Real ends send fragments of 32 KB, header included.
MAX_FRAGMENT_BYTES: Final = 32768
FRAGMENT_HEADER_BYTES: Final = _HEADER.size
#: The limits of an endpoint of Windows: one message, and all that is sent to one command.
MAX_MESSAGE_BYTES: Final = 10 * 1024 * 1024
MAX_COMMAND_BYTES: Final = 50 * 1024 * 1024

_TO_CLIENT: Final = 1
TO_SERVER: Final = 2
NIL: Final = uuid.UUID(int=0)


class MalformedFragment(Exception):
    """The bytes are no fragments, or not in order."""


@dataclass(frozen=True, slots=True)
class Message:
    """One PSRP message. ``data`` is the payload without byte order mark; ``pipeline_id`` None is the pool."""

    type: int
    pool_id: uuid.UUID
    pipeline_id: uuid.UUID | None
    data: bytes
    destination: int = TO_SERVER


def encode_message(message: Message) -> bytes:
    """Write a message of the server. A payload starts with a byte order mark; an empty one stays empty."""
    head = _MESSAGE.pack(
        _TO_CLIENT, message.type, message.pool_id.bytes_le, (message.pipeline_id or NIL).bytes_le
    )
    return head + codecs.BOM_UTF8 + message.data if message.data else head


def decode_message(blob: bytes) -> Message:
    """Read a message of either end.

    Raises:
        MalformedFragment: Too short for its header.
    """
    if len(blob) < _MESSAGE.size:
        raise MalformedFragment(f"a message of {len(blob)} bytes")
    destination, kind, pool, pipeline = _MESSAGE.unpack_from(blob)
    data = blob[_MESSAGE.size :]
    pipeline_id = uuid.UUID(bytes_le=pipeline)
    return Message(
        kind,
        uuid.UUID(bytes_le=pool),
        None if pipeline_id == NIL else pipeline_id,
        data.removeprefix(codecs.BOM_UTF8),
        destination,
    )


@dataclass(slots=True)
class Defragmenter:
    """Puts fragments of one stream together again. Fragments of two messages never interleave.

    The stream may be cut anywhere, inside a header too. ``total_limit`` bounds all that ever comes, in bytes; None
    does not. After an error the rest of what came with it is lost, and a new message may begin.
    """

    total_limit: int | None = None
    _rest: bytes = b""
    _total: int = 0
    _object_id: int = 0
    _next_id: int = 0
    _parts: list[bytes] = field(default_factory=list)
    _size: int = 0

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield the messages that ``data`` completes, in order.

        Raises:
            MalformedFragment: The stream cannot be followed any more.
        """
        try:
            for object_id, fragment_id, flags, blob in self._cut(data):
                whole = self._add(object_id, fragment_id, flags, blob)
                if whole is not None:
                    yield decode_message(whole)
        except MalformedFragment:
            self._rest = b""
            self._begin(0, 0)
            raise

    def _cut(self, data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
        """Yield ``(object id, fragment id, flags, blob)`` of what is complete and keep the rest."""
        self._total += len(data)
        if self.total_limit is not None and self._total > self.total_limit:
            raise MalformedFragment(f"more than {self.total_limit} bytes for one command")
        data = self._rest + data if self._rest else data
        self._rest = b""
        offset = 0
        while offset + _HEADER.size <= len(data):
            object_id, fragment_id, flags, length = _HEADER.unpack_from(data, offset)
            if length > MAX_MESSAGE_BYTES:
                raise MalformedFragment(f"a fragment of {length} bytes")
            begin, end = offset + _HEADER.size, offset + _HEADER.size + length
            if end > len(data):
                break
            offset = end
            yield object_id, fragment_id, flags, data[begin:end]
        self._rest = data[offset:]

    def _add(self, object_id: int, fragment_id: int, flags: int, blob: bytes) -> bytes | None:
        if object_id == 0:
            raise MalformedFragment("object id 0")
        if flags & _START:
            self._begin(object_id, fragment_id)
        elif object_id != self._object_id or fragment_id != self._next_id:
            raise MalformedFragment(f"fragment {fragment_id} of object {object_id} out of order")
        self._size += len(blob)
        if self._size > MAX_MESSAGE_BYTES:
            raise MalformedFragment(f"a message over {MAX_MESSAGE_BYTES} bytes")
        if blob:
            self._parts.append(blob)
        self._next_id = fragment_id + 1
        if not flags & _END:
            return None
        whole = b"".join(self._parts)
        self._begin(0, 0)
        return whole

    def _begin(self, object_id: int, fragment_id: int) -> None:
        self._object_id, self._next_id, self._size = object_id, fragment_id, 0
        self._parts.clear()


@dataclass(slots=True)
class Outgoing:
    """One encoded message on its way out, cut into fragments as the envelopes allow.

    ``ends_response`` says that nothing after this message goes into the same response, ``awaits_answer`` that
    its pipeline waits for the client.
    """

    object_id: int
    blob: bytes
    ends_response: bool = False
    awaits_answer: bool = False
    _offset: int = 0
    _fragment_id: int = 0

    @property
    def is_sent(self) -> bool:
        """Whether the last fragment has been taken."""
        return self._offset >= len(self.blob)

    def next_size(self) -> int:
        """Size of the next fragment when nothing but the usual limit cuts it."""
        return min(MAX_FRAGMENT_BYTES, FRAGMENT_HEADER_BYTES + len(self.blob) - self._offset)

    def take(self, limit: int) -> bytes:
        """Cut the next fragment, of at most ``limit`` bytes with its header."""
        room = min(limit, MAX_FRAGMENT_BYTES) - FRAGMENT_HEADER_BYTES
        part = self.blob[self._offset : self._offset + room]
        flags = _START if self._fragment_id == 0 else 0
        self._offset += len(part)
        if self.is_sent:
            flags |= _END
        head = _HEADER.pack(self.object_id, self._fragment_id, flags, len(part))
        self._fragment_id += 1
        return head + part
