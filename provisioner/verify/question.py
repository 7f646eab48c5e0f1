"""What every check needs: a node to ask, and the reading of its answer.

A check is a pipeline of commands and a pure reading of the result. An error of the node is never read as
"absent": only an error that the command documents for a missing thing may become False.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from provisioner.errors import CommandError, NodeError
from provisioner.transport.base import ErrorRecord, Pipeline, Record, Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from provisioner.addresses import NodeName


class AskedNode(Protocol):
    """One node, as a check sees it."""

    @property
    def node(self) -> NodeName:
        """The name that stands in every message."""
        ...

    def ask(self, pipeline: Pipeline) -> Result:
        """Return the answer of the node; asking the same twice gives the same answer.

        Raises:
            TransportError: the node cannot be reached.
        """
        ...


def errors_of(result: Result) -> tuple[ErrorRecord, ...]:
    """Return every error of a result, the terminating one last."""
    return result.errors + ((result.terminated,) if result.terminated else ())


def output_of(asked: AskedNode, pipeline: Pipeline) -> tuple[Any, ...]:
    """Return the output of a pipeline that must not fail.

    Raises:
        CommandError: the command reported an error, terminating or not.
    """
    result = asked.ask(pipeline)
    for error in errors_of(result):
        raise CommandError(asked.node, str(pipeline), error.message, error.error_id, error.category)
    return result.output


def table_of(asked: AskedNode, pipeline: Pipeline) -> tuple[Record, ...]:
    """Return the objects of a pipeline that must not fail and gives objects with properties only.

    Raises:
        CommandError: the command reported an error.
        NodeError: something else than an object came back.
    """
    rows = output_of(asked, pipeline)
    for row in rows:
        if not isinstance(row, Record):
            raise NodeError(
                asked.node, f"{pipeline} gave a value of type {type(row).__name__} where an object was due"
            )
    return rows


def only_row(node: NodeName, rows: Sequence[Record], what: str) -> Record:
    """Return the one row there is.

    Raises:
        NodeError: there is none, or more than one (Windows allows two switches of one name).
    """
    if not rows:
        raise NodeError(node, f"there is no {what}")
    if len(rows) > 1:
        raise NodeError(node, f"there is more than one {what}")
    return rows[0]


def named(rows: Iterable[Record], column: str, name: str) -> tuple[Record, ...]:
    """Return the rows whose ``column`` is ``name`` without regard to case, as Windows compares names."""
    wanted = name.casefold()
    return tuple(row for row in rows if str(row.get(column, "")).casefold() == wanted)


def text_of(value: Any) -> str:
    """Return the text of a value; an enumeration arrives as an object whose text is the name of its member."""
    if isinstance(value, Record):
        return value.text
    return "" if value is None else str(value)


def items_of(value: Any) -> tuple[Any, ...]:
    """Return a property that holds several values as a tuple; PowerShell may give one value bare."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list | tuple) else (value,)
