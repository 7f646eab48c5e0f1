"""ReplaceText of FileContentDsc 1.3 (class DSR_ReplaceText)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, is_same
from provisioner.lab.resources.files import patterns, texts

_KEYS = (Rule("Path", may_be_empty=False), Rule("Search", may_be_empty=False))
_RULES = (
    *_KEYS,
    texts.TYPE,
    texts.TEXT,
    texts.SECRET,
    Rule("AllowAppend", "boolean"),
    Rule("Encoding", allowed=texts.ENCODINGS),
)


class ReplaceText:
    """Stateless. Test searches with regard to case, Set replaces without."""

    class_name = "DSR_ReplaceText"
    module = "FileContentDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource: everything that was found, joined by commas."""
        bound = bind("Get-TargetResource", _KEYS, properties)
        path = bound["Path"]
        texts.check_parent(path, context)
        content = texts.content(path, context)
        encoding = texts.encoding(path, context)
        found = _search(bound["Search"], content, context)
        if found is None:
            texts.complain_of_count(context)
        return {
            "Path": path,
            "Search": bound["Search"],
            "Type": "Text",
            "Text": ",".join(found or ()),
            "Encoding": encoding,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: what was found must be the text; the encoding counts when nothing was."""
        bound = bind("Test-TargetResource", _RULES, properties)
        path = bound["Path"]
        texts.check_parent(path, context)
        if not context.machine.files.is_file(path):
            return False
        content = texts.content(path, context)
        encoding = texts.encoding(path, context)
        found = _search(bound["Search"], content, context)
        if found is None:
            texts.complain_of_count(context)
        elif not found:
            if bound.get("AllowAppend"):
                return False
            if "Encoding" in bound:
                return is_same(bound["Encoding"], encoding or "")
        # Only now, and whether anything was found or not, the module looks at the secret.
        wanted = texts.wanted_text(bound, context)
        return all(is_same(item, wanted) for item in found or ())

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: an encoding that the file has already is not asked for, and so gets lost."""
        bound = bind("Set-TargetResource", _RULES, properties)
        path = bound["Path"]
        texts.check_parent(path, context)
        content = texts.content(path, context, is_silent=True)
        actual = texts.encoding(path, context)
        wanted = texts.wanted_text(bound, context)
        encoding = None if is_same(bound.get("Type", "Text"), "Secret") else bound.get("Encoding")
        if encoding is not None and is_same(encoding, actual or ""):
            encoding = None
        if content is None:
            content = wanted
        else:
            found = _search(bound["Search"], content, context)
            if found == [] and bound.get("AllowAppend"):
                content = _appended(content, wanted, context)
            elif found is not None:
                content = patterns.parse(bound["Search"], ignores_case=True).replace(content, wanted)
        texts.write(path, content, encoding, context)


def _search(search: str, content: str | None, context: ResourceContext) -> list[str] | None:
    """Find all matches; what goes wrong is complained of, and gives None."""
    if content is None:
        texts.complain_of_no_input(context)
        return None
    return texts.matching(lambda: [found[0] for found in patterns.parse(search).matches(content)], context)


def _appended(content: str, wanted: str, context: ResourceContext) -> str:
    if not wanted:
        texts.complain_of_empty_text("Text", "Add-ConfigurationEntry", context)
        return content
    # Both look at the last line end, or at the one before it.
    is_bare = re.search(r"\n$", content) and not re.search(r"\r\n$", content)
    return content + wanted + ("\n" if is_bare else "\r\n")
