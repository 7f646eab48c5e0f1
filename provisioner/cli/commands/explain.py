"""``provision explain``: where each value of a node comes from, and what it overrode."""

from __future__ import annotations

import re
from pathlib import Path

import click

from provisioner.addresses import NodeName
from provisioner.cli.commands.inventory import loaded
from provisioner.cli.context import inventory_argument, json_option, say, verb
from provisioner.cli.explaining import as_objects, as_text, suggestion
from provisioner.diagnostics import did_you_mean
from provisioner.errors import UsageError
from provisioner.inventory.explanation import Explained, explain_settings
from provisioner.inventory.model import Inventory, Node
from provisioner.project import Project, builtin_folder
from provisioner.roles.explanation import SECTION, explain_variables
from provisioner.roles.loader import RoleLibrary
from provisioner.roles.variables import roles_of

_STEP = re.compile(r"[^.\[\]]+")


@click.command()
@inventory_argument
@click.argument("node")
@click.argument("path", required=False, default="")
@json_option
@verb
def explain(inventory: Path, node: str, path: str, as_json: bool) -> None:  # noqa: FBT001 - click passes by name
    """Show where each value of NODE comes from: layer, file, line and column.

    PATH is a variable or a part of one (name.key.0), or a section: address, groups, roles, decommission, after,
    aggregates, connection, encryption, management_adapter.
    """
    read = loaded(inventory)
    if node not in read.nodes:
        raise UsageError(f"no node of {read.path} is called '{node}'.", did_you_mean(node, read.nodes))
    found = read.nodes[NodeName(node)]
    library = RoleLibrary([Project.of(inventory).root, builtin_folder()])
    lines = explained(read, found, library, path)
    for line in as_objects(node, lines) if as_json else as_text(lines):
        say(line)


def explained(inventory: Inventory, node: Node, library: RoleLibrary, path: str) -> list[Explained]:
    """Return everything that stands under a path; all of the node when it is empty.

    Raises:
        InputError: a role of the node cannot be read.
        UsageError: there is nothing of this name.
    """
    roles, problems = roles_of(node, library)
    problems.raise_errors()
    steps = tuple(int(step) if step.isdecimal() else step for step in _STEP.findall(path))
    settings = [
        each
        for each in explain_settings(node, inventory)
        if all(a == b for a, b in zip((each.section, *each.path), steps, strict=False))
    ]
    below = steps[1:] if steps[:1] == (SECTION,) else steps
    found = [*settings, *explain_variables(node, roles, below)]
    if not found:
        help_ = suggestion(node, inventory, roles, steps) if steps else ""
        raise UsageError(f"node '{node.name}' has no value under '{path}'.", help_)
    return found
