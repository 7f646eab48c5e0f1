"""Evaluate what a role says of one node beyond its resources, and find the place that is to blame for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.diagnostics import did_you_mean
from provisioner.documents import Mapping, Scalar, Sequence
from provisioner.expressions import ExpressionError, Expressions
from provisioner.roles.checking.values import filled, quotable
from provisioner.roles.reading.statements import unknown_variable

if TYPE_CHECKING:
    from provisioner.diagnostics import Diagnostics, SourceRange
    from provisioner.documents import Tree
    from provisioner.roles.model import Reference, Role
    from provisioner.roles.statements.binding import RolesOfNode


class Asking:
    """Evaluates the statements of one role on one node; problems with them are told at the role's file."""

    def __init__(self, of_node: RolesOfNode, role: Role, site: str, problems: Diagnostics) -> None:
        self.of_node = of_node
        self.role = role
        self.seen = of_node.seen_by(role, site)
        self.problems = problems

    def plain(self, tree: Tree, names: dict[str, Any] | None = None) -> Any:
        """Return what a tree means: expressions evaluated, everything else as it stands.

        Raises:
            ExpressionError: One of them cannot be evaluated; the problem is recorded.
        """
        return _plain(tree, self, Expressions({**self.seen, **(names or {})}))

    def where(self, variable: Reference | None, item: tuple[int, Any] | None = None) -> SourceRange:
        """Return the place to blame: the variable's value in the inventory, or else where the role is used.

        ``item`` is the place in a list that is gone through, and what stands there.
        """
        use = self.of_node.used_at[self.role.name]
        given = self.of_node.given(self.role, variable.name) if variable else None
        if given is None:
            return use
        declared, located = given
        path: tuple[int, ...] = ()
        if item is not None and isinstance(located.value, list):
            parts = filled(declared, located.value)
            index, part = item
            if not (index < len(parts) and parts[index] == part):
                index = parts.index(part) if part in parts else -1
            path = (index,) if index >= 0 else ()
        return quotable(declared, located, located.origin(*path))

    def knows(self, variable: Reference | None) -> bool:
        """Whether the role sees the variable an entry names; it is an error when it does not."""
        if variable is None or self.of_node.variable(self.role, variable.name):
            return True
        known = [name for name in self.seen if name not in {"node", "site"}]
        unknown_variable(variable, known, self.problems)
        return False

    def report(self, error: ExpressionError, where: SourceRange) -> None:
        """Say why an expression has no value."""
        if error.undefined_name is not None:
            help_ = did_you_mean(error.undefined_name, error.known)
            self.problems.error("Unknown name in an expression", error.message, where, help_)
        else:
            detail = f"On node '{self.of_node.node.name}': {error.message}"
            self.problems.error("Expression cannot be evaluated", detail, where)


def _plain(tree: Tree, asking: Asking, expressions: Expressions) -> Any:
    match tree:
        case Mapping():
            return {entry.name: _plain(entry.value, asking, expressions) for entry in tree.entries}
        case Sequence():
            return [_plain(item, asking, expressions) for item in tree.items]
        case Scalar(value=str() as text):
            try:
                return expressions.evaluate(text)
            except ExpressionError as error:
                asking.report(error, tree.where)
                raise
        case Scalar():
            return tree.value
