"""Get-Content: the text or the bytes of files, decoded as Windows PowerShell 5.1 does."""

from __future__ import annotations

import codecs
import re
from typing import Any

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.items import paths
from provisioner.lab.machine.ground.files import Entry
from provisioner.lab.values import EnumValue, ErrorRecord, UInt8

TYPE = "Microsoft.PowerShell.Commands.GetContentCommand"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ENCODINGS = {
    "utf8": "utf-8",
    "unicode": "utf-16-le",
    "string": "utf-16-le",
    "bigendianunicode": "utf-16-be",
    "ascii": "ascii",
    "utf32": "utf-32-le",
    "utf7": "utf-7",
    # Without a byte order mark 5.1 takes the ANSI code page.
    "default": "cp1252",
    "unknown": "cp1252",
    "oem": "cp437",
}


async def run(invocation: Invocation) -> None:
    """Write lines; with -Raw one text, with -Encoding Byte the bytes."""
    parameters = invocation.parameters
    encoding = parameters.get("Encoding")
    name = (encoding.text if isinstance(encoding, EnumValue) else str(encoding or "Default")).casefold()
    async for item in paths.items(invocation, TYPE, "Get-Content"):
        if not isinstance(item, Entry) or item.content is None:
            invocation.output.error(_refused(item))
            continue
        content = item.content
        if name == "byte" and (many := _read_count(parameters.get("ReadCount"), len(content))) > 1:
            # Windows gives arrays of bytes then; one of all bytes is kept as what it is.
            for start in range(0, len(content), many):
                invocation.output.write(content[start : start + many])
            continue
        for part in _parts(content, name, parameters.get("TotalCount"), is_raw=bool(parameters.get("Raw"))):
            invocation.output.write(part)


def _read_count(given: Any, size: int) -> int:
    """Give how many lines, or bytes, go into one object; 0 is all of them."""
    count = 1 if given is None else int(given)
    return count or size


def _parts(content: bytes, encoding: str, count: int | None, *, is_raw: bool) -> list[Any]:
    if encoding == "byte":
        return [content] if is_raw else [UInt8(byte) for byte in content[:count]]
    text = _decode(content, encoding)
    if is_raw:
        return [text] if text else []
    lines = re.split(r"\r\n|\n|\r", text)
    if lines and not lines[-1]:
        lines.pop()
    return list(lines[:count])


def _decode(content: bytes, encoding: str) -> str:
    for mark, codec in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(codec, "replace")
    return content.decode(_ENCODINGS.get(encoding, "cp1252"), "replace")


def _refused(item: paths.Item) -> ErrorRecord:
    if isinstance(item, Entry):
        return ErrorRecord(
            f"Access to the path '{item.path}' is denied.",
            f"GetContentReaderUnauthorizedAccessError,{TYPE}",
            "PermissionDenied",
            "System.UnauthorizedAccessException",
            "Get-Content",
            item.path,
        )
    return ErrorRecord(
        "Cannot use interface. The IContentCmdletProvider interface is not supported by this provider.",
        f"NotSupported,{TYPE}",
        "NotImplemented",
        "System.Management.Automation.PSNotSupportedException",
        "Get-Content",
        item.full_name,
    )
