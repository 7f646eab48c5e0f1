"""From an inventory to a controller that let us in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioner.cli.reporting import show_warnings
from provisioner.errors import UsageError
from provisioner.inventory.loader import load_inventory
from provisioner.inventory.model import Inventory

if TYPE_CHECKING:
    from provisioner.cloud.sdk import Controller


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        """Return seconds from some point."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def inventory_of(path: Path) -> Inventory:
    """Read an inventory that names a cloud, and show what did not stop it.

    Raises:
        InputError: it cannot be used.
        UsageError: it says nothing of a cloud.
    """
    inventory, problems = load_inventory(path)
    problems.raise_errors()
    show_warnings(problems)
    assert inventory is not None
    if inventory.cloud is None:
        raise UsageError(
            f"{inventory.path} does not say which cloud its nodes serve.",
            "Write 'openstack:' at the top with 'cloud: NAME', a name of clouds.yaml, or 'auth_url: URL'.",
        )
    return inventory


@contextmanager
def controller_of(inventory: Inventory) -> Iterator[Controller]:
    """Log on to the cloud of an inventory.

    Raises:
        UsageError: openstacksdk is not installed, or clouds.yaml does not know the cloud.
        CloudError: the cloud does not let us in.
    """
    assert inventory.cloud is not None
    try:
        # It takes a second to load, and is an extra.
        from provisioner.cloud.sdk import connect  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"openstack", "keystoneauth1"}:
            raise
        raise UsageError(
            "Talking to an OpenStack cloud needs openstacksdk, which is not installed.",
            "Run: pip install 'provisioner[openstack]'",
        ) from None
    folder = Path(inventory.path).resolve().parent
    controller = connect(inventory.cloud, folder, lambda text: click.echo(f"warning: {text}", err=True))
    try:
        yield controller
    finally:
        controller.close()
