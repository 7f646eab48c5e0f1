"""Plain values as the texts of a configuration file, which evaluate to exactly these values again."""

from __future__ import annotations

import re
from typing import Any

from provisioner.expressions import is_expression

#: What begins something, or ends a line in a way that evaluation would change.
_SPECIAL = re.compile(r"\{[{%#\r]+|\r[{%#\r]*")
#: Yields nothing; beside it an expression is never the whole of a text.
_NOTHING = "{{ '' }}"


def literal(text: str) -> str:
    """Return what stands in a configuration file for a text: itself unless it looks like an expression."""
    if not is_expression(text):
        return text
    escaped = _SPECIAL.sub(_quoted, text)
    # The line end behind a text that is one expression does not count, and here it does.
    return _NOTHING + escaped if escaped.startswith("{{") and escaped.endswith("\n") else escaped


def literals(data: Any) -> Any:
    """Return plain data with every text made literal. Keys are never evaluated."""
    match data:
        case str():
            return literal(data)
        case dict():
            return {key: literals(value) for key, value in data.items()}
        case list() | tuple():
            return [literals(item) for item in data]
        case _:
            return data


def _quoted(found: re.Match[str]) -> str:
    written = found[0].replace("\r", "\\r")
    return f"{{{{ '{written}' }}}}"
