"""``provision roles``: which roles there are, and what they say of themselves."""

from __future__ import annotations

import json
from pathlib import Path

import click

from provisioner.cli.commands.catalog import project_option
from provisioner.cli.context import json_option, say, verb
from provisioner.cli.reporting import show_warnings
from provisioner.cli.role_listing import Facts, as_markdown, as_text, facts, markdown_page
from provisioner.diagnostics import Diagnostics, did_you_mean
from provisioner.errors import UsageError
from provisioner.project import builtin_folder
from provisioner.roles.loader import RoleLibrary


@click.command()
@click.argument("name", required=False)
@project_option
@json_option
@click.option("--markdown", is_flag=True, help="Write Markdown.")
@verb
def roles(name: str | None, project: Path, *, as_json: bool, markdown: bool) -> None:
    """List the roles of the project and the shipped ones; with NAME everything one of them says.

    That is: what it is for, what it requires and waits for, its variables, what it refuses, and how it is undone.
    """
    if as_json and markdown:
        raise UsageError("--json and --markdown are two forms.", "Choose one of them.")
    found = described_roles([project, builtin_folder()], name)
    if as_json:
        for each in found:
            say(json.dumps(each, ensure_ascii=False, default=str))
    elif markdown:
        say(("\n".join(as_markdown(found[0])) if name else markdown_page(found)).rstrip("\n"))
    elif name:
        for line in as_text(found[0]):
            say(line)
    else:
        width = max((len(each["role"]) for each in found), default=0)
        for each in found:
            say(f"{each['role']:<{width}}  {each['description']}")


def described_roles(places: list[Path], name: str | None = None) -> list[Facts]:
    """Return what roles say of themselves, sorted by name; of one when it is named.

    Raises:
        InputError: a role cannot be read.
        UsageError: there is none of this name.
    """
    library = RoleLibrary(places)
    if name is not None and not library.has(name):
        raise UsageError(f"no role is called '{name}'.", did_you_mean(name, library.names))
    problems = Diagnostics()
    loaded = []
    for each in [name] if name else library.names:
        role, found = library.load(each)
        problems.extend(found)
        loaded.append(role)
    problems.raise_errors()
    show_warnings(problems)
    return [facts(role) for role in loaded if role is not None]
