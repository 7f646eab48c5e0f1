"""Evaluate the resources of one role for one node: expressions become values, conditions and loops decide.

An expression that yields null means "not set": the property, or the entry of ``dependsOn``, is left out.

Besides variables, expressions have two functions: ``template(name)`` is the text of a file in the role's
``templates`` folder, ``template('ROLE/name')`` one of a role that it requires, and ``resources(type, names)`` the
list of ``[Type]Name`` that ``dependsOn`` takes.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provisioner.addresses import ResourceId
from provisioner.diagnostics import Diagnostics, SourceRange, did_you_mean
from provisioner.documents import Mapping, Scalar, Sequence
from provisioner.expressions import ExpressionError, Expressions, OverlayError
from provisioner.roles.checking.services import PROPERTY, with_secrets_asked_for
from provisioner.roles.memo import Memo, Values
from provisioner.roles.model import (
    Declaration,
    DeclaredOptions,
    DeclaredProperty,
    LeftOut,
    Reference,
    Value,
    kind_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from collections.abc import Mapping as AbstractMapping
    from pathlib import Path

    from provisioner.documents import Tree
    from provisioner.roles.model import ResourceTemplate, Role


@dataclass(frozen=True, slots=True)
class Reach:
    """What the expressions of a role reach beyond its variables.

    ``required`` are the folders of the roles it requires, directly or not, by name. ``locate`` finds where a
    variable that an expression reads has a section, and an option, of a configuration file.
    """

    required: AbstractMapping[str, Path] = field(default_factory=dict)
    locate: Callable[[str, tuple[str, ...]], SourceRange | None] = lambda _text, _path: None


class _Scope:
    """What expressions see in one place. ``plain`` are the variables alone: text files have no functions."""

    def __init__(self, variables: dict[str, Any], template: Callable[[Any, _Scope], str]) -> None:
        functions: dict[str, Callable[..., Any]] = {
            "template": lambda name: template(name, self),
            "resources": lambda type_name, names: [f"[{type_name}]{name}" for name in names],
        }
        self.expressions = Expressions(variables, functions)
        self.plain = Expressions(variables)


class _Skip(Exception):
    """This resource cannot be evaluated further."""


class Evaluation:
    """The resources of one role on one node, being evaluated. Read the three results after ``run``."""

    def __init__(
        self,
        role: Role,
        variables: dict[str, Any],
        node_name: str,
        memo: Memo | None = None,
        reach: Reach | None = None,
    ) -> None:
        """Take what expressions see as ``variables``: those of the role, ``node`` and ``site``.

        ``memo`` is shared by the nodes of a fleet; then equal resources of two nodes are one object.
        """
        self.declarations: list[Declaration] = []
        self.left_out: list[LeftOut] = []
        self.problems = Diagnostics()
        self._role = role
        self._variables = variables
        self._node_name = node_name
        self._memo = memo or Memo()
        self._reach = reach or Reach()

    def run(self, resources: Iterable[ResourceTemplate]) -> None:
        """Evaluate resources in the order given."""
        everywhere = _Scope(self._variables, self._template)
        values = Values(self._variables)
        for template in resources:
            key = self._memo.key(self._role, template, values, self._reach.required)
            outcome = None if key is None else self._memo.get(key, template)
            if outcome is not None:
                self.declarations.extend(outcome[0])
                self.left_out.extend(outcome[1])
                continue
            before = len(self.declarations), len(self.left_out), len(self.problems)
            for scope in self._bindings(template, everywhere):
                with contextlib.suppress(_Skip):
                    self._declare(template, scope, may_recur=key is not None)
            if key is not None and len(self.problems) == before[2]:
                declared, left_out = self.declarations[before[0] :], self.left_out[before[1] :]
                self._memo.put(key, template, (tuple(declared), tuple(left_out)))

    def _bindings(self, template: ResourceTemplate, everywhere: _Scope) -> Iterator[_Scope]:
        """Yield what is seen in each turn of ``forEach``; one turn when there is none."""
        if template.for_each is None:
            yield everywhere
            return
        try:
            items = self._value(template.for_each, everywhere).data
        except _Skip:
            return
        if not isinstance(items, list | tuple):
            self.problems.error(
                "forEach is not a list",
                f"'forEach' needs a list, and this is {kind_of(items)}.",
                template.for_each.where,
            )
            return
        for index, item in enumerate(items):
            yield _Scope({**self._variables, "item": item, "index": index}, self._template)

    def _declare(self, template: ResourceTemplate, scope: _Scope, *, may_recur: bool) -> None:
        module, _, type_name = template.kind.text.partition("/")
        name = self._name(template, scope)
        if not self._condition(template, scope):
            self.left_out.append(LeftOut(type_name, name, template.where))
            return
        properties = []
        is_complete = True
        for name_of, tree, literal in self._memo.properties(template):
            try:
                value = literal or self._value(tree, scope)
            except _Skip:  # Go on: all problems at once.
                is_complete = False
                continue
            if value.data is not None:
                properties.append(DeclaredProperty(name_of, value))
        depends_on: list[Reference] = []
        for tree in template.depends_on:
            depends_on.extend(self._targets(tree, scope))
        within = self._within(template, scope)
        options = self._options(template, scope)
        if not is_complete:
            raise _Skip
        self.declarations.append(
            Declaration(
                role=self._role.name,
                module=module,
                type_name=type_name,
                name=name,
                properties=with_secrets_asked_for(properties) if options else tuple(properties),
                depends_on=tuple(depends_on),
                where=template.where,
                kind_where=template.kind.where,
                name_where=template.name.where,
                within=within,
                within_where=template.within.where if template.within else None,
                may_recur=may_recur,
                unite=tuple(Reference(each.text, each.where) for each in template.unite),
                options=options,
            )
        )

    def _options(self, template: ResourceTemplate, scope: _Scope) -> DeclaredOptions | None:
        """Return which service reads the text of the resource."""
        if template.options is None:
            return None
        texts = []
        for key, scalar in (("service", template.options.service), ("release", template.options.release)):
            found = self._scalar(scalar, scope)
            if not isinstance(found, str) or not found:
                self.problems.error(
                    "Wrong kind of value",
                    f"'{key}' of 'options' is text, and this is {kind_of(found) if found else 'empty'} on "
                    f"node '{self._node_name}'.",
                    scalar.where,
                )
                raise _Skip
            texts.append(found)
        written = [tree for key, tree in template.properties if key.text.casefold() == PROPERTY.casefold()]
        contents = written[0] if written and isinstance(written[0], Scalar) else None
        service, release = texts
        uses = template.options
        return DeclaredOptions(service, release, uses.service.where, uses.release.where, contents)

    def _targets(self, entry: Scalar, scope: _Scope) -> Iterator[Reference]:
        """Yield what an entry of ``dependsOn`` names: one resource, or several when it yields a list."""
        found = self._scalar(entry, scope)
        for target in found if isinstance(found, list | tuple) else [found]:
            if isinstance(target, str):
                yield Reference(target, entry.where)
            elif target is not None:
                self.problems.error(
                    "Dependency is not text",
                    f"An entry of 'dependsOn' is '[Type]Name', and this is {kind_of(target)}.",
                    entry.where,
                )

    def _within(self, template: ResourceTemplate, scope: _Scope) -> str:
        """Return ``[Composite]outer`` with which the resource's name goes on; empty when it stands alone."""
        if template.within is None:
            return ""
        found = self._scalar(template.within, scope)
        if found is None:
            return ""
        if isinstance(found, str) and ResourceId.parse(found):
            return found
        self.problems.error(
            "Composite has another form",
            f"'within' is '[Composite]name', and this is {kind_of(found)} of another form.",
            template.within.where,
        )
        raise _Skip

    def _name(self, template: ResourceTemplate, scope: _Scope) -> str:
        name = self._scalar(template.name, scope)
        if isinstance(name, str) and name.strip():
            return name
        seen = "empty" if isinstance(name, str) else kind_of(name)
        self.problems.error(
            "Resource name is not text",
            f"The name of a resource is text, and this is {seen} on node '{self._node_name}'.",
            template.name.where,
        )
        raise _Skip

    def _condition(self, template: ResourceTemplate, scope: _Scope) -> bool:
        if template.condition is None:
            return True
        result = self._value(template.condition, scope).data
        if isinstance(result, bool):
            return result
        self.problems.error(
            "Condition is not true or false",
            f"A condition yields true or false, and this yields {kind_of(result)} on node '{self._node_name}'.",
            template.condition.where,
            "Compare it with something, for example {{ name != '' }}.",
        )
        raise _Skip

    def _value(self, tree: Tree, scope: _Scope) -> Value:
        match tree:
            case Scalar():
                text = "" if isinstance(tree.value, str) else tree.text
                return Value(self._scalar(tree, scope), tree.where, text=text)
            case Sequence():
                items = tuple(self._value(item, scope) for item in tree.items)
                return Value(tuple(item.data for item in items), tree.where, items)
            case Mapping():
                entries = tuple(
                    (Reference(entry.name, entry.key.where), self._value(entry.value, scope))
                    for entry in tree.entries
                )
                return Value({key.name: part.data for key, part in entries}, tree.where, entries=entries)

    def _scalar(self, scalar: Scalar, scope: _Scope) -> Any:
        if not isinstance(scalar.value, str):
            return scalar.value
        try:
            return scope.expressions.evaluate(scalar.value)
        except _InTemplate:
            raise _Skip from None
        except OverlayError as error:
            self._report(error, self._reach.locate(scalar.value, error.path) or scalar.where)
            raise _Skip from None
        except ExpressionError as error:
            self._report(error, scalar.where)
            raise _Skip from None

    def _template(self, name: Any, scope: _Scope) -> str:
        """Render a text file of a ``templates`` folder with the variables of the expression."""
        text, source, problems = self._memo.texts.read(self._role.folder, name, self._reach.required)
        self.problems.extend(problems)
        if text is None:
            raise _InTemplate("The template cannot be read.")
        try:
            return scope.plain.render(text)
        except ExpressionError as error:
            line = error.offset_line or 1
            end = len(source.line(line)) + 1
            self._report(error, SourceRange(source, line, 1, line, end))
            raise _InTemplate(error.message) from None

    def _report(self, error: ExpressionError, where: SourceRange) -> None:
        if error.undefined_name is not None:
            help_ = did_you_mean(error.undefined_name, error.known)
            self.problems.error("Unknown name in an expression", error.message, where, help_)
        else:
            detail = f"On node '{self._node_name}': {error.message}"
            self.problems.error("Expression cannot be evaluated", detail, where)


class _InTemplate(ExpressionError):
    """A template failed; the reason is reported with its position in the template already."""
