"""``provision import``: what Windows PowerShell compiled becomes a project."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from provisioner.catalogue.registry import PROJECT_FOLDER, Registry
from provisioner.cli.context import counted, say, verb
from provisioner.cli.new_files import write_files
from provisioner.cli.reporting import show_warnings
from provisioner.configuration.importing.importer import Import, import_documents
from provisioner.configuration.importing.project_files import INVENTORY
from provisioner.configuration.reading.text import LARGEST_BYTES
from provisioner.errors import UsageError


@click.command(name="import")
@click.argument(
    "documents",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.mof...",
    nargs=-1,
    required=True,
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True, metavar="DIR"
)
@click.option("--force", is_flag=True, help="Replace files that are there already.")
@verb
def import_mof(documents: tuple[Path, ...], output: Path, force: bool) -> None:  # noqa: FBT001 - click passes by name
    """Turn compiled documents into a project in DIR: an inventory, a role and its configuration for each.

    Passwords are not taken over: each becomes a reference, which is listed at the end.
    """
    registry = Registry.of(output / PROJECT_FOLDER)
    imported, problems = import_documents([(str(path), _content(path)) for path in documents], registry)
    problems.raise_errors()
    assert imported is not None, "an import is missing without an error"
    show_warnings(problems)
    _write(output, imported.files, force=force)
    _report(imported, output)


def _content(path: Path) -> bytes:
    """Read a file, and of one that is too large only as much as shows it."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}; nothing was written.") from error


def _write(folder: Path, files: Mapping[Path, str], *, force: bool) -> None:
    taken = [folder / path for path in files if (folder / path).exists()]
    if taken and not force:
        raise UsageError(
            f"{taken[0]} exists already; nothing was written.",
            "Choose another folder with --output, or replace what is there with --force.",
        )
    write_files({folder / path: text.encode() for path, text in files.items()})


def _report(imported: Import, output: Path) -> None:
    for path in imported.files:
        say(f"  {output / path}")
    nodes = counted(len(imported.nodes), "node")
    profiles = f" and {counted(len(imported.profiles), 'LCM profile')}" if imported.profiles else ""
    say(f"Imported {nodes} with {counted(imported.resources, 'resource')}{profiles} into {output}.")
    if imported.secrets:
        say("Set these references, whose passwords were not taken over:")
        for secret in imported.secrets:
            others = len(secret.used_by) - 1
            more = f" and {counted(others, 'other resource')}" if others else ""
            say(f"  {secret.reference}  {secret.owner or '(no user)'}, for {secret.used_by[0]}{more}")
    if imported.nodes:
        say("Fill in how the nodes are reached: 'user' and 'password' in the inventory.")
        if imported.secrets:
            say(f"Pin the certificates of the nodes: provision certificate fetch {output / INVENTORY}")
        say(f"Then: provision validate {output / INVENTORY}")
