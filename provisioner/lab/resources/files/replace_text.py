"""ReplaceText of FileContentDsc 1.3 (class DSR_ReplaceText)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, is_same
from provisioner.lab.resources.files import texts

_KEYS = (Rule("Path", may_be_empty=False), Rule("Search", may_be_empty=False))
_RULES = (
    *_KEYS,
    texts.TYPE,
    texts.TEXT,
    texts.SECRET,
    Rule("AllowAppend", "boolean"),
    Rule("Encoding", allowed=texts.ENCODINGS),
)
_INVOCATION = "System.Management.Automation.MethodInvocationException"


class ReplaceText:
    """Stateless. Test searches with regard to case, Set replaces without."""

    class_name = "DSR_ReplaceText"
    module = "FileContentDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource: everything that was found, joined by commas."""
        bound = bind("Get-TargetResource", _KEYS, properties)
        path = bound["Path"]
        texts.check_parent(path, context)
        data = _data(path, context)
        if data is None:
            texts.complain_of_path(path, context)
            texts.complain_of_path(path, context)
        found = _search(bound["Search"], data, context)
        return {
            "Path": path,
            "Search": bound["Search"],
            "Type": "Text",
            "Text": ",".join(found or ()),
            "Encoding": texts.named_encoding(data) if data else None,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: what was found must be the text; the encoding counts when nothing was."""
        bound = bind("Test-TargetResource", _RULES, properties)
        texts.check_parent(bound["Path"], context)
        data = _data(bound["Path"], context)
        if data is None:
            return False
        wanted = texts.wanted_text(bound, context)
        found = _search(bound["Search"], data, context)
        if found is None:
            return True
        if not found:
            encoding = bound.get("Encoding", texts.named_encoding(data))
            return not bound.get("AllowAppend") and is_same(encoding, texts.named_encoding(data))
        return all(is_same(item, wanted) for item in found)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: an encoding that the file has already is not asked for, and so gets lost."""
        bound = bind("Set-TargetResource", _RULES, properties)
        path = bound["Path"]
        texts.check_parent(path, context)
        data = _data(path, context)
        if data is None:
            texts.complain_of_path(path, context)
        if not data:
            texts.complain_of_nothing(context)
        wanted = texts.wanted_text(bound, context)
        encoding = None if is_same(bound.get("Type", "Text"), "Secret") else bound.get("Encoding")
        if encoding is not None and data and is_same(encoding, texts.named_encoding(data)):
            encoding = None
        if not data:
            texts.write(path, wanted, encoding, context)
            return
        content = texts.decode(data)
        try:
            if bound.get("AllowAppend") and not texts.pattern(bound["Search"]).search(content):
                content += wanted + _line_ending(content)
            else:
                content = texts.replace(texts.pattern(bound["Search"], ignores_case=True), wanted, content)
        except re.error as error:
            texts.complain_of_pattern(error, context)
        texts.write(path, content, encoding, context)


def _data(path: str, context: ResourceContext) -> bytes | None:
    files = context.machine.files
    return files.read(path) if files.is_file(path) else None


def _search(search: str, data: bytes | None, context: ResourceContext) -> list[str] | None:
    """Find all matches; what goes wrong is complained of statement by statement, and gives None."""
    if not data:
        texts.complain_of_nothing(context)
        context.nonterminating.append(
            ResourceError(
                'Exception calling "Matches" with "2" argument(s): "Value cannot be null.\r\n'
                'Parameter name: input"',
                "ArgumentNullException",
                "NotSpecified",
                _INVOCATION,
            )
        )
        _complain_of_count(context)
        return None
    try:
        return [found[0] for found in texts.pattern(search).finditer(texts.decode(data))]
    except re.error as error:
        texts.complain_of_pattern(error, context)
        _complain_of_count(context)
        return None


def _complain_of_count(context: ResourceContext) -> None:
    context.nonterminating.append(
        ResourceError(
            "The property 'Count' cannot be found on this object. Verify that the property exists.",
            "PropertyNotFoundStrict",
            "NotSpecified",
            "System.Management.Automation.PropertyNotFoundException",
        )
    )


def _line_ending(content: str) -> str:
    return "\n" if content.endswith("\n") and not content.endswith("\r\n") else "\r\n"
