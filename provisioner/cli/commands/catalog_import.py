"""``provision catalog import``: a vendor's modules become part of the project's own catalogue."""

from __future__ import annotations

import json
from pathlib import Path

import click

from provisioner.catalogue.importing.modules import read_modules
from provisioner.catalogue.module_text import write_module
from provisioner.catalogue.schema import Module
from provisioner.cli.commands.catalog import catalogue_folder, project_option
from provisioner.cli.context import counted, json_option, say, verb
from provisioner.cli.new_files import write_files
from provisioner.cli.reporting import show_warnings
from provisioner.diagnostics import Diagnostic, Diagnostics, Severity


@click.command(name="import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@project_option
@click.option(
    "--partial", is_flag=True, help="Write what could be read; the rest is missing from the catalogue."
)
@json_option
@verb
def import_modules(paths: tuple[Path, ...], project: Path, *, partial: bool, as_json: bool) -> None:
    """Read DSC modules and write their facts to dsc_configs/catalogue of the project.

    PATH is a folder of a module, of its versions or of several modules, or a package (.nupkg). Nothing of the
    module is run. When a part of a module cannot be read, nothing is written, unless --partial is given.
    """
    problems = Diagnostics()
    modules = [module for path in paths for module in read_modules(path, problems)]
    if partial and any(module.resources for module in modules):
        problems = Diagnostics(map(_tolerated, problems))
    problems.raise_errors()
    show_warnings(problems)
    folder = catalogue_folder(project)
    files = {folder / f"{each.name}@{each.version}.json": each for each in modules if each.resources}
    write_files({path: write_module(module).encode() for path, module in files.items()})
    for path, module in files.items():
        _report(module, path, as_json=as_json)


def _report(module: Module, path: Path, *, as_json: bool) -> None:
    if as_json:
        row = {"module": module.name, "version": module.version, "resources": len(module.resources)}
        say(json.dumps({**row, "file": str(path)}))
    else:
        say(f"{module.name} {module.version}: {counted(len(module.resources), 'resource')}, {path}")


def _tolerated(problem: Diagnostic) -> Diagnostic:
    return Diagnostic(Severity.WARNING, problem.summary, problem.detail, problem.where, problem.help)
