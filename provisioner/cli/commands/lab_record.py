"""``provision lab record`` and ``replay``: keep what clients and a node say to each other, and say it again."""

from __future__ import annotations

import json
from pathlib import Path

import click

from provisioner.cli.context import json_option, leave, say, verb
from provisioner.cli.exit_codes import ExitCode
from provisioner.cli.lab.homes import name_option, one_running
from provisioner.errors import UsageError
from provisioner.lab.control import ask

_LONG_S = 600.0
node_argument = click.argument("node", metavar="NODE")


@click.command()
@node_argument
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--stop", is_flag=True, help="End the recording.")
@name_option
@verb
def record(node: str, file: Path | None, stop: bool, name: str | None) -> None:  # noqa: FBT001
    """Write down in FILE what is said to NODE from now on, without its encryption, until --stop."""
    if stop == (file is not None):
        raise UsageError("A recording begins with a file and ends with --stop.", "Write one of the two.")
    path = None if file is None else str(file.absolute())
    ask(one_running(name), {"op": "record", "node": node, "path": path})
    say(
        f"Recording {node} to {file}: what clients send it and what it answers stands there, secrets too."
        if file
        else f"{node} is not recorded."
    )


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.argument("node", metavar="NODE")
@name_option
@json_option
@verb
def replay(file: Path, node: str, name: str | None, as_json: bool) -> None:  # noqa: FBT001
    """Say to NODE what FILE has, and show what it answers differently now."""
    request = {"op": "replay", "node": node, "path": str(file.absolute())}
    answer = ask(one_running(name), request, timeout_s=_LONG_S)
    if as_json:
        say(json.dumps(answer))
    else:
        for item in answer["differences"]:
            place = f"exchange {item['exchange']}" if item["exchange"] else "PowerShell messages"
            say(f"{place}: recorded {item['recorded']}; now {item['now']}")
        say(f"{answer['exchanges']} exchanges, {len(answer['differences'])} differences")
    if answer["differences"]:
        leave(ExitCode.FAILED)
