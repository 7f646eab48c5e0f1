"""``provision lab show``, ``diff`` and ``shell``: look at one node of a running lab."""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from provisioner.cli.context import json_option, say, verb
from provisioner.cli.lab.homes import name_option, one_running
from provisioner.lab.control import LabError, ask

_LONG_S = 600.0
_WIDTH = 100
node_argument = click.argument("node", metavar="NODE")


@click.command()
@node_argument
@name_option
@json_option
@verb
def show(node: str, name: str | None, as_json: bool) -> None:  # noqa: FBT001
    """Show what NODE is, and which of its resources were simulated specifically."""
    answer = ask(one_running(name), {"op": "show", "node": node})
    if as_json:
        say(json.dumps(answer))
        return
    for line in _described(answer):
        say(line)


def _described(answer: dict[str, Any]) -> Iterator[str]:
    yield f"{answer['node']}: {answer['computer_name']}, {answer['address']}"
    yield f"  Windows Server {answer['windows']} ({answer['version']}), booted {answer['boot_time']}"
    waits = ", a reboot is pending" if answer["needs_reboot"] else ""
    yield f"  LCM {answer['lcm']}{waits}"
    for text in answer["faults"]:
        yield f"  fault: {text}"
    features = f"features installed: {', '.join(answer['features']) or 'none'}"
    yield from textwrap.wrap(
        features, _WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
    )
    if not answer["resources"]:
        yield "  no configuration was ever applied"
        return
    left = f", {answer['unsimulated']} not simulated" if answer["unsimulated"] else ""
    yield f"  last configuration: {answer['specific']} resources specific, {answer['generic']} generic{left}"
    for item in answer["resources"]:
        yield f"    {item['simulated']:<9} {item['resource']}"
    if answer["generic"]:
        yield "  A generic resource keeps what it is told: that it converges proves nothing about Windows."


@click.command()
@node_argument
@name_option
@json_option
@verb
def diff(node: str, name: str | None, as_json: bool) -> None:  # noqa: FBT001
    """Show what changed on NODE since the lab came up."""
    answer = ask(one_running(name), {"op": "diff", "node": node})
    if as_json:
        say(json.dumps(answer))
        return
    for change in answer["changes"]:
        match change:
            case {"path": path, "before": "", "after": after}:
                say(f"+ {path}: {after}")
            case {"path": path, "before": before, "after": ""}:
                say(f"- {path}: {before}")
            case {"path": path, "before": before, "after": after}:
                say(f"~ {path}: {before} -> {after}")
    if not answer["changes"]:
        say(f"Nothing changed on {node} since the lab came up.")


@click.command()
@node_argument
@click.option("--command", "-c", "line", help="Run this line and end with its exit code.")
@name_option
@verb
def shell(node: str, line: str | None, name: str | None) -> None:
    """Look around on NODE: commands with constant arguments, and a few programs."""
    folder = one_running(name)
    if line is not None:
        raise SystemExit(_run(folder, node, line))
    ask(folder, {"op": "show", "node": node})  # an unknown name is told before a prompt is
    if not sys.stdin.isatty():
        for typed in sys.stdin:
            if not _obey(folder, node, typed.strip()):
                return
        return
    prompt(folder, node)


def prompt(folder: Path, node: str) -> None:
    """Run what a person types, until they leave."""
    with contextlib.suppress(ImportError):
        importlib.import_module("readline")  # from now on input() has a history and keys that edit
    say("Commands with constant arguments, joined by '|'. 'Get-Command' lists them, 'exit' leaves.")
    say("You are the administrator at the node's console.")
    is_wanted = True
    while is_wanted:
        try:
            is_wanted = _obey(folder, node, input(f"PS {node}> ").strip())
        except EOFError:
            say()
            return
        except KeyboardInterrupt:
            say()  # the line is forgotten, as at any prompt


def _obey(folder: Path, node: str, typed: str) -> bool:
    """Run a line; return False when it ends the shell."""
    if typed.casefold() in {"exit", "quit"}:
        return False
    if typed:
        try:
            _run(folder, node, typed)
        except LabError as error:
            click.echo(f"error: {error}", err=True)
    return True


def _run(folder: Path, node: str, line: str) -> int:
    answer = ask(folder, {"op": "run", "node": node, "line": line}, timeout_s=_LONG_S)
    if answer["out"]:
        say(answer["out"].replace("\r\n", "\n").rstrip("\n"))
    if answer["err"]:
        click.echo(answer["err"].replace("\r\n", "\n").rstrip("\n"), err=True)
    return int(answer["code"])
