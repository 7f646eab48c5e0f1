"""INI files as the profile functions of kernel32 read and write them, byte by byte.

A file that begins with FF FE is UTF-16LE, any other is in the ANSI code page: also one with the mark of UTF-8,
whose first line is no section then. Names are compared without regard to case; the first key of a name counts.
"""

from __future__ import annotations

import re

_WIDE_MARK = b"\xff\xfe"
_NEW = "\r\n"
_LINE = re.compile(r"([^\r\n]*)(\r\n|\n|\r|\Z)")


def read_value(data: bytes, section: str, key: str, size: int) -> str:
    """Give a value without blanks around it and one pair of quotes, below ``size`` characters; '' for none."""
    text, _codec = _decode(data)
    within = False
    for line, _ending in _lines(text):
        name = _section(line)
        if name is not None:
            within = name.casefold() == section.casefold()
        elif within and _key(line).casefold() == key.casefold():
            return _bare(line.partition("=")[2])[: size - 1]
    return ""


def write_value(data: bytes, section: str, key: str, value: str) -> bytes:
    """Give the content with a value set: the first line of the key, else a new one at the end of its section.

    Other lines keep their ends; new ones get CRLF.
    """
    text, codec = _decode(data)
    mark = _WIDE_MARK if codec == "utf-16-le" else b""
    lines = _lines(text)
    wanted = f"{key}={value}"
    start = next(
        (at for at, (line, _) in enumerate(lines) if (_section(line) or "").casefold() == section.casefold()),
        None,
    )
    if start is None:
        return mark + _encode([*lines, (f"[{section}]", _NEW), (wanted, _NEW)], codec)
    end = next((at for at in range(start + 1, len(lines)) if _section(lines[at][0]) is not None), len(lines))
    for at in range(start + 1, end):
        if _key(lines[at][0]).casefold() == key.casefold():
            lines[at] = (wanted, lines[at][1])
            return mark + _encode(lines, codec)
    while end > start + 1 and not lines[end - 1][0].strip():
        end -= 1
    lines.insert(end, (wanted, _NEW))
    return mark + _encode(lines, codec)


def _decode(data: bytes) -> tuple[str, str]:
    if data.startswith(_WIDE_MARK):
        return data[2:].decode("utf-16-le", "replace"), "utf-16-le"
    return data.decode("cp1252", "replace"), "cp1252"


def _encode(lines: list[tuple[str, str]], codec: str) -> bytes:
    last = len(lines) - 1
    parts = [line + (ending or ("" if at == last else _NEW)) for at, (line, ending) in enumerate(lines)]
    return "".join(parts).encode(codec, "replace")


def _lines(text: str) -> list[tuple[str, str]]:
    """Give lines with their ends; the last one may have none."""
    return [(found[1], found[2]) for found in _LINE.finditer(text) if found[0]]


def _section(line: str) -> str | None:
    bare = line.strip()
    return bare[1:].partition("]")[0].strip() if bare.startswith("[") else None


def _key(line: str) -> str:
    bare = line.strip()
    return "" if bare.startswith(";") or "=" not in bare else bare.partition("=")[0].strip()


def _bare(value: str) -> str:
    text = value.strip()
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1] if is_quoted else text
