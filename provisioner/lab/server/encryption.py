"""Message encryption over plain HTTP: the multipart frame around a sealed SOAP message.

Bytes in, bytes out; the sealing itself is the acceptor's.

Source: MS-WSMV 2.2.9.1.
"""

from __future__ import annotations

import re
import struct
from typing import Final

from provisioner.lab.server.ntlm import Acceptor

_PROTOCOL: Final = "application/HTTP-SPNEGO-session-encrypted"
CONTENT_TYPE: Final = f'multipart/encrypted;protocol="{_PROTOCOL}";boundary="Encrypted Boundary"'
_SIGNATURE_BYTES: Final = 16

_FRAME: Final = re.compile(
    rb"--\s?Encrypted Boundary\r\n"
    rb"[ \t]*Content-Type:[ \t]*application/HTTP-SPNEGO-session-encrypted[ \t]*\r\n"
    rb"[ \t]*OriginalContent:[ \t]*type=[^;\r\n]*;[ \t]*charset=UTF-8;[ \t]*Length=(?P<length>\d{1,9})[ \t]*\r\n"
    rb"(?:\r\n)?--\s?Encrypted Boundary\r\n"
    rb"[ \t]*Content-Type:[ \t]*application/octet-stream[ \t]*\r\n",
    re.IGNORECASE,
)
_END: Final = re.compile(rb"--\s?Encrypted Boundary--(?:\r\n)?\Z")


class BrokenFrame(Exception):
    """The body is no encrypted multipart message."""


def is_encrypted(content_type: str) -> bool:
    """Tell whether a Content-Type says that the body is sealed."""
    return content_type.lower().startswith("multipart/encrypted")


def unwrap(acceptor: Acceptor, body: bytes) -> bytes:
    """Open an encrypted body.

    Raises:
        BrokenFrame: It is not framed as it should be.
        LogonFailure: It cannot be decrypted.
    """
    head, end = _FRAME.match(body), _END.search(body, max(0, len(body) - 40))
    if head is None or end is None or end.start() < head.end() + 4 + _SIGNATURE_BYTES:
        raise BrokenFrame("the parts are not there")
    (signature_bytes,) = struct.unpack_from("<I", body, head.end())
    if signature_bytes != _SIGNATURE_BYTES:
        raise BrokenFrame("the signature has a wrong length")
    start = head.end() + 4
    signature = body[start : start + signature_bytes]
    message = acceptor.unwrap(signature, body[start + signature_bytes : end.start()])
    if len(message) != int(head["length"]):
        raise BrokenFrame("the length is not what was announced")
    return message


def wrap(acceptor: Acceptor, message: bytes) -> bytes:
    """Seal a SOAP message and frame it."""
    signature, ciphertext = acceptor.wrap(message)
    head = (
        f"--Encrypted Boundary\r\n\tContent-Type: {_PROTOCOL}\r\n"
        f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(message)}\r\n"
        "--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n"
    ).encode()
    return b"".join(
        (head, struct.pack("<I", len(signature)), signature, ciphertext, b"--Encrypted Boundary--\r\n")
    )
