"""Look resource types up by module, keyword and version.

The shipped facts lie in ``data/`` as one JSON file per module version, ``Module@Version.json``; each is read
when it is first asked for. The files hold facts only: names, CIM types, qualifiers and allowed values, taken
from the schema files of the module they name under ``source``.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from provisioner.catalogue.schema import CimType, Module, Property, Qualifier, ResourceType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

#: Properties every resource inherits from OMI_BaseResource. All but DependsOn and PsDscRunAsCredential are
#: written by the compiler, never by an author. Source: mof-format, section 3.
COMMON_PROPERTIES = (
    "ResourceID",
    "SourceInfo",
    "DependsOn",
    "ModuleName",
    "ModuleVersion",
    "ConfigurationName",
    "PsDscRunAsCredential",
)


class Registry:
    """The resource types known here. Look-ups never fail: None means unknown."""

    def __init__(
        self, sources: Mapping[tuple[str, str], Callable[[], str]], orders: Callable[[], str]
    ) -> None:
        """Take JSON texts by (module, version), and the JSON list of known property orders."""
        self._sources = dict(sources)
        self._orders = orders
        self._modules: dict[tuple[str, str], Module] = {}
        self._known_orders: dict[frozenset[str], tuple[str, ...]] | None = None

    @classmethod
    def builtin(cls) -> Registry:
        """Return the registry of the shipped facts."""
        folder = resources.files("provisioner.catalogue") / "data"
        sources: dict[tuple[str, str], Callable[[], str]] = {}
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
            module, at, version = entry.name.removesuffix(".json").partition("@")
            if at:
                sources[module, version] = _reader(entry)
        return cls(sources, _reader(folder / "property-orders.json"))

    @property
    def modules(self) -> Mapping[str, tuple[str, ...]]:
        """Known versions of each known module, in the spelling of the module."""
        found: dict[str, tuple[str, ...]] = {}
        for module, version in self._sources:
            found[module] = (*found.get(module, ()), version)
        return found

    def module(self, name: str, version: str | None = None) -> Module | None:
        """Find a module without regard to case.

        The version is exact; None takes the only known one, or nothing when there are several.
        """
        wanted = [
            key for key in self._sources if key[0].casefold() == name.casefold() and version in (None, key[1])
        ]
        return self._load(wanted[0]) if len(wanted) == 1 else None

    def resource_type(self, module: str, name: str, version: str | None = None) -> ResourceType | None:
        """Find a resource type by its keyword, without regard to case."""
        found = self.module(module, version)
        wanted = name.casefold()
        return next((r for r in found.resources if r.name.casefold() == wanted), None) if found else None

    def resource_types(self) -> Iterable[ResourceType]:
        """All resource types of all module versions, in file order."""
        for key in self._sources:
            yield from self._load(key).resources

    def property_order(self, names: Iterable[str]) -> tuple[str, ...] | None:
        """Return the order Windows PowerShell 5.1 was seen to write this set of property names in.

        ``DependsOn`` and ``ConfigurationName`` are not part of it: they always follow. The spelling of the
        returned names is that of the sighting. None when the set was never seen. Sets seen only with in-box
        modules have ModuleVersion last, where those write it. Source: mof-format, section 2.3.
        """
        if self._known_orders is None:
            seen: list[list[str]] = json.loads(self._orders())
            self._known_orders = {frozenset(_fold(order)): tuple(order) for order in seen}
        return self._known_orders.get(frozenset(_fold(names)))

    def _load(self, key: tuple[str, str]) -> Module:
        if key not in self._modules:
            self._modules[key] = _module(json.loads(self._sources[key]()))
        return self._modules[key]


def _fold(names: Iterable[str]) -> Iterable[str]:
    return (name.casefold() for name in names)


def _reader(entry: Any) -> Callable[[], str]:
    """Return a function reading a ``Traversable`` as text."""

    def read() -> str:
        return str(entry.read_text(encoding="utf-8"))

    return read


def _module(plain: Mapping[str, Any]) -> Module:
    name, version = plain["module"], plain["version"]
    return Module(name, version, tuple(_resource_type(name, version, each) for each in plain["resources"]))


def _resource_type(module: str, version: str, plain: Mapping[str, Any]) -> ResourceType:
    properties = tuple(_property(each) for each in plain["properties"])
    return ResourceType(plain["name"], plain["class"], module, version, properties)


def _property(plain: Mapping[str, Any]) -> Property:
    return Property(
        name=plain["name"],
        type=CimType(plain["type"]),
        is_array=plain.get("array", False),
        qualifier=Qualifier(plain.get("qualifier", "Write")),
        value_map=tuple(plain.get("value_map", ())),
        values=tuple(plain.get("values", ())),
        embedded_class=plain.get("embedded_class", ""),
    )
