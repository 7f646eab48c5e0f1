"""``provision catalog``: the DSC modules and resource types that are known here."""

from __future__ import annotations

import json
from pathlib import Path

import click

from provisioner.catalogue.registry import PROJECT_FOLDER, Registry
from provisioner.catalogue.schema import Module
from provisioner.cli.context import counted, json_option, say, verb
from provisioner.cli.lazy import LazyGroup
from provisioner.diagnostics import did_you_mean
from provisioner.errors import UsageError

VERBS = {
    "import": (
        "provisioner.cli.commands.catalog_import:import_modules",
        "Add the modules of a vendor to the project.",
    ),
    "show": ("provisioner.cli.commands.catalog_show:show", "Show a resource type with its properties."),
}

project_option = click.option(
    "--project",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    help="A folder of the project whose own catalogue counts too.  [default: the current one]",
)


@click.group(cls=LazyGroup, verbs=VERBS)
def catalog() -> None:
    """Look into the catalogue of DSC resources."""


@catalog.command(name="list")
@click.argument("module", required=False)
@project_option
@json_option
@verb
def list_modules(module: str | None, project: Path, as_json: bool) -> None:  # noqa: FBT001 - click passes by name
    """List the modules with their versions; with MODULE, the resources of its newest release."""
    registry = Registry.of(catalogue_folder(project))
    if module is not None:
        _list_resources(known_module(registry, module), as_json=as_json)
        return
    for name, versions in registry.modules.items():
        for version in versions:
            found = registry.module(name, version)
            assert found is not None
            if as_json:
                row = {"module": name, "version": version, "channel": found.channel}
                say(json.dumps({**row, "resources": len(found.resources)}))
            else:
                say(
                    f"{name:<29} {version:<18} {found.channel:<12} {counted(len(found.resources), 'resource')}"
                )


def catalogue_folder(start: Path) -> Path:
    """Return the folder of a project's own catalogue, from any folder inside the project."""
    folder = start.resolve()
    for candidate in (folder, *folder.parents):
        if (candidate / "dsc_configs").is_dir() or (candidate / "roles").is_dir():
            return candidate / PROJECT_FOLDER
    return folder / PROJECT_FOLDER


def known_module(registry: Registry, name: str, version: str | None = None) -> Module:
    """Find a module, the newest release without a version.

    Raises:
        UsageError: there is none, or not in this version.
    """
    versions = registry.versions(name)
    if not versions:
        raise UsageError(f"The catalogue has no module '{name}'.", did_you_mean(name, registry.modules))
    found = registry.module(name, version)
    if found is None:
        raise UsageError(
            f"The catalogue has no version '{version}' of '{name}'.", f"It has: {', '.join(versions)}."
        )
    return found


def _list_resources(module: Module, *, as_json: bool) -> None:
    for each in module.resources:
        if as_json:
            row = {"module": module.name, "version": module.version, "resource": each.name}
            say(json.dumps({**row, "kind": each.kind.value, "summary": each.summary}))
        else:
            say(f"{module.name}/{each.name:<32} {each.summary}".rstrip())
