"""``provision compile``: write each node's documents to a folder."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import click

from provisioner.cli.context import inventory_argument, json_option, limit_option, say, verb
from provisioner.cli.reporting import show_warnings
from provisioner.configuration.model import Artifact
from provisioner.project import Compilation, Project


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
@json_option
@verb
def compile_documents(inventory: Path, limit: str, output: Path, as_json: bool) -> None:  # noqa: FBT001 - click passes by name
    """Write <node>.mof and <node>.meta.mof for every node.

    Nothing is written unless every selected node compiles.
    """
    compilation = Project.of(inventory).compile(inventory, limit)
    show_warnings(compilation.warnings)
    output.mkdir(parents=True, exist_ok=True)
    for node in compilation.nodes.values():
        for artifact in (node.document, node.meta_document):
            _write_whole(output / artifact.file_name, artifact)
    _report(compilation, output, as_json=as_json)


def _write_whole(path: Path, artifact: Artifact) -> None:
    """Replace the file in one step, so that a reader never sees half a document."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(artifact.content)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _report(compilation: Compilation, output: Path, *, as_json: bool) -> None:
    for name, node in compilation.nodes.items():
        facts = {
            "node": name,
            "configuration": node.configuration.name,
            "resources": len(node.configuration.resources),
            "document": str(output / node.document.file_name),
            "sha256": node.document.sha256,
            "meta_document": str(output / node.meta_document.file_name),
            "meta_sha256": node.meta_document.sha256,
        }
        if as_json:
            say(json.dumps(facts))
        else:
            say(f"  {name:<15} {facts['resources']:>3} resources  {facts['document']}")
    if not as_json:
        say(f"Compiled {len(compilation.nodes)} nodes into {output}.")
