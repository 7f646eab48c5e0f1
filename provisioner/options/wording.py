"""What an option wants, in words."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

_PLAIN: Mapping[str, str] = {
    "Boolean": "true or false",
    "Hostname": "the name of a host",
    "HostAddress": "an IP address or the name of a host",
    "HostDomain": "an IP address or the name of a host",
    "Integer": "a whole number",
    "Float": "a number",
    "Port": "a port number",
    "Range": "a range, such as 1-10",
    "text": "text",
    "any": "another value",
}


def wanted(facts: Mapping[str, Any]) -> str:
    """Return what a type takes, as in "a whole number of at least 1"."""
    kind = facts["type"]
    if "choices" in facts:
        return f"one of {', '.join(map(str, facts['choices']))}"
    match kind:
        case "Integer" | "Float" | "Port" | "Range":
            return _PLAIN[kind] + _limits(facts)
        case "IPAddress":
            return f"an IPv{facts['version']} address" if "version" in facts else "an IP address"
        case "URI":
            schemes = f" that starts with {' or '.join(facts['schemes'])}" if "schemes" in facts else ""
            return f"a URI with its scheme and host{schemes}"
        case "List":
            around = " between '[' and ']'" if facts.get("bounds") else ""
            return f"values separated by commas{around}, each {wanted(facts['item_type'])}"
        case "Dict":
            around = " between '{' and '}'" if facts.get("bounds") else ""
            mark = facts.get("key_value_separator", ":")
            return (
                f"pairs name{mark}value separated by commas{around}, each value {wanted(facts['value_type'])}"
            )
        case "String" | "MultiString":
            return _text(facts)
        case _:
            return _PLAIN[kind]


def suggestion(seen: str, known: Iterable[str]) -> str:
    """Return "Did you mean 'x'?" for the closest word, else nothing: the full list is too long to be of use."""
    words = {word.casefold(): word for word in known if word != seen}
    close = difflib.get_close_matches(seen.casefold(), words, n=1, cutoff=0.7)
    return f"Did you mean '{words[close[0]]}'?" if close else ""


def _limits(facts: Mapping[str, Any]) -> str:
    lowest, highest = facts.get("min"), facts.get("max")
    if lowest is not None and highest is not None:
        return (
            f" from {lowest:g} to {highest:g}" if facts["type"] == "Float" else f" from {lowest} to {highest}"
        )
    if lowest is not None:
        return f" of at least {lowest}"
    return f" of at most {highest}" if highest is not None else ""


def _text(facts: Mapping[str, Any]) -> str:
    if "regex" in facts:
        return f"text with the pattern {facts['regex']}"
    if "max_length" in facts:
        return f"text of at most {facts['max_length']} characters"
    return "text whose quotes are closed" if facts.get("quotes") else "text"
