"""Pieces that all schemas are made of: expressions, names without regard to case, references to secrets.

The rule of the room: a schema accepts everything the checks accept. Where JSON Schema cannot say what they ask, it
asks less. Draft 7 is what every version of yaml-language-server reads; later drafts only its newest ones.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from provisioner.secrets.encodings import ENCODINGS

if TYPE_CHECKING:
    from collections.abc import Iterable

Schema = dict[str, Any]

DRAFT: Final = "http://json-schema.org/draft-07/schema#"

#: A text that is evaluated. ECMA 262 wants the brace escaped.
EXPRESSION: Final = r"\{[{%]"
EXPRESSION_SCHEMA: Final[Schema] = {"type": "string", "pattern": EXPRESSION}

#: ``env:NAME`` or ``file:PATH`` with encodings behind bars; blanks around the parts do not count.
REFERENCE: Final = (
    r"^(?:env:\s*[A-Za-z_][A-Za-z0-9_]*|file:\s*[^|\s](?:[^|]*[^|\s])?)\s*"
    rf"(?:\|\s*(?:{'|'.join(ENCODINGS)})\s*)*$"
)
SECRET: Final[Schema] = {
    "type": "string",
    "pattern": REFERENCE,
    "description": "Where the secret is, never the secret itself: env:NAME or file:PATH.",
    "patternErrorMessage": "Say where the secret is, never the secret itself: env:NAME or file:PATH.",
}

#: Characters with a meaning in patterns. ECMA 262 allows no backslash before others.
_SYNTAX: Final = re.compile(r"[\^$\\.*+?()\[\]{}|/]")


def document(title: str, description: str, **rest: Any) -> Schema:
    """Return the head of a schema file followed by the rest of it."""
    return {"$schema": DRAFT, "title": title, "description": description, **rest}


def closed(properties: Schema, required: Iterable[str] = (), **rest: Any) -> Schema:
    """Return an object that has these keys and no others."""
    found: Schema = {"type": "object", "properties": properties, "additionalProperties": False, **rest}
    needed = list(required)
    return found | {"required": needed} if needed else found


def nullable(schema: Schema) -> Schema:
    """Return the same, or nothing: a key without a value counts as left out."""
    kinds = schema.get("type")
    if kinds is None or "enum" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [*([kinds] if isinstance(kinds, str) else kinds), "null"]}


def list_of(items: Schema, **rest: Any) -> Schema:
    """Return a list, or nothing."""
    return {"type": ["array", "null"], "items": items, **rest}


def any_case(word: str) -> str:
    """Return a regular expression for a word without regard to case; schemas know no flags."""
    return "".join(
        f"[{char.upper()}{char.lower()}]"
        if char.isascii() and char.isalpha()
        else _SYNTAX.sub(r"\\\g<0>", char)
        for char in word
    )


def suggested(words: Iterable[str], otherwise: Schema, descriptions: Iterable[str] = ()) -> Schema:
    """Return a value for which an editor offers words, and which may be something else too."""
    offered: Schema = {"enum": list(words)}
    explained = list(descriptions)
    if any(explained):
        offered["enumDescriptions"] = explained
    return {"anyOf": [offered, otherwise]} if offered["enum"] else otherwise


def without_case(words: Iterable[str], *, or_expression: bool) -> str:
    """Return a pattern for one of the words, or for an expression."""
    pattern = f"^(?:{'|'.join(any_case(word) for word in words)})$"
    return f"{pattern}|{EXPRESSION}" if or_expression else pattern
