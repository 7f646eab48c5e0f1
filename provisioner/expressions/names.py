"""Which names an expression reads, told from its text alone.

The answer may name more than is ever looked up (a loop's own variable, a branch that is not taken), never less:
there is no statement and no function by which an expression could reach a variable without writing its name.
"""

from __future__ import annotations

import functools

from jinja2 import nodes

from provisioner.expressions.bounds import ExpressionError
from provisioner.expressions.compiling import parsed


@functools.lru_cache(maxsize=16384)
def names_in(text: str) -> frozenset[str] | None:
    """Return the names of variables and functions a scalar or a text template reads; None when it is no code."""
    try:
        return frozenset(name.name for name in parsed(text).find_all(nodes.Name))
    except ExpressionError:
        return None


@functools.lru_cache(maxsize=1024)
def literal_arguments(text: str, function: str) -> tuple[str, ...] | None:
    """Return the texts a function is called with, each being its only argument.

    None when one of them is not written out, or when the function is more than called: then nothing is known.
    """
    try:
        tree = parsed(text)
    except ExpressionError:
        return None
    found = []
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == function:
            match call.args, call.kwargs, call.dyn_args, call.dyn_kwargs:
                case [nodes.Const(value=str(argument))], [], None, None:
                    found.append(argument)
                case _:
                    return None
    uses = sum(name.name == function for name in tree.find_all(nodes.Name))
    return tuple(found) if uses == len(found) else None
