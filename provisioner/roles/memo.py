"""Remember what a resource template became, by the values of the variables it reads.

Most resources of a fleet are the same on most nodes. An expression is a pure function of the variables whose
names stand in it, so a template whose variables have the values of another node yields the very objects it
yielded there; whoever checks or emits them may remember by identity in turn.

The rule of the room: only what went without a problem is remembered, because messages name the node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.documents import scalars
from provisioner.expressions import ExpressionError, is_expression, literal_arguments, names_in
from provisioner.roles.literals import properties_of
from provisioner.roles.recent import Recent
from provisioner.roles.texts import TemplateTexts

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping
    from pathlib import Path

    from provisioner.documents import Tree
    from provisioner.options.faults import Fault
    from provisioner.roles.literals import Property
    from provisioner.roles.model import Declaration, LeftOut, Refusal, ResourceTemplate, Role

#: What a template became: its declarations, and what its condition left out.
Outcome = tuple[tuple["Declaration", ...], tuple["LeftOut", ...]]

_MOST = 8192
_MOST_FILES = 512
#: Nodes on which a template became something new each time, after which it is taken for node-specific. What is
#: remembered in vain costs more than time: it pushes out what other templates share.
_PATIENCE = 128
_ABSENT = ("absent",)


class Memo:
    """What templates became, the least needed forgotten; and the text files they read."""

    def __init__(self, most: int = _MOST) -> None:
        self.texts = TemplateTexts()
        #: What a role was seen not to refuse, by the statement and the values it reads.
        self.allowed: Recent[bool] = Recent(most)
        self._read: dict[int, tuple[Refusal, tuple[str, ...] | None]] = {}
        #: What is wrong with a configuration file, by its text, service and release.
        self.faults: Recent[tuple[Fault, ...]] = Recent(_MOST_FILES)
        self._outcomes: Recent[Outcome] = Recent(most)
        # By identity: comparing would compare whole trees. The template is kept, so its id stays its own.
        self._names: dict[int, tuple[ResourceTemplate, tuple[str, ...] | None]] = {}
        #: How often the outcome of a template was remembered since one was last needed again.
        self._in_vain: dict[int, int] = {}
        #: Folders of the roles that a role requires, by name; by identity too.
        self.required: dict[int, tuple[Role, dict[str, Path]]] = {}
        self._properties: dict[int, tuple[ResourceTemplate, tuple[Property, ...]]] = {}

    def key(
        self, role: Role, template: ResourceTemplate, values: Values, required: Mapping[str, Path]
    ) -> Hashable | None:
        """Return what the outcome of a template depends on; None when it will not come again on another node.

        ``required`` are the folders of the roles whose text files it may read too. So it
        is with a template that was new on every node so far, and when its text does not tell what it reads.
        """
        names = self.names(role, template, required)
        if names is None or self._in_vain.get(id(template), 0) >= _PATIENCE:
            return None
        return role.name, id(template), values.of(names)

    def names(
        self, role: Role, template: ResourceTemplate, required: Mapping[str, Path]
    ) -> tuple[str, ...] | None:
        """Return the names a template reads, those in its text files included; None when that cannot be told."""
        known = self._names.get(id(template))
        if known is None:
            known = self._names[id(template)] = (template, self._names_of(role, template, required))
        return known[1]

    def properties(self, template: ResourceTemplate) -> tuple[Property, ...]:
        """Return the properties of a template, with what those without expressions mean."""
        known = self._properties.get(id(template))
        if known is None:
            known = self._properties[id(template)] = (template, properties_of(template))
        return known[1]

    def get(self, key: Hashable, template: ResourceTemplate) -> Outcome | None:
        """Return what is remembered of a template."""
        found = self._outcomes.get(key)
        if found is not None:
            self._in_vain[id(template)] = -_MOST  # shared by some, so worth a longer patience
        return found

    def put(self, key: Hashable, template: ResourceTemplate, outcome: Outcome) -> None:
        """Remember an outcome that went without a problem."""
        self._in_vain[id(template)] = self._in_vain.get(id(template), 0) + 1
        self._outcomes.put(key, outcome)

    def key_of(self, refusal: Refusal, values: Values) -> Hashable | None:
        """Return what a refusal depends on; None when it is asked on each node anew."""
        known = self._read.get(id(refusal))
        if known is None:
            known = self._read[id(refusal)] = (refusal, _read_by(refusal))
        return None if known[1] is None else (id(refusal), values.of(known[1]))

    def _names_of(
        self, role: Role, template: ResourceTemplate, required: Mapping[str, Path]
    ) -> tuple[str, ...] | None:
        names: set[str] = set()
        for text in _texts(template):
            found = names_in(text)
            if found is None:
                return None
            names |= found
            if "template" not in found:
                continue
            for name in literal_arguments(text, "template") or (None,):
                inner = self._names_of_file(role, name, required)
                if inner is None:
                    return None
                names |= inner
        return tuple(sorted(names))

    def _names_of_file(
        self, role: Role, name: str | None, required: Mapping[str, Path]
    ) -> frozenset[str] | None:
        if name is None:
            return None
        try:
            text, _, _ = self.texts.read(role.folder, name, required)
        except ExpressionError:
            return None
        return None if text is None else names_in(text)


class Values:
    """The variables of one role on one node, as keys."""

    def __init__(self, variables: dict[str, Any]) -> None:
        self._variables = variables
        self._keys: dict[tuple[str, ...], Hashable] = {}
        self._frozen: dict[str, Hashable] = {}

    def of(self, names: tuple[str, ...]) -> Hashable:
        """Return a key that is equal exactly when these variables have equal values of equal types."""
        if names not in self._keys:
            self._keys[names] = tuple(map(self._one, names))
        return self._keys[names]

    def _one(self, name: str) -> Hashable:
        if name not in self._frozen:
            absent = name not in self._variables
            self._frozen[name] = _ABSENT if absent else frozen(self._variables[name])
        return self._frozen[name]


def frozen(value: Any) -> Hashable:
    """Return a value as a key: 1, 1.0 and true are equal to Python, and so are 0.0 and -0.0, but not here."""
    match value:
        case str():
            return value
        case dict():
            return ("dict", *((frozen(key), frozen(part)) for key, part in value.items()))
        case list() | tuple():
            return (type(value).__name__, *map(frozen, value))
        case None | bool() | int() | float():
            return (type(value).__name__, repr(value))
        case _:
            return (type(value).__name__, value)


def _read_by(refusal: Refusal) -> tuple[str, ...] | None:
    """Return the names a refusal decides by; None when that cannot be told, or when the node is among them."""
    names: set[str] = set()
    trees: list[Tree] = [refusal.when, *([refusal.for_each] if refusal.for_each else [])]
    for scalar in (scalar for tree in trees for scalar in scalars(tree)):
        found = names_in(scalar.value) if isinstance(scalar.value, str) else frozenset()
        if found is None or "node" in found:
            return None
        names |= found
    return tuple(sorted(names))


def _texts(template: ResourceTemplate) -> Iterator[str]:
    """Yield every text of a template that is an expression."""
    trees: list[Tree | None] = [template.name, template.condition, template.for_each, template.within]
    if template.options:
        trees += [template.options.service, template.options.release]
    trees += [*template.depends_on, *(tree for _, tree in template.properties)]
    for tree in trees:
        for scalar in scalars(tree) if tree else ():
            if isinstance(scalar.value, str) and is_expression(scalar.value):
                yield scalar.value
