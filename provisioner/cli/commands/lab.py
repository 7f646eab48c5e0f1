"""``provision lab``: simulated Windows nodes on loopback for an inventory."""

from __future__ import annotations

import ipaddress
import json
import os
import secrets
import shutil
from pathlib import Path
from typing import Any

import click

from provisioner.addresses import SecretRef
from provisioner.cli.context import inventory_argument, json_option, say, verb
from provisioner.diagnostics import Diagnostics
from provisioner.errors import UsageError
from provisioner.inventory.loader import load_inventory
from provisioner.inventory.model import Inventory, Node
from provisioner.lab.app import LabSpec, run_lab
from provisioner.lab.background import claim, detach, stop
from provisioner.lab.control import LabError, ask
from provisioner.lab.server.ntlm import nt_hash
from provisioner.lab.spec import NodeSpec, read_node_spec
from provisioner.secrets.stores import resolve

_PASSWORD_BYTES = 18


def _home() -> Path:
    """Return the folder of all labs of this user, running or not."""
    chosen = os.environ.get("PROVISIONER_LAB_HOME")
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(chosen) if chosen else Path(state) / "provisioner" / "labs"


name_option = click.option("--name", metavar="NAME", help="Name of the lab; the inventory's site by default.")
lab_argument = click.argument("name", metavar="[NAME]", required=False)
node_argument = click.argument("node", metavar="NODE")


@click.group()
def lab() -> None:
    """Simulated Windows nodes that speak the real protocol."""


@lab.command()
@inventory_argument
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
@verb
def up(inventory: Path, name: str | None, foreground: bool, fresh: bool, time_scale: float) -> None:  # noqa: FBT001 - click passes by name
    """Start a simulated node for every node of INVENTORY."""
    loaded, problems = load_inventory(inventory)
    if loaded is None:
        problems.raise_errors()
        raise AssertionError("an inventory is missing without an error")
    folder = _folder_of(name or loaded.site)
    nodes = _node_specs(loaded, inventory.parent, problems)
    if fresh:
        _forget(folder)
    spec = LabSpec(folder.name, nodes, folder, time_scale)
    if foreground:
        claim(folder)
        run_lab(spec, _announce)
    else:
        _announce(detach(folder, lambda ready: run_lab(spec, ready)))


@lab.command()
@lab_argument
@json_option
@verb
def status(name: str | None, as_json: bool) -> None:  # noqa: FBT001
    """Show a running lab and its nodes; all running labs without a name."""
    answers = [ask(folder, {"op": "status"}) for folder in _running(name)]
    if as_json:
        for answer in answers:
            say(json.dumps(answer))
        return
    if not answers:
        say("No lab is running.")
    for answer in answers:
        say(f"lab {answer['lab']}: process {answer['pid']}, since {answer['started']}, {answer['folder']}")
        for node in answer["nodes"]:
            say(
                f"  {node['name']:<15} {node['address']}:{node['port']:<6} {node['state']:<10} "
                f"LCM {node['lcm']:<21} booted {node['boot_time']}"
            )


@lab.command()
@lab_argument
@verb
def down(name: str | None) -> None:
    """Stop a lab. What its nodes are is kept for the next 'up' of that name."""
    folders = _running(name)
    if len(folders) > 1:
        names = ", ".join(folder.name for folder in folders)
        raise UsageError(f"Several labs are running: {names}.", "Say which: provision lab down NAME.")
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
    ask(_one_running(name), {"op": "cut", "node": node, "seconds": seconds})
    say(f"{node} is cut off" + (f" for {seconds:g} s." if seconds is not None else "."))


@lab.command()
@node_argument
@name_option
@verb
def restore(node: str, name: str | None) -> None:
    """Mend the network of NODE."""
    ask(_one_running(name), {"op": "restore", "node": node})
    say(f"{node} is reachable again.")


def _folder_of(name: str) -> Path:
    if not name.replace("-", "").replace("_", "").isalnum():
        raise UsageError(f"'{name}' cannot name a lab.", "Use letters, digits, '-' and '_'.")
    return _home() / name


def _running(name: str | None) -> list[Path]:
    """Return the folders of running labs; of the named one, which must run."""
    if name:
        folder = _folder_of(name)
        if not folder.is_dir():
            raise LabError(f"no lab is named '{name}'", "Start one: provision lab up INVENTORY.")
        ask(folder, {"op": "status"})
        return [folder]
    running = []
    for folder in sorted(_home().glob("*/")):
        try:
            ask(folder, {"op": "status"})
        except LabError:
            continue
        running.append(folder)
    return running


def _one_running(name: str | None) -> Path:
    folders = _running(name)
    if len(folders) != 1:
        raise UsageError(f"{len(folders)} labs are running.", "Say which: --name NAME.")
    return folders[0]


def _forget(folder: Path) -> None:
    """Remove the nodes' state; the lock tells whether a lab still uses it."""
    descriptor = claim(folder)
    shutil.rmtree(folder / "nodes", ignore_errors=True)
    os.close(descriptor)


def _node_specs(inventory: Inventory, base: Path, problems: Diagnostics) -> list[NodeSpec]:
    specs = []
    for node in inventory.nodes.values():
        endpoint = node.connection.endpoint
        _require_loopback(node, problems)
        spec, found = read_node_spec(
            name=node.name,
            address=endpoint.host,
            port=endpoint.port,
            user=node.connection.user,
            nt_hash=nt_hash(_password_of(node.connection.password, base)),
            lab_trees=node.lab,
        )
        problems.extend(found)
        specs.append(spec)
    problems.raise_errors()
    return specs


def _require_loopback(node: Node, problems: Diagnostics) -> None:
    host = node.connection.endpoint.host
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        problems.error(
            "Lab node is not on loopback",
            f"Node '{node.name}' has the address {host}. A lab listens on addresses in 127.0.0.0/8 only.",
            node.where,
            "Give the node an address such as 127.20.0.11.",
        )
        problems.raise_errors()


def _password_of(reference: SecretRef, base: Path) -> str:
    """Return the password; a ``file:`` that is not there yet is made, readable by its owner only."""
    path = base / reference.key
    if reference.store == "file" and not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(_PASSWORD_BYTES) + "\n")
    return resolve(reference, base).reveal()


def _announce(status: dict[str, Any]) -> None:
    say(f"Lab {status['lab']} is up: {len(status['nodes'])} nodes, process {status['pid']}.")
    for node in status["nodes"]:
        say(f"  {node['name']:<15} {node['address']}:{node['port']}")
