"""Find roles by name and read ``role.yaml`` with everything it refers to.

A search path is a list of project folders, each with ``roles/`` and ``dsc_configs/`` in it; the first that has
a role, or a configuration file, is taken, so a user's project can replace what is built in. Each role is read
once. All problems of a role are reported at once.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from provisioner import documents
from provisioner.addresses import RoleName
from provisioner.diagnostics import Diagnostics, did_you_mean
from provisioner.roles import masking
from provisioner.roles.configuration_file import read_resources
from provisioner.roles.fields import Fields
from provisioner.roles.model import Decommission, ModuleUse, Reference, ResourceTemplate, Role
from provisioner.roles.reading.statements import Statements
from provisioner.roles.reading.variables import read_variables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provisioner.documents import Scalar, Tree

_ROLE_KEYS = (
    "description",
    "variables",
    "requires",
    "modules",
    "configurations",
    "checks",
    "refuse",
    "unique",
    "after",
    "preflight",
    "decommission",
)
_FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


class RoleLibrary:
    """The roles of a search path."""

    def __init__(self, search_path: Sequence[Path]) -> None:
        """Take project folders, the user's first and the built-in one last."""
        # The same folder may come twice: a checkout is its own built-in folder.
        self._search_path = tuple(dict.fromkeys(folder.resolve() for folder in search_path))
        self._loaded: dict[str, tuple[Role | None, Diagnostics]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all roles that can be found, sorted."""
        found = {
            path.parent.name for folder in self._search_path for path in folder.glob("roles/*/role.yaml")
        }
        return tuple(sorted(found))

    def has(self, name: str) -> bool:
        """Whether there is a role of this name."""
        return self._find(name) is not None

    def load(self, name: str) -> tuple[Role | None, Diagnostics]:
        """Read a role.

        Returns:
            The role and its problems. None beside errors, and beside none when there is no such role: then
            the caller knows the position to report.
        """
        if name not in self._loaded:
            path = self._find(name)
            self._loaded[name] = _Reader(path, self._search_path).read() if path else (None, Diagnostics())
        return self._loaded[name]

    def _find(self, name: str) -> Path | None:
        if not _FOLDER_NAME.fullmatch(name):
            return None
        paths = (folder / "roles" / name / "role.yaml" for folder in self._search_path)
        return next((path for path in paths if path.is_file()), None)


def inside(folder: Path, written: str) -> Path | None:
    """Return the path of a file below a folder; None when the text could lead out of it.

    Only relative paths with forward slashes are taken, and links are followed before the decision.
    """
    pure = PurePosixPath(written)
    if not written or pure.is_absolute() or ".." in pure.parts or re.search(r"[\\:\0]", written):
        return None
    path = folder / pure
    return path if path.resolve().is_relative_to(folder.resolve()) else None


def shown(path: Path) -> str:
    """Return how a path is printed: relative to the working directory where that is shorter."""
    try:
        relative = os.path.relpath(path)
    except (OSError, ValueError):  # no working directory, or another drive
        return str(path)
    return min(relative, str(path), key=len)


class _Reader:
    """Reads one ``role.yaml``."""

    def __init__(self, path: Path, search_path: Sequence[Path]) -> None:
        self._path = path
        self._folder = path.parent
        self._search_path = search_path
        self._problems = Diagnostics()

    def read(self) -> tuple[Role | None, Diagnostics]:
        tree, found = masking.load(self._path, shown(self._path))
        self._problems.extend(found)
        fields = Fields.of(tree, "a role", self._problems)
        if fields is None:
            return None, self._problems
        fields.only(_ROLE_KEYS)
        description = fields.required_text("description")
        variables = read_variables(fields.mapping("variables"), self._problems)
        requires = tuple(Reference(item.text, item.where) for item in fields.texts("requires"))
        # Variables of required roles are seen too; what they are called is known when a node has them all.
        statements = Statements(None if requires else variables, self._problems)
        role = Role(
            name=RoleName(self._folder.name),
            description=description.text.strip() if description else "",
            folder=self._folder,
            variables=variables,
            requires=requires,
            modules=self._modules(fields.mapping("modules")),
            resources=self._resources(fields.texts("configurations")),
            checks=self._checks("checks", fields.texts("checks")),
            refuse=statements.refusals(fields.items("refuse")),
            unique=statements.unique(fields.items("unique")),
            after=statements.waits(fields.items("after")),
            preflight=self._checks("preflight", fields.texts("preflight")),
            decommission=self._decommission(fields.tree("decommission")),
        )
        return (None if self._problems.has_errors else role), self._problems

    def _modules(self, mapping: documents.Mapping | None) -> Mapping[str, ModuleUse]:
        found = {}
        for entry in mapping.entries if mapping else ():
            value = entry.value
            if isinstance(value, documents.Scalar) and isinstance(value.value, str):
                found[entry.name] = ModuleUse(entry.name, value.text, value.where, entry.key.where)
            else:
                self._problems.error(
                    "Module version is not text",
                    f"The version of '{entry.name}' has to be text, or 1.10 would become 1.1.",
                    value.where,
                    "Put it in quotes.",
                )
        return found

    def _resources(self, names: Sequence[Scalar]) -> tuple[ResourceTemplate, ...]:
        found: list[ResourceTemplate] = []
        for name in names:
            file_name = f"{name.text}.dsc.yaml"
            folders = [folder / "dsc_configs" for folder in self._search_path]
            paths = [folder / file_name for folder in folders]
            path = next((path for path in paths if path.is_file()), None)
            if not _FOLDER_NAME.fullmatch(name.text) or path is None:
                known = {
                    each.name.removesuffix(".dsc.yaml")
                    for folder in folders
                    for each in folder.glob("*.dsc.yaml")
                }
                is_other = any(each.is_symlink() or each.exists() for each in paths)
                detail = (
                    f"dsc_configs/{file_name} is there, but it is no file: a folder, or a link that leads nowhere."
                    if is_other
                    else f"There is no dsc_configs/{file_name}, neither in the project nor built in."
                )
                self._problems.error(
                    "Configuration file not found", detail, name.where, did_you_mean(name.text, known)
                )
                continue
            resources, problems = read_resources(path, shown(path))
            self._problems.extend(problems)
            found.extend(resources)
        return tuple(found)

    def _decommission(self, tree: Tree | None) -> Decommission | None:
        fields = Fields.of(tree, "the section 'decommission'", self._problems)
        if fields is None:
            return None
        fields.only(("configurations", "leaves"))
        resources = self._resources(fields.texts("configurations"))
        leaves = tuple(item.text.strip() for item in fields.texts("leaves"))
        if not resources and not leaves and not self._problems.has_errors:
            self._problems.error(
                "Decommission says nothing",
                "The section 'decommission' names neither configurations that undo the role nor what it leaves.",
                fields.where,
                "Where there is nothing to undo, say under 'leaves' why.",
            )
        return Decommission(resources, leaves)

    def _checks(self, key: str, names: Sequence[Scalar]) -> tuple[Path, ...]:
        """Return the files of checks that a key lists, which lie in a folder of the same name."""
        found = []
        for name in names:
            path = inside(self._folder, name.text)
            if path is None:
                self._problems.error(
                    "Path leads out of the role",
                    f"'{name.text}' is not a path inside the role's folder.",
                    name.where,
                    "Write it relative to role.yaml, with forward slashes and without '..'.",
                )
            elif not path.is_file():
                self._problems.error("Check file not found", f"There is no {shown(path)}.", name.where)
            else:
                found.append(path)
        self._warn_of_unlisted(key, {path.resolve() for path in found})
        return tuple(found)

    def _warn_of_unlisted(self, key: str, listed: set[Path]) -> None:
        """A check that lies there and is not listed looks as if it were run."""
        for path in sorted(self._folder.glob(f"{key}/test_*.py")):
            if path.resolve() not in listed:
                self._problems.warning(
                    "Check file is not listed",
                    f"{shown(path)} is not under '{key}:' of its role, so it is never run.",
                    help=f"Add '{key}/{path.name}' under '{key}:' in {shown(self._path)}.",
                )
