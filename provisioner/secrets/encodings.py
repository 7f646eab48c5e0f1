"""What the words behind the bars of a secret reference do to a secret: ``env:NAME|url|oslo``.

The rule of the room: an encoding takes every text and gives the text that a reader of the target format turns back
into the secret. It never fails for what a secret may hold.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _url(text: str) -> str:
    """Percent-encode the UTF-8 of everything but letters, digits and ``-._~`` (RFC 3986, section 2.3)."""
    # A surrogate without its partner comes from an environment variable that is no UTF-8: its byte is kept.
    return quote(text, safe="", errors="surrogateescape")


def _oslo(text: str) -> str:
    """Double each ``$``: oslo.config substitutes ``$name`` in every value, and reads ``$$`` as one ``$``."""
    return text.replace("$", "$$")


#: Each encoding by the word that asks for it. They are applied in the order of the reference.
ENCODINGS: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType({"url": _url, "oslo": _oslo})
