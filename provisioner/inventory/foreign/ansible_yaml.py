"""Ansible's YAML inventories, and the ``group_vars`` and ``host_vars`` folders beside an inventory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from provisioner import documents
from provisioner.diagnostics import did_you_mean
from provisioner.documents import Entry, Mapping, Scalar, Tree
from provisioner.inventory import masking
from provisioner.inventory.foreign.ini import add_hosts
from provisioner.inventory.foreign.model import ForeignInventory, Variables
from provisioner.inventory.foreign.yaml_values import VAULT_MARK, entries, read_tree, value_of
from provisioner.inventory.model import Located

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from provisioner.diagnostics import Diagnostics, SourceFile

_SECTIONS: Final = ("hosts", "vars", "children")
#: Extensions of files of variables, in the order they are looked for; the first that is there counts.
_EXTENSIONS: Final = ("", ".yml", ".yaml", ".json")
#: What can be the name of a file of variables; anything else is not looked for.
_FILE_NAME: Final = re.compile(r"[^/\\\0]{1,200}")
_DEEPEST: Final = 8


def read_yaml(text: str, source: SourceFile, inventory: ForeignInventory, problems: Diagnostics) -> None:
    """Read an inventory into ``inventory``; everything that is wrong goes to ``problems``."""
    tree = read_tree(text, source, problems)
    if tree is None:
        return
    if not isinstance(tree, Mapping):
        problems.error(
            "Not an inventory",
            "An inventory in YAML is a mapping from groups to what is in them.",
            tree.where,
        )
        return
    plugin = tree.entry("plugin")
    if plugin:
        problems.error(
            "Not an inventory",
            "This file configures an inventory plugin; the hosts are elsewhere.",
            plugin.key.where,
            "Let Ansible write them out: ansible-inventory -i FILE --list --yaml --export.",
        )
        return
    for name, entry in entries(tree).items():
        _group(name, entry, inventory, problems)


def _group(name: str, entry: Entry, inventory: ForeignInventory, problems: Diagnostics) -> None:
    """Read one group with its children, which are groups themselves; the reader bounds how deep they go."""
    where = entry.key.where
    group = inventory.group(name, where)
    value = entry.value
    if not isinstance(value, Mapping):
        if not _is_empty(value):
            problems.error(
                "Group has another form",
                f"The group '{name}' is a mapping with the keys hosts, vars and children.",
                value.where,
            )
        return
    for key, part in entries(value).items():
        if key not in _SECTIONS:
            problems.warning(
                "Key is not carried over",
                f"'{key}' means nothing in the group '{name}'; Ansible leaves it out too.",
                part.key.where,
                did_you_mean(key, _SECTIONS),
            )
            continue
        section = _section(key, name, part, problems)
        for inner, found in section.items():
            match key:
                case "vars":
                    group.variables[inner] = Located(value_of(found.value), found.key.where)
                case "hosts":
                    variables = _host_variables(inner, found, problems)
                    add_hosts(inventory, inner, name, variables, found.key.where, problems)
                case _:
                    group.children.setdefault(inner, found.key.where)
                    _group(inner, found, inventory, problems)


def _section(key: str, group: str, part: Entry, problems: Diagnostics) -> dict[str, Entry]:
    value = part.value
    if isinstance(value, Mapping):
        return entries(value)
    if isinstance(value, Scalar) and isinstance(value.value, str) and value.text:
        name = Scalar(value.text, value.text, value.where)
        return {value.text: Entry(name, Scalar(None, "", value.where))}
    if not _is_empty(value):
        form = "from names to values" if key == "vars" else "whose keys are names"
        problems.error(
            "Section has another form", f"'{key}' of the group '{group}' is a mapping {form}.", value.where
        )
    return {}


def _host_variables(host: str, entry: Entry, problems: Diagnostics) -> Variables:
    if isinstance(entry.value, Mapping):
        return _variables(entry.value)
    if not _is_empty(entry.value):
        problems.error(
            "Host has another form",
            f"What stands below the host '{host}' is a mapping of variables.",
            entry.value.where,
        )
    return {}


def _variables(mapping: Mapping) -> Variables:
    return {name: Located(value_of(entry.value), entry.key.where) for name, entry in entries(mapping).items()}


def _is_empty(tree: Tree) -> bool:
    return isinstance(tree, Scalar) and tree.value is None


def read_folders(folder: Path, inventory: ForeignInventory, problems: Diagnostics) -> None:
    """Read ``group_vars`` and ``host_vars`` beside an inventory, for the groups and hosts it has."""
    groups, hosts = folder / "group_vars", folder / "host_vars"
    if groups.is_dir():
        for group in [*inventory.groups.values()]:
            group.overrides |= _of_name(groups, group.name, problems)
    if hosts.is_dir():
        for host in inventory.hosts.values():
            host.overrides |= _of_name(hosts, host.name, problems)


def _of_name(folder: Path, name: str, problems: Diagnostics) -> Variables:
    if not _FILE_NAME.fullmatch(name) or name in {".", ".."}:
        return {}
    found: Variables = {}
    for extension in _EXTENSIONS:
        path = folder / f"{name}{extension}"
        if path.exists():
            for file in [path] if path.is_file() else _files(path, _DEEPEST):
                found |= _of_file(file, problems)
            break
    return found


def _files(folder: Path, depth: int) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.endswith("~"):
            continue
        if path.is_dir():
            if depth and not path.suffix:
                yield from _files(path, depth - 1)
        elif path.suffix in _EXTENSIONS:
            yield path


def _of_file(path: Path, problems: Diagnostics) -> Variables:
    text, source, found = documents.read_text(path)
    problems.extend(found)
    if text is None:
        return {}
    if text.startswith(VAULT_MARK):
        problems.warning(
            "File is encrypted",
            f"{source.path} is encrypted with ansible-vault, so nothing of it could be carried over.",
            help="Decrypt it with 'ansible-vault view', and write its variables into the new inventory.",
        )
        return {}
    tree = read_tree(text, masking.mask_lines(source), problems)
    if isinstance(tree, Mapping):
        return _variables(tree)
    if tree is not None and not _is_empty(tree):
        problems.error("Not a file of variables", "A file of variables is a mapping.", tree.where)
    return {}
