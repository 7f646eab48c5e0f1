"""``provision validate``: is everything right at the desk? Nothing is contacted, nothing is written."""

from __future__ import annotations

from pathlib import Path

import click

from provisioner.cli.context import counted, inventory_argument, limit_option, say, verb
from provisioner.cli.reporting import show_warnings
from provisioner.project import Project


@click.command()
@inventory_argument
@limit_option
@verb
def validate(inventory: Path, limit: str) -> None:
    """Check an inventory, its roles and every node's configuration."""
    compilation = Project.of(inventory).compile(inventory, limit)
    show_warnings(compilation.warnings)
    resources = sum(len(node.configuration.resources) for node in compilation.nodes.values())
    nodes = counted(len(compilation.nodes), "node")
    say(f"{inventory}: {nodes}, {counted(resources, 'resource')}, no errors.")
