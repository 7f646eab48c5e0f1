"""``provision compile``: write each node's documents to a folder."""

from __future__ import annotations

import time
from pathlib import Path

import click

from provisioner.cli.compiled import show_facts, show_list
from provisioner.cli.context import inventory_argument, jobs_option, json_option, limit_option, verb
from provisioner.cli.progress import Progress
from provisioner.cli.reporting import show_warnings
from provisioner.configuration.emit.formats import EMITTERS
from provisioner.errors import UsageError
from provisioner.project import CompileRequest, Project


@click.command(name="compile")
@inventory_argument
@limit_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("output"),
    show_default=True,
)
@click.option(
    "--format",
    "formats",
    metavar="FORMATS",
    multiple=True,
    default=("mof",),
    help=f"What to write: {', '.join(EMITTERS)}; several with commas. Default: mof.",
)
@click.option("--no-cache", is_flag=True, help="Compile every node, whatever is there already.")
@jobs_option
@json_option
@verb
def compile_documents(  # noqa: PLR0913 - one parameter per option
    inventory: Path,
    limit: str,
    output: Path,
    formats: tuple[str, ...],
    *,
    no_cache: bool,
    jobs: int,
    as_json: bool,
) -> None:
    """Write <node>.mof and <node>.meta.mof for every node, and other formats.

    Nothing is written unless every selected node compiles. Nodes that did not change are left as they are.
    """
    start = time.monotonic()
    with Progress("compiling") as progress:
        request = CompileRequest(output, limit, _formats(formats), jobs, not no_cache, progress.show)
        written = Project.of(inventory).write(inventory, request)
    show_warnings(written.warnings)
    if as_json:
        show_facts(written, output)
    else:
        show_list(written, output, time.monotonic() - start)


def _formats(words: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for word in words for name in word.split(",")))
    for name in names:
        if name not in EMITTERS:
            raise UsageError(f"there is no format '{name}'.", f"Formats are {', '.join(EMITTERS)}.")
    return names
