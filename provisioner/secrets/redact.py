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


class Redactor:
    """Replaces known secrets by ``<secret>``; may be called from several threads.

    Found are the text itself and its forms in JSON, XML, URLs, hexadecimal, and in base64 (of UTF-8 and of
    UTF-16LE, at any offset inside what was encoded, so also within a Basic authentication header).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, secret: Secret) -> None:
        """Look for this secret from now on, and for what it was encoded from.

        Texts below four characters are left out.
        """
        texts = [text for text in secret.reveal_stages() if len(text) >= MIN_LENGTH]
        if not texts:
            return
        with self._lock:
            for text in texts:
                self._forms.update(_forms(text))
            # The longest first, or a part would be replaced and the rest left standing.
            ordered = sorted(self._forms, key=lambda form: (-len(form), form))
            self._pattern = re.compile("|".join(map(re.escape, ordered)))

    def __call__(self, text: str) -> str:
        """Return the text without any known secret."""
        return self._pattern.sub(MASK, text) if self._pattern else text

    def __repr__(self) -> str:
        return f"Redactor({len(self._forms)} forms)"


def _forms(text: str) -> Iterator[str]:
    yield text
    for ascii_only in (True, False):
        yield json.dumps(text, ensure_ascii=ascii_only)[1:-1]
    yield repr(text)[1:-1]
    yield escape(text)
    yield escape(text, {'"': "&quot;", "'": "&apos;"})
    yield escape(text, {'"': "&#34;", "'": "&#39;"})
    yield quote(text, safe="", errors="surrogatepass")
    yield quote(text, errors="surrogatepass")
    yield quote_plus(text, errors="surrogatepass")
    for encoding in ("utf-8", "utf-16-le"):
        raw = text.encode(encoding, "surrogatepass")
        yield raw.hex()
        yield raw.hex().upper()
        yield from _base64_forms(raw)


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
