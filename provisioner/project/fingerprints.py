"""What the documents of a node are made of, as digests: equal digests, equal documents.

Taken are the values the compiler works on, not the files they were read from: two files with the same content make
no difference, nor does a comment that moves nothing, and what is read twice cannot change in between.

The rule of the room: every value is spelled out field by field, and a kind of value that is not known here is an
error. Something new in a model counts by itself; it cannot be forgotten.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import platform
from collections.abc import Iterator, Mapping
from enum import Enum
from importlib import metadata
from pathlib import Path
from typing import Any

from provisioner import __version__
from provisioner.addresses import NodeName
from provisioner.diagnostics import Diagnostics, SourceRange
from provisioner.inventory.model import Node
from provisioner.project.compiler import NodeCompiler
from provisioner.roles.model import Role
from provisioner.roles.statements.binding import RolesOfNode

_PACKAGE = Path(__file__).parents[1]
#: The rooms that decide what a document looks like.
_ROOMS = (
    "addresses.py",
    "documents",
    "expressions",
    "catalogue",
    "secrets",
    "options",
    "inventory",
    "roles",
    "configuration",
    "project",
)
#: What no document depends on: where a node stands in the file, what the lab makes of it, and which nodes come
#: before it. Of its layers and their rules, the values count that they bind to the variables of roles.
_NOT_OF_NODE = frozenset({"lab", "where", "after", "variables", "layers", "rules"})

#: Name of an ingredient to its digest.
Ingredients = Mapping[str, str]


class Fingerprints:
    """The ingredients of the nodes of one inventory."""

    def __init__(self, compiler: NodeCompiler, formats: tuple[str, ...]) -> None:
        self._compiler = compiler
        self._general = {
            "program": _program(),
            "formats": _hash(formats),
            "site": _hash(compiler.inventory.site),
        }
        self._roles: dict[str, dict[str, str] | None] = {}
        self._closures: dict[str, tuple[str, ...]] = {}

    def of(self, name: NodeName) -> Ingredients | None:
        """Return the ingredients of a node; None when there is a problem with its roles or variables."""
        found = dict(self._general)
        for role_name in self.roles(name):
            ingredients = self._role(role_name)
            if ingredients is None:
                return None
            found |= ingredients
        facts = self._of_node(self._compiler.inventory.nodes[name])
        return None if facts is None else {**found, "node": _hash(facts)}

    def roles(self, name: NodeName) -> tuple[str, ...]:
        """Return the names of the roles a node has or that are undone on it, those they require included."""
        node = self._compiler.inventory.nodes[name]
        uses = (*node.roles, *node.decommission)
        return tuple(dict.fromkeys(each for use in uses for each in self._closure(str(use.name))))

    def _closure(self, name: str) -> tuple[str, ...]:
        """Return a role and all it requires."""
        if name not in self._closures:
            seen: dict[str, None] = {}
            pending = [name]
            while pending:
                each = pending.pop()
                if each not in seen:
                    seen[each] = None
                    role, _ = self._compiler.library.load(each)
                    pending += [reference.name for reference in role.requires] if role else []
            self._closures[name] = tuple(seen)
        return self._closures[name]

    def _role(self, name: str) -> dict[str, str] | None:
        if name not in self._roles:
            role, _ = self._compiler.library.load(name)
            self._roles[name] = None if role is None else self._of_role(role)
        return self._roles[name]

    def _of_node(self, node: Node) -> Any:
        """Return what a node has beside its roles: its own facts, and the values its variables get."""
        problems = Diagnostics()
        of_node = RolesOfNode(node, self._compiler.library, problems, self._compiler.memo)
        values = [(each, canonical(bound, positions=False)) for each, bound in of_node.all_values().items()]
        if problems.has_errors:
            return None
        facts = [
            (field.name, canonical(getattr(node, field.name), positions=False))
            for field in dataclasses.fields(node)
            if field.name not in _NOT_OF_NODE
        ]
        return facts, values

    def _of_role(self, role: Role) -> dict[str, str]:
        # Positions are part of a document: SourceInfo.
        files = self._compiler.memo.texts.files(role.folder)
        found = {f"role {role.name}": _hash((canonical(role, positions=True), files))}
        for use in role.modules.values():
            module = self._compiler.registry.module(use.name, use.version)
            found[f"module {use.name} {use.version}"] = _hash(canonical(module, positions=True))
        return found


def key_of(ingredients: Ingredients) -> str:
    """Return the one digest of all ingredients."""
    return _hash(tuple(sorted(ingredients.items())))


def canonical(value: Any, *, positions: bool) -> Any:
    """Return a value as nested tuples whose ``repr`` tells it from every other one.

    Raises:
        TypeError: It holds a kind of value that is not known here.
    """
    match value:
        case None | str() | bool() | int() | float() | bytes():
            return value
        case Enum():
            return type(value).__name__, value.name
        case SourceRange():
            where = (value.source.path, value.line, value.column, value.end_line, value.end_column)
            return where if positions else ()
        case Path():
            return ()  # what lies there counts, not where it lies
        case list() | tuple():
            return type(value).__name__, *(canonical(part, positions=positions) for part in value)
        case frozenset() | set():
            return "set", *sorted(repr(canonical(part, positions=positions)) for part in value)
        case Mapping():
            return "map", *(
                (canonical(key, positions=positions), canonical(part, positions=positions))
                for key, part in value.items()
            )
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return (
                type(value).__name__,
                *(canonical(getattr(value, name), positions=positions) for name in _fields(type(value))),
            )
    raise TypeError(f"no fingerprint for a value of type {type(value).__name__}")


@functools.cache
def _fields(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind) if field.compare)


def _hash(value: Any) -> str:
    return hashlib.sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()


@functools.cache
def _program() -> str:
    """Return the digest of this program: its version, its own code and data, and what it stands on."""
    total = hashlib.sha256()
    for word in (__version__, platform.python_version(), *map(metadata.version, ("jinja2", "pyyaml"))):
        total.update(f"{word}\0".encode())
    for path in _code():
        total.update(f"{path.relative_to(_PACKAGE).as_posix()}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _code() -> Iterator[Path]:
    for room in _ROOMS:
        path = _PACKAGE / room
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]
    # Modules (Name@Version.json) are counted one by one, for the nodes that use them.
    data = (_PACKAGE / "catalogue" / "data").glob("*.json")
    yield from sorted(path for path in data if "@" not in path.name)
    yield from sorted((_PACKAGE / "options" / "data").glob("*.json"))
