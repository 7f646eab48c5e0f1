"""What the words behind the bars of a secret reference do to a secret: ``env:NAME|url|oslo``.

The rule of the room: an encoding gives the text that a reader of the target format turns back into the secret.
What the format cannot say is refused (``ValueError``, the end of a sentence that shows nothing of the secret).
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
    """Say a whole value of a file that oslo.config reads.

    It substitutes ``$name`` in every value and reads ``$$`` as one ``$``, strips white space from both ends, and
    takes away quotes that stand at both of them. It also reads a backslash before a dollar sign as ``$$``, so
    nothing comes out as that pair.
    """
    if "\\$" in text:
        raise ValueError("holds a backslash before a dollar sign, which oslo.config cannot be told")
    doubled = text.replace("$", "$$")
    is_quoted = text[:1] in {'"', "'"} and text[:1] == text[-1:]
    return f'"{doubled}"' if is_quoted or text != text.strip() else doubled


#: Each encoding by the word that asks for it. They are applied in the order of the reference.
ENCODINGS: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType({"url": _url, "oslo": _oslo})
