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
from provisioner.inventory.model import RESERVED_VARIABLES
from provisioner.inventory.strategies import Mode, read_strategy
from provisioner.roles import masking
from provisioner.roles.configuration_file import read_resources
from provisioner.roles.fields import Fields
from provisioner.roles.model import (
    ModuleUse,
    Reference,
    ResourceTemplate,
    Role,
    Variable,
    VariableType,
    kind_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provisioner.diagnostics import SourceRange
    from provisioner.documents import Scalar, Tree

_ROLE_KEYS = ("description", "variables", "requires", "modules", "configurations", "checks")
_VARIABLE_KEYS = ("type", "items", "default", "required", "description", "choices", "merge")
_HELP_SECRETS = {
    VariableType.SECRET: "Write 'env:NAME' for an environment variable or 'file:PATH' for a file.",
    VariableType.CREDENTIAL: "Write {user: NAME, password: 'env:NAME'}.",
}
_VARIABLE_NAME = re.compile(r"[a-z][a-z0-9_]*")
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


def _shown(kind: VariableType, value: Tree) -> SourceRange:
    """Return the position of a value of a variable; a secret that stands there by mistake is not quoted."""
    is_secret = kind in {VariableType.SECRET, VariableType.CREDENTIAL}
    return masking.starred(value.where) if is_secret else value.where


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
        role = Role(
            name=RoleName(self._folder.name),
            description=description.text.strip() if description else "",
            folder=self._folder,
            variables=self._variables(fields.mapping("variables")),
            requires=tuple(Reference(item.text, item.where) for item in fields.texts("requires")),
            modules=self._modules(fields.mapping("modules")),
            resources=self._resources(fields.texts("configurations")),
            checks=self._checks(fields.texts("checks")),
        )
        return (None if self._problems.has_errors else role), self._problems

    def _variables(self, mapping: documents.Mapping | None) -> Mapping[str, Variable]:
        found = {}
        for entry in mapping.entries if mapping else ():
            fields = Fields.of(entry.value, "a variable", self._problems)
            if not _VARIABLE_NAME.fullmatch(entry.name) or entry.name in RESERVED_VARIABLES:
                reason = (
                    "is a name expressions use already"
                    if entry.name in RESERVED_VARIABLES
                    else "is not made of lower-case letters, digits and underscores"
                )
                self._problems.error(
                    "Variable cannot have this name", f"'{entry.name}' {reason}.", entry.key.where
                )
            if fields:
                variable = self._variable(entry.name, fields, entry.key.where)
                if variable:
                    found[entry.name] = variable
        return found

    def _variable(self, name: str, fields: Fields, where: SourceRange) -> Variable | None:
        fields.only(_VARIABLE_KEYS)
        kind = self._type(fields.required_text("type"))
        items = self._type(fields.text("items"))
        description = fields.required_text("description")
        is_required = fields.flag("required")
        choices = fields.items("choices")
        default = fields.tree("default")
        if kind is None or description is None:
            return None
        if items and kind not in {VariableType.LIST, VariableType.MAPPING}:
            self._problems.error(
                "Variable has no items",
                f"Only a list or a mapping has 'items'; '{name}' is a {kind.value}.",
                fields.key_where("items"),
            )
        if is_required and default is not None:
            self._problems.error(
                "Default is never used",
                f"'{name}' is required, so its default is never used.",
                fields.key_where("default"),
                "Remove 'required' or 'default'.",
            )
        variable = Variable(
            name=name,
            type=kind,
            description=description.text.strip(),
            where=where,
            is_required=is_required,
            default=documents.plain(default) if default is not None else None,
            choices=tuple(documents.plain(choice) for choice in choices),
            items=items,
            merge=read_strategy(fields.tree("merge"), self._problems),
            default_tree=default,
        )
        self._check_values(variable, fields)
        self._check_merge(variable, fields)
        return variable

    def _check_merge(self, variable: Variable, fields: Fields) -> None:
        """Hold the strategy against the type: only lists and mappings have parts that could be merged."""
        fitting = {VariableType.LIST: set(Mode), VariableType.MAPPING: {Mode.DEEP, Mode.REPLACE}}
        if variable.merge and variable.merge.mode not in fitting.get(variable.type, {Mode.REPLACE}):
            self._problems.error(
                "Merge strategy does not fit the type",
                f"'{variable.merge.mode.value}' cannot merge values of type {variable.type.value}.",
                fields.key_where("merge"),
                "Lists take 'unique', 'append' and 'deep', mappings take 'deep'.",
            )

    def _check_values(self, variable: Variable, fields: Fields) -> None:
        """Hold default and choices against the type of the variable."""
        for choice in fields.items("choices"):
            if not variable.type.accepts(documents.plain(choice)):
                self._problems.error(
                    "Choice has the wrong type",
                    f"The variable '{variable.name}' is of type {variable.type.value}, and this is "
                    f"{kind_of(documents.plain(choice))}.",
                    _shown(variable.type, choice),
                )
        default = fields.tree("default")
        if default is None:
            return
        if not variable.type.accepts(variable.default):
            self._problems.error(
                "Default has the wrong type",
                f"The variable '{variable.name}' is of type {variable.type.value}, and this is "
                f"{kind_of(variable.default)}.",
                _shown(variable.type, default),
                _HELP_SECRETS.get(variable.type, ""),
            )
        elif variable.choices and variable.default not in variable.choices:
            self._problems.error(
                "Default is not one of the choices",
                f"The variable '{variable.name}' can have its choices only, and its default is another value.",
                default.where,
            )
        elif variable.items:
            self._check_items(variable, variable.items, default)

    def _check_items(self, variable: Variable, kind: VariableType, default: Tree) -> None:
        """Hold each item of a default against the type of items."""
        parts: list[Tree] = []
        if isinstance(default, documents.Sequence):
            parts = list(default.items)
        elif isinstance(default, documents.Mapping):
            parts = [entry.value for entry in default.entries]
        for part in parts:
            if not kind.accepts(documents.plain(part)):
                self._problems.error(
                    "Default has the wrong type",
                    f"The items of the variable '{variable.name}' are of type {kind.value}, and this is "
                    f"{kind_of(documents.plain(part))}.",
                    _shown(kind, part),
                    _HELP_SECRETS.get(kind, ""),
                )

    def _type(self, written: Scalar | None) -> VariableType | None:
        if written is None:
            return None
        words = [each.value for each in VariableType]
        if written.text in words:
            return VariableType(written.text)
        self._problems.error(
            "Unknown variable type",
            f"'{written.text}' is not a type of variables.",
            written.where,
            did_you_mean(written.text, words),
        )
        return None

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

    def _checks(self, names: Sequence[Scalar]) -> tuple[Path, ...]:
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
        self._warn_of_unlisted({path.resolve() for path in found})
        return tuple(found)

    def _warn_of_unlisted(self, listed: set[Path]) -> None:
        """A check that lies there and is not listed looks as if it were run."""
        for path in sorted(self._folder.glob("checks/test_*.py")):
            if path.resolve() not in listed:
                self._problems.warning(
                    "Check file is not listed",
                    f"{shown(path)} is not under 'checks:' of its role, so it is never run.",
                    help=f"Add 'checks/{path.name}' under 'checks:' in {shown(self._path)}.",
                )
