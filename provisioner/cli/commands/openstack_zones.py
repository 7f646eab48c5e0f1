"""``provision openstack zones``: make aggregates, zones, flavors and images what the inventory says."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from provisioner.cli.cloud.controllers import SystemClock, controller_of, inventory_of
from provisioner.cli.cloud.telling import Telling
from provisioner.cli.context import inventory_argument, json_option, limit_option, verb
from provisioner.cli.exit_codes import ExitCode
from provisioner.cloud.guest_images import with_guest_images
from provisioner.inventory.selection import select
from provisioner.project import Project, builtin_folder
from provisioner.roles.loader import RoleLibrary


@click.command()
@inventory_argument
@limit_option
@click.option("--plan", "is_plan", is_flag=True, help="Only say what would be changed.")
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=0),
    default=600,
    show_default=True,
    metavar="SECONDS",
    help="How long nodes may take to register with Nova.",
)
@json_option
@verb
def zones(inventory: Path, limit: str, *, is_plan: bool, wait_s: float, as_json: bool) -> None:
    """Make aggregates, zones, flavors and images of the cloud what INVENTORY says.

    A node joins its aggregates once its nova-compute has registered, in Nova's own spelling of its name. A second
    run changes nothing. Images that nodes become (role guest_image) get the properties of the role's variables.
    --limit is about nodes: aggregates, flavors and images are seen to whatever is selected.
    """
    read = inventory_of(inventory)
    read = with_guest_images(read, RoleLibrary([Project.of(inventory).root, builtin_folder()]))
    selected = select(read, limit)
    with controller_of(read) as controller, Telling(as_json=as_json, is_plan=is_plan) as telling:
        # The SDK is loaded by now, or nobody comes here.
        from provisioner.cloud.zones import Request, bring_about, plan  # noqa: PLC0415

        request = Request(selected, wait_s)
        if is_plan:
            is_good = plan(controller, read, request, telling.tell)
        else:
            is_good = bring_about(controller, read, request, telling.tell, SystemClock())
    sys.exit(ExitCode.DONE if is_good else ExitCode.FAILED)
