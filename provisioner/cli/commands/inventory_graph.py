"""``provision inventory graph``: which group is in which, and which nodes are in them."""

from __future__ import annotations

import json
from pathlib import Path

import click

from provisioner.cli.commands.inventory import loaded
from provisioner.cli.context import inventory_argument, json_option, limit_option, say, verb
from provisioner.cli.graphs import Graph, as_dot, as_mermaid, as_tree
from provisioner.inventory.selection import select

_FORMS = {"tree": as_tree, "dot": as_dot, "mermaid": as_mermaid}


@click.command()
@inventory_argument
@limit_option
@click.option("--dot", "form", flag_value="dot", help="For Graphviz.")
@click.option("--mermaid", "form", flag_value="mermaid", help="For Mermaid.")
@json_option
@verb
def graph(inventory: Path, limit: str, form: str | None, as_json: bool) -> None:  # noqa: FBT001 - click passes by name
    """Draw the groups of an inventory and the nodes in them."""
    read = loaded(inventory)
    drawn = Graph.of(read, select(read, limit))
    if as_json:
        for group, children in drawn.children.items():
            say(json.dumps({"group": group, "children": children, "nodes": drawn.members[group]}))
        say(json.dumps({"group": None, "children": drawn.outermost, "nodes": drawn.loose}))
        for waiting, first in drawn.after.items():
            say(json.dumps({"waiting": waiting, "after": first}))
        return
    for line in _FORMS[form or "tree"](drawn):
        say(line)
