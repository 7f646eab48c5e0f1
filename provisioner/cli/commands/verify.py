"""``provision verify``: run the roles' checks; nothing is changed."""

from __future__ import annotations

from pathlib import Path

import click

from provisioner.cli.context import inventory_argument, json_option, limit_option, parallel_option, verb
from provisioner.cli.reporting import leave_with, output, show_warnings
from provisioner.project import Project


@click.command()
@inventory_argument
@limit_option
@parallel_option
@json_option
@verb
def verify(inventory: Path, limit: str, parallel: int, *, as_json: bool) -> None:
    """Check that the nodes of INVENTORY are what it says."""
    project = Project.of(inventory)
    compilation = project.compile(inventory, limit, sealed=False)
    show_warnings(compilation.warnings)
    shown = output(as_json=as_json)
    leave_with(project.verify(compilation, shown.reporter, parallel), shown)
