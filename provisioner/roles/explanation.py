"""Why each variable of a node has its value: the inventory's layers, and the roles' defaults below them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from provisioner.documents import Tree, plain, step_into
from provisioner.inventory.explanation import Explained, Given, narrowed, parts, safe
from provisioner.inventory.ladder import values_of
from provisioner.inventory.masking import HIDDEN
from provisioner.inventory.merge import is_null
from provisioner.inventory.model import LayerKind
from provisioner.inventory.strategies import REPLACE, Mode
from provisioner.roles import layering
from provisioner.roles.secret_variables import is_secret_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from provisioner.inventory.explanation import IsSecret, Path
    from provisioner.inventory.model import Node
    from provisioner.roles.model import Role, Variable

SECTION: Final = "variables"
#: The layer of a variable nobody gives a value.
NOT_SET: Final = "nowhere: it is required and not set"


def explain_variables(node: Node, roles: Mapping[str, Role], path: Path = ()) -> Iterator[Explained]:
    """Yield the variables of a node: those its roles have, then those no role of it has.

    Args:
        node: The node.
        roles: Its roles with all they require.
        path: The name of a variable, and keys and indexes below it; empty for all. What is not there is left out.
    """
    uses: dict[str, list[tuple[Role, Variable]]] = {name: [] for name in node.variables}
    for role in roles.values():
        for variable in role.variables.values():
            uses.setdefault(variable.name, []).append((role, variable))
    for name in sorted(uses, key=lambda name: not uses[name]):
        if not path or path[0] == name:
            found = _One(name, node, path[1:]).explain(uses[name])
            yield from (each for each in found if each is not None)


@dataclass(frozen=True, slots=True)
class _One:
    """One variable of one node, or a part of it."""

    name: str
    node: Node
    below: Path

    def explain(self, uses: list[tuple[Role, Variable]]) -> Iterator[Explained | None]:
        values = [(str(layer), tree) for layer, tree in values_of(self.name, self.node.layers)]
        if not uses:
            located = self.node.variables[self.name]
            is_merged = bool(self.node.rules and self.node.rules.at(self.name))
            assert located.tree is not None
            yield self._merged(None, located.tree, values) if is_merged else self._replaced(values, [])
        elif any(layering.is_merged(variable, self.node) for _, variable in uses):
            for role, variable in uses:
                yield self._for_role(role, variable, values, is_alone=len(uses) == 1)
        elif values and not is_null(values[-1][1]):
            yield self._replaced(values, uses)
        else:
            for role, variable in uses:
                is_alone = all(other.default == variable.default for _, other in uses)
                yield self._default(role, variable, values, is_alone=is_alone)
                if is_alone:
                    break

    def _for_role(
        self, role: Role, variable: Variable, values: list[tuple[str, Tree]], *, is_alone: bool
    ) -> Explained | None:
        given = layering.given(variable, self.node)
        if given is None:
            return self._default(role, variable, values, is_alone=is_alone)
        if not layering.is_merged(variable, self.node):
            return self._replaced(values, [(role, variable)], "" if is_alone else str(role.name))
        assert given.tree is not None
        kept = {id(tree) for tree in layering.contributions(variable, self.node)}
        default = variable.default_tree
        widest = [(_label(role), default)] if default is not None and not variable.is_required else []
        layers = [*widest, *((label, tree) for label, tree in values if id(tree) in kept)]
        return self._merged(variable, given.tree, layers, "" if is_alone else str(role.name))

    def _merged(
        self, variable: Variable | None, whole: Tree, values: list[tuple[str, Tree]], role: str = ""
    ) -> Explained | None:
        part = step_into(whole, self.below)
        if part is None:
            return None
        hides = _hides(variable)
        found = parts(part, values, self.name, self.below, is_secret=hides)
        there = [each.given for each in found if each.taken_by is None]
        labels = [label for label, _ in values if any(given.layer == label for given in there)]
        value = safe(plain(part), self._names, is_secret=hides)
        if [each.path for each in found] == [()]:  # one value, whole
            is_reference = self._is_reference(hides, value)
            given, over = found[0].given, found[0].over
            return Explained(SECTION, self._names, given, over, role=role, is_reference=is_reference)
        return Explained(
            SECTION,
            self._names,
            Given((labels or [values[-1][0]])[-1], value, part.where),
            merged=self._strategy(variable),
            parts=found,
            role=role,
            is_reference=self._is_reference(hides, value),
        )

    def _replaced(
        self, values: list[tuple[str, Tree]], uses: list[tuple[Role, Variable]], role: str = ""
    ) -> Explained | None:
        defaults = [
            (_label(role), variable.default_tree)
            for role, variable in uses
            if variable.default_tree is not None and not variable.is_required
        ]
        nearest = step_into(values[-1][1], self.below)
        if nearest is None:
            return None
        layers = narrowed([*defaults, *values], self.below)
        hides = _hides(*(variable for _, variable in uses))
        first, *over = [
            Given(label, safe(plain(tree), self._names, is_secret=hides), tree.where)
            for label, tree in reversed(layers)
        ]
        return Explained(
            SECTION,
            self._names,
            first,
            tuple(over),
            role=role,
            is_reference=self._is_reference(hides, first.value),
        )

    def _default(
        self, role: Role, variable: Variable, values: list[tuple[str, Tree]], *, is_alone: bool
    ) -> Explained | None:
        """Explain a variable that only has its default; a null in the inventory is a fall back on it."""
        nulls = tuple(Given(label, None, tree.where) for label, tree in reversed(values) if is_null(tree))[:1]
        hides = _hides(variable)
        given = Given(NOT_SET if variable.is_required else _label(role), None, variable.where)
        if variable.default_tree is not None and not variable.is_required:
            part = step_into(variable.default_tree, self.below)
            if part is None:
                return None
            value = safe(plain(part), self._names, is_secret=hides)
            given = Given(_label(role), value, part.where)
        elif self.below:
            return None
        return Explained(
            SECTION,
            self._names,
            given,
            nulls,
            role="" if is_alone else str(role.name),
            is_reference=self._is_reference(hides, given.value),
        )

    def _is_reference(self, hides: IsSecret, value: Any) -> bool:
        """Whether a value consists of references: it is one, or all of its parts are."""
        parts = list(_paths(value, self._names))
        return bool(parts) and all(map(hides, parts)) and HIDDEN not in str(value)

    @property
    def _names(self) -> Path:
        return (self.name, *self.below)

    def _strategy(self, variable: Variable | None) -> str:
        """Name what counts at this path: a rule for it, or what is inherited from above."""
        strategy = (variable.merge if variable else None) or REPLACE
        rules = self.node.rules.at(self.name)
        for step in self.below:
            strategy = rules.strategy or strategy
            strategy = strategy if strategy.mode is Mode.DEEP else REPLACE
            rules = rules.at(str(step))
        strategy = rules.strategy or strategy
        is_on_the_way = strategy.mode is Mode.REPLACE and rules.go_deeper
        return "by the rules below it" if is_on_the_way else strategy.mode.value


def _paths(value: Any, names: Path) -> Iterator[Path]:
    """Yield the path of every single value that is no user of a credential."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _paths(part, (*names, name)) if name != "user" else ()
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _paths(part, (*names, index))
    else:
        yield names


def _label(role: Role) -> str:
    return f"{LayerKind.ROLE.value} {role.name}"


def _hides(*variables: Variable | None) -> IsSecret:
    """Return what says of a path, the name of the variable first, whether a secret belongs there."""
    known = [variable for variable in variables if variable is not None]
    return lambda names: any(is_secret_at(variable, names[1:]) for variable in known)
