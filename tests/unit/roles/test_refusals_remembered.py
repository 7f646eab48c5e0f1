"""What a role does not refuse is remembered by the values it reads, and what it refuses is told of each node."""

from __future__ import annotations

from pathlib import Path

from provisioner.catalogue.registry import Registry
from provisioner.inventory.loader import load_inventory
from provisioner.roles.expand import expand
from provisioner.roles.loader import RoleLibrary
from provisioner.roles.memo import Memo
from tests.compiling import write

ROLE = """\
description: x
variables:
  size: {type: integer, default: 1, description: x}
  disks: {type: list, items: integer, default: [], description: x}
  limit: {type: integer, default: 5, description: x}
refuse:
  - {when: "{{ size > limit }}", variable: size, reason: "Too large on node '{{ node.name }}'."}
  - {forEach: "{{ disks }}", when: "{{ item > limit }}", variable: disks, reason: "Disk {{ item }} is too large."}
  - {when: "{{ node.name == 'n5' }}", reason: "Not this one."}
"""
INVENTORY = """\
site: test
connection: {user: admin, password: 'env:PASSWORD'}
nodes:
  n1: {address: 192.0.2.1, roles: [web]}
  n2: {address: 192.0.2.2, roles: [web]}
  n3: {address: 192.0.2.3, roles: [web], variables: {size: 9}}
  n4: {address: 192.0.2.4, roles: [web], variables: {disks: [1, 7]}}
  n5: {address: 192.0.2.5, roles: [web]}
  n6: {address: 192.0.2.6, roles: [web], variables: {size: 9}}
  n7: {address: 192.0.2.7, roles: [web], variables: {limit: 0}}
"""


def test_each_node_is_told_what_is_refused_on_it(tmp_path: Path) -> None:
    write(tmp_path, {"roles/web/role.yaml": ROLE, "inventory.yaml": INVENTORY})
    inventory, _ = load_inventory(tmp_path / "inventory.yaml")
    assert inventory is not None
    library, registry, memo = RoleLibrary([tmp_path]), Registry.builtin(), Memo()
    told = {
        str(name): [each.detail.partition("': ")[2] for each in expand(node, library, registry, memo=memo)[1]]
        for name, node in inventory.nodes.items()
    }
    assert told == {
        "n1": [],
        "n2": [],
        "n3": ["Too large on node 'n3'."],
        "n4": ["Disk 7 is too large."],
        "n5": ["Not this one."],
        "n6": ["Too large on node 'n6'."],
        "n7": ["Too large on node 'n7'."],
    }
