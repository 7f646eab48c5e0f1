"""The roles of one node with the values of their variables: those it has, and those that are undone on it.

Roles come in an order in which every required role precedes the one that requires it; those that are undone
come the other way round. A role sees its own variables and those of the roles it requires, directly or not; its
own win.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.addresses import RoleName
from provisioner.diagnostics import did_you_mean
from provisioner.roles import layering
from provisioner.roles.memo import Memo
from provisioner.roles.model import Reference
from provisioner.roles.variables import bind

if TYPE_CHECKING:
    from pathlib import Path

    from provisioner.diagnostics import Diagnostics, SourceRange
    from provisioner.inventory.model import Located, Node, RoleUse
    from provisioner.roles.loader import RoleLibrary
    from provisioner.roles.model import Role, Variable


class RolesOfNode:
    """The roles of one node, read and bound. ``problems`` gets all that is wrong with them."""

    def __init__(
        self, node: Node, library: RoleLibrary, problems: Diagnostics, memo: Memo | None = None
    ) -> None:
        self.node = node
        self.roles: dict[RoleName, Role] = {}
        self.undone: dict[RoleName, Role] = {}
        self.used_at: dict[RoleName, SourceRange] = {}
        self._library = library
        self._problems = problems
        self._known: dict[RoleName, Role] = {}
        self._failed: set[str] = set()
        for use in node.roles:
            self._visit(Reference(str(use.name), use.where), use.where, ())
        self.roles = dict(self._known)
        for use in node.decommission:
            self._take_leave(use)
        self.undone = {name: role for name, role in reversed(self._known.items()) if name in self.undone}
        self._values: dict[RoleName, dict[str, Any]] = {}
        self._seen: dict[RoleName, dict[str, Any]] = {}
        self.memo = memo or Memo()
        self._read: tuple[frozenset[str] | None] | None = None

    def all_values(self) -> dict[RoleName, dict[str, Any]]:
        """Bind every role, so that all that is wrong with any variable is known; return the values by role."""
        return {name: self.values(role) for name, role in self._known.items()}

    def values(self, role: Role) -> dict[str, Any]:
        """Return the values of a role's own variables."""
        if role.name not in self._values:
            needed = None if role.name in self.roles else self._read_by_undone()
            self._values[role.name], found = bind(role, self.node, self.used_at[role.name], needed)
            self._problems.extend(found)
        return self._values[role.name]

    def seen_by(self, role: Role, site: str) -> dict[str, Any]:
        """Return everything expressions of a role see: variables, ``node`` and ``site``."""
        facts = {
            "name": str(self.node.name),
            "address": self.node.connection.endpoint.host,
            "roles": [str(name) for name in self.roles],
        }
        return {**self._visible(role), "node": facts, "site": site}

    def required(self, role: Role) -> dict[str, Path]:
        """Return the folders of the roles that one requires, directly or not, by name."""
        known = self.memo.required.get(id(role))
        if known is None:
            found: dict[str, Path] = {}
            for reference in role.requires:
                needed = self._known.get(RoleName(reference.name))
                if needed and reference.name not in found:
                    found |= {reference.name: needed.folder, **self.required(needed)}
            known = self.memo.required[id(role)] = (role, found)
        return known[1]

    def given(self, role: Role, name: str) -> tuple[Variable, Located] | None:
        """Return what the inventory gives a variable that a role sees; None when that is its default alone."""
        variable = self.variable(role, name)
        located = layering.given(variable, self.node) if variable else None
        return (variable, located) if variable and located else None

    def variable(self, role: Role, name: str) -> Variable | None:
        """Return the variable of this name that a role sees."""
        if name in role.variables:
            return role.variables[name]
        found = None
        for required in role.requires:
            needed = self._known.get(RoleName(required.name))
            found = (self.variable(needed, name) if needed else None) or found
        return found

    def _visible(self, role: Role) -> dict[str, Any]:
        """Return the variables a role sees; whoever adds to them takes a copy."""
        if role.name in self._seen:
            return self._seen[role.name]
        seen: dict[str, Any] = {}
        for required in role.requires:
            needed = self._known.get(RoleName(required.name))
            if needed:
                seen |= self._visible(needed)
        self._seen[role.name] = seen | self.values(role)
        return self._seen[role.name]

    def _visit(self, reference: Reference, use: SourceRange, path: tuple[Reference, ...]) -> None:
        name = reference.name
        if name in self._known or name in self._failed:
            return
        names = [step.name for step in path]
        if name in names:
            circle = [*names[names.index(name) :], name]
            self._problems.error(
                "Roles require each other in a circle",
                f"These roles require each other: {' → '.join(circle)}.",
                reference.where,
                "Remove one of the 'requires' entries.",
            )
            return
        role, found = self._library.load(name)
        self._problems.extend(found)
        if role is None:
            self._failed.add(name)
            if not self._library.has(name):
                self._problems.error(
                    "Unknown role",
                    f"There is no role '{name}', neither in the project nor built in.",
                    reference.where,
                    did_you_mean(name, self._library.names),
                )
            return
        for required in role.requires:
            self._visit(required, use, (*path, reference))
        self._known[role.name] = role
        self.used_at[role.name] = use

    def _take_leave(self, use: RoleUse) -> None:
        """Take a role that is to be undone, and read those whose variables it sees."""
        needing = [str(role.name) for role in self.roles.values() if use.name in _names(role)]
        if use.name in self.roles:
            self._problems.error(
                "Role is needed and undone",
                f"Node '{self.node.name}' has the role '{use.name}', which is to be undone on it: "
                + (f"'{needing[0]}' requires it." if needing else "it stands under 'roles' as well."),
                use.where,
                f"Take '{needing[0] if needing else use.name}' from the node too, or leave this entry out.",
            )
            return
        self._visit(Reference(str(use.name), use.where), use.where, ())
        role = self._known.get(use.name)
        if role is None:
            return
        self.used_at[use.name] = use.where
        if role.decommission is None:
            self._problems.error(
                "Role cannot be undone",
                f"The role '{use.name}' does not say how it is undone, so taking it from node '{self.node.name}' "
                "leaves everything as it is.",
                use.where,
                "Undo it by hand and remove this entry, or give the role a section 'decommission'.",
            )
            return
        self.undone[use.name] = role

    def _read_by_undone(self) -> frozenset[str] | None:
        """Return the names that the configurations of undone roles read; None when that cannot be told."""
        if self._read is None:
            self._read = (self._names_read(),)
        return self._read[0]

    def _names_read(self) -> frozenset[str] | None:
        names: set[str] = set()
        for role in self.undone.values():
            for template in role.decommission.resources if role.decommission else ():
                found = self.memo.names(role, template, self.required(role))
                if found is None:
                    return None
                names.update(found)
        return frozenset(names)


def _names(role: Role) -> set[str]:
    return {reference.name for reference in role.requires}
