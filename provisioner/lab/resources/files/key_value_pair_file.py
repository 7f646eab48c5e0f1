"""KeyValuePairFile of FileContentDsc 1.3 (class DSR_KeyValuePairFile)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, is_same
from provisioner.lab.resources.files import patterns, texts

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
        values: list[str] | None = []
        encoding = None
        if context.machine.files.is_file(path):
            content = texts.content(path, context)
            encoding = texts.encoding(path, context)
            if content is not None:
                values = _values(name, content, context)
        return {
            "Path": path,
            "Name": name,
            "Ensure": "Present" if values else "Absent",
            "Type": "Text",
            "Text": ",".join(values) if values else None,
            "IgnoreNameCase": False,
            "IgnoreValueCase": False,
            "Encoding": encoding,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: every line of the name counts, and the encoding when it is bound."""
        bound = bind("Test-TargetResource", _RULES, properties)
        path = bound["Path"]
        texts.check_parent(path, context)
        is_present = is_same(bound.get("Ensure", "Present"), "Present")
        content = texts.content(path, context) if context.machine.files.is_file(path) else None
        if content is None:
            return not is_present
        encoding = texts.encoding(path, context)
        values = _values(bound["Name"], content, context, ignores_case=bool(bound.get("IgnoreNameCase")))
        is_right = True
        if values is not None:
            is_right = bool(values) == is_present
            if values and is_present:
                wanted = texts.wanted_text(bound, context)
                ignores_case = bound.get("IgnoreValueCase")
                is_right = all(is_same(item, wanted) if ignores_case else item == wanted for item in values)
        return is_right and ("Encoding" not in bound or is_same(bound["Encoding"], encoding or ""))

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: writes the whole file, in the ANSI code page unless an encoding is bound."""
        bound = bind("Set-TargetResource", _RULES, properties)
        path, name = bound["Path"], bound["Name"]
        texts.check_parent(path, context)
        content = texts.content(path, context, is_silent=True)
        actual = texts.encoding(path, context, is_silent=True)
        wanted = texts.wanted_text(bound, context)
        if content is None:
            content = f"{name}={wanted}"
        else:
            values = _values(name, content, context, ignores_case=bool(bound.get("IgnoreNameCase")))
            is_absent = is_same(bound.get("Ensure", "Present"), "Absent")
            if is_absent and values == [] and is_same(bound.get("Encoding", ""), actual or ""):
                return
            if values is not None:
                content = _changed(content, bound, wanted, has_values=bool(values))
        texts.write(path, content, bound.get("Encoding"), context)


def _changed(content: str, bound: Mapping[str, Any], wanted: str, *, has_values: bool) -> str:
    name, ending = bound["Name"], _line_ending(content)
    is_present = is_same(bound.get("Ensure", "Present"), "Present")
    if not has_values:
        if not is_present:
            return content
        return f"{content}{'' if content.endswith(ending) else ending}{name}={wanted}{ending}"
    # The end of line is part of both patterns; of CRLF only the LF repeats, so LF alone never matches.
    tail = f"({ending}*)" if is_present else ending
    lines = patterns.parse(
        rf"^[\s]*{name}=(.*){tail}", ignores_case=bool(bound.get("IgnoreNameCase")), is_multiline=True
    )
    return lines.replace(content, f"{name}={wanted}{ending}" if is_present else "")


def _line_ending(content: str) -> str:
    return "\r" if "\r" in content and "\r\n" not in content else "\r\n"


def _values(
    name: str, content: str, context: ResourceContext, *, ignores_case: bool = False
) -> list[str] | None:
    """Give what the first group of each match caught: a group within the name comes before the value."""

    def search() -> list[str]:
        lines = patterns.parse(rf"^[\s]*{name}=([^\n\r]*)", ignores_case=ignores_case, is_multiline=True)
        return [lines.group(found, 1) for found in lines.matches(content)]

    found = texts.matching(search, context)
    if found is None:
        texts.complain_of_count(context)
    return found
