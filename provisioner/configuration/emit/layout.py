r"""Spell values, blocks and files the way Windows PowerShell 5.1 does.

Lines are written with ``\n`` here and become CRLF in ``artifact``. Text that Windows PowerShell inserts with
CRLF already in it ends up as CR CR LF there (mof-format, section 1); ``DOUBLE`` stands for that.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from provisioner.configuration.instances import Alias
from provisioner.configuration.model import Artifact
from provisioner.inventory.model import MofEncoding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Who wrote the document. Constant, so that the same input gives the same bytes on any machine.
AUTHOR = "provisioner"
#: A line end that was CRLF before line ends were turned into CRLF.
DOUBLE = "\r\n"
#: The class of the instance that ends every document and says what it is.
DOCUMENT_CLASS = "OMI_ConfigurationDocument"
#: Its properties are written without spaces around the equals sign, but for these.
_EQUALS = {"MinimumCompatibleVersion": " = ", "CompatibleVersionAdditionalProperties": "= "}


def header(node: str) -> str:
    """Return the comment at the top. Readers skip it; it carries no date on purpose."""
    # A comment ends at the first "*/", and a quote inside would end the name.
    shown = node.replace("*/", "").replace("'", "")
    return f"/*\n@TargetNode='{shown}'\n@GeneratedBy={AUTHOR}\n@GenerationHost={AUTHOR}\n*/\n\n"


def value(item: Any, *, exact: bool = False) -> str:
    """Spell one value of a property. Source: mof-format, section 4.

    ``exact`` keeps a carriage return before a line feed, which Windows PowerShell drops when it compiles.
    """
    match item:
        case None:
            return "NULL"
        case bool() | int():
            return str(item)
        case float():
            return _real(item)
        case str():
            return quoted(item, exact=exact)
        case Alias():
            return item.name
        case tuple():
            inner = ",\n".join(f"    {value(each, exact=exact)}" for each in item)
            return f"{{\n{inner}\n}}" if item else "{\n}"
        case _:
            raise TypeError(f"a value of type {type(item).__name__} has no MOF form")


def quoted(text: str, *, exact: bool = False) -> str:
    r"""Spell a string with exactly three escapes; CRLF and LF become ``\n``, a lone CR stays a CR."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    if "\n" in escaped:
        escaped = (escaped if exact else escaped.replace("\r\n", "\n")).replace("\n", "\\n")
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


def ending(in_box_version: str, depends_on: Sequence[str]) -> str:
    """Return what stands between the last ordinary property of a resource and the value of ConfigurationName.

    Args:
        in_box_version: Spelled ModuleVersion of a module that comes with Windows, which stands apart from the
            others; else empty.
        depends_on: Spelled resource ids.
    """
    tail = [f"\nModuleVersion = {in_box_version};"] if in_box_version else []
    if depends_on:
        entries = f",{DOUBLE}     ".join(depends_on)
        # The blank line stands once, before whichever of the two comes first.
        tail.append(f"{'' if tail else chr(10)}DependsOn = {{{DOUBLE}    {entries}}};")
    tail.append(" ConfigurationName = ")
    return (DOUBLE if len(tail) == 1 else "\n") + DOUBLE.join(tail)


def document_block(fields: Iterable[tuple[str, str]]) -> str:
    """Return the OMI_ConfigurationDocument instance of a node document in the layout of 5.x (mof-format, 2.4)."""
    brace = f"{DOUBLE}{' ' * 20}"
    lines = [f"instance of {DOCUMENT_CLASS}\n{brace}{{\n"]
    for place, (name, spelled) in enumerate(fields):
        # Windows puts the pieces together from texts of different hands; hence the unequal spaces [050].
        lead = " " if place == 0 else f"{'' if name == 'ContentType' else ' '}{DOUBLE}{' ' * 24}"
        lines.append(f"{lead}{name}{_EQUALS.get(name, '=')}{spelled};\n")
    return f"{''.join(lines)}{brace}}};\n"


def compact_block(fields: Iterable[tuple[str, str]]) -> str:
    """Return the OMI_ConfigurationDocument instance of a metaconfiguration (mof-format, 6)."""
    lines = "".join(f" {name}{_EQUALS.get(name, '=')}{spelled};\n" for name, spelled in fields)
    return f"instance of {DOCUMENT_CLASS}\n{{\n{lines}}};\n"


def file_text(text: str) -> str:
    """Return the text with the line ends of a file."""
    # Every LF becomes CRLF, those of DOUBLE too: that is how CR CR LF comes about on Windows.
    return text.replace("\n", "\r\n")


def artifact(file_name: str, text: str, encoding: MofEncoding) -> Artifact:
    """Turn a text into the bytes of a file."""
    lines = file_text(text)
    match encoding:
        case MofEncoding.UTF16:
            content = b"\xff\xfe" + lines.encode("utf-16-le")
        case MofEncoding.UTF8:
            content = lines.encode("utf-8")
    return Artifact(file_name, content, hashlib.sha256(content).hexdigest())
