"""Comparing a script with one that a client is known to send, token by token.

Comments, indentation and empty lines do not count; every other token does. A known script is kept as the digest of
its tokens: there is no need to carry anybody's code. Where it holds data, the token at that place has to have a
certain form, and what varies in it is taken out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

_TOKEN: Final = re.compile(
    # What has no end is one token up to the end: so every character is looked at once.
    r"""(?P<comment><\#.*?(?:\#>|\Z)|\#[^\r\n]*)
    |(?P<line>(?:[ \t]*(?:\r\n|\r|\n))+[ \t]*)
    |(?P<blank>[ \t]+)
    |(?P<here>@'[ \t]*\r?\n.*?(?:\n'@|\Z)|@"[ \t]*\r?\n.*?(?:\n"@|\Z))
    |(?P<single>'(?:[^']|'')*+(?:'|\Z))
    |(?P<double>"(?:[^"`]|`.|"")*+`?(?:"|\Z))
    |(?P<word>[\w$-]+(?:`.)?)
    |(?P<other>.)""",
    re.DOTALL | re.VERBOSE,
)
#: What data may be: no quote, and nothing PowerShell would expand.
DATA: Final = "[^\"'\u2018-\u201e`$\\r\\n\\0]{1,1024}"
_HOLE: Final = "\N{WHITE CIRCLE}"
#: Known scripts are shorter; a longer text is not looked at, as hostile ones could take long.
_LONGEST: Final = 40_000


@lru_cache(maxsize=64)
def tokens_of(script: str) -> tuple[str, ...]:
    """Split a script into the tokens that count; none for a text that is longer than any known one."""
    tokens: list[str] = []
    if len(script) > _LONGEST:
        return ()
    for found in _TOKEN.finditer(script):
        kind, text = found.lastgroup, found.group()
        if kind == "comment":
            continue
        if kind in {"line", "blank"}:
            text = "\n" if kind == "line" else " "
            if not tokens:
                continue
            if tokens[-1] in {" ", "\n"}:  # a comment stood between them
                tokens[-1] = "\n" if "\n" in (text, tokens[-1]) else " "
                continue
        tokens.append(text)
    while tokens and tokens[-1] in {" ", "\n"}:
        tokens.pop()
    return tuple(tokens)


def digest_of(tokens: Sequence[str]) -> str:
    """Give the digest of a script's tokens."""
    return hashlib.sha256("\0".join(tokens).encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The constant part of a known script: ``digests``, one for each of its versions.

    ``holes`` map the number of a token to the pattern it has to have; named groups are the data, and the same name
    twice must be the same. These tokens do not count in the digest.
    """

    digests: tuple[str, ...]
    holes: Mapping[int, str] = field(default_factory=dict)

    def match(self, script: str) -> Mapping[str, str] | None:
        """Give the data of a script that is this one; None for any other."""
        tokens = list(tokens_of(script))
        data: dict[str, str] = {}
        for index, pattern in self.holes.items():
            found = re.fullmatch(pattern, tokens[index]) if index < len(tokens) else None
            if found is None:
                return None
            for name, value in found.groupdict().items():
                if data.setdefault(name, value) != value:
                    return None
            tokens[index] = _HOLE
        return data if digest_of(tokens) in self.digests else None
