"""Hide secrets in texts of the form ``key=value`` or ``Key value`` before any message can quote their line.

The rule of the room: columns never move, so every mask is as long as what it hides. Other tools know no references
to secrets, so nothing behind a key that sounds like a secret is spared.
"""

from __future__ import annotations

import re
from typing import Final

from provisioner.diagnostics import SourceFile

_STARS: Final = re.compile(r"\S")
#: No key is longer than the bound, without which a line of such words would take quadratic time.
_ASSIGNMENT: Final = re.compile(
    r"""^(?P<key>.*?(?:pas{1,2}w|pas{1,2}\b|passp|pwd|secret|token|credential)[\w-]{0,64}"""
    r"""["']?[ \t]*[=: \t][ \t]*)"""
    r"""(?P<value>\S.*)$""",
    re.IGNORECASE | re.MULTILINE,
)


def mask_assignments(source: SourceFile) -> SourceFile:
    """Return the source with the rest of each line behind a key that sounds like a secret starred out."""
    text = _ASSIGNMENT.sub(lambda found: found["key"] + _STARS.sub("*", found["value"]), source.text)
    return SourceFile(source.path, text)
