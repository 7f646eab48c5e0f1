r"""Spell values, blocks and files the way Windows PowerShell 5.1 does.

Lines are written with ``\n`` here and become CRLF in ``artifact``. Text that Windows PowerShell inserts with
CRLF already in it ends up as CR CR LF there (mof-format, section 1); ``DOUBLE`` stands for that.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from provisioner.configuration.model import Artifact
from provisioner.inventory.model import MofEncoding

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Who wrote the document. Constant, so that the same input gives the same bytes on any machine.
AUTHOR = "provisioner"
#: A line end that was CRLF before line ends were turned into CRLF.
DOUBLE = "\r\n"


def header(node: str) -> str:
    """Return the comment at the top. Readers skip it; it carries no date on purpose."""
    # A comment ends at the first "*/", and a quote inside would end the name.
    shown = node.replace("*/", "").replace("'", "")
    return f"/*\n@TargetNode='{shown}'\n@GeneratedBy={AUTHOR}\n@GenerationHost={AUTHOR}\n*/\n\n"


def value(item: Any) -> str:
    """Spell one value of a property. Source: mof-format, section 4."""
    match item:
        case None:
            return "NULL"
        case bool() | int():
            return str(item)
        case float():
            return _real(item)
        case str():
            return quoted(item)
        case tuple():
            inner = ",\n".join(f"    {value(each)}" for each in item)
            return f"{{\n{inner}\n}}" if item else "{\n}"
        case _:
            raise TypeError(f"a value of type {type(item).__name__} has no MOF form")


def quoted(text: str) -> str:
    r"""Spell a string with exactly three escapes; CRLF and LF become ``\n``, a lone CR stays a CR."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r\n", "\\n").replace("\n", "\\n")
    return f'"{escaped}"'


def character(item: Any) -> str:
    """Spell a value of type char16: one character between single quotes."""
    escaped = str(item).replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


def _real(number: float) -> str:
    text = format(Decimal(repr(number)), "f")
    return text if "." in text else f"{text}.0"


def properties(pairs: Iterable[tuple[str, str]]) -> str:
    """Join spelled properties: the first has no indent, later ones one space; the last line has no end."""
    return "\n ".join(f"{name} = {spelled};" for name, spelled in pairs)


def artifact(file_name: str, text: str, encoding: MofEncoding) -> Artifact:
    """Turn a text into the bytes of a file."""
    # Every LF becomes CRLF, those of DOUBLE too: that is how CR CR LF comes about on Windows.
    lines = text.replace("\n", "\r\n")
    match encoding:
        case MofEncoding.UTF16:
            content = b"\xff\xfe" + lines.encode("utf-16-le")
        case MofEncoding.UTF8:
            content = lines.encode("utf-8")
    return Artifact(file_name, content, hashlib.sha256(content).hexdigest())
