"""An inventory of another tool as frozen and checked as it needs to be: hosts, groups, variables, positions.

The rule of the room: this is what the other tool would see, with its own rules of precedence; what becomes of
it here is decided in ``translate``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from provisioner.diagnostics import SourceRange
from provisioner.inventory.model import Located

#: The two groups every inventory of Ansible has.
ALL = "all"
UNGROUPED = "ungrouped"
#: Variable of a group that says which of two groups wins; it is none for hosts.
_PRIORITY = "ansible_group_priority"

Variables = dict[str, Located]


class Sealed(Enum):
    """A value that is there and cannot be read here."""

    VAULT = "encrypted with ansible-vault"


@dataclass(slots=True)
class ForeignGroup:
    """One group. ``overrides`` come from a ``group_vars`` folder and win over ``variables``."""

    name: str
    where: SourceRange
    variables: Variables = field(default_factory=dict)
    overrides: Variables = field(default_factory=dict)
    hosts: dict[str, SourceRange] = field(default_factory=dict)
    children: dict[str, SourceRange] = field(default_factory=dict)

    @property
    def own(self) -> Variables:
        """What is given for this group itself."""
        return _visible(self.variables) | _visible(self.overrides)


@dataclass(slots=True)
class ForeignHost:
    """One host. ``overrides`` come from a ``host_vars`` folder and win over ``variables``."""

    name: str
    where: SourceRange
    variables: Variables = field(default_factory=dict)
    overrides: Variables = field(default_factory=dict)

    @property
    def own(self) -> Variables:
        """What is given for this host alone."""
        return self.variables | self.overrides


@dataclass(frozen=True, slots=True)
class Given:
    """A value with the group or host it is given for."""

    place: ForeignGroup | ForeignHost
    located: Located


@dataclass(slots=True)
class ForeignInventory:
    """All hosts and groups, in file order. ``name`` is that of the file."""

    name: str
    groups: dict[str, ForeignGroup] = field(default_factory=dict)
    hosts: dict[str, ForeignHost] = field(default_factory=dict)

    def group(self, name: str, where: SourceRange) -> ForeignGroup:
        """Return a group, made when it is new."""
        return self.groups.setdefault(name, ForeignGroup(name, where))

    def host(self, name: str, where: SourceRange) -> ForeignHost:
        """Return a host, made when it is new."""
        return self.hosts.setdefault(name, ForeignHost(name, where))

    def groups_of(self) -> dict[str, tuple[str, ...]]:
        """Return for each host its groups, direct or not and without 'all', the weakest first.

        Deeper groups win over shallower ones, then a higher ``ansible_group_priority``, then the later name.
        """
        depths = self.depths()
        direct: dict[str, list[str]] = {name: [] for name in self.hosts}
        for group in self.groups.values():
            for host in group.hosts:
                direct[host].append(group.name)
        parents = self._parents()
        order = {
            name: (depths[name], _priority(group), name) for name, group in self.groups.items() if name != ALL
        }
        found = {}
        for host, names in direct.items():
            seen: set[str] = set()
            pending = [name for name in names if name != ALL]
            while pending:
                name = pending.pop()
                if name not in seen:
                    seen.add(name)
                    pending.extend(parent for parent in parents.get(name, ()) if parent != ALL)
            found[host] = tuple(sorted(seen, key=order.__getitem__))
        return found

    def depths(self) -> dict[str, int]:
        """Return how far each group is from 'all' at most. Only for groups without a cycle."""
        parents = self._parents()
        depths: dict[str, int] = {ALL: 0}
        for start in self.groups:
            stack = [start]
            while stack:
                name = stack[-1]
                missing = [parent for parent in parents.get(name, ()) if parent not in depths]
                if name in depths:
                    stack.pop()
                elif missing:
                    stack.extend(missing)
                else:
                    depths[name] = 1 + max((depths[parent] for parent in parents.get(name, ())), default=0)
                    stack.pop()
        return depths

    def effective(self, host: str, groups: tuple[str, ...]) -> dict[str, Given]:
        """Return the variables of a host as the other tool merges them.

        In this order: 'all', the groups, 'all' of group_vars, the groups of group_vars, the host.
        """
        chain = [self.groups[name] for name in (ALL, *groups) if name in self.groups]
        merged: dict[str, Given] = {}
        for group in chain:
            merged |= {name: Given(group, value) for name, value in _visible(group.variables).items()}
        for group in chain:
            merged |= {name: Given(group, value) for name, value in _visible(group.overrides).items()}
        machine = self.hosts[host]
        return merged | {name: Given(machine, value) for name, value in machine.own.items()}

    def cycle(self) -> tuple[str, ...]:
        """Return the groups that contain each other, in order; empty when there are none."""
        done: set[str] = set()
        for start in self.groups:
            path: list[str] = []
            pending: list[tuple[str, Iterator[str]]] = []
            if start not in done:
                pending.append((start, iter(self.groups[start].children)))
                path.append(start)
            while pending:
                name, children = pending[-1]
                child = next(children, None)
                if child is None:
                    pending.pop()
                    path.pop()
                    done.add(name)
                elif child in path:
                    return (*path[path.index(child) :], child)
                elif child in self.groups and child not in done:
                    pending.append((child, iter(self.groups[child].children)))
                    path.append(child)
        return ()

    def _parents(self) -> dict[str, list[str]]:
        parents: dict[str, list[str]] = {}
        for group in self.groups.values():
            for child in group.children:
                parents.setdefault(child, []).append(group.name)
        return parents


def _visible(variables: Variables) -> Variables:
    """Return the variables of a group that its hosts see."""
    return {name: value for name, value in variables.items() if name != _PRIORITY}


def _priority(group: ForeignGroup) -> int:
    given = (group.variables | group.overrides).get(_PRIORITY)
    value: Any = given.value if given else 1
    return int(value) if isinstance(value, int) or (isinstance(value, str) and value.isdecimal()) else 1
