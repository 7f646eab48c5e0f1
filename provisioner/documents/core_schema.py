"""What a scalar without quotes means: the core schema of YAML 1.2 (section 10.3.2, "Tag Resolution")."""

from __future__ import annotations

import re
from typing import Final

from provisioner.documents.tree import Plain

_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
DECIMAL: Final = re.compile(r"[-+]?[0-9]+")
_OCTAL: Final = re.compile(r"0o[0-7]+")
_HEX: Final = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITY: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)")
_NAN: Final = frozenset({".nan", ".NaN", ".NAN"})
#: What a scalar that is no text can begin with; the empty one is null. Any other is text at a glance.
FIRST_OF_SPECIAL: Final = frozenset(["", *"0123456789+-.~nNtTfF"])
#: Python refuses to convert longer ones, and no setting of a Windows machine is that large.
MAX_DIGITS: Final = 400


def resolve(text: str) -> Plain:
    """Return what a plain scalar means in the YAML 1.2 core schema."""
    if text[:1] not in FIRST_OF_SPECIAL:
        return text
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if DECIMAL.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text, 8)
    if _HEX.fullmatch(text):
        return int(text, 16)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITY.fullmatch(text):
        return float(text.replace(".", ""))
    if text in _NAN:
        return float("nan")
    return text
