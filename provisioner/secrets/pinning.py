"""Keeps a node's certificate in a file beside the inventory: read once, and from then on the only one.

The rule of the room: whoever answers in the place of a node could offer a certificate of their own and read every
password that is encrypted to it. So the first answer is kept, and a different one later is refused until a person
says otherwise.
"""

from __future__ import annotations

import os
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING

from provisioner.errors import NodeError
from provisioner.secrets.certificates import CertificateError, EncryptionCertificate, load

if TYPE_CHECKING:
    from pathlib import Path


class Pinned(Enum):
    """What became of the file; the value is said to the user."""

    NEW = "kept"
    SAME = "unchanged"
    REPLACED = "replaced"


def pin(node: str, path: Path, certificate: EncryptionCertificate, *, replace: bool) -> Pinned:
    """Write a certificate to its file as DER, in one step.

    Raises:
        NodeError: The file holds another certificate, or what is none, and may not be replaced.
        OSError: The file cannot be read or written.
    """
    try:
        kept = load(path)
    except FileNotFoundError:
        _write(path, certificate.encoded)
        return Pinned.NEW
    except CertificateError as error:
        if not replace:
            raise NodeError(node, f"{path} is no certificate that could be compared: {error}", _ASK) from None
    else:
        if kept.encoded == certificate.encoded:
            return Pinned.SAME
        if not replace:
            raise NodeError(
                node,
                f"it now has the certificate {certificate.thumbprint}, but {path} holds {kept.thumbprint}",
                _ASK,
            )
    _write(path, certificate.encoded)
    return Pinned.REPLACED


_ASK = (
    "If you know why the certificate changed (it was renewed, or the node was set up anew), run the command again "
    "with --replace. If not, somebody may be answering in the place of the node."
)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
