"""Read what a role says beyond its resources: what it refuses, what has to be unique, whom a node waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.diagnostics import did_you_mean
from provisioner.roles.fields import Fields
from provisioner.roles.model import Reference, Refusal, Unique, Wait

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from provisioner.diagnostics import Diagnostics
    from provisioner.documents import Tree


class Statements:
    """Reads the statements of one role. ``variables`` are the names it sees; None when that is not known yet."""

    def __init__(self, variables: Collection[str] | None, problems: Diagnostics) -> None:
        self._variables = variables
        self._problems = problems

    def refusals(self, items: Sequence[Tree]) -> tuple[Refusal, ...]:
        """Read the entries of ``refuse``, in file order."""
        found = []
        for item in items:
            fields = Fields.of(item, "an entry of 'refuse'", self._problems)
            if fields is None:
                continue
            fields.only(("when", "reason", "help", "variable", "forEach"))
            when = fields.scalar("when")
            if when is None and fields.tree("when") is None:
                self._needs("refuse", "when", fields)
            reason = fields.required_text("reason")
            help_ = fields.text("help")
            variable = self._variable(fields)
            if when is not None and reason is not None:
                found.append(Refusal(when, reason, fields.where, variable, help_, fields.tree("forEach")))
        return tuple(found)

    def unique(self, items: Sequence[Tree]) -> tuple[Unique, ...]:
        """Read the entries of ``unique``."""
        found = []
        for item in items:
            fields = Fields.of(item, "an entry of 'unique'", self._problems)
            if fields is None:
                continue
            fields.only(("what", "value", "variable"))
            what = fields.required_text("what")
            value = fields.tree("value")
            if value is None:
                self._needs("unique", "value", fields)
            variable = self._variable(fields)
            if what is not None and value is not None:
                found.append(Unique(what.text.strip(), value, fields.where, variable))
        return tuple(found)

    def waits(self, items: Sequence[Tree]) -> tuple[Wait, ...]:
        """Read the entries of ``after``."""
        found = []
        for item in items:
            fields = Fields.of(item, "an entry of 'after'", self._problems)
            if fields is None:
                continue
            fields.only(("nodes", "reason"))
            nodes = fields.tree("nodes")
            if nodes is None:
                self._needs("after", "nodes", fields)
            reason = fields.required_text("reason")
            if nodes is not None and reason is not None:
                found.append(Wait(nodes, reason, fields.where))
        return tuple(found)

    def _needs(self, section: str, key: str, fields: Fields) -> None:
        detail = f"An entry of '{section}' needs the key '{key}'."
        self._problems.error("Missing key", detail, fields.where)

    def _variable(self, fields: Fields) -> Reference | None:
        """Return the variable that is to blame; None when none is named."""
        written = fields.text("variable")
        if written is None:
            return None
        if self._variables is not None and written.text not in self._variables:
            unknown_variable(Reference(written.text, written.where), self._variables, self._problems)
            return None
        return Reference(written.text, written.where)


def unknown_variable(named: Reference, known: Collection[str], problems: Diagnostics) -> None:
    """Say that a role names a variable it does not see."""
    problems.error(
        "Unknown variable",
        f"The role sees no variable '{named.name}'.",
        named.where,
        did_you_mean(named.name, known),
    )
