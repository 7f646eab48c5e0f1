"""``provision schema``: JSON Schemas with which an editor completes and checks the files of a project."""

from __future__ import annotations

from pathlib import Path

import click

from provisioner.catalogue.registry import PROJECT_FOLDER, Registry
from provisioner.cli.context import counted, say, verb
from provisioner.cli.new_files import write_files
from provisioner.cli.reporting import show_warnings
from provisioner.diagnostics import Diagnostics
from provisioner.editor.files import FOLDER, KINDS, file_name, schema_texts
from provisioner.project import Project, builtin_folder


@click.command()
@click.argument("kind", type=click.Choice(KINDS), required=False, metavar=f"[{'|'.join(KINDS)}]")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help=f"Folder of the files; '{FOLDER}' of the project when left out.",
)
@click.option(
    "--all",
    "with_all",
    is_flag=True,
    help="Offer every module of the catalogue, not only those of the roles.",
)
@verb
def schema(kind: str | None, output: Path | None, with_all: bool) -> None:  # noqa: FBT001 - click passes by name
    """Write schemas for the project in the working directory.

    Write them again when a role gets another variable or module: they say what there is when they are made.
    """
    root = Project.of(Path.cwd() / "inventory.yaml").root
    folder = output or root / FOLDER
    written = write_schemas(root, folder, [kind] if kind else list(KINDS), with_all=with_all)
    for path in written:
        say(f"  {path}")
    say(f"Wrote {counted(len(written), 'schema')}.")


def write_schemas(root: Path, folder: Path, kinds: list[str], *, with_all: bool = False) -> list[Path]:
    """Write the schemas of a project, show what is wrong with its roles, and return the files."""
    problems = Diagnostics()
    registry = Registry.of(root / PROJECT_FOLDER)
    texts = schema_texts([root, builtin_folder()], registry, problems, with_all=with_all)
    show_warnings(problems)
    files = {folder / file_name(kind): texts[kind].encode() for kind in kinds}
    write_files(files)
    return list(files)
