"""Text inside XML: escaped, and without the characters XML cannot hold."""

from __future__ import annotations

import re
from typing import Final
from xml.sax.saxutils import escape

_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escaped(text: str) -> str:
    """Escape a text; what no XML document can hold becomes a question mark."""
    return escape(_FORBIDDEN.sub("?", text))


def quoted(text: str) -> str:
    """Escape a text for an attribute: quotation marks as well."""
    return escape(_FORBIDDEN.sub("?", text), {'"': "&quot;", "'": "&apos;"})
