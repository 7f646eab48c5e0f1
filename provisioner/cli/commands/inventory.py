"""``provision inventory``: what an inventory holds, and inventories of other tools made into one."""

from __future__ import annotations

import json
from pathlib import Path

import click

from provisioner.cli.context import inventory_argument, json_option, limit_option, say, verb
from provisioner.cli.lazy import LazyGroup
from provisioner.cli.reporting import show_warnings
from provisioner.inventory.loader import load_inventory
from provisioner.inventory.model import Inventory
from provisioner.inventory.selection import select

VERBS: dict[str, tuple[str, str]] = {
    "graph": ("provisioner.cli.commands.inventory_graph:graph", "Draw the groups and the nodes in them."),
    "import": (
        "provisioner.cli.commands.inventory_import:import_inventory",
        "Make an inventory from one of Ansible or Vagrant.",
    ),
    "show": ("provisioner.cli.commands.inventory_show:show", "Show what the inventory comes to for a node."),
}


@click.group(cls=LazyGroup, verbs=VERBS)
def inventory() -> None:
    """Look into an inventory."""


@inventory.command(name="list")
@inventory_argument
@limit_option
@json_option
@verb
def list_nodes(inventory: Path, limit: str, as_json: bool) -> None:  # noqa: FBT001 - click passes by name
    """List the nodes with their addresses, groups and roles, and which roles are to be undone."""
    read = loaded(inventory)
    for name in select(read, limit):
        node = read.nodes[name]
        roles = [str(use.name) for use in node.roles]
        undone = [str(use.name) for use in node.decommission]
        address = node.connection.endpoint.host
        if as_json:
            facts = {"node": name, "address": address, "groups": list(node.groups)}
            say(json.dumps({**facts, "roles": roles, "decommission": undone}))
        else:
            line = f"{name:<15} {address:<15} {','.join(node.groups) or '-':<20} {','.join(roles) or '-'}"
            say(f"{line}  undone: {','.join(undone)}" if undone else line)


def loaded(path: Path) -> Inventory:
    """Read an inventory, and show what did not stop it.

    Raises:
        InputError: it cannot be used.
    """
    read, problems = load_inventory(path)
    problems.raise_errors()
    show_warnings(problems)
    assert read is not None
    return read
