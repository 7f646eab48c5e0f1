"""``provision inventory import``: make an inventory of ours from one of Ansible or Vagrant."""

from __future__ import annotations

from pathlib import Path

import click

from provisioner.cli.context import counted, say, verb
from provisioner.cli.new_files import write_files
from provisioner.diagnostics import Diagnostics
from provisioner.errors import InputError, UsageError
from provisioner.inventory.foreign.names import site_name
from provisioner.inventory.foreign.reading import Form, read_foreign
from provisioner.inventory.foreign.translate import Imported, translate


@click.command(name="import")
@click.argument("source", type=click.Path(path_type=Path, dir_okay=False), metavar="SOURCE")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("inventory.yaml"),
    show_default=True,
)
@click.option(
    "--format",
    "form",
    type=click.Choice([form.value for form in Form]),
    default=Form.AUTO.value,
    show_default=True,
)
@click.option("--site", metavar="NAME", default="", help="Name of the site; that of the file when left out.")
@click.option(
    "--write-secrets", is_flag=True, help="Write passwords to .secrets beside the output, mode 0600."
)
@click.option("--force", is_flag=True, help="Replace files that exist.")
@verb
def import_inventory(  # noqa: PLR0913, PLR0917 - click passes by name
    source: Path,
    output: Path,
    form: str,
    site: str,
    write_secrets: bool,  # noqa: FBT001
    force: bool,  # noqa: FBT001 - click passes by name
) -> None:
    """Read an inventory of Ansible (YAML or INI, with group_vars and host_vars) or 'vagrant winrm-config'.

    Passwords are never written into the inventory: it refers to files in .secrets instead. What could not be
    carried over is listed with file and line.
    """
    foreign, problems = read_foreign(source, Form(form))
    imported = None
    if foreign is not None:
        imported, found = translate(foreign, site or site_name(source.name))
        problems.extend(found)
    problems.raise_errors()
    if imported is None:
        raise InputError(problems, [])
    files = {output: imported.text.encode()}
    if write_secrets:
        files |= {
            output.parent / path: text.encode() for path, text in imported.secrets.items() if text is not None
        }
    taken = [path for path in files if path.exists() and not force]
    if taken:
        raise UsageError(f"{taken[0]} exists already; nothing was written.", "Use --force to replace it.")
    write_files(files, private=[path for path in files if path != output])
    _report(imported, problems, output, write_secrets=write_secrets)


def _report(imported: Imported, notes: Diagnostics, output: Path, *, write_secrets: bool) -> None:
    for note in notes:
        place = f"{note.where}: " if note.where else ""
        click.echo(f"{place}{note.summary}: {note.detail}{' ' + note.help if note.help else ''}", err=True)
    lacking = [path for path, text in imported.secrets.items() if text is None or not write_secrets]
    if lacking:
        say(f"Secrets to write beside {output}, each into a file that only you can read:")
        for path in lacking:
            say(f"  {path}")
    say(f"Imported {counted(len(imported.inventory.nodes), 'node')} into {output}.")
    say(f"Next: name roles in it, then provision validate {output}")
