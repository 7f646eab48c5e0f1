"""Variables and functions as expressions see them, and what a scalar or a text file makes of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.utils import missing

from provisioner.expressions.bounds import MAX_STEPS, ExpressionError, bound, check_plain, kind_of
from provisioner.expressions.compiling import RESULT, compiled_scalar, compiled_template, line_of
from provisioner.expressions.filters import STEPS
from provisioner.expressions.sandbox import UndefinedUse, environment

_MARK: Final = re.compile(r"\{\{|\{%")


def is_expression(text: str) -> bool:
    """Return whether evaluating the text could yield anything but the text itself."""
    return _MARK.search(text) is not None


class Expressions:
    """Variables and functions that expressions see.

    Args:
        variables: Plain data (None, bool, int, float, str, list, tuple, dict), or objects whose public
            attributes may be read. A variable hides a function of the same name.
        functions: Called with plain data; an ``ExpressionError`` they raise passes through unchanged.
    """

    def __init__(
        self, variables: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]] | None = None
    ) -> None:
        self._names: dict[str, Any] = {**(functions or {}), **variables}
        self._seen: dict[str, Any] | None = None

    def evaluate(self, text: str) -> Any:
        """Return what one scalar means; see the package's docstring for its type.

        Raises:
            ExpressionError: The text is no valid expression, a name is undefined, the evaluation fails, the
                result is not plain data, or one of the bounds is hit.
        """
        if not is_expression(text):
            return text
        compiled, is_whole = compiled_scalar(text)
        if not is_whole:
            return self._text(compiled)
        context = self._context(compiled)
        try:
            for _ in compiled.root_render_func(context):
                pass  # one assignment; it writes nothing
            value = context.vars[RESULT]
            check_plain(value)
        except Exception as error:  # noqa: BLE001 - anything a user's expression can provoke
            raise self._translated(error) from None
        return value

    def render(self, template_text: str) -> str:
        """Return a text file made from a template. The last line end is kept, and so is every space.

        Raises:
            ExpressionError: As for ``evaluate``; ``offset_line`` is the line of the template.
        """
        return self._text(compiled_template(template_text))

    def _text(self, compiled: jinja2.Template) -> str:
        context = self._context(compiled)
        chunks: list[str] = []
        size = 0
        try:
            for chunk in compiled.root_render_func(context):
                size += len(chunk)
                bound(size)
                chunks.append(chunk)
        except Exception as error:  # noqa: BLE001 - anything a user's template can provoke
            raise self._translated(error) from None
        return "".join(chunks)

    def _context(self, compiled: jinja2.Template) -> Context:
        """Return a context of its own for one evaluation; what it only reads is shared by all of them."""
        sandbox = environment()
        if self._seen is None:
            self._seen = {**sandbox.globals, **self._names}
        context = Context(sandbox, self._seen, compiled.name, compiled.blocks)
        context.vars[STEPS] = iter(range(MAX_STEPS))
        return context

    def _translated(self, error: Exception) -> ExpressionError:
        if isinstance(error, ExpressionError):
            if error.offset_line is None:
                error.offset_line = line_of(error)
            return error
        line = line_of(error)
        match error:
            case UndefinedUse() if error.owner is missing:
                known = tuple(sorted(self._names))
                return ExpressionError(
                    f"The variable '{error.name}' is not defined.", line, error.name, known
                )
            case UndefinedUse():
                owner = error.owner
                known = tuple(sorted(map(str, owner))) if isinstance(owner, Mapping) else ()
                kind = kind_of(owner)
                return ExpressionError(f"'{error.name}' does not exist in {kind}.", line, error.name, known)
            case SecurityError():
                return ExpressionError(str(error), line)
            case RecursionError():
                return ExpressionError("The expression is nested too deeply.", line)
            case MemoryError():
                return ExpressionError("The expression needs too much memory.", line)
            case _:
                said = str(error) or type(error).__name__
                return ExpressionError(f"The expression fails: {said}", line)
