"""CLIXML: the values that PowerShell objects are on the wire.

Writing follows the serializer of Windows PowerShell; reading refuses what the real deserializer refuses and gives
the same neutral values that writing takes. Neutral values are None, bool, str, int (Int32), float (Double), bytes,
datetime, timedelta, UUID, list (Object[]), dict (Hashtable), ``Primitive`` and ``Structure``.

Source: MS-PSRP 2.2.5; layout, limits and refusals as in recordings of real PowerShell.
"""

from provisioner.wire.clixml.reader import UnreadableError, read
from provisioner.wire.clixml.scalars import escape_text
from provisioner.wire.clixml.values import MAX_DEPTH, Primitive, Structure, enum_structure
from provisioner.wire.clixml.writer import UnserializableError, write

__all__ = [
    "MAX_DEPTH",
    "Primitive",
    "Structure",
    "UnreadableError",
    "UnserializableError",
    "enum_structure",
    "escape_text",
    "read",
    "write",
]
