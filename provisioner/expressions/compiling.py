"""Text becomes code, once for each distinct text, with loops counted and statements refused."""

from __future__ import annotations

import functools
from typing import Final

import jinja2
from jinja2 import nodes

from provisioner.expressions.bounds import MAX_SIZE, ExpressionError
from provisioner.expressions.sandbox import COUNTED, environment

RESULT: Final = "_whole_scalar_"
#: What a template may consist of, beside plain loops. No macros, no recursive loops, no blocks that capture
#: text: with them a short template could run for ever, and none is needed to write a configuration file.
_STATEMENTS: Final = (nodes.Output, nodes.If, nodes.Assign, nodes.With)


@functools.lru_cache(maxsize=16384)
def compiled_scalar(text: str) -> tuple[jinja2.Template, bool]:
    """Return the code for a scalar and whether it is one whole expression."""
    whole = _without_line_end(text)
    tree = parsed(whole if whole is not None else text)
    if whole is None:
        return _code(tree), False
    output = tree.body[0]
    assert isinstance(output, nodes.Output)
    expression = output.nodes[0]
    assignment = nodes.Assign(nodes.Name(RESULT, "store"), expression, lineno=expression.lineno)
    whole_tree = nodes.Template([assignment], lineno=1)
    whole_tree.set_environment(environment())
    return _code(whole_tree), True


def _without_line_end(text: str) -> str | None:
    """Return the text when it is one whole expression, without the line end of a block scalar.

    Decided on Jinja2's own tokens, so braces inside string literals and comments cannot mislead.
    """
    text = text.removesuffix("\n")
    try:
        kinds = [kind for _, kind, _ in environment().lex(text)]
    except jinja2.TemplateError:
        return None  # reading it again tells what is wrong
    ends = (kinds[0], kinds[-1], kinds.count("variable_begin"))
    return text if ends == ("variable_begin", "variable_end", 1) else None


@functools.lru_cache(maxsize=256)
def compiled_template(text: str) -> jinja2.Template:
    """Return the code for a text file."""
    return _code(parsed(text))


def parsed(text: str) -> nodes.Template:
    """Read a text into a tree that holds nothing but what is allowed."""
    if len(text) > MAX_SIZE:
        raise ExpressionError(f"The text has more than {MAX_SIZE} characters.")
    try:
        tree = environment().parse(text)
        for statement in tree.find_all(nodes.Stmt):
            _check_statement(statement)
    except jinja2.TemplateSyntaxError as error:
        raise ExpressionError(f"This is not a valid expression: {_sentence(error)}", error.lineno) from None
    except RecursionError:
        raise ExpressionError("The expression is nested too deeply.") from None
    return tree


def _check_statement(statement: nodes.Stmt) -> None:
    """Refuse what is not on the list, and let loops count their steps."""
    if isinstance(statement, nodes.For) and not statement.recursive:
        line = statement.lineno
        statement.iter = nodes.Filter(statement.iter, COUNTED, [], [], None, None, lineno=line)
        statement.iter.set_environment(environment())
    elif not isinstance(statement, _STATEMENTS):
        name = type(statement).__name__
        raise ExpressionError(f"The statement '{name}' is not available here.", statement.lineno)


def _sentence(error: jinja2.TemplateSyntaxError) -> str:
    return f"{(error.message or 'it cannot be read').rstrip('.')}."


def _code(tree: nodes.Template) -> jinja2.Template:
    try:
        # Given a tree, Jinja2 does not read it again; the annotation only knows text.
        return environment().from_string(tree)
    except jinja2.TemplateSyntaxError as error:
        raise ExpressionError(f"This is not a valid expression: {_sentence(error)}", error.lineno) from None
    except (RecursionError, SyntaxError, MemoryError):
        raise ExpressionError("The expression is nested too deeply.") from None


def line_of(error: BaseException) -> int | None:
    """Return the template line where an error arose: the innermost frame of generated code."""
    line = None
    trace = error.__traceback__
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if isinstance(template, jinja2.Template):
            line = template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return line
