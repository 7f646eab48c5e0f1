"""``provision compile``: write each node's documents to a folder."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from provisioner.cli.context import (
    counted,
    inventory_argument,
    jobs_option,
    json_option,
    limit_option,
    say,
    verb,
)
from provisioner.cli.progress import Progress
from provisioner.cli.reporting import show_warnings
from provisioner.configuration.emit.formats import EMITTERS
from provisioner.errors import UsageError
from provisioner.project import CompileRequest, NodeSummary, Project, Written

#: A longer list is no help on a terminal; --json has every node.
_LISTED = 50


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
        for node in written.nodes.values():
            say(json.dumps(_facts(node, output)))
    else:
        _report(written, output, time.monotonic() - start)


def _formats(words: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for word in words for name in word.split(",")))
    for name in names:
        if name not in EMITTERS:
            raise UsageError(f"there is no format '{name}'.", f"Formats are {', '.join(EMITTERS)}.")
    return names


def _facts(node: NodeSummary, output: Path) -> dict[str, object]:
    found: dict[str, object] = {
        "node": node.node,
        "configuration": node.configuration,
        "resources": node.resources,
        "cached": node.is_cached,
        "because": list(node.because),
        "expects_reboot": list(node.expects_reboot),
        "files": {str(output / file.name): file.sha256 for file in node.files},
    }
    for key, digest, suffix in [
        ("meta_document", "meta_sha256", ".meta.mof"),
        ("document", "sha256", ".mof"),
    ]:
        file = next((each for each in node.files if each.name == f"{node.node}{suffix}"), None)
        if file is not None:
            found |= {key: str(output / file.name), digest: file.sha256}
    return found


def _report(written: Written, output: Path, seconds: float) -> None:
    nodes = list(written.nodes.values())
    for node in nodes if len(nodes) <= _LISTED else ():
        restart = "  may restart" if node.expects_reboot else ""
        say(f"  {node.node:<15} {node.resources:>3} resources  {output / node.files[0].name}{restart}")
    unchanged = sum(node.is_cached for node in nodes)
    restarts = sum(bool(node.expects_reboot) for node in nodes)
    parts = [f"{len(nodes) - unchanged} compiled, {unchanged} unchanged"] if unchanged else []
    parts += [f"{restarts} may restart"] if restarts and len(nodes) > _LISTED else []
    detail = f" ({'; '.join(parts)})" if parts else ""
    say(f"Compiled {counted(len(nodes), 'node')} into {output} in {seconds:.1f} s{detail}.")
