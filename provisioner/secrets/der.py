"""The little of DER that certificates and CMS messages need: tag, length, value.

The rule of the room: pure, low tag numbers, definite lengths only. Source: X.690, sections 8 and 10.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

INTEGER: Final = 0x02
OCTET_STRING: Final = 0x04
OBJECT_IDENTIFIER: Final = 0x06
SEQUENCE: Final = 0x30
SET: Final = 0x31

#: [0], constructed and primitive.
CONTEXT_0: Final = 0xA0
CONTEXT_0_PRIMITIVE: Final = 0x80

_LONG_FORM: Final = 0x80
_HIGH_TAG: Final = 0x1F
_BASE: Final = 0x80


class DerError(ValueError):
    """Bytes that are not DER of the kind this module reads."""


def element(tag: int, *parts: bytes) -> bytes:
    """Write one element; the parts one after the other are its value."""
    value = b"".join(parts)
    size = len(value)
    if size < _LONG_FORM:
        return bytes((tag, size)) + value
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG_FORM | len(digits))) + digits + value


def small_integer(value: int) -> bytes:
    """Write an integer from 0 to 127."""
    return element(INTEGER, bytes((value,)))


def object_identifier(dotted: str) -> bytes:
    """Write an object identifier given as ``1.2.840.113549``."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return element(OBJECT_IDENTIFIER, *map(_arc, (first * 40 + second, *rest)))


def _arc(value: int) -> bytes:
    digits = [value % _BASE]
    while value := value // _BASE:
        digits.append(value % _BASE | _BASE)
    return bytes(reversed(digits))


def elements(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Read elements that follow one another; yield the tag, the value, and the whole element as it stands.

    Raises:
        DerError: The bytes end early, or use a form this module does not read.
    """
    at = 0
    while at < len(data):
        start, tag = at, data[at]
        if tag & _HIGH_TAG == _HIGH_TAG:
            raise DerError("a tag of more than one byte")
        size, at = _size(data, at + 1)
        end = at + size
        if end > len(data):
            raise DerError("the bytes end early")
        yield tag, data[at:end], data[start:end]
        at = end


def _size(data: bytes, at: int) -> tuple[int, int]:
    """Read a length at ``at``; return it and where the value begins."""
    if at >= len(data):
        raise DerError("the bytes end early")
    first = data[at]
    if first < _LONG_FORM:
        return first, at + 1
    count = first - _LONG_FORM
    digits = data[at + 1 : at + 1 + count]
    if not count or len(digits) < count:
        raise DerError("a length that is not definite")
    return int.from_bytes(digits, "big"), at + 1 + count
