"""Look resource types up by module, keyword and version.

The shipped facts lie in ``data/`` as one JSON file per module version, ``Module@Version.json``; a project keeps
its own beside them in the same form. File names alone say which modules there are; each file is read when it
is first asked for. The files hold facts only: names, CIM types, qualifiers and allowed values, taken from the
schema files of the module they name under ``source``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from provisioner import documents
from provisioner.catalogue.module_file import read_classes, read_module
from provisioner.catalogue.schema import (
    CREDENTIAL_CLASS,
    PAIR_CLASS,
    CimType,
    EmbeddedClass,
    Module,
    Property,
    Qualifier,
    ResourceType,
    module_version,
)
from provisioner.diagnostics import Diagnostics, SourceFile, SourceRange

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

#: Classes that every module may embed. Source: BaseResource.schema.mof of PSDesiredStateConfiguration.
COMMON_CLASSES = (
    EmbeddedClass(
        CREDENTIAL_CLASS, (Property("UserName", CimType.STRING), Property("Password", CimType.STRING))
    ),
    EmbeddedClass(
        PAIR_CLASS,
        (Property("Key", CimType.STRING, qualifier=Qualifier.KEY), Property("Value", CimType.STRING)),
    ),
)

IN_BOX_MODULE = "PSDesiredStateConfiguration"
#: What documents say for the in-box module, and what they mean. Source: mof-format, section 3.3.
_IN_BOX_VERSIONS = {"0.0": "1.1", "1.0": "1.1"}

#: Folder of a project's own catalogue files, below the project.
PROJECT_FOLDER = Path("dsc_configs", "catalogue")

_DATA = Path(__file__).parent / "data"
#: A run sees a few hundred sets of names; whoever feeds in others without end must not fill the memory.
_MOST_REMEMBERED = 10_000

Order = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _File:
    """A catalogue file that is read when it is needed."""

    path: Path
    channel: str = ""

    def __call__(self) -> str:
        text, _, problems = documents.read_text(self.path)
        problems.raise_errors()
        return text or ""


class Registry:
    """The resource types known here. Look-ups never fail: None means unknown.

    Modules, resource types and classes are found without regard to case. A version is exact, but for the in-box
    module, where 0.0 and 1.0 mean 1.1. Without a version the newest release is taken, or the newest preview
    where there is no release.

    Reading a file of the user's that is wrong raises InputError with all its problems.
    """

    def __init__(
        self,
        sources: Mapping[tuple[str, str], Callable[[], str]],
        orders: Callable[[], str],
        meta: Callable[[], str] = lambda: '{"classes": []}',
    ) -> None:
        """Take JSON texts by (module, version), the list of known property orders and the LCM's classes."""
        self._sources = dict(sources)
        self._orders = orders
        self._meta = meta
        self._keys = {
            (name.casefold(), version.casefold()): (name, version) for name, version in self._sources
        }
        self._loaded: dict[tuple[str, str], Module] = {}
        self._types: dict[tuple[str, str, str | None], ResourceType | None] = {}
        self._seen_orders: dict[Order | frozenset[str], Order | None] = {}

    @classmethod
    def builtin(cls) -> Registry:
        """Return the registry of the shipped facts."""
        return cls.of()

    @classmethod
    def of(cls, *folders: Path) -> Registry:
        """Return the registry of the shipped facts and of the files in a project's own folders.

        A file of the project wins over a shipped one of the same module and version, a later folder over an
        earlier one. A folder that does not exist is empty.

        Raises:
            InputError: A file's name does not say which module and version it is about.
        """
        sources: dict[tuple[str, str], Callable[[], str]] = dict(_files(_DATA))
        folded = {(name.casefold(), version.casefold()): (name, version) for name, version in sources}
        problems = Diagnostics()
        for folder in folders:
            for key, file in _files(folder, "project", problems):
                sources.pop(folded.get((key[0].casefold(), key[1].casefold()), key), None)
                folded[key[0].casefold(), key[1].casefold()] = key
                sources[key] = file
        problems.raise_errors()
        return cls(sources, _File(_DATA / "property-orders.json"), _File(_DATA / "lcm.json"))

    @cached_property
    def modules(self) -> Mapping[str, tuple[str, ...]]:
        """Known versions of each known module, newest first, in the spelling of the module."""
        found: dict[str, tuple[str, list[str]]] = {}
        for module, version in self._sources:
            found.setdefault(module.casefold(), (module, []))[1].append(version)
        ordered = sorted(found.values(), key=lambda each: each[0].casefold())
        return {
            module: tuple(sorted(versions, key=version_order, reverse=True)) for module, versions in ordered
        }

    def versions(self, module: str) -> tuple[str, ...]:
        """Known versions of a module, newest first; previews and development states stand below a release."""
        return self._versions.get(module.casefold(), ())

    def find(self, module: str, version: str | None = None) -> tuple[str, str] | None:
        """Return the module and version as the catalogue has them, without reading the file."""
        if version is None:
            known = self.versions(module)
            released = [each for each in known if "-" not in each]
            if not known:
                return None
            version = (released or known)[0]
        name = module.casefold()
        found = self._keys.get((name, version.casefold()))
        if found is None and name == IN_BOX_MODULE.casefold() and version in _IN_BOX_VERSIONS:
            found = self._keys.get((name, _IN_BOX_VERSIONS[version]))
        return found

    def written_as(self, module: str, version: str) -> tuple[str, ...]:
        """Return the catalogue's versions that a document with this ModuleVersion may have been compiled with.

        The exact one comes first. There can be several: a development state carries the number of the release
        before it, a preview the number of the release to come.
        """
        exact = self.find(module, version)
        others = [
            each
            for each in self.versions(module)
            if module_version(each) == version and (exact is None or each != exact[1])
        ]
        return (*((exact[1],) if exact else ()), *others)

    def module(self, name: str, version: str | None = None) -> Module | None:
        """Find a module."""
        key = self.find(name, version)
        return self._load(key) if key else None

    def resource_type(self, module: str, name: str, version: str | None = None) -> ResourceType | None:
        """Find a resource type by its keyword."""
        wanted = (module, name, version)
        if wanted not in self._types:
            found = self.module(module, version)
            if len(self._types) >= _MOST_REMEMBERED:
                self._types.clear()
            self._types[wanted] = found.resource(name) if found else None
        return self._types[wanted]

    def resource_types(self) -> Iterable[ResourceType]:
        """All resource types of all module versions, in file order. Reads every file."""
        for key in self._sources:
            yield from self._load(key).resources

    def embedded_class(self, module: str, version: str | None, name: str) -> EmbeddedClass | None:
        """Find a class whose instances stand inside properties: the module's own, else a common one."""
        found = self.module(module, version)
        own = found.embedded_class(name) if found else None
        return own or next((each for each in COMMON_CLASSES if each.name.casefold() == name.casefold()), None)

    def meta_class(self, name: str) -> EmbeddedClass | None:
        """Find a class of the LCM's metaconfiguration by its CIM class or its keyword."""
        return self._meta_classes.get(name.casefold())

    def property_order(self, names: Iterable[str]) -> Order | None:
        """Return the order Windows PowerShell 5.1 was seen to write this set of property names in.

        ``DependsOn`` and ``ConfigurationName`` are not part of it: they always follow. The spelling of the
        returned names is that of the sighting. None when the set was never seen. Sets seen only with in-box
        modules have ModuleVersion last, where those write it. Source: mof-format, section 2.3.
        """
        key = names if isinstance(names, frozenset) else tuple(names)
        try:
            return self._seen_orders[key]
        except KeyError:
            found = self._known_orders.get(frozenset(_fold(key)))
            if len(self._seen_orders) >= _MOST_REMEMBERED:
                self._seen_orders.clear()
            self._seen_orders[key] = found
            return found

    @cached_property
    def _versions(self) -> Mapping[str, tuple[str, ...]]:
        return {module.casefold(): versions for module, versions in self.modules.items()}

    @cached_property
    def _known_orders(self) -> Mapping[frozenset[str], Order]:
        seen: list[list[str]] = json.loads(self._orders())
        return {frozenset(_fold(order)): tuple(order) for order in seen}

    @cached_property
    def _meta_classes(self) -> Mapping[str, EmbeddedClass]:
        found: dict[str, EmbeddedClass] = {}
        for each in read_classes(self._meta(), "lcm.json"):
            found[each.name.casefold()] = each
            if each.keyword:
                found[each.keyword.casefold()] = each
        return found

    def _load(self, key: tuple[str, str]) -> Module:
        if key not in self._loaded:
            source = self._sources[key]
            path, channel = f"{key[0]}@{key[1]}.json", ""
            if isinstance(source, _File):
                path, channel = str(source.path), source.channel
            text = source()
            module = read_module(text, path, channel)
            if (module.name, module.version) != key:
                _refuse_name(text, path, module)
            self._loaded[key] = module
        return self._loaded[key]


def version_order(version: str) -> tuple[tuple[int, ...], bool, str]:
    """Return a sort key: by number, then a release above its previews and development states."""
    numbers, dash, suffix = version.partition("-")
    parts = [int(part) if part.isdecimal() else 0 for part in numbers.split(".")]
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts), not dash, suffix


def _files(
    folder: Path, channel: str = "", problems: Diagnostics | None = None
) -> Iterator[tuple[tuple[str, str], _File]]:
    """Find the catalogue files of a folder; with ``problems`` a JSON file of another name is one."""
    if not folder.is_dir():
        return
    for path in sorted(folder.glob("*.json")):
        module, at, version = path.name.removesuffix(".json").partition("@")
        if module and at and version:
            yield (module, version), _File(path, channel)
        elif problems is not None:
            problems.error(
                "Catalogue file has no module and version in its name",
                "A catalogue file is named Module@Version.json, for example StorageDsc@6.0.1.json.",
                SourceRange(SourceFile(str(path), ""), 1, 1, 1, 1),
                "Rename the file, or move it elsewhere.",
            )


def _refuse_name(text: str, path: str, module: Module) -> None:
    problems = Diagnostics()
    problems.error(
        "Catalogue file has the name of another module",
        f"The file is about {module.name} {module.version}.",
        SourceRange(SourceFile(path, text), 1, 1, 1, 1),
        f"Rename it to {module.name}@{module.version}.json.",
    )
    problems.raise_errors()


def _fold(names: Iterable[str]) -> Iterable[str]:
    return (name.casefold() for name in names)
