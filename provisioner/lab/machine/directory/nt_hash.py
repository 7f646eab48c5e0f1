"""The hash a domain keeps of a password: MD4 of its text in UTF-16LE (MS-NLMP 3.3.1, RFC 1320).

Written out because OpenSSL 3 has switched MD4 off.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

_MASK: Final = 0xFFFFFFFF
_START: Final = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
_BLOCK: Final = 64
_LENGTH_AT: Final = 56

_ROUNDS: Final[tuple[tuple[Callable[[int, int, int], int], int, tuple[int, ...], tuple[int, ...]], ...]] = (
    (lambda x, y, z: (x & y) | (~x & z), 0, tuple(range(16)), (3, 7, 11, 19)),
    (
        lambda x, y, z: (x & y) | (x & z) | (y & z),
        0x5A827999,
        (0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15),
        (3, 5, 9, 13),
    ),
    (
        lambda x, y, z: x ^ y ^ z,
        0x6ED9EBA1,
        (0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15),
        (3, 9, 11, 15),
    ),
)


def nt_hash(password: str) -> bytes:
    """Give the 16 bytes of a password's NT hash."""
    data = password.encode("utf-16-le")
    padded = data + b"\x80" + b"\0" * ((_LENGTH_AT - 1 - len(data)) % _BLOCK)
    padded += struct.pack("<Q", 8 * len(data))
    state: tuple[int, ...] = _START
    for at in range(0, len(padded), _BLOCK):
        state = _mixed(state, struct.unpack("<16I", padded[at : at + _BLOCK]))
    return struct.pack("<4I", *state)


def _mixed(state: tuple[int, ...], words: tuple[int, ...]) -> tuple[int, ...]:
    a, b, c, d = state
    for function, constant, order, shifts in _ROUNDS:
        for step, index in enumerate(order):
            total = (a + function(b, c, d) + words[index] + constant) & _MASK
            shift = shifts[step % 4]
            rotated = ((total << shift) | (total >> (32 - shift))) & _MASK
            a, b, c, d = d, rotated, b, c
    return tuple((old + new) & _MASK for old, new in zip(state, (a, b, c, d), strict=True))
