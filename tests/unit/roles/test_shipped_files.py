"""What travels with the package agrees with itself: pinned versions, the lab's inventory, its pinned hash."""

from __future__ import annotations

import hashlib
from typing import Any

import yaml

from provisioner.catalogue.registry import Registry
from provisioner.inventory.loader import load_inventory
from provisioner.roles.loader import RoleLibrary
from provisioner.roles.variables import unknown_variables
from tests.compiling import REPOSITORY

LAB = REPOSITORY / "inventories/lab/inventory.yaml"


def test_pinned_module_versions_are_those_of_the_roles_and_of_the_catalogue() -> None:
    lock = yaml.safe_load((REPOSITORY / "dsc_configs/modules.lock.yaml").read_text(encoding="utf-8"))
    pinned = {name: entry["version"] for name, entry in lock["modules"].items()}
    registry = Registry.builtin()
    assert all(registry.find(name, version) == (name, version) for name, version in pinned.items())
    library = RoleLibrary([REPOSITORY])
    for name in library.names:
        role, _ = library.load(name)
        assert role is not None
        assert {use.name: use.version for use in role.modules.values()}.items() <= pinned.items()


def test_the_hash_the_lab_s_inventory_pins_is_that_of_its_package() -> None:
    text: dict[str, Any] = yaml.safe_load(LAB.read_text(encoding="utf-8"))
    compute = text["groups"]["compute"]
    [package] = compute["lab"]["files"]
    assert (
        compute["variables"]["openstack_runtime_installer"]["sha256"]
        == hashlib.sha256(package["content"].encode()).hexdigest()
    )
    assert compute["variables"]["openstack_runtime_installer"]["product_code"] == package["msi"]["product_id"]
    assert compute["variables"]["openstack_runtime_installer"]["path"] == package["path"]


def test_the_lab_has_three_compute_and_two_storage_nodes_and_no_stray_variable() -> None:
    inventory, problems = load_inventory(LAB)
    assert [problem.render() for problem in problems] == []
    assert inventory is not None
    assert [str(name) for name in inventory.nodes] == ["hv01", "hv02", "hv03", "st01", "st02"]
    assert len({node.connection.endpoint.host for node in inventory.nodes.values()}) == 5
    assert len({node.connection.user for node in inventory.nodes.values()}) == 5
    assert len({str(node.connection.password) for node in inventory.nodes.values()}) == 5
    assert len(unknown_variables(inventory, RoleLibrary([REPOSITORY]))) == 0


def test_no_shipped_configuration_uses_the_script_resource() -> None:
    for path in REPOSITORY.glob("dsc_configs/*.dsc.yaml"):
        assert "/Script" not in path.read_text(encoding="utf-8"), path
