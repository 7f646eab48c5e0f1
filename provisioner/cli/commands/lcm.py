"""``provision lcm``: write the metaconfigurations of an LCM profile."""

from __future__ import annotations

import json
from pathlib import Path

import click

from provisioner.cli.context import counted, inventory_argument, json_option, limit_option, say, verb
from provisioner.cli.new_files import write_files
from provisioner.cli.reporting import show_warnings
from provisioner.project import Project


@click.command()
@inventory_argument
@click.argument("profile", type=click.Path(path_type=Path, dir_okay=False), metavar="PROFILE")
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
def lcm(inventory: Path, profile: Path, limit: str, output: Path, *, as_json: bool) -> None:
    """Write <node>.meta.mof of the LCM settings in PROFILE for every node of INVENTORY.

    An apply uses settings of its own and not these: they are for who sets an LCM otherwise.
    """
    made = Project.of(inventory).lcm_documents(inventory, profile, limit)
    show_warnings(made.warnings)
    files = {output / artifact.file_name: artifact.content for artifact in made.artifacts}
    write_files(files, private=files if made.hold_secrets else ())
    for artifact in made.artifacts:
        path = str(output / artifact.file_name)
        say(json.dumps({"meta_document": path, "meta_sha256": artifact.sha256}) if as_json else f"  {path}")
    if not as_json:
        say(f"Compiled {profile} for {counted(len(made.artifacts), 'node')} into {output}.")
