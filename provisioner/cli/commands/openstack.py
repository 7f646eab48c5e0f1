"""``provision openstack``: the controller's side of the nodes of an inventory."""

from __future__ import annotations

import click

from provisioner.cli.lazy import LazyGroup

VERBS: dict[str, tuple[str, str]] = {
    "status": (
        "provisioner.cli.commands.openstack_status:status",
        "How the nodes stand in the eyes of the cloud.",
    ),
    "zones": (
        "provisioner.cli.commands.openstack_zones:zones",
        "Make aggregates, zones, flavors and images what the inventory says.",
    ),
    "retire": ("provisioner.cli.commands.openstack_retire:retire", "Take a node out of the cloud."),
}


@click.group(cls=LazyGroup, verbs=VERBS)
def openstack() -> None:
    """Look at, and change, what an OpenStack cloud knows of the nodes. The nodes themselves are not asked."""
