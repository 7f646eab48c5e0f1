"""KeyValuePairFile of FileContentDsc 1.3 (class DSR_KeyValuePairFile)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, is_same
from provisioner.lab.resources.files import texts

_KEYS = (Rule("Path", may_be_empty=False), Rule("Name", may_be_empty=False))
_RULES = (
    *_KEYS,
    Rule("Ensure", allowed=("Present", "Absent")),
    texts.TYPE,
    texts.TEXT,
    texts.SECRET,
    Rule("IgnoreNameCase", "boolean"),
    Rule("IgnoreValueCase", "boolean"),
    Rule("Encoding", allowed=texts.ENCODINGS),
)


class KeyValuePairFile:
    """Stateless. The name is a pattern; what is written needs the end of line that the file is taken to have."""

    class_name = "DSR_KeyValuePairFile"
    module = "FileContentDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource: all values of the name, with regard to case."""
        bound = bind("Get-TargetResource", _KEYS, properties)
        path, name = bound["Path"], bound["Name"]
        texts.check_parent(path, context)
        data = _data(path, context)
        if data == b"":
            texts.complain_of_nothing(context)
        values = _values(name, texts.decode(data), context) if data else []
        return {
            "Path": path,
            "Name": name,
            "Ensure": "Present" if values else "Absent",
            "Type": "Text",
            "Text": ",".join(values) if values else None,
            "IgnoreNameCase": False,
            "IgnoreValueCase": False,
            "Encoding": texts.named_encoding(data) if data else None,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: every line of the name counts, and the encoding when it is bound."""
        bound = bind("Test-TargetResource", _RULES, properties)
        texts.check_parent(bound["Path"], context)
        is_present = is_same(bound.get("Ensure", "Present"), "Present")
        data = _data(bound["Path"], context)
        if not data:
            return not is_present
        wanted = texts.wanted_text(bound, context)
        values = _values(
            bound["Name"], texts.decode(data), context, ignores_case=bool(bound.get("IgnoreNameCase"))
        )
        if bool(values) != is_present:
            return False
        ignores_case = bound.get("IgnoreValueCase")
        if any(not is_same(item, wanted) if ignores_case else item != wanted for item in values):
            return False
        return "Encoding" not in bound or is_same(bound["Encoding"], texts.named_encoding(data))

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: writes the whole file, in the ANSI code page unless an encoding is bound."""
        bound = bind("Set-TargetResource", _RULES, properties)
        path, name = bound["Path"], bound["Name"]
        texts.check_parent(path, context)
        is_present = is_same(bound.get("Ensure", "Present"), "Present")
        encoding = bound.get("Encoding")
        data = _data(path, context)
        wanted = texts.wanted_text(bound, context)
        if not data:
            texts.write(path, f"{name}={wanted}", encoding, context)
            return
        content = texts.decode(data)
        ending = _line_ending(content)
        ignores_case = bool(bound.get("IgnoreNameCase"))
        if _values(name, content, context, ignores_case=ignores_case):
            # The end of line is part of the pattern; of CRLF only its LF repeats, so LF alone never matches.
            lines = texts.pattern(
                rf"^[\s]*{name}=(.*){ending}*", ignores_case=ignores_case, is_multiline=True
            )
            replacement = f"{name}={wanted}{ending}" if is_present else ""
            content = texts.replace(lines, replacement, content)
        elif is_present:
            content = content if content.endswith(ending) else content + ending
            content += f"{name}={wanted}{ending}"
        elif is_same(encoding or "", texts.named_encoding(data)):
            return
        texts.write(path, content, encoding, context)


def _data(path: str, context: ResourceContext) -> bytes | None:
    files = context.machine.files
    return files.read(path) if files.is_file(path) else None


def _line_ending(content: str) -> str:
    return "\r" if "\r" in content and "\r\n" not in content else "\r\n"


def _values(name: str, content: str, context: ResourceContext, *, ignores_case: bool = False) -> list[str]:
    try:
        lines = texts.pattern(rf"^[\s]*{name}=(.*?)\r?$", ignores_case=ignores_case, is_multiline=True)
    except re.error as error:
        texts.complain_of_pattern(error, context)
        return []
    return [found[1] for found in lines.finditer(content)]
