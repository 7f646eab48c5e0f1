"""``provision lab up``: start a simulated node for every node of an inventory."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import click

from provisioner.cli.context import counted, say, verb
from provisioner.cli.lab.homes import folder_of, name_option
from provisioner.cli.lab.inventories import PROFILES, write_inventory
from provisioner.cli.lab.nodes import node_specs
from provisioner.cli.lab.secrets import hand_out_certificates, make_secret, secret_files
from provisioner.errors import UsageError
from provisioner.inventory.loader import load_inventory
from provisioner.lab.hosting.app import LabSpec
from provisioner.lab.hosting.background import claim, detach
from provisioner.lab.hosting.shards import run_lab

#: Nodes that ``up`` lists; of the rest it gives the number.
_LISTED = 20
#: From so many nodes on the start takes long enough to be announced.
_MANY = 200
_PROFILE = "server2022"


@click.command()
@click.argument(
    "inventory", type=click.Path(path_type=Path, dir_okay=False), metavar="[INVENTORY]", required=False
)
@click.option("--count", type=click.IntRange(min=1), help="So many equal nodes instead of an inventory.")
@click.option(
    "--profile",
    type=click.Choice(list(PROFILES)),
    help=f"What the nodes of --count are; {_PROFILE} when left out.",
)
@name_option
@click.option("--foreground", is_flag=True, help="Stay in this process until interrupted.")
@click.option("--fresh", is_flag=True, help="Forget what the nodes were in an earlier lab of this name.")
@click.option(
    "--time-scale",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Multiply simulated durations; 0 means no waiting.",
)
@click.option(
    "--shards",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that share the nodes; one serves about 2,000.",
)
@verb
def up(  # noqa: PLR0913, PLR0917 - click passes each option
    inventory: Path | None,
    count: int | None,
    profile: str | None,
    name: str | None,
    foreground: bool,  # noqa: FBT001
    fresh: bool,  # noqa: FBT001
    time_scale: float,
    shards: int,
) -> None:
    """Start a simulated node for every node of INVENTORY, or --count equal ones."""
    if (inventory is None) == (count is None):
        raise UsageError(
            "A lab is made from an inventory or from a number of nodes.",
            "Write 'provision lab up INVENTORY' or 'provision lab up --count 50 --profile server2022'.",
        )
    if inventory is not None and profile is not None:
        raise UsageError(
            "--profile is for --count: an inventory says itself what its nodes are.",
            "Write 'lab: {windows: \"2019\"}' in the inventory, or leave --profile out.",
        )
    if count is not None:
        folder = folder_of(name or "lab")
        os.close(claim(folder))  # the inventory of a lab that runs stays as it is
        inventory = write_inventory(folder, count, profile or _PROFILE)
        say(f"The inventory of these nodes is {inventory}.")
    assert inventory is not None
    loaded, problems = load_inventory(inventory)
    if loaded is None:
        problems.raise_errors()
        raise AssertionError("an inventory is missing without an error")
    folder = folder_of(name or loaded.site)
    nodes = node_specs(loaded, inventory.parent, problems)
    if fresh:
        _forget(folder)
    for path in secret_files(loaded, inventory):
        make_secret(path)
    hand_out_certificates(loaded, inventory.parent, folder)
    spec = LabSpec(folder.name, nodes, folder, time_scale)
    if len(nodes) >= _MANY:
        click.echo(f"Starting {len(nodes)} nodes ...", err=True)
    if foreground:
        claim(folder)
        run_lab(spec, shards, _announce)
    else:
        _announce(detach(folder, lambda ready: run_lab(spec, shards, ready)))


def _forget(folder: Path) -> None:
    """Remove the nodes' state; the lock tells whether a lab still uses it."""
    descriptor = claim(folder)
    shutil.rmtree(folder / "nodes", ignore_errors=True)
    shutil.rmtree(folder / "shards", ignore_errors=True)
    (folder / "world.json").unlink(missing_ok=True)
    os.close(descriptor)


def _announce(status: dict[str, Any]) -> None:
    say(f"Lab {status['lab']} is up: {counted(len(status['nodes']), 'node')}, process {status['pid']}.")
    nodes = status["nodes"]
    width = max(len(node["name"]) for node in nodes[:_LISTED])
    for node in nodes[:_LISTED]:
        say(f"  {node['name']:<{width}}  {node['address']}:{node['port']}")
    if len(nodes) > _LISTED:
        say(f"  and {len(nodes) - _LISTED} more, to {nodes[-1]['name']} {nodes[-1]['address']}")
