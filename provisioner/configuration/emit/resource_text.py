"""The text of one resource and its embedded instances, with gaps for what only a document can fill.

A resource that many nodes share has one text: what differs between documents is the number in each alias, the name
of the configuration and the password of a credential. So a text is kept in pieces split at these places.
Source of every rule: mof-format, sections 2 to 5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisioner.catalogue.registry import Registry
from provisioner.catalogue.schema import CREDENTIAL_CLASS, CimType, ResourceType, module_version
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


class EmissionCache:
    """Texts of resources by identity, for emitting many configurations that share resources.

    Bounded: beyond ``limit`` the oldest text is let go. A cache belongs to one registry.
    """

    def __init__(self, limit: int = CACHE_LIMIT) -> None:
        self._limit = limit
        self._texts: dict[int, tuple[Resource, InstanceText]] = {}
        self._ranks: dict[int, tuple[ResourceType, Mapping[str, tuple[int, bool]]]] = {}
        self._orders: dict[tuple[str, ...], tuple[str, ...] | None] = {}

    def text(self, resource: Resource, registry: Registry) -> InstanceText:
        """Return the text of a resource, made at most once while it stays in the cache."""
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

    def ranks(self, kind: ResourceType) -> Mapping[str, tuple[int, bool]]:
        """Return the place of each property in the schema, and whether it is a single character."""
        known = self._ranks.get(id(kind))
        if known is None or known[0] is not kind:
            places = {
                prop.name: (place, prop.type is CimType.CHAR16) for place, prop in enumerate(kind.properties)
            }
            known = self._ranks[id(kind)] = (kind, places)
        return known[1]

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
        and one.id == other.id
        and one.depends_on == other.depends_on
    )


def source_info(where: SourceRange, keyword: str) -> str:
    """Return ``folder/file::line::column::Keyword``: never an absolute path, whoever compiles, and where."""
    parts = [part for part in where.source.path.replace("\\", "/").split("/") if part not in {"", "."}]
    return f"{'/'.join(parts[-2:])}::{where.line}::{where.column}::{keyword}"


class Pieces:
    """Collects the instances of one resource: each embedded one before the one that uses it."""

    def __init__(self, registry: Registry, cache: EmissionCache) -> None:
        self.classes: list[str] = []
        self.pieces: list[Piece] = []
        self._registry = registry
        self._cache = cache

    def value(self, item: Any, is_char: bool = False) -> tuple[Piece, ...]:  # noqa: FBT001, FBT002 - a fact
        """Spell a value; embedded instances in it are written out first and leave their alias."""
        if isinstance(item, Instance):
            spelled = tuple((name, self.value(each)) for name, each in self.ordered(item.properties))
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
        self.pieces += [f"instance of {class_name} as ${class_name}", index, "ref\n{\n"]
        return index

    def properties(self, spelled: list[tuple[str, tuple[Piece, ...]]]) -> None:
        """Write properties: the first without indent, later ones with one space; the last line has no end."""
        for place, (name, pieces) in enumerate(spelled):
            self.pieces += [f"{'' if place == 0 else chr(10) + ' '}{name} = ", *pieces, ";"]

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
        self.properties(list(spelled))
        self.pieces.append("\n\n};\n\n")
        return (f"${class_name}", index, "ref")

    def text(self) -> InstanceText:
        """Return everything collected, with neighbouring texts made one."""
        found: list[Piece] = []
        text: list[str] = []
        for piece in self.pieces:
            if isinstance(piece, str):
                text.append(piece)
                continue
            found += ["".join(text), piece]
            text.clear()
        return InstanceText(tuple(self.classes), (*found, "".join(text)))


def _text(resource: Resource, registry: Registry, cache: EmissionCache) -> InstanceText:
    kind = resource.type
    in_box = kind.module.casefold() in IN_BOX_MODULES
    pieces = Pieces(registry, cache)
    version = layout.quoted(module_version(resource.version or kind.version))
    fixed = {
        "ResourceID": layout.quoted(str(resource.id)),
        "SourceInfo": layout.quoted(source_info(resource.where, kind.name)),
        "ModuleName": layout.quoted(kind.module),
        "ModuleVersion": version,
    }
    ranks = cache.ranks(kind)
    own = sorted(resource.properties, key=lambda name: ranks.get(name, (len(ranks), False)))
    names = ("ResourceID", *own, "SourceInfo", "ModuleName", "ModuleVersion")
    spelled: list[tuple[str, tuple[Piece, ...]]] = []
    for name in cache.order(names, registry) or names:
        if name in resource.properties:
            is_char = ranks.get(name, (0, False))[1]
            spelled.append((name, pieces.value(resource.properties[name], is_char)))
        elif not (in_box and name == "ModuleVersion"):
            spelled.append((name, (fixed[name],)))
    pieces.start(kind.class_name)
    pieces.properties(spelled)
    targets = [layout.quoted(str(target)) for target in resource.depends_on]
    pieces.pieces += [layout.ending(version if in_box else "", targets), None, f";{DOUBLE}}};\n"]
    return pieces.text()
