"""The text of one resource and its embedded instances, with gaps for what only a document can fill.

A resource that many nodes share has one text: what differs between documents is the number in each alias, the name
of the configuration and the password of a credential. So a text is kept in pieces split at these places.
Source of every rule: mof-format, sections 2 to 5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from provisioner.catalogue.registry import Registry
from provisioner.catalogue.schema import CREDENTIAL_CLASS, CimType, Property, ResourceType, module_version
from provisioner.configuration.emit import layout
from provisioner.configuration.emit.layout import DOUBLE
from provisioner.configuration.emit.sealing import Sealer
from provisioner.configuration.model import Credential, Instance, Resource
from provisioner.diagnostics import SourceRange

#: Modules that come with Windows; they write ModuleVersion after everything else (mof-format, 3.3).
IN_BOX_MODULES = frozenset({"psdesiredstateconfiguration"})
#: The property any resource takes; it makes the document ask for an LCM that knows it.
RUN_AS = "PsDscRunAsCredential"
#: How many texts a cache keeps before it lets go of the oldest.
CACHE_LIMIT = 20_000

#: Text; the index of an instance whose number stands here; a credential whose password stands here; None for the
#: name of the configuration.
Piece = str | int | Credential | None


@dataclass(frozen=True, slots=True)
class InstanceText:
    """What some instances look like in any document. ``classes`` are theirs, in the order they are numbered."""

    classes: tuple[str, ...]
    pieces: tuple[Piece, ...]

    def write(self, parts: list[str], numbers: Counter[str], name: str, seal: Sealer | None) -> None:
        """Append the text for one document. ``numbers`` counts its instances, ``name`` is quoted already."""
        mine = []
        for class_name in self.classes:
            numbers[class_name] += 1
            mine.append(str(numbers[class_name]))
        for piece in self.pieces:
            if isinstance(piece, str):
                parts.append(piece)
            elif piece is None:
                parts.append(name)
            elif isinstance(piece, Credential):
                assert seal is not None, "a document with credentials is emitted with a sealer"
                parts.append(layout.quoted(seal.seal(piece)))
            else:
                parts.append(mine[piece])


class _Source(Enum):
    """Where the value of a property of every resource comes from."""

    ID = "id"
    WHERE = "where"


@dataclass(frozen=True, slots=True)
class Plan:
    """How resources of one type with one set of properties are laid out.

    ``steps`` has for each property the text before its value, and where the value comes from: the name of a
    property, one of what every resource has, or None where the text has all of it. ``in_box_version`` is
    spelled, and empty for modules that write their version among the properties.
    """

    kind: ResourceType
    steps: tuple[tuple[str, str | _Source | None], ...]
    characters: frozenset[str]
    in_box_version: str


class EmissionCache:
    """Texts of resources by identity, for emitting many configurations that share resources.

    Bounded: beyond ``limit`` the oldest text is let go. A cache belongs to one registry.
    """

    def __init__(self, limit: int = CACHE_LIMIT) -> None:
        self._limit = limit
        self._texts: dict[int, tuple[Resource, InstanceText]] = {}
        self._plans: dict[tuple[int | str, ...], Plan] = {}
        self._characters: dict[tuple[str, str, str], frozenset[str]] = {}
        self._sources: dict[int, tuple[SourceRange, str, str]] = {}
        self._orders: dict[tuple[str, ...], tuple[str, ...] | None] = {}

    def text(self, resource: Resource, registry: Registry) -> InstanceText:
        """Return the text of a resource, made at most once while it stays in the cache."""
        if not resource.may_recur:
            return _text(resource, registry, self)
        # The mapping of properties is what check() hands on untouched; the resource around it may be a new one.
        key = id(resource.properties)
        known = self._texts.get(key)
        if known is not None and (known[0] is resource or _is_same(known[0], resource)):
            return known[1]
        found = _text(resource, registry, self)
        self._texts[key] = (resource, found)
        if len(self._texts) > self._limit:
            del self._texts[next(iter(self._texts))]
        return found

    def plan(self, resource: Resource, registry: Registry) -> Plan:
        """Return how resources of this type with these properties are laid out."""
        kind = resource.type
        key: tuple[int | str, ...] = (id(kind), resource.version, resource.module, *resource.properties)
        known = self._plans.get(key)
        if known is None or known.kind is not kind:
            if len(self._plans) > self._limit:
                self._plans.clear()
            known = self._plans[key] = _plan(resource, registry, self)
        return known

    def source(self, where: SourceRange, keyword: str) -> str:
        """Return the spelled SourceInfo of what stands somewhere: the same for all nodes that share a role."""
        known = self._sources.get(id(where))
        if known is None or known[0] is not where or known[1] != keyword:
            if len(self._sources) > self._limit:
                self._sources.clear()
            known = where, keyword, layout.quoted(source_info(where, keyword))
            self._sources[id(where)] = known
        return known[2]

    def characters(self, owner: ResourceType | None, class_name: str, registry: Registry) -> frozenset[str]:
        """Return the properties of type char16 of a class embedded in a type's properties."""
        if owner is None:
            return frozenset()
        key = (owner.module, owner.version, class_name)
        if key not in self._characters:
            found = registry.embedded_class(*key)
            self._characters[key] = _characters(found.properties if found else ())
        return self._characters[key]

    def order(self, names: tuple[str, ...], registry: Registry) -> tuple[str, ...] | None:
        """Return the order Windows PowerShell writes these names in, spelled as given; None when unknown."""
        if names not in self._orders:
            if len(self._orders) > self._limit:
                self._orders.clear()
            seen = registry.property_order(names)
            spelling = {name.casefold(): name for name in names}
            self._orders[names] = tuple(spelling[name.casefold()] for name in seen) if seen else None
        return self._orders[names]


def _is_same(one: Resource, other: Resource) -> bool:
    """Whether both are one resource, apart from objects made anew around the same parts."""
    return (
        one.properties is other.properties
        and one.type is other.type
        and one.where is other.where
        and one.version == other.version
        and one.module == other.module
        and one.id == other.id
        and one.depends_on == other.depends_on
    )


def source_info(where: SourceRange, keyword: str) -> str:
    """Return ``folder/file::line::column::Keyword``: never an absolute path, whoever compiles, and where."""
    parts = [part for part in where.source.path.replace("\\", "/").split("/") if part not in {"", "."}]
    return f"{'/'.join(parts[-2:])}::{where.line}::{where.column}::{keyword}"


class Pieces:
    """Collects the instances of one resource: each embedded one before the one that uses it."""

    def __init__(self, registry: Registry, cache: EmissionCache, owner: ResourceType | None = None) -> None:
        """``owner`` is the type in whose properties instances are embedded."""
        self.classes: list[str] = []
        self._owner = owner
        self._pieces: list[Piece] = []
        self._registry = registry
        self._cache = cache

    def value(self, item: Any, is_char: bool = False) -> tuple[Piece, ...]:  # noqa: FBT001, FBT002 - a fact
        """Spell a value; embedded instances in it are written out first and leave their alias."""
        if isinstance(item, Instance):
            single = self._cache.characters(self._owner, item.class_name, self._registry)
            spelled = tuple(
                (name, self.value(each, name in single)) for name, each in self.ordered(item.properties)
            )
            return self._embedded(item.class_name, spelled)
        if isinstance(item, Credential):
            return self._credential(item)
        if isinstance(item, tuple) and any(isinstance(each, Instance | Credential) for each in item):
            inner: list[Piece] = ["{\n    "]
            for each in item:
                inner += [*(() if len(inner) == 1 else (",\n    ",)), *self.value(each)]
            return (*inner, "\n}")
        return (layout.character(item) if is_char else layout.value(item),)

    def start(self, class_name: str) -> int:
        """Begin an instance; the result stands for its number."""
        self.classes.append(class_name)
        index = len(self.classes) - 1
        self.add(f"instance of {class_name} as ${class_name}", index, "ref\n{\n")
        return index

    def add(self, *pieces: Piece) -> None:
        """Append pieces."""
        self._pieces += pieces

    def properties(self, spelled: Iterable[tuple[str, tuple[Piece, ...]]]) -> None:
        """Write properties: the first without indent, later ones with one space; the last line has no end."""
        lead = ""
        for name, pieces in spelled:
            self.add(f"{lead}{name} = ", *pieces, ";")
            lead = "\n "

    def ordered(self, values: Mapping[str, Any]) -> list[tuple[str, Any]]:
        """Return names and values in the order Windows PowerShell writes them in, if that was ever seen."""
        names = tuple(values)
        return [(name, values[name]) for name in self._cache.order(names, self._registry) or names]

    def _credential(self, item: Credential) -> tuple[Piece, ...]:
        # Password, then UserName: the only order seen (mof-format, section 5).
        return self._embedded(
            CREDENTIAL_CLASS, (("Password", (item,)), ("UserName", (layout.quoted(item.user),)))
        )

    def _embedded(
        self, class_name: str, spelled: tuple[tuple[str, tuple[Piece, ...]], ...]
    ) -> tuple[Piece, ...]:
        index = self.start(class_name)
        self.properties(spelled)
        self.add("\n\n};\n\n")
        return (f"${class_name}", index, "ref")

    def text(self) -> InstanceText:
        """Return everything collected, with neighbouring texts made one."""
        found: list[Piece] = []
        text: list[str] = []
        for piece in self._pieces:
            if isinstance(piece, str):
                text.append(piece)
                continue
            found += ["".join(text), piece]
            text.clear()
        return InstanceText(tuple(self.classes), (*found, "".join(text)))


def _plan(resource: Resource, registry: Registry, cache: EmissionCache) -> Plan:
    kind = resource.type
    in_box = kind.module.casefold() in IN_BOX_MODULES
    version = layout.quoted(module_version(resource.version or kind.version))
    constant = {"ModuleName": layout.quoted(resource.module or kind.module), "ModuleVersion": version}
    sources = {"ResourceID": _Source.ID, "SourceInfo": _Source.WHERE}
    places = {prop.name: place for place, prop in enumerate(kind.properties)}
    own = sorted(resource.properties, key=lambda name: places.get(name, len(places)))
    names = ("ResourceID", *own, "SourceInfo", "ModuleName", "ModuleVersion")
    steps: list[tuple[str, str | _Source | None]] = []
    lead = ""
    for name in cache.order(names, registry) or names:
        if name in resource.properties:
            steps.append((f"{lead}{name} = ", name))
        elif name in sources:
            steps.append((f"{lead}{name} = ", sources[name]))
        elif not (in_box and name == "ModuleVersion"):
            steps.append((f"{lead}{name} = {constant[name]};", None))
        lead = "\n "
    return Plan(kind, tuple(steps), _characters(kind.properties), version if in_box else "")


def _characters(properties: Iterable[Property]) -> frozenset[str]:
    return frozenset(prop.name for prop in properties if prop.type is CimType.CHAR16)


def _text(resource: Resource, registry: Registry, cache: EmissionCache) -> InstanceText:
    kind = resource.type
    plan = cache.plan(resource, registry)
    pieces = Pieces(registry, cache, kind)
    body: list[Piece] = []
    for lead, source in plan.steps:
        if source is None:
            body.append(lead)
        elif source is _Source.ID:
            body.append(f"{lead}{layout.quoted(str(resource.id))};")
        elif source is _Source.WHERE:
            body.append(f"{lead}{cache.source(resource.where, kind.name)};")
        else:
            item = resource.properties[source]
            if type(item) is str and source not in plan.characters:
                body.append(f"{lead}{layout.quoted(item)};")
            else:
                body += [lead, *pieces.value(item, source in plan.characters), ";"]
    pieces.start(kind.class_name)
    targets = [layout.quoted(str(target)) for target in resource.depends_on]
    pieces.add(*body, layout.ending(plan.in_box_version, targets), None, f";{DOUBLE}}};\n")
    return pieces.text()
