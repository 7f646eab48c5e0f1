"""Take secrets out of texts before they are logged, stored or printed.

The rule of the room: this is the second line of defence. The first is never to format a secret at all.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

from provisioner.secrets.model import MASK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.secrets.model import Secret

#: Shorter secrets are not looked for: they would be found inside ordinary words, and the holes would
#: show them. A secret that short protects nothing.
MIN_LENGTH: Final = 4
#: Shorter pieces of base64 are part of ordinary texts.
_MIN_BASE64: Final = 6
#: So are shorter lines of a secret of several lines.
_MIN_LINE: Final = 8


class Redactor:
    """Replaces known secrets by ``<secret>``; may be called from several threads.

    Found are the text itself, its longer lines, and its forms in JSON, XML, URLs, between quotes, in hexadecimal,
    and in base64 (of UTF-8 and of UTF-16LE, at any offset inside what was encoded, so also within a Basic
    authentication header).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: The longest first, or a part would be replaced and the rest left standing.
        self._forms: tuple[str, ...] = ()

    def add(self, secret: Secret) -> None:
        """Look for this secret from now on, and for what it was encoded from.

        Texts below four characters are left out.
        """
        forms = {form for text in secret.reveal_stages() if len(text) >= MIN_LENGTH for form in _forms(text)}
        with self._lock:
            new = forms.difference(self._forms)
            self._forms = tuple(sorted((*self._forms, *new), key=lambda form: (-len(form), form)))

    def __call__(self, text: str) -> str:
        """Return the text without any known secret."""
        # One pattern of all forms of a large fleet would take minutes to compile, and milliseconds for each text.
        found = [form for form in self._forms if form in text]
        return re.sub("|".join(map(re.escape, found)), MASK, text) if found else text

    def __repr__(self) -> str:
        return f"Redactor({len(self._forms)} forms)"


def _forms(text: str) -> Iterator[str]:
    yield text
    yield from _json_forms(text)
    yield from _quoted_forms(text)
    yield from _xml_forms(text)
    for url in (quote(text, safe="", errors="surrogatepass"), quote(text, errors="surrogatepass")):
        yield from (url, _lower_escapes(url))
    plus = quote_plus(text, errors="surrogatepass")
    yield from (plus, _lower_escapes(plus))
    for encoding in ("utf-8", "utf-16-le"):
        raw = text.encode(encoding, "surrogatepass")
        yield raw.hex()
        yield raw.hex().upper()
        yield from _base64_forms(raw)
    lines = text.splitlines()
    if len(lines) > 1:
        # Messages are indented, wrapped and given other line ends, so each line counts by itself.
        yield "\r\n".join(lines)
        yield from (line.strip() for line in lines if len(line.strip()) >= _MIN_LINE)


def _json_forms(text: str) -> Iterator[str]:
    """Yield JSON as Python, Windows PowerShell (``ConvertTo-Json``) and .NET (System.Text.Json) write it."""
    for ascii_only in (True, False):
        plain = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield plain
        yield plain.replace("/", "\\/")
        yield re.sub("[<>&']", lambda found: f"\\u{ord(found[0]):04x}", plain)
    digits = re.sub(r"\\u[0-9a-f]{4}", lambda found: "\\u" + found[0][2:].upper(), json.dumps(text)[1:-1])
    yield re.sub("[<>&'+`]", lambda found: f"\\u{ord(found[0]):04X}", digits.replace('\\"', "\\u0022"))


def _quoted_forms(text: str) -> Iterator[str]:
    """Yield what stands between quotes: of Python, of PowerShell, and where a quote is doubled."""
    yield repr(text)[1:-1]
    yield repr("\"'" + text)[4:-1]  # beside quotes of both kinds Python writes \\'
    yield text.replace("'", "''")
    yield text.replace('"', '""')
    yield re.sub('[`"$]', r"`\g<0>", text)


def _xml_forms(text: str) -> Iterator[str]:
    yield escape(text)
    yield escape(text, {'"': "&quot;"})
    for single in ("&apos;", "&#39;", "&#x27;"):
        yield escape(text, {'"': "&quot;", "'": single})
    yield escape(text, {'"': "&#34;", "'": "&#39;"})


def _lower_escapes(url: str) -> str:
    """Return percent escapes as .NET's older encoder writes them."""
    return re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), url)


def _base64_forms(raw: bytes) -> Iterator[str]:
    """Yield what base64 makes of some bytes at each of the three offsets, without the ends it shares."""
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + raw).decode()
        # Characters that also hold bits of the neighbours: the first of an offset, and the last group.
        start = (0, 2, 3)[offset]
        rest = (offset + len(raw)) % 3
        end = len(encoded) - (0, 3, 2)[rest]
        form = encoded[start:end]
        if len(form) >= _MIN_BASE64:
            yield form
            yield form.replace("+", "-").replace("/", "_")
