"""Compile a small project written by a test, through every floor from the file to the configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from provisioner.catalogue.registry import Registry
from provisioner.configuration.build import build
from provisioner.configuration.model import Configuration
from provisioner.diagnostics import Diagnostics
from provisioner.inventory.loader import load_inventory
from provisioner.roles.expand import expand
from provisioner.roles.loader import RoleLibrary
from provisioner.roles.memo import Memo
from provisioner.roles.statements.fleet import beside_each_other
from provisioner.roles.variables import unknown_variables

REPOSITORY = Path(__file__).resolve().parents[1]

#: A project with one node and one role; tests replace single files of it.
BASE = {
    "inventory.yaml": """\
site: test
connection: {transport: psrp, user: admin, password: 'env:PASSWORD'}
nodes:
  n1: {address: 192.0.2.1, roles: [web]}
""",
    "roles/web/role.yaml": """\
description: A role for tests.
modules: {PSDscResources: "2.12.0.0", xHyper-V: "3.18.0", iSCSIDsc: "1.5.0.41"}
configurations: [web]
""",
    "dsc_configs/web.dsc.yaml": """\
resources:
  - name: W3SVC
    type: PSDscResources/Service
    properties: {Name: W3SVC}
""",
}


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write the base project with some files replaced or added."""
    for name, text in {**BASE, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def compile_project(
    folder: Path, search_path: Sequence[Path] | None = None, registry: Registry | None = None
) -> tuple[dict[str, Configuration], Diagnostics]:
    """Compile every node of ``inventory.yaml``; the working directory is the project's folder."""
    inventory, problems = load_inventory(Path("inventory.yaml"))
    if inventory is None:
        return {}, problems
    library = RoleLibrary(search_path or [folder])
    registry = registry or Registry.builtin()
    problems.extend(unknown_variables(inventory, library))
    _, beside = beside_each_other(inventory, tuple(inventory.nodes), library, Memo())
    problems.extend(beside)
    configurations = {}
    for node in inventory.nodes.values():
        expansion, found = expand(node, library, registry, site=inventory.site)
        problems.extend(found)
        if found.has_errors:
            continue
        configuration, found = build(node, expansion, registry)
        problems.extend(found)
        if configuration:
            configurations[str(node.name)] = configuration
    return {} if beside.has_errors else configurations, problems
