"""Read an inventory of another tool from a file, whichever of the known forms it has."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Final

from provisioner import documents
from provisioner.diagnostics import Diagnostics, SourceRange
from provisioner.inventory import masking
from provisioner.inventory.foreign.ansible_yaml import read_folders, read_yaml
from provisioner.inventory.foreign.ini import read_ini
from provisioner.inventory.foreign.model import ALL, ForeignInventory
from provisioner.inventory.foreign.vagrant import read_vagrant
from provisioner.inventory.foreign.yaml_values import VAULT_MARK

if TYPE_CHECKING:
    from pathlib import Path

    from provisioner.diagnostics import SourceFile


class Form(Enum):
    """Forms of inventories that can be read; the value is the word on the command line."""

    AUTO = "auto"  #: told by the name and the beginning of the file
    ANSIBLE = "ansible"  #: Ansible's YAML
    INI = "ini"  #: Ansible's INI
    VAGRANT = "vagrant"  #: what ``vagrant winrm-config`` prints


_YAML_NAMES: Final = frozenset({".yml", ".yaml", ".json"})
_INI_NAMES: Final = frozenset({".ini", ".cfg"})
_YAML_LINE: Final = re.compile(r"---|\{|['\"]?[\w.-]+['\"]?:(?:\s|$)")


def read_foreign(path: Path, form: Form = Form.AUTO) -> tuple[ForeignInventory | None, Diagnostics]:
    """Read an inventory and, for Ansible's, the ``group_vars`` and ``host_vars`` folders beside it.

    Returns:
        The inventory and all problems; warnings say what was left out. None exactly when there are errors.
    """
    text, source, problems = documents.read_text(path)
    if text is None:
        return None, problems
    inventory, found = read_foreign_text(text, source, form)
    problems.extend(found)
    if inventory is not None and _form_of(text, source, form) is not Form.VAGRANT:
        try:
            read_folders(path.parent, inventory, problems)
        except OSError as error:
            problems.error("Folder cannot be read", f"{error.filename}: {error.strerror}.")
    return (None if problems.has_errors else inventory), problems


def read_foreign_text(
    text: str, source: SourceFile, form: Form = Form.AUTO
) -> tuple[ForeignInventory | None, Diagnostics]:
    """Read an inventory from its text; ``source`` names it."""
    problems = Diagnostics()
    inventory = ForeignInventory(re.split(r"[/\\]", source.path)[-1])
    if text.startswith(VAULT_MARK):
        problems.error(
            "File is encrypted",
            f"{source.path} is encrypted with ansible-vault.",
            help="Write it out first: ansible-vault view FILE > inventory.yml",
        )
        return None, problems
    match _form_of(text, source, form):
        case Form.ANSIBLE:
            read_yaml(text, masking.mask_lines(source), inventory, problems)
        case Form.VAGRANT:
            read_vagrant(text, masking.mask_assignments(source), inventory, problems)
        case _:
            read_ini(text, masking.mask_assignments(source), inventory, problems)
    # Every inventory has it, and a file in group_vars may speak for it.
    inventory.group(ALL, SourceRange(source, 1, 1, 1, 1))
    cycle = inventory.cycle()
    if cycle:
        problems.error(
            "Groups contain each other",
            f"A group cannot be a part of itself: {' > '.join(cycle)}.",
            inventory.groups[cycle[0]].where,
        )
    if not inventory.hosts and not problems.has_errors:
        problems.error("Inventory is empty", f"There is no host in {source.path}.")
    return (None if problems.has_errors else inventory), problems


def _form_of(text: str, source: SourceFile, form: Form) -> Form:
    if form is not Form.AUTO:
        return form
    lines = [line.strip() for line in text.splitlines()]
    first = next((line for line in lines if line and line[0] not in "#;"), "")
    extension = re.search(r"\.\w+$", source.path)
    ending = extension[0].casefold() if extension else ""
    if re.fullmatch(r"Host\s+\S+", first):
        return Form.VAGRANT
    if ending in _YAML_NAMES:
        return Form.ANSIBLE
    if ending not in _INI_NAMES and _YAML_LINE.match(first):
        return Form.ANSIBLE
    return Form.INI
