"""Evaluate one scalar as a Jinja2 expression with native types, and render text templates.

The rule of the room: an expression is a pure function of its variables. It has no clock, no dice, no files
and no way to change a value; what it may cost is bounded in text size, number size and loop steps.

What a scalar yields:

- without ``{{`` or ``{%``: its own text, untouched. ``[concat('a')]`` and ``{# #}`` are text as well.
- exactly one ``{{ expression }}``: the value itself, with its Python type. The line end that a block scalar
  leaves behind does not count; any other character beside the braces does.
- anything else: text, always. ``{{ major }}.{{ minor }}`` is the text ``1.0`` and never a number.

Variables are data: braces inside their values are never evaluated. Everything here is a list of what is
allowed (methods, filters, statements), since Jinja2's sandbox bounds neither size nor time.
"""

from __future__ import annotations

from provisioner.expressions.bounds import (
    MAX_DEPTH,
    MAX_INTEGER_BITS,
    MAX_SIZE,
    MAX_STEPS,
    ExpressionError,
)
from provisioner.expressions.evaluation import Expressions, is_expression
from provisioner.expressions.names import literal_arguments, names_in
from provisioner.expressions.overlaying import OverlayError

__all__ = [
    "MAX_DEPTH",
    "MAX_INTEGER_BITS",
    "MAX_SIZE",
    "MAX_STEPS",
    "ExpressionError",
    "Expressions",
    "OverlayError",
    "is_expression",
    "literal_arguments",
    "names_in",
]
