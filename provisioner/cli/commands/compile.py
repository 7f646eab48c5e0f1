"""``provision compile``: write each node's documents to a folder."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from errno import EISDIR
from pathlib import Path

import click

from provisioner.cli.context import counted, inventory_argument, json_option, limit_option, say, verb
from provisioner.cli.reporting import show_warnings
from provisioner.configuration.model import Artifact
from provisioner.errors import UsageError
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
    artifacts = [
        artifact for node in compilation.nodes.values() for artifact in (node.document, node.meta_document)
    ]
    try:
        _write_all(output, artifacts)
    except OSError as error:
        raise UsageError(
            f"the documents cannot be written to {output}: {error.strerror}; nothing was replaced there.",
            "Choose another folder with --output.",
        ) from error
    _report(compilation, output, as_json=as_json)


def _write_all(folder: Path, artifacts: Sequence[Artifact]) -> None:
    """Write all files beside the old ones, then put them in place: nobody finds half a document or half a set."""
    folder.mkdir(parents=True, exist_ok=True)
    written: list[tuple[Path, Path]] = []
    try:
        for artifact in artifacts:
            path = folder / artifact.file_name
            if path.is_dir():
                raise IsADirectoryError(EISDIR, f"{artifact.file_name} is a folder", str(path))
            descriptor, name = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.")
            written.append((Path(name), path))
            with os.fdopen(descriptor, "wb") as file:
                file.write(artifact.content)
            Path(name).chmod(0o644)
        for new, path in written:
            new.replace(path)
    finally:
        for new, _ in written:
            new.unlink(missing_ok=True)


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
        say(f"Compiled {counted(len(compilation.nodes), 'node')} into {output}.")
