"""Plain data as YAML text, always the same bytes for the same data.

The rule of the room: what is written is read back equal, by YAML 1.2 readers and by those of YAML 1.1. So a text
that either kind would take for something else (``on``, ``1_000``, ``12:30``) stands in quotes.
"""

from __future__ import annotations

import functools
import math
import re
from typing import Any, Final

import yaml

from provisioner.documents.core_schema import MAX_DIGITS, resolve

#: The parser wants the ':' of a key without '?' within 1024 characters; quotes and escapes count.
_LONGEST_KEY: Final = 1000

#: What a text without quotes may look like inside a block: it starts with no sign that means something to YAML.
_PLAIN: Final = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`=<~](?:.*\S)?")
#: ... and holds neither the start of a value nor of a comment.
_SPLIT: Final = re.compile(r":(?=\s|$)|\s#")
#: Words YAML 1.1 knows as booleans, which PyYAML leaves out.
_SHORT_BOOLEANS: Final = frozenset("yYnN")
_RESOLVERS: Final = yaml.SafeLoader.yaml_implicit_resolvers

_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}


def dump(data: Any) -> str:
    """Return data as a YAML document in block style, keys in their order, no line folded.

    Args:
        data: None, bool, int, float, str, and lists and dicts (with keys of text) of them.

    Raises:
        TypeError: there is something else in it.
        ValueError: a text is not Unicode (a lone surrogate), or a number has more digits than readers take.
    """
    lines: list[str] = []
    if isinstance(data, dict) and data:
        _mapping(lines, data, "", "")
    elif isinstance(data, list | tuple) and data:
        _sequence(lines, data, "", "")
    else:
        _leaf(lines, "", data, "")
    return "\n".join(lines) + "\n"


def _mapping(lines: list[str], data: dict[str, Any], lead: str, indent: str) -> None:
    """Write keys and values; ``lead`` is what stands before the first key on its line."""
    for key, value in data.items():
        if not isinstance(key, str):
            message = f"a key of a mapping must be text, and this is {type(key).__name__}"
            raise TypeError(message)
        written = _text(key)
        if len(written) > _LONGEST_KEY:
            lines.append(f"{lead}? {written}")
            head = f"{indent}:"
        else:
            head = f"{lead}{written}:"
        lead = indent
        inner = indent + "  "
        if isinstance(value, dict) and value:
            lines.append(head)
            _mapping(lines, value, inner, inner)
        elif isinstance(value, list | tuple) and value:
            lines.append(head)
            _sequence(lines, value, inner, inner)
        else:
            _leaf(lines, head + " ", value, indent)


def _sequence(lines: list[str], data: list[Any] | tuple[Any, ...], lead: str, indent: str) -> None:
    for item in data:
        inner = indent + "  "
        if isinstance(item, dict) and item:
            _mapping(lines, item, f"{lead}- ", inner)
        elif isinstance(item, list | tuple) and item:
            _sequence(lines, item, f"{lead}- ", inner)
        else:
            _leaf(lines, f"{lead}- ", item, indent)
        lead = indent


def _leaf(lines: list[str], lead: str, value: Any, indent: str) -> None:
    if not isinstance(value, str):
        lines.append(lead + _word(value))
    elif "\n" in value and _is_literal(value):
        _literal(lines, lead, value, indent + "  ")
    else:
        lines.append(lead + _text(value))


def _word(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            written = str(value)
            if len(written) > MAX_DIGITS:
                message = f"a number of {len(written)} digits cannot be written"
                raise ValueError(message)
            return written
        case float():
            return _float(value)
        case dict():
            return "{}"
        case list() | tuple():
            return "[]"
        case _:
            message = f"plain data is needed, and this is {type(value).__name__}"
            raise TypeError(message)


def _float(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    written = repr(value)
    # YAML 1.1 takes 1e+16 for text: its numbers have a point.
    return written if "." in written else written.replace("e", ".0e")


@functools.lru_cache(maxsize=4096)
def _text(text: str) -> str:
    """Return a text on one line, in quotes where it needs them."""
    if not text.isprintable():
        return '"' + "".join(map(_escaped, text)) + '"'
    if _is_safe_without_quotes(text):
        return text
    return "'" + text.replace("'", "''") + "'"


def _is_safe_without_quotes(text: str) -> bool:
    if not _PLAIN.fullmatch(text) or _SPLIT.search(text) or text.startswith("..."):
        return False
    if text in _SHORT_BOOLEANS or resolve(text) is not text:
        return False
    return not any(pattern.match(text) for _, pattern in _RESOLVERS.get(text[0], ()))


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004 - surrogates
        message = f"the text is not Unicode: it holds the lone surrogate U+{code:04X}"
        raise ValueError(message)
    if code <= 0xFF:  # noqa: PLR2004
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004


def _is_literal(text: str) -> bool:
    """Whether a literal block gives the text exactly: nothing in it needs an escape, and there is something."""
    return not text.isspace() and all(line.replace("\t", " ").isprintable() for line in text.split("\n"))


def _literal(lines: list[str], lead: str, text: str, indent: str) -> None:
    body = text.rstrip("\n")
    # Where the first line is indented itself, the reader has to be told how far the block is.
    depth = "2" if body.lstrip("\n")[0] in " \t" else ""
    ending = {0: "-", 1: ""}.get(len(text) - len(body), "+")
    lines.append(f"{lead}|{depth}{ending}")
    lines.extend(indent + line if line else "" for line in body.split("\n"))
    lines.extend([""] * (len(text) - len(body) - 1))
