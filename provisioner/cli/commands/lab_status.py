"""``provision lab status``: running labs and their nodes."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

import click

from provisioner.cli.context import json_option, say, verb
from provisioner.cli.lab.homes import running
from provisioner.cli.lab.tables import STATES, is_in_state, overview
from provisioner.errors import UsageError
from provisioner.lab.control import ask

_LONG_S = 120.0


@click.command()
@click.argument("name", metavar="[NAME]", required=False)
@click.option(
    "--limit", metavar="NODES", default="", help="Only these nodes: names and globs; '!' takes away."
)
@click.option("--state", type=click.Choice(STATES), help="Only nodes in this state.")
@click.option("--all", "is_all", is_flag=True, help="Every node of a large lab, also those at rest.")
@json_option
@verb
def status(
    name: str | None,
    limit: str,
    state: str | None,
    is_all: bool,  # noqa: FBT001 - click passes each option
    as_json: bool,  # noqa: FBT001
) -> None:
    """Show a running lab and its nodes; all running labs without a name.

    Of more than 50 nodes only those are listed that are not at rest, unless --all, --limit or --state say which.
    """
    answers = [ask(folder, {"op": "status"}, timeout_s=_LONG_S) for folder in running(name)]
    chosen = [[node for node in answer["nodes"] if _is_chosen(node, limit, state)] for answer in answers]
    if limit and answers and not any(chosen) and state is None:
        raise UsageError(
            f"No node of a running lab is named '{limit}'.", "Write names or globs such as 'node0*'."
        )
    if as_json:
        for answer, nodes in zip(answers, chosen, strict=True):
            say(json.dumps({**answer, "nodes": nodes}))
        return
    if not answers:
        say("No lab is running.")
    for answer, nodes in zip(answers, chosen, strict=True):
        for line in overview(answer, nodes, is_whole=is_all or bool(limit or state)):
            say(line)


def _is_chosen(node: dict[str, Any], limit: str, state: str | None) -> bool:
    patterns = [pattern.strip() for pattern in limit.split(",") if pattern.strip()]
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")] or ["*"]
    unwanted = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    return (
        any(fnmatchcase(node["name"], pattern) for pattern in wanted)
        and not any(fnmatchcase(node["name"], pattern) for pattern in unwanted)
        and (state is None or is_in_state(node, state))
    )
