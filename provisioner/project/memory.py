"""Find the nodes of a fleet whose documents are in place, and say of the others why they have to be compiled.

A node is unchanged when its ingredients are known, its secrets and its certificate are the same, and its files
hold what was written. Warnings of unchanged nodes are told again, since they are still true.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from provisioner.addresses import NodeName
from provisioner.diagnostics import Diagnostic
from provisioner.project.cache import CacheUnusable, DocumentCache
from provisioner.project.compiler import NodeCompiler
from provisioner.project.entries import Entry
from provisioner.project.fingerprints import Fingerprints, Ingredients, key_of
from provisioner.project.model import CompileRequest, NodeSummary, WrittenFile
from provisioner.project.sealers import keyed_digest
from provisioner.project.staging import is_there


@dataclass(slots=True)
class Recalled:
    """What is known of a fleet before anything is compiled. ``because`` has the nodes to compile, and why."""

    unchanged: dict[NodeName, NodeSummary] = field(default_factory=dict)
    warnings: dict[NodeName, tuple[Diagnostic, ...]] = field(default_factory=dict)
    because: dict[NodeName, tuple[str, ...]] = field(default_factory=dict)
    ingredients: dict[NodeName, Ingredients] = field(default_factory=dict)
    checked: list[WrittenFile] = field(default_factory=list)


class FleetMemory:
    """The cache, asked about a whole fleet and one output folder."""

    def __init__(self, compiler: NodeCompiler, request: CompileRequest, folder: Path) -> None:
        self._compiler = compiler
        self._fingerprints = Fingerprints(compiler, request.formats)
        self._output = request.output
        self._place = os.path.abspath(request.output)  # noqa: PTH100 - resolve() would follow a link that may move
        self._folder = folder
        self._is_used = request.use_cache

    def recall(self, names: tuple[NodeName, ...]) -> Recalled:
        """Return what is in place, and why the rest is not."""
        found = Recalled()
        if not self._is_used:
            found.because = dict.fromkeys(names, ("the cache is not used",))
            return found
        if not DocumentCache.exists(self._folder):
            # Finding nothing must leave nothing behind, in case there is nothing to keep.
            return self._recalled_nothing(names)
        try:
            cache = DocumentCache(self._folder)
        except CacheUnusable as error:
            self._is_used = False
            found.because = dict.fromkeys(names, (f"the cache cannot be used: {error}",))
            return found
        try:
            for name in names:
                self._recall(cache, name, found)
        finally:
            cache.close()
        return found

    def _recalled_nothing(self, names: tuple[NodeName, ...]) -> Recalled:
        found = Recalled(because=dict.fromkeys(names, _changed(None, {})))
        for name in names:
            if (ingredients := self._fingerprints.of(name)) is not None:
                found.ingredients[name] = ingredients
        return found

    def remember(
        self, made: Mapping[NodeName, tuple[NodeSummary | None, Entry | None]], recalled: Recalled
    ) -> None:
        """Keep what was made. A cache that cannot be written costs time in the next run, nothing else."""
        if not self._is_used:
            return
        kept = {
            name: (recalled.ingredients[name], summary, entry)
            for name, (summary, entry) in made.items()
            if summary is not None and entry is not None and name in recalled.ingredients
        }
        needed = [
            row
            for name, summary in recalled.unchanged.items()
            for row in (
                ("documents", key_of(recalled.ingredients[name])),
                ("latest", self._path(name)),
                *(("files", self._path(file.name)) for file in summary.files),
            )
        ]
        if not kept and not needed:
            return
        files = [file for _, summary, _ in kept.values() for file in summary.files]
        try:
            cache = DocumentCache(self._folder)
        except CacheUnusable:
            return
        try:
            cache.remember(
                ((key_of(parts), entry.plain()) for parts, _, entry in kept.values()),
                ((self._path(file.name), file) for file in (*files, *recalled.checked)),
                ((self._path(name), parts) for name, (parts, _, _) in kept.items()),
                needed,
            )
        except CacheUnusable:
            return
        finally:
            cache.close()

    def _recall(self, cache: DocumentCache, name: NodeName, found: Recalled) -> None:
        ingredients = self._fingerprints.of(name)
        if ingredients is None:
            found.because[name] = ("a role cannot be read",)
            return
        found.ingredients[name] = ingredients
        plain = cache.entry(key_of(ingredients))
        loaded = [self._compiler.library.load(each) for each in self._fingerprints.roles(name)]
        where = self._compiler.inventory.nodes[name].where
        roles = (role for role, _ in loaded if role is not None)
        entry = None if plain is None else Entry.from_plain(plain, roles, where)
        if entry is None:
            found.because[name] = _changed(cache.latest(self._path(name)), ingredients)
            return
        sealing = self._unsealed(name, entry)
        if sealing is None:
            found.because[name] = ("a secret or the certificate changed",)
            return
        files = []
        for file_name, sha256 in entry.files.items():
            path = self._path(file_name)
            known = cache.file(path)
            there = is_there(Path(path), sha256, known)
            if there is None:
                found.because[name] = (f"{file_name} is missing or was changed",)
                return
            if there is not known:
                found.checked.append(there)
            files.append(there)
        of_roles = (problem for _, problems in loaded for problem in problems)
        found.warnings[name] = (*of_roles, *entry.warnings, *sealing)
        found.unchanged[name] = NodeSummary(
            name, entry.configuration, entry.resources, entry.expects_reboot, tuple(files)
        )

    def _unsealed(self, name: NodeName, entry: Entry) -> tuple[Diagnostic, ...] | None:
        """Return what is to be said of a node's secrets when they are the same as ever; None when they are not."""
        if not entry.credentials:
            return ()
        node = self._compiler.inventory.nodes[name]
        sealer, problems = self._compiler.sealers.open(node)
        if sealer is None:
            return None
        digest = keyed_digest(sealer, entry.credentials)
        problems.extend(sealer.problems)
        if problems.has_errors or digest != entry.sealed:
            return None
        return tuple(problems)

    def _path(self, name: str) -> str:
        return f"{self._place}{os.sep}{name}"


def _changed(before: Ingredients | None, now: Ingredients) -> tuple[str, ...]:
    """Say which ingredients are others than before."""
    if before is None:
        return ("it was not compiled here before",)
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    return tuple(f"{name} changed" for name in names) or ("it was compiled for another folder in between",)
