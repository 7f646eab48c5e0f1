"""Message encryption over plain HTTP: the multipart frame around sealed SOAP messages.

Bytes in, bytes out; the sealing itself is done by the context of the connection.

Source: MS-WSMV 2.2.9.1.
"""

from __future__ import annotations

import re
import struct
from typing import Final

from provisioner.lab.server.authentication.model import Context

#: Who sealed the message, as the frame names it.
SPNEGO: Final = "application/HTTP-SPNEGO-session-encrypted"
KERBEROS: Final = "application/HTTP-Kerberos-session-encrypted"
CREDSSP: Final = "application/HTTP-CredSSP-session-encrypted"

#: CredSSP seals by TLS, whose records hold no more.
_RECORD_BYTES: Final = 16384

_FRAME: Final = re.compile(
    rb"--\s?Encrypted Boundary\r\n"
    rb"[ \t]*Content-Type:[ \t]*application/HTTP-(?:SPNEGO|Kerberos|CredSSP)-session-encrypted[ \t]*\r\n"
    rb"[ \t]*OriginalContent:[ \t]*type=[^;\r\n]*;[ \t]*charset=UTF-8;[ \t]*Length=(?P<length>\d{1,9})[ \t]*\r\n"
    rb"(?:\r\n)?--\s?Encrypted Boundary\r\n"
    rb"[ \t]*Content-Type:[ \t]*application/octet-stream[ \t]*\r\n",
    re.IGNORECASE,
)
_END: Final = re.compile(rb"--\s?Encrypted Boundary--(?:\r\n)?\Z")
_LENGTH_BYTES: Final = 4


class BrokenFrame(Exception):
    """The body is no encrypted multipart message."""


def is_encrypted(content_type: str) -> bool:
    """Tell whether a Content-Type says that the body is sealed."""
    return content_type.lower().startswith(("multipart/encrypted", "multipart/x-multi-encrypted"))


def protocol_of(content_type: str) -> str:
    """Return who sealed a body, by its Content-Type; SPNEGO when that does not say."""
    folded = content_type.lower()
    return next((name for name in (KERBEROS, CREDSSP) if name.lower() in folded), SPNEGO)


def unwrap(context: Context, content_type: str, body: bytes) -> bytes:
    """Open an encrypted body.

    Raises:
        BrokenFrame: It is not framed as it should be.
        LogonFailure: It cannot be decrypted.
    """
    first, end = _FRAME.match(body), _END.search(body, max(0, len(body) - 40))
    if first is None or end is None:
        raise BrokenFrame("the parts are not there")
    if not content_type.lower().startswith("multipart/x-multi-encrypted"):
        return _open(context, first, body, end.start())
    heads = list(_FRAME.finditer(body))
    ends = [*(head.start() for head in heads[1:]), end.start()]
    return b"".join(_open(context, head, body, until) for head, until in zip(heads, ends, strict=True))


def _open(context: Context, head: re.Match[bytes], body: bytes, until: int) -> bytes:
    start = head.end() + _LENGTH_BYTES
    if until < start:
        raise BrokenFrame("nothing is in it")
    (signature_bytes,) = struct.unpack_from("<I", body, head.end())
    if not 0 < signature_bytes <= until - start:
        raise BrokenFrame("the signature has a wrong length")
    signature = body[start : start + signature_bytes]
    message = context.unwrap(signature, body[start + signature_bytes : until])
    if len(message) != int(head["length"]):
        raise BrokenFrame("the length is not what was announced")
    return message


def wrap(context: Context, protocol: str, message: bytes) -> tuple[str, bytes]:
    """Seal a SOAP message and frame it; returns its Content-Type and the body."""
    parts = [message]
    kind = "multipart/encrypted"
    if protocol == CREDSSP and len(message) > _RECORD_BYTES:
        kind = "multipart/x-multi-encrypted"
        parts = [message[at : at + _RECORD_BYTES] for at in range(0, len(message), _RECORD_BYTES)]
    framed = [_frame(context, protocol, part) for part in parts]
    body = b"".join((*framed, b"--Encrypted Boundary--\r\n"))
    return f'{kind};protocol="{protocol}";boundary="Encrypted Boundary"', body


def _frame(context: Context, protocol: str, message: bytes) -> bytes:
    signature, ciphertext = context.wrap(message)
    head = (
        f"--Encrypted Boundary\r\n\tContent-Type: {protocol}\r\n"
        f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(message)}\r\n"
        "--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n"
    ).encode()
    return b"".join((head, struct.pack("<I", len(signature)), signature, ciphertext))
