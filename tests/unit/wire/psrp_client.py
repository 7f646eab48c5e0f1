"""Messages as a client of PSRP sends them."""

from __future__ import annotations

import struct
import uuid

from provisioner.wire.fragments import NIL, TO_SERVER


def message(
    kind: int,
    data: bytes,
    pool_id: uuid.UUID,
    pipeline_id: uuid.UUID | None = None,
    destination: int = TO_SERVER,
) -> bytes:
    """Write a message as one fragment, however large; its object id is 99."""
    head = struct.pack("<II16s16s", destination, kind, pool_id.bytes_le, (pipeline_id or NIL).bytes_le)
    return struct.pack(">QQBI", 99, 0, 3, len(head) + len(data)) + head + data
