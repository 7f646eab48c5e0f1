"""``provision lab``: simulated Windows nodes on loopback for an inventory."""

from __future__ import annotations

import click

from provisioner.cli.context import say, verb
from provisioner.cli.lab.homes import name_option, one_running, running
from provisioner.cli.lazy import LazyGroup
from provisioner.errors import UsageError
from provisioner.lab.control import ask
from provisioner.lab.hosting.background import stop

lab_argument = click.argument("name", metavar="[NAME]", required=False)
node_argument = click.argument("node", metavar="NODE")

# Starting one takes the whole lab; asking and steering a running one must be quick.
VERBS = {
    "show": ("provisioner.cli.commands.lab_look:show", "Show what a node is, and how it is simulated."),
    "diff": ("provisioner.cli.commands.lab_look:diff", "Show what changed on a node since the lab came up."),
    "shell": ("provisioner.cli.commands.lab_look:shell", "Look around on a node."),
    "fault": ("provisioner.cli.commands.lab_fault:fault", "Let something go wrong on a node, or end it."),
    "scenario": ("provisioner.cli.commands.lab_fault:scenario", "Let things go wrong as a file says."),
    "record": ("provisioner.cli.commands.lab_record:record", "Keep what is said to a node."),
    "replay": ("provisioner.cli.commands.lab_record:replay", "Say what a recording has to a node again."),
    "status": ("provisioner.cli.commands.lab_status:status", "Show running labs and their nodes."),
    "up": ("provisioner.cli.commands.lab_up:up", "Start a simulated node for every node of an inventory."),
}


@click.group(cls=LazyGroup, verbs=VERBS)
def lab() -> None:
    """Simulated Windows nodes that speak the real protocol."""


@lab.command()
@lab_argument
@click.option("--all", "is_all", is_flag=True, help="All running labs.")
@verb
def down(name: str | None, is_all: bool) -> None:  # noqa: FBT001 - click passes each option
    """Stop a lab. What its nodes are is kept for the next 'up' of that name."""
    if is_all and name:
        raise UsageError(
            f"All labs, or '{name}'?", "Write 'provision lab down NAME' or 'provision lab down --all'."
        )
    folders = running(name)
    if len(folders) > 1 and not is_all:
        names = ", ".join(folder.name for folder in folders)
        raise UsageError(
            f"Several labs are running: {names}.",
            "Say which: provision lab down NAME, or provision lab down --all.",
        )
    for folder in folders:
        stop(folder)
        say(f"Lab {folder.name} is down.")
    if not folders:
        say("No lab is running.")


@lab.command()
@node_argument
@click.option(
    "--for", "seconds", type=click.FloatRange(min=0), help="Seconds; until 'restore' when left out."
)
@name_option
@verb
def cut(node: str, seconds: float | None, name: str | None) -> None:
    """Cut the network of NODE; what runs on it goes on."""
    ask(one_running(name), {"op": "cut", "node": node, "seconds": seconds})
    say(f"{node} is cut off" + (f" for {seconds:g} s." if seconds is not None else "."))


@lab.command()
@node_argument
@name_option
@verb
def restore(node: str, name: str | None) -> None:
    """Mend the network of NODE."""
    ask(one_running(name), {"op": "restore", "node": node})
    say(f"{node} is reachable again.")
