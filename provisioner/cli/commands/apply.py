"""``provision apply``: make the nodes what the inventory says, then verify them."""

from __future__ import annotations

from pathlib import Path

import click

from provisioner.cli.consent import TerminalConsent, always, never
from provisioner.cli.context import (
    has_terminal,
    inventory_argument,
    json_option,
    limit_option,
    parallel_option,
    verb,
)
from provisioner.cli.reporting import leave_with, output, show_warnings
from provisioner.engine.work import AllowReboot
from provisioner.project import ApplyRequest, Project


@click.command()
@inventory_argument
@limit_option
@click.option("--yes", is_flag=True, help="Restart nodes that ask for it without a question.")
@click.option("--reboot-running-vms", is_flag=True, help="Also restart nodes with running virtual machines.")
@parallel_option
@json_option
@verb
def apply(  # noqa: PLR0913 - one parameter per option
    inventory: Path,
    limit: str,
    parallel: int,
    *,
    yes: bool,
    reboot_running_vms: bool,
    as_json: bool,
) -> None:
    """Make the nodes of INVENTORY what it says, then verify them.

    A second run changes nothing. A run that was killed is taken up where it stopped.
    """
    project = Project.of(inventory)
    compilation = project.compile(inventory, limit)
    show_warnings(compilation.warnings)
    show_warnings(project.taken_roles(compilation))
    shown = output(as_json=as_json)
    consent: AllowReboot = always if yes else never
    if not yes and not as_json and has_terminal():
        consent = TerminalConsent(shown.pause)
    request = ApplyRequest(consent, parallel, reboot_running_vms)
    leave_with(project.apply(compilation, request, shown.reporter), shown)
