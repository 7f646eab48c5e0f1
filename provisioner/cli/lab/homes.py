"""Where the labs of this user keep their state, and which of them run."""

from __future__ import annotations

import os
from pathlib import Path

import click

from provisioner.errors import UsageError
from provisioner.lab.control import LabError, ask

name_option = click.option("--name", metavar="NAME", help="Name of the lab; the inventory's site by default.")


def _home() -> Path:
    """Return the folder of all labs of this user, running or not."""
    chosen = os.environ.get("PROVISIONER_LAB_HOME")
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(chosen) if chosen else Path(state) / "provisioner" / "labs"


def folder_of(name: str) -> Path:
    """Return the state folder of a lab, whether it exists or not.

    Raises:
        UsageError: the text cannot name a lab.
    """
    if not name.replace("-", "").replace("_", "").isalnum():
        raise UsageError(f"'{name}' cannot name a lab.", "Use letters, digits, '-' and '_'.")
    return _home() / name


def running(name: str | None) -> list[Path]:
    """Return the folders of running labs; of the named one, which must run."""
    if name:
        folder = folder_of(name)
        if not folder.is_dir():
            raise LabError(f"no lab is named '{name}'", "Start one: provision lab up INVENTORY.")
        ask(folder, {"op": "hello"})
        return [folder]
    found = []
    for folder in sorted(_home().glob("*/")):
        try:
            ask(folder, {"op": "hello"})
        except LabError:
            continue
        found.append(folder)
    return found


def one_running(name: str | None) -> Path:
    """Return the folder of the named lab, or of the only one that runs.

    Raises:
        UsageError: there is not exactly one to choose from.
    """
    folders = running(name)
    if not folders:
        raise UsageError(
            "No lab is running.", "Start one: provision lab up INVENTORY, or provision lab up --count 5."
        )
    if len(folders) > 1:
        names = ", ".join(folder.name for folder in folders)
        raise UsageError(f"Several labs are running: {names}.", "Say which: --name NAME.")
    return folders[0]
