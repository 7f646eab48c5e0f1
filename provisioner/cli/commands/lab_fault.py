"""``provision lab fault`` and ``scenario``: let something go wrong on the nodes of a running lab."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import click

from provisioner import documents
from provisioner.cli.context import counted, say, verb
from provisioner.cli.lab.homes import name_option, one_running
from provisioner.errors import UsageError
from provisioner.lab.control import ask
from provisioner.lab.faults.reader import read_words
from provisioner.lab.faults.registry import KINDS
from provisioner.lab.faults.scenario import drawn, read_scenario


@click.command()
@click.argument("node", metavar="[NODE]", required=False)
@click.argument("kind", metavar="[KIND]", required=False)
@click.argument("parameters", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--clear", is_flag=True, help="End the faults of NODE, or those of KIND.")
@click.option("--list", "as_list", is_flag=True, help="Show the faults of all nodes.")
@click.option("--kinds", is_flag=True, help="Show the kinds of faults and their parameters.")
@name_option
@verb
def fault(  # noqa: PLR0913, PLR0917 - click passes each option
    node: str | None,
    kind: str | None,
    parameters: tuple[str, ...],
    clear: bool,  # noqa: FBT001
    as_list: bool,  # noqa: FBT001
    kinds: bool,  # noqa: FBT001
    name: str | None,
) -> None:
    """Let something go wrong on NODE: a KIND of fault with its parameters.

    All kinds take after.messages=N, after.seconds=S, for=S and times=N.
    """
    if kinds:
        _say_kinds()
    elif as_list:
        _say_faults(name)
    elif node is None or (kind is None and not clear):
        raise UsageError(
            "A fault needs a node and a kind.",
            "Write 'provision lab fault NODE latency seconds=0.2'; --kinds shows what there is.",
        )
    elif clear:
        answer = ask(one_running(name), {"op": "clear", "node": node, "kind": kind})
        say(f"{counted(answer['cleared'], 'fault')} of {node} ended.")
    else:
        planned, problems = read_words(kind or "", parameters)
        problems.raise_errors()
        assert planned is not None
        answer = ask(one_running(name), {"op": "fault", "node": node, "fault": planned.to_plain()})
        for text in answer["faults"]:
            say(f"{node}: {text}")


def _say_kinds() -> None:
    for word, kind in KINDS.items():
        names = " ".join(
            f"{item.name}={'...' if item.name in kind.required else item.default}"
            for item in dataclasses.fields(kind)
        )
        say(f"{word:<15} {kind.about}")
        if names:
            say(f"{'':<15}   {names}")


def _say_faults(name: str | None) -> None:
    nodes = ask(one_running(name), {"op": "status"})["nodes"]
    found = [(node["name"], text) for node in nodes for text in node["faults"]]
    for node, text in found:
        say(f"{node}: {text}")
    if not found:
        say("No node has a fault.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@name_option
@verb
def scenario(file: Path, name: str | None) -> None:
    """Play the steps of FILE on a running lab."""
    tree, problems = documents.load(file)
    found = None if tree is None else read_scenario(tree, problems)
    problems.raise_errors()
    assert found is not None
    folder = one_running(name)
    nodes = [node["name"] for node in ask(folder, {"op": "status"})["nodes"]]
    named = drawn(found, nodes, problems)
    problems.raise_errors()
    request = {"op": "scenario", "scenario": json.dumps(named.to_plain())}
    answer = ask(folder, request)
    say(f"Playing '{named.name}', seed {named.seed}: {counted(len(named.steps), 'step')}.")
    say(f"What is done stands in {Path(answer['path']).with_suffix('.jsonl')}.")
