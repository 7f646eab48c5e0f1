"""Reads BER as the decoders of Windows take it: definite and indefinite lengths, strings in pieces.

The rule of the room: pure, and the lab's own; what the compiler writes is not read back by the compiler's code.
"""

from __future__ import annotations

from dataclasses import dataclass

BOOLEAN, INTEGER, BIT_STRING, OCTETS, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
SEQUENCE, SET = 0x30, 0x31
_CONSTRUCTED = 0x20
_LONG = 0x80
_HIGH_TAG = 0x1F
_MAX_DEPTH = 40


class BerError(ValueError):
    """No BER of the kind that is read here."""


@dataclass(frozen=True, slots=True)
class Node:
    """One element. ``tag`` is the whole identifier byte, so SEQUENCE is 0x30.

    ``value`` is what stands between header and end; ``children`` are read for constructed elements only.
    """

    tag: int
    value: bytes
    children: tuple[Node, ...] = ()

    @property
    def is_constructed(self) -> bool:
        """Whether the element is made of others."""
        return bool(self.tag & _CONSTRUCTED)

    def octets(self) -> bytes:
        """Give the bytes of a string, whether in one piece or several."""
        if not self.is_constructed:
            return self.value
        return b"".join(child.octets() for child in self.children if child.tag & ~_CONSTRUCTED == OCTETS)

    def expect(self, tag: int) -> Node:
        """Give the element back when it has this tag."""
        if self.tag != tag:
            raise BerError(f"tag {self.tag:#04x} where {tag:#04x} belongs")
        return self

    def integer(self) -> int:
        """Give the value of an INTEGER, which must have no needless byte in front."""
        value = self.expect(INTEGER).value
        if not value or (len(value) > 1 and value[0] in {0, 0xFF} and (value[0] ^ value[1]) < _LONG):
            raise BerError("an INTEGER that is empty or longer than needed")
        return int.from_bytes(value, "big", signed=True)


def read(data: bytes) -> Node:
    """Read the element at the start; what follows it is left alone.

    Raises:
        BerError: there is none.
    """
    return _read(data, 0, 0)[0]


def _read(data: bytes, at: int, depth: int) -> tuple[Node, int]:
    if at + 1 >= len(data) or depth > _MAX_DEPTH:
        raise BerError("the element ends early, or lies too deep")
    tag, first = data[at], data[at + 1]
    if tag & _HIGH_TAG == _HIGH_TAG:
        raise BerError("a tag of more than one byte")
    at += 2
    if first == _LONG:
        if not tag & _CONSTRUCTED:
            raise BerError("an element in one piece needs a length")
        return _indefinite(tag, data, at, depth)
    size = first
    if first > _LONG:
        digits = data[at : at + first - _LONG]
        at += first - _LONG
        size = int.from_bytes(digits, "big")
    if at + size > len(data):
        raise BerError("the element ends early")
    end = at + size
    return Node(tag, data[at:end], _children(data, at, end, depth) if tag & _CONSTRUCTED else ()), end


def _children(data: bytes, at: int, end: int, depth: int) -> tuple[Node, ...]:
    found = []
    inside = data[:end]
    while at < end:
        child, at = _read(inside, at, depth + 1)
        found.append(child)
    return tuple(found)


def _indefinite(tag: int, data: bytes, at: int, depth: int) -> tuple[Node, int]:
    start, found = at, []
    while data[at : at + 2] != b"\0\0":
        child, at = _read(data, at, depth + 1)
        found.append(child)
    return Node(tag, data[start:at], tuple(found)), at + 2
