"""``provision validate``: is everything right at the desk? Nothing is contacted, nothing is written."""

from __future__ import annotations

from pathlib import Path

import click

from provisioner.cli.context import counted, inventory_argument, jobs_option, limit_option, say, verb
from provisioner.cli.reporting import show_warnings
from provisioner.project import Project


@click.command()
@inventory_argument
@limit_option
@jobs_option
@verb
def validate(inventory: Path, limit: str, jobs: int) -> None:
    """Check an inventory, its roles and every node's configuration."""
    found = Project.of(inventory).validate(inventory, limit, jobs)
    show_warnings(found.warnings)
    nodes, resources = counted(found.nodes, "node"), counted(found.resources, "resource")
    say(f"{inventory}: {nodes}, {resources}, no errors.")
