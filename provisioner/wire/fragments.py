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
#: Ids are signed where they are read.
_OBJECT_IDS: Final = range(1, 1 << 63)

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


class TooMuchData(MalformedFragment):
    """A message, or all messages of a command, are larger than an end takes; the text says so as Windows does."""


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
        # A payload that is nothing but its mark is a document without a root.
        data.removeprefix(codecs.BOM_UTF8) or data,
        destination,
    )


@dataclass(slots=True)
class Defragmenter:
    """Puts fragments of one stream together again. Fragments of two messages never interleave.

    The stream may be cut anywhere, inside a header too. ``total_limit`` bounds all that ever comes, in bytes; None
    does not. A fragment out of order is dropped with its message; what stands behind it, or behind a message that
    the caller did not want to go on after, stays where it is until more data comes. A header that can be none is
    never passed: such a stream is dead.
    """

    total_limit: int | None = None
    _rest: bytes = b""
    _at: int = 0
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
        self._total += len(data)
        if self.total_limit is not None and self._total > self.total_limit:
            raise TooMuchData(
                "The total data received from the remote client exceeded the allowed maximum. The total data "
                f"received from remote client is {self._total}. Allowed maximum is {self.total_limit}. "
            )
        self._rest, self._at = self._rest[self._at :] + data, 0
        # Behind the header of a fragment there is something: one that is empty waits for what follows it.
        while len(self._rest) - self._at > _HEADER.size:
            object_id, fragment_id, flags, length = _HEADER.unpack_from(self._rest, self._at)
            if object_id not in _OBJECT_IDS or _HEADER.size + length > MAX_MESSAGE_BYTES:
                # What comes after it is never looked at, and need not be kept.
                self._rest, self._at = self._rest[self._at : self._at + _HEADER.size + 1], 0
                raise MalformedFragment(f"a fragment of {length} bytes of object {object_id}")
            size = self._size + _HEADER.size + length
            if size > MAX_MESSAGE_BYTES:
                self._forget()
                raise TooMuchData(
                    "The current deserialized object size of the data received from the remote client exceeded "
                    f"the allowed maximum object size. The current deserialized object size is {size}. The "
                    f"allowed maximum object size is {MAX_MESSAGE_BYTES}. "
                )
            begin, end = self._at + _HEADER.size, self._at + _HEADER.size + length
            if end > len(self._rest):
                break
            blob, self._at, self._size = self._rest[begin:end], end, size
            whole = self._add(object_id, fragment_id, flags, blob)
            if whole is not None:
                yield decode_message(whole)
        if self._at == len(self._rest):
            self._rest, self._at = b"", 0

    def _add(self, object_id: int, fragment_id: int, flags: int, blob: bytes) -> bytes | None:
        if flags & _START:
            self._object_id = object_id
            self._parts.clear()
        elif object_id != self._object_id or fragment_id != self._next_id:
            self._forget()
            raise MalformedFragment(f"fragment {fragment_id} of object {object_id} out of order")
        if blob:
            self._parts.append(blob)
        self._next_id = fragment_id + 1
        if not flags & _END:
            return None
        whole = b"".join(self._parts)
        self._forget()
        return whole

    def _forget(self) -> None:
        self._object_id = self._next_id = self._size = 0
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
