"""``provision openstack status``: how the nodes stand in the eyes of the cloud."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioner.cli.cloud.controllers import controller_of, inventory_of
from provisioner.cli.cloud.telling import begin_json, clean
from provisioner.cli.context import counted, inventory_argument, json_option, limit_option, say, verb
from provisioner.cli.exit_codes import ExitCode
from provisioner.inventory.selection import select

if TYPE_CHECKING:
    from provisioner.cloud.status import Standing

_HEAD = ("node", "host", "compute", "hypervisor", "network", "volume", "zone", "aggregates")


@click.command()
@inventory_argument
@limit_option
@json_option
@verb
def status(inventory: Path, limit: str, *, as_json: bool) -> None:
    """Show service, hypervisor, network agent and volume service of each node of INVENTORY.

    Ends with 1 when a node is not what its roles and aggregates say. Nodes that are no part of the cloud are left
    out.
    """
    read = inventory_of(inventory)
    selected = select(read, limit)
    with controller_of(read) as controller:
        # The SDK is loaded by now, or nobody comes here.
        from provisioner.cloud.status import look, standings  # noqa: PLC0415

        found = standings(read, selected, look(controller))
    if as_json:
        begin_json()
        for each in found:
            say(json.dumps({"type": "Node", **each.as_json()}))
    else:
        _show(found)
    sys.exit(ExitCode.FAILED if any(each.faults for each in found) else ExitCode.DONE)


def _show(found: list[Standing]) -> None:
    rows = [_HEAD, *(_row(each) for each in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for each in found:
        for fault in each.faults:
            say(f"\n{each.node}: {clean(fault)}")
    wrong = sum(bool(each.faults) for each in found)
    well = f"{counted(len(found) - wrong, 'node')} well"
    say(f"\n{well}, {wrong} not" if wrong else f"\n{well}")


def _row(each: Standing) -> tuple[str, ...]:
    cells = (
        "; ".join(f"{service.state}, {service.status}" for service in each.compute),
        "; ".join(f"{one.type} {one.version}, {one.state}" for one in each.hypervisors),
        "; ".join(f"{agent.type} {'alive' if agent.is_alive else 'dead'}" for agent in each.agents),
        "; ".join(f"{one.host} {one.state}, {one.status}" for one in each.volumes),
        each.zone,
        ", ".join(aggregate.name for aggregate in each.aggregates),
    )
    return (each.node, clean(each.host) or "-", *(clean(cell) or "-" for cell in cells))
