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

#: Fewest and most characters of a secret of CHAP.
_CHAP_LENGTHS: Final = (12, 16)


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


def _chap(text: str) -> str:
    """Say a secret of CHAP, as Windows and Cinder take it.

    Windows takes 12 to 16 characters where nothing encrypts the connection, and Cinder keeps user and secret in
    one text whose parts it tells by their white space.
    """
    if not _CHAP_LENGTHS[0] <= len(text) <= _CHAP_LENGTHS[1]:
        raise ValueError("has not 12 to 16 characters, which a secret of CHAP has on Windows")
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError("holds a blank or what is not ASCII, which a secret of CHAP cannot have")
    return text


def _cifs(text: str) -> str:
    """Say a value among the options of an SMB share, where a comma or white space ends it."""
    if "," in text or any(character.isspace() for character in text):
        raise ValueError("holds a comma or white space, which ends a value among the options of an SMB share")
    return text


#: Each encoding by the word that asks for it. They are applied in the order of the reference.
ENCODINGS: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {"url": _url, "oslo": _oslo, "chap": _chap, "cifs": _cifs}
)
