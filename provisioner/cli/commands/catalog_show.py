"""``provision catalog show``: what the catalogue knows of one resource type."""

from __future__ import annotations

import json
import re
import shutil
import sys
import textwrap
from pathlib import Path

import click

from provisioner.catalogue.description import describe, facts
from provisioner.catalogue.registry import Registry
from provisioner.catalogue.schema import Module, ResourceType
from provisioner.cli.commands.catalog import catalogue_folder, known_module, project_option
from provisioner.cli.context import json_option, say, verb
from provisioner.diagnostics import did_you_mean
from provisioner.errors import UsageError

#: The columns of a row before its last one.
_ROW = re.compile(r"  (?:note:|\S+ {2,}\S+(?: \S+)? {2,})")


@click.command()
@click.argument("resource")
@click.option("--version", help="Version of the module.  [default: the newest release]")
@project_option
@json_option
@verb
def show(resource: str, version: str | None, project: Path, as_json: bool) -> None:  # noqa: FBT001
    """Show a resource type: Module/Resource, or the resource alone where one module has it."""
    registry = Registry.of(catalogue_folder(project))
    found, module = _find(registry, resource, version)
    if as_json:
        say(json.dumps(facts(found, module, registry)))
        return
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    for line in describe(found, module, registry).splitlines():
        say(fitted(line, width))


def fitted(line: str, width: int) -> str:
    """Fold a row of a table, or a note, below its own last column; what is piped (width 0) is never folded."""
    row = _ROW.match(line)
    if row is None or not 0 < width < len(line):
        return line
    # Names of a hundred characters leave no room behind them.
    indent = " " * min(row.end(), width // 3)
    return "\n".join(
        textwrap.wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    )


def _find(registry: Registry, text: str, version: str | None) -> tuple[ResourceType, Module]:
    module_name, slash, name = text.partition("/")
    if slash:
        module = known_module(registry, module_name, version)
        found = module.resource(name)
        if found is None:
            known = [each.name for each in module.resources]
            raise UsageError(
                f"The module {module.name} {module.version} has no resource '{name}'.",
                did_you_mean(name, known),
            )
        return found, module
    modules = [registry.module(each, version) for each in registry.modules]
    candidates = [(each.resource(text), each) for each in modules if each]
    holders = [(found, module) for found, module in candidates if found]
    if not holders:
        names = {each.name for module in modules if module for each in module.resources}
        raise UsageError(f"No module has a resource '{text}'.", did_you_mean(text, names))
    if len(holders) > 1:
        choices = ", ".join(f"{module.name}/{found.name}" for found, module in holders)
        raise UsageError(f"Several modules have a resource '{text}'.", f"Say which: {choices}.")
    return holders[0]
