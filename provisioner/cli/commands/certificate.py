"""``provision certificate``: what passwords are encrypted to."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from provisioner.cli.certificates import fetch as fetch_all
from provisioner.cli.certificates import passwords, targets
from provisioner.cli.context import counted, inventory_argument, leave, limit_option, say, verb
from provisioner.cli.exit_codes import ExitCode
from provisioner.inventory.loader import load_inventory
from provisioner.inventory.selection import select


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def certificate() -> None:
    """Certificates that passwords are encrypted to."""


@certificate.command()
@inventory_argument
@limit_option
@click.option(
    "--replace", is_flag=True, help="Replace a certificate that is another one than the node has now."
)
@verb
def fetch(inventory: Path, limit: str, *, replace: bool) -> None:
    """Read each node's document-encryption certificate and keep it beside INVENTORY.

    The first certificate of a node is trusted; a different one later is refused without --replace.
    """
    loaded, problems = load_inventory(inventory)
    problems.raise_errors()
    assert loaded is not None, "an inventory is missing without an error"
    names = list(select(loaded, limit))
    paths = targets(loaded, names, inventory.parent)
    secrets = passwords(loaded, names, inventory.parent)
    failures = asyncio.run(fetch_all(loaded, paths, secrets, say, replace=replace))
    if failures:
        sentences = [line for error in failures for line in (f"error: {error}", getattr(error, "help", ""))]
        leave(
            ExitCode.FAILED,
            *dict.fromkeys(line for line in sentences if line),
            f"{counted(len(failures), 'node')} of {len(names)} failed.",
        )
