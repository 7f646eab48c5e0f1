"""What is written to files: texts of values, encodings of Windows PowerShell 5.1."""

from __future__ import annotations

from typing import Any

from provisioner.lab.values import EnumValue, PsObject

#: Codec and byte order mark by the name of -Encoding.
_ENCODINGS = {
    "ascii": ("ascii", b""),
    "default": ("cp1252", b""),
    "unknown": ("utf-16-le", b"\xff\xfe"),
    "string": ("utf-16-le", b"\xff\xfe"),
    "unicode": ("utf-16-le", b"\xff\xfe"),
    "bigendianunicode": ("utf-16-be", b"\xfe\xff"),
    "utf8": ("utf-8", b"\xef\xbb\xbf"),
    "utf32": ("utf-32-le", b"\xff\xfe\x00\x00"),
    "utf7": ("utf-7", b""),
    "oem": ("cp437", b""),
}


def encoding_name(value: Any, otherwise: str) -> str:
    """Give -Encoding in lower case; it may be an enumeration value."""
    if value is None:
        return otherwise
    return (value.text if isinstance(value, EnumValue) else str(value)).casefold()


def encoded(text: str, encoding: str, *, with_mark: bool = True) -> bytes:
    """Encode text; a file that has text already gets no second mark."""
    codec, mark = _ENCODINGS.get(encoding, _ENCODINGS["default"])
    return (mark if with_mark else b"") + text.encode(codec, "replace")


def text_of(value: Any) -> str:
    """Give a value as PowerShell turns it into text."""
    match value:
        case None:
            return ""
        case bool():
            return str(value)
        case list() | tuple():
            return " ".join(text_of(item) for item in value)
        case EnumValue():
            return value.text
        case PsObject():
            return value.text if value.text is not None else value.type_names[0]
        case _:
            return str(value)
