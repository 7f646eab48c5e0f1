"""A vendor's module becomes a module of the catalogue: manifest, schemas, classes and composites together.

What cannot be read is always told of: an error where a resource or a property would be missing, a warning where
only a limit stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from provisioner.catalogue.importing.declarations import Declarations, read_declarations
from provisioner.catalogue.importing.manifest import Manifest, read_manifest
from provisioner.catalogue.importing.module_files import ModuleFiles, open_module
from provisioner.catalogue.importing.mof_schema import read_schema
from provisioner.catalogue.importing.ps_class import ClassSet, read_class_resources
from provisioner.catalogue.importing.script_resources import add_set_function, read_composites
from provisioner.catalogue.importing.tokens import Script
from provisioner.catalogue.importing.wholeness import check_exports, without_gaps
from provisioner.catalogue.schema import EmbeddedClass, Module, ResourceType
from provisioner.diagnostics import Diagnostics, SourceFile, SourceRange

_VERSION = re.compile(r"\d+(?:\.\d+){1,3}(?:-\w+)?")
#: A folder of modules, each with a folder for each version.
_DEEPEST = 3
#: Folders of a module's source that are no part of the module.
_ASIDE = {"tests", "test", "examples", "docs", "output", ".git"}
_DECLARES_CLASS = re.compile(
    r"\[\s*DscResource(?:Attribute)?\s*\(|^\s*(?:class|enum)\s+\w", re.IGNORECASE | re.MULTILINE
)


def read_modules(path: Path, problems: Diagnostics) -> list[Module]:
    """Return the modules below a path: one module, a folder of versions, a folder of modules, or a package.

    A module with a problem is returned too, without what could not be read.
    """
    files = open_module(path, problems)
    if files is None:
        return []
    path = path.resolve()
    manifests = list(_manifests(files, path))
    if not manifests:
        problems.error(
            "Module cannot be read",
            "No module manifest is here: a module has a file Module.psd1 named like its folder.",
            _start(files.shown),
        )
    found = (_module(files, manifest, path.name, problems) for manifest in manifests)
    return [module for module in found if module is not None]


def _manifests(files: ModuleFiles, path: Path) -> Iterator[str]:
    """Find the manifests: in each folder the one named like it, and nothing below a folder that has one."""
    candidates: dict[PurePosixPath, list[PurePosixPath]] = {}
    for each in files.paths:
        inside = PurePosixPath(each)
        if inside.suffix.casefold() == ".psd1" and len(inside.parts) <= _DEEPEST:
            candidates.setdefault(inside.parent, []).append(inside)
    taken: list[PurePosixPath] = []
    for folder in sorted(candidates, key=lambda each: (len(each.parts), each)):
        if any(folder.is_relative_to(other) for other in taken):
            continue
        found = _own_manifest(candidates[folder], [path.parent.name, path.name, *folder.parts])
        if found is not None:
            taken.append(folder)
            yield found.as_posix()


def _own_manifest(candidates: list[PurePosixPath], names: list[str]) -> PurePosixPath | None:
    folder = names[-1]
    parent = names[-2].casefold() if _VERSION.fullmatch(folder) else ""
    for each in candidates:
        if each.stem.casefold() in {folder.casefold(), parent}:
            return each
    # The root itself may have any name: a package, or a checkout's folder of sources.
    is_root = len(candidates[0].parts) == 1
    packaged = [each for each in candidates if folder.casefold().startswith(f"{each.stem.casefold()}.")]
    if is_root and len(packaged or candidates) == 1:
        return (packaged or candidates)[0]
    return None


def _module(files: ModuleFiles, manifest_path: str, source: str, problems: Diagnostics) -> Module | None:
    inside = PurePosixPath(manifest_path)
    root = files.below("" if inside.parent == PurePosixPath() else inside.parent.as_posix())
    text = root.text(inside.name, problems)
    script = Script(root.show(inside.name), text or "")
    manifest = read_manifest(script, problems) if text is not None else None
    if manifest is None:
        return None
    own = Diagnostics()
    resources, classes = _Reader(root, inside.stem, manifest, own).all()
    module = Module(inside.stem, manifest.version, tuple(resources), tuple(classes), "project", source)
    was_read_whole = not own.has_errors  # else what is missing has been told of where it stands
    module = without_gaps(module, script.where(0), own)
    if was_read_whole and not own.has_errors:
        check_exports(module, manifest.resources or (), script.where(0), own)
    problems.extend(own)
    return module


class _Reader:
    def __init__(self, files: ModuleFiles, name: str, manifest: Manifest, problems: Diagnostics) -> None:
        self._files = files
        self._name = name
        self._manifest = manifest
        self._problems = problems
        self._read: dict[str, Declarations | None] = {}

    def all(self) -> tuple[list[ResourceType], list[EmbeddedClass]]:
        resources: list[ResourceType] = []
        classes: list[EmbeddedClass] = []
        for path in self._paths(".schema.mof"):
            found, embedded = self._schema(path)
            resources += found
            classes += embedded
        for path in self._paths(".schema.psm1"):
            declarations = self._declarations(path, is_needed=True)
            if declarations:
                resources += read_composites(declarations, self._name, self._manifest.version, self._problems)
        found, embedded = read_class_resources(
            self._classes(),
            self._name,
            self._manifest.version,
            self._problems,
            limited_to=None
            if self._manifest.resources is None
            else [name.casefold() for name in self._manifest.resources],
        )
        return self._once(resources + found), _unique(classes + embedded)

    def _paths(self, suffix: str) -> list[str]:
        return [
            path
            for path in self._files.paths
            if path.casefold().endswith(suffix)
            and not _ASIDE & {part.casefold() for part in PurePosixPath(path).parts[:-1]}
        ]

    def _schema(self, path: str) -> tuple[list[ResourceType], list[EmbeddedClass]]:
        text = self._files.text(path, self._problems)
        if text is None:
            return [], []
        resources, classes = read_schema(
            text, self._files.show(path), self._name, self._manifest.version, self._problems
        )
        script = f"{path[: -len('.schema.mof')]}.psm1"
        declarations = self._declarations(script, is_needed=False) if script in self._files.readers else None
        if declarations:
            resources = [add_set_function(each, declarations, self._problems) for each in resources]
        return resources, classes

    def _classes(self) -> ClassSet:
        """Collect the classes of all scripts; those of the module's own script come first."""
        found = ClassSet()
        scripts = [path for path in [*self._paths(".psm1"), *self._paths(".ps1")] if "/" in path]
        own = [path for path in [*self._paths(".psm1"), *self._paths(".ps1")] if "/" not in path]
        for path in [*own, *scripts]:
            text = self._files.text(path, self._problems)
            if text is not None and _DECLARES_CLASS.search(text):
                declarations = self._declarations(path, is_needed=True, text=text)
                if declarations:
                    found.add(declarations)
        return found

    def _declarations(self, path: str, *, is_needed: bool, text: str | None = None) -> Declarations | None:
        if path not in self._read:
            text = self._files.text(path, self._problems) if text is None else text
            self._read[path] = (
                None if text is None else read_declarations(Script(self._files.show(path), text))
            )
            declarations = self._read[path]
            for sentence, where in declarations.problems if declarations else ():
                if is_needed:
                    self._problems.error("Script cannot be read", sentence, where)
                else:
                    self._problems.warning(
                        "Limit is not known",
                        "The script cannot be read whole, so what Set-TargetResource asks may be missing: "
                        f"{sentence}",
                        where,
                    )
        return self._read[path]

    def _once(self, resources: Iterable[ResourceType]) -> list[ResourceType]:
        found: dict[str, ResourceType] = {}
        for each in resources:
            if each.name.casefold() in found:
                self._problems.error(
                    "Module has two resources of one name",
                    f"'{each.name}' is declared twice, and a configuration could not tell them apart.",
                    _start(self._files.shown),
                )
            found.setdefault(each.name.casefold(), each)
        return sorted(found.values(), key=lambda each: each.name.casefold())


def _unique(classes: Iterable[EmbeddedClass]) -> list[EmbeddedClass]:
    """Keep the first class of each name: every schema file of a module repeats those it embeds."""
    found: dict[str, EmbeddedClass] = {}
    for each in classes:
        known = found.get(each.name.casefold())
        if known is None or not known.properties:
            found[each.name.casefold()] = each
    return list(found.values())


def _start(shown: str) -> SourceRange:
    return SourceRange(SourceFile(shown, ""), 1, 1, 1, 1)
