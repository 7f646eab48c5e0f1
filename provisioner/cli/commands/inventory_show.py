"""``provision inventory show``: what the inventory comes to for a node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from provisioner import documents
from provisioner.cli.commands.inventory import loaded
from provisioner.cli.context import inventory_argument, json_option, say, verb
from provisioner.cli.explaining import NAMES
from provisioner.inventory.explanation import explain_settings, safe
from provisioner.inventory.model import Inventory, Node
from provisioner.inventory.selection import select


@click.command()
@inventory_argument
@click.argument("nodes", metavar="NODE")
@json_option
@verb
def show(inventory: Path, nodes: str, as_json: bool) -> None:  # noqa: FBT001 - click passes by name
    """Show what INVENTORY comes to for NODE, a name or a selection as of --limit.

    Defaults of roles are not in it: 'provision explain' shows them, and where each value comes from.
    """
    read = loaded(inventory)
    for name in select(read, nodes):
        facts = facts_of(read.nodes[name], read)
        say(json.dumps({"node": name, **facts}) if as_json else documents.dump({name: facts}).rstrip("\n"))


def facts_of(node: Node, inventory: Inventory) -> dict[str, Any]:
    """Return all settings and variables as plain data; secrets are references."""
    facts: dict[str, Any] = {}
    for each in explain_settings(node, inventory):
        if each.section in NAMES:
            facts.setdefault(each.section, []).append(each.given.value)
        elif each.path:
            facts.setdefault(each.section, {})[str(each.path[0])] = each.given.value
        else:
            facts[each.section] = each.given.value
    variables = {name: safe(located.value, (name,)) for name, located in node.variables.items()}
    return {**facts, "variables": variables}
