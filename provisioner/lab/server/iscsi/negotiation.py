"""What a target answers to the keys of a login (RFC 7143, 6.2 and 13), and CHAP (RFC 1994) with MD5."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from typing import Final

#: What this target takes in one PDU.
OWN_SEGMENT: Final = 65536
DEFAULT_SEGMENT: Final = 8192
CHAP_MD5: Final = "5"
#: Keys that say something and want no answer.
_DECLARED: Final = frozenset({"InitiatorName", "InitiatorAlias", "TargetName", "SessionType", "TargetAlias"})
#: Mean nothing in a session that only discovers.
_OF_NORMAL_SESSIONS: Final = frozenset(
    {
        "MaxConnections",
        "InitialR2T",
        "ImmediateData",
        "MaxBurstLength",
        "FirstBurstLength",
        "MaxOutstandingR2T",
        "DataPDUInOrder",
        "DataSequenceInOrder",
    }
)


def _smaller(own: int) -> Callable[[str], str]:
    return lambda value: str(min(own, int(value, 0)))


def _larger(own: int) -> Callable[[str], str]:
    return lambda value: str(max(own, int(value, 0)))


def _always(own: str) -> Callable[[str], str]:
    return lambda _value: own


def _both(own: bool) -> Callable[[str], str]:  # noqa: FBT001 - a wanted Yes or No
    return lambda value: "Yes" if own and value == "Yes" else "No"


def _none_of(value: str) -> str:
    return "None" if "None" in value.split(",") else "Reject"


_RULES: Final[Mapping[str, Callable[[str], str]]] = {
    "HeaderDigest": _none_of,
    "DataDigest": _none_of,
    "MaxRecvDataSegmentLength": _always(str(OWN_SEGMENT)),
    "MaxConnections": _smaller(1),
    "InitialR2T": _always("Yes"),
    "ImmediateData": _both(own=True),
    "MaxBurstLength": _smaller(262144),
    "FirstBurstLength": _smaller(65536),
    "DefaultTime2Wait": _larger(2),
    "DefaultTime2Retain": _smaller(20),
    "MaxOutstandingR2T": _smaller(1),
    "DataPDUInOrder": _always("Yes"),
    "DataSequenceInOrder": _always("Yes"),
    "ErrorRecoveryLevel": _smaller(0),
    "IFMarker": _always("No"),
    "OFMarker": _always("No"),
    "TaskReporting": _always("RFC3720"),
}


def answers(given: list[tuple[str, str]], *, is_discovery: bool) -> list[tuple[str, str]]:
    """Answer operational keys, each once, in the order in which they came."""
    found: list[tuple[str, str]] = []
    for name, value in given:
        if name in _DECLARED or name.startswith(("CHAP_", "AuthMethod")):
            continue
        if is_discovery and name in _OF_NORMAL_SESSIONS:
            found.append((name, "Irrelevant"))
        elif name in _RULES:
            try:
                found.append((name, _RULES[name](value)))
            except ValueError:
                found.append((name, "Reject"))
        else:
            found.append((name, "NotUnderstood"))
    return found


def is_response(text: str, secret: str, identifier: int, challenge: bytes) -> bool:
    """Whether a CHAP_R fits: the MD5 of identifier, secret and challenge."""
    return binary_of(text) == response(secret, identifier, challenge)


def response(secret: str, identifier: int, challenge: bytes) -> bytes:
    """Give what proves that one knows a secret."""
    wanted = hashlib.md5(bytes([identifier]) + secret.encode() + challenge, usedforsecurity=False)
    return wanted.digest()


def as_binary(data: bytes) -> str:
    """Write bytes as a binary value."""
    return f"0x{data.hex()}"


def binary_of(text: str) -> bytes | None:
    """Read a binary value; None when it is none."""
    try:
        if text[:2].casefold() == "0x":
            return bytes.fromhex(text[2:])
        if text[:2].casefold() == "0b":
            return base64.b64decode(text[2:], validate=True)
    except (ValueError, binascii.Error):
        return None
    return None
