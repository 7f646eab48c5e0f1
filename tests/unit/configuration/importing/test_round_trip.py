"""What we compile, imported and compiled again, says the same: for all roles that are shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.catalogue.registry import Registry
from provisioner.configuration.build import build
from provisioner.configuration.emit.mof import emit_mof
from provisioner.configuration.importing.importer import import_documents
from provisioner.configuration.model import Configuration
from provisioner.inventory.loader import load_inventory
from provisioner.inventory.model import MofEncoding
from provisioner.roles.expand import expand
from provisioner.roles.loader import RoleLibrary
from tests.compiling import REPOSITORY
from tests.goldens.comparing import Sealed, emitted, resources_of

REGISTRY = Registry.builtin()


def compiled(path: Path, folders: list[Path]) -> dict[str, Configuration]:
    inventory, problems = load_inventory(path)
    assert inventory is not None, [each.render() for each in problems]
    library = RoleLibrary(folders)
    found = {}
    for node in inventory.nodes.values():
        expansion, problems = expand(node, library, REGISTRY, site=inventory.site)
        assert not problems.has_errors, [each.render() for each in problems]
        configuration, problems = build(node, expansion, REGISTRY)
        assert configuration is not None, [each.render() for each in problems]
        found[str(node.name)] = configuration
    return found


def test_the_shipped_roles_survive_a_compilation_and_an_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = compiled(REPOSITORY / "inventories" / "lab" / "inventory.yaml", [REPOSITORY])
    written = [
        (f"{name}.mof", emit_mof(each, MofEncoding.UTF16, seal=Sealed()).content)
        for name, each in original.items()
    ]

    found, problems = import_documents(written, REGISTRY)

    assert found is not None, [each.render() for each in problems]
    for path, text in found.files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    again = compiled(tmp_path / "inventories" / "imported" / "inventory.yaml", [tmp_path])
    assert again.keys() == original.keys()
    for name, configuration in original.items():
        assert resources_of(emitted(again[name])) == resources_of(emitted(configuration))
        assert [each.id for each in again[name].resources] == [each.id for each in configuration.resources]
