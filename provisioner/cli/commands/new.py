"""``provision new``: the first files of a role, a configuration or a check."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from pathlib import Path

import click

from provisioner.cli.commands.catalog import project_option
from provisioner.cli.context import say, verb
from provisioner.cli.new_files import write_files
from provisioner.cli.scaffolds import check_files, configuration_files, role_files
from provisioner.diagnostics import did_you_mean
from provisioner.errors import UsageError
from provisioner.project import builtin_folder
from provisioner.roles.loader import RoleLibrary

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")

force_option = click.option("--force", is_flag=True, help="Write over files that are there.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def new() -> None:
    """Write the first files of a role, a configuration or a check: whole, and true as they stand."""


@new.command()
@click.argument("name")
@project_option
@force_option
@verb
def role(name: str, project: Path, *, force: bool) -> None:
    """Write roles/NAME with a check and a page, and the configurations that do and undo it."""
    _check(name, "role")
    if not force and (builtin_folder() / "roles" / name).exists():
        raise UsageError(
            f"there is a shipped role called '{name}', and yours would replace it.",
            "Choose another name, or say --force.",
        )
    _write(role_files(project, name), force=force)
    say(f"Give it to a node with 'roles: [{name}]'; roles/{name}/README.md has an example.")


@new.command()
@click.argument("name")
@project_option
@force_option
@verb
def configuration(name: str, project: Path, *, force: bool) -> None:
    """Write dsc_configs/NAME.dsc.yaml."""
    _check(name, "configuration")
    if not force and (builtin_folder() / "dsc_configs" / f"{name}.dsc.yaml").exists():
        raise UsageError(
            f"there is a shipped configuration called '{name}', and yours would replace it.",
            "Choose another name, or say --force.",
        )
    _write(configuration_files(project, name), force=force)
    say(f"Name it in a role: 'configurations: [{name}]'.")


@new.command()
@click.argument("name", metavar="ROLE/NAME")
@project_option
@force_option
@verb
def check(name: str, project: Path, *, force: bool) -> None:
    """Write roles/ROLE/checks/test_NAME.py and add it to the checks of the role."""
    role_name, slash, check_name = name.partition("/")
    if not slash:
        raise UsageError(f"which role is the check '{name}' for?", f"Write: provision new check ROLE/{name}.")
    _check(check_name, "check")
    if not (project / "roles" / role_name / "role.yaml").is_file():
        raise UsageError(
            f"the project has no role '{role_name}'.",
            did_you_mean(role_name, RoleLibrary([project]).names) or "Make it with: provision new role.",
        )
    files = check_files(project, role_name, check_name)
    _write(files, force=force, changed=[project / "roles" / role_name / "role.yaml"])
    say(f"Run it with: provision verify INVENTORY, on nodes with the role {role_name}.")


def _check(name: str, what: str) -> None:
    if keyword.iskeyword(name):
        help_ = "It is a word of Python's own. Choose another name."
    elif not _NAME.fullmatch(name):
        help_ = "A name begins with a small letter and has small letters, digits and underscores, 41 at most."
    else:
        return
    raise UsageError(f"a {what} cannot be called {name!a}.", help_)


def _write(files: Mapping[Path, str], *, force: bool, changed: list[Path] | None = None) -> None:
    """Write all files or none; those that are ``changed`` in one place only may be there."""
    taken = [path for path in files if path.exists() and path not in (changed or [])]
    if taken and not force:
        raise UsageError(
            f"{taken[0]} exists already; nothing was written.", "Choose another name, or say --force."
        )
    write_files({path: text.encode() for path, text in files.items()})
    for path in files:
        say(f"  {path}")
