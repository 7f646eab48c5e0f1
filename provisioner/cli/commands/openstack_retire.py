"""``provision openstack retire``: take a node out of the cloud."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from provisioner.addresses import NodeName
from provisioner.cli.cloud.controllers import SystemClock, controller_of, inventory_of
from provisioner.cli.cloud.telling import Telling
from provisioner.cli.context import json_option, verb
from provisioner.cli.exit_codes import ExitCode
from provisioner.diagnostics import did_you_mean
from provisioner.errors import UsageError

#: Read where only the node is named.
_HERE = Path("inventory.yaml")


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="[INVENTORY] NODE")
@click.option("--plan", "is_plan", is_flag=True, help="Only say what would be done.")
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=0),
    default=0,
    metavar="SECONDS",
    help="How long instances and volumes may take to leave; without it a node that has any is refused.",
)
@json_option
@verb
def retire(names: tuple[str, ...], *, is_plan: bool, wait_s: float, as_json: bool) -> None:
    """Take NODE of INVENTORY (./inventory.yaml when left out) out of its cloud.

    Its services are disabled; when nothing is left on it, it leaves all aggregates, and its compute service and
    network agents are deleted. No instance is moved, and nothing is done on the node itself.
    """
    *before, name = names
    if len(before) > 1:
        raise UsageError(
            "One node is retired at a time.", "Write 'provision openstack retire INVENTORY NODE'."
        )
    path = Path(before[0]) if before else _HERE
    read = inventory_of(path)
    node = read.nodes.get(NodeName(name))
    if node is None:
        raise UsageError(f"{read.path} has no node '{name}'.", did_you_mean(name, read.nodes))
    with controller_of(read) as controller, Telling(as_json=as_json, is_plan=is_plan) as telling:
        # The SDK is loaded by now, or nobody comes here.
        from provisioner.cloud.retire import Request  # noqa: PLC0415
        from provisioner.cloud.retire import retire as take_out  # noqa: PLC0415

        request = Request(read, node, wait_s, is_plan)
        is_out = take_out(controller, request, telling.tell, SystemClock())
    sys.exit(ExitCode.DONE if is_out else ExitCode.FAILED)
