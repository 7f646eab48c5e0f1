"""What the YAML parser says about a broken text, in sentences that say what to do."""

from __future__ import annotations

import re
from typing import Final

import yaml

from provisioner.diagnostics import Diagnostics, SourceFile, SourceRange

#: What the YAML parser says -> what it means here, and what to do.
_ADVICE: Final = (
    (
        "found unknown escape character",
        "Inside double quotes a backslash starts an escape, and this one does not exist.",
        "Write Windows paths in single quotes or without quotes: 'C:\\Temp'.",
    ),
    (
        "did not find expected hexdecimal number",
        "Inside double quotes '\\x' and '\\u' need hexadecimal digits.",
        "Write Windows paths in single quotes or without quotes: 'C:\\Temp'.",
    ),
    (
        "mapping values are not allowed",
        "A ': ' stands where no key can be.",
        "Put text that contains ': ' in quotes, or check the indentation of this line and the one before.",
    ),
    (
        "found unexpected end of stream",
        "The quote that opens here is never closed.",
        "Close it.",
    ),
    (
        "expected ',' or ']'",
        "The list that opens with '[' is not closed, or a comma is missing.",
        "Close it with ']'; text with brackets, braces or commas in it goes in quotes.",
    ),
    (
        "expected ',' or '}'",
        "The mapping that opens with '{' is not closed, or a comma is missing.",
        "Close it with '}'; text with braces in it goes in quotes.",
    ),
    (
        "could not find expected ':'",
        "A key needs ': ' after it.",
        "Add it, or indent the line so that it belongs to the text before.",
    ),
    (
        "did not find expected key",
        "A key is expected here, at the depth of the keys before it.",
        "Check the indentation of this line, and quotes that end too early.",
    ),
    (
        "did not find expected '-' indicator",
        "An item of the list is expected here, and it has to start with '- '.",
        "Check the indentation of this line.",
    ),
    (
        "block sequence entries are not allowed",
        "A list cannot start here.",
        "Put '- ' on a line of its own below the key.",
    ),
)


def syntax_error(error: yaml.MarkedYAMLError, text: str, source: SourceFile, problems: Diagnostics) -> None:
    """Add what is wrong; nothing when a problem in the same line is known already."""
    problem = error.problem or "it is not YAML"
    mark = error.problem_mark or error.context_mark
    if error.context_mark and ("end of stream" in problem or "expected ':'" in problem):
        mark = error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    if any(known.where and known.where.line == line for known in problems):
        return  # a follow-up, mostly of an expression without quotes
    lines = text.splitlines()
    where = SourceRange(source, line, column, line, column + 1)
    written = lines[line - 1] if line <= len(lines) else ""
    character = written[column - 1 : column]
    detail = f"The YAML reader says: {' '.join(filter(None, (error.context, problem)))}."
    advice = "Check quotes, brackets and indentation here and in the line before."
    if "cannot start any token" in problem and character == "\t":
        detail, advice = "A tab stands where YAML wants spaces.", "Indent with spaces."
    elif "cannot start any token" in problem:
        detail = f"A value without quotes cannot start with '{character}'."
        advice = "Put it in quotes."
    for said, meaning, help_ in _ADVICE:
        if said in problem:
            detail, advice = meaning, help_
            break
    if re.search(r"(?:^|[:\-\[,])\s*\{\{", written):
        advice = "Put a value that starts with an expression in quotes, the whole of it."
    problems.error("YAML cannot be read", detail, where, advice)
