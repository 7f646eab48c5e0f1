"""The simulated machines of a lab, as an inventory describes them."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from provisioner.cli.lab.secrets import account_hash, equipped
from provisioner.diagnostics import Diagnostics
from provisioner.inventory.model import Inventory, Node
from provisioner.lab.spec import NodeSpec, read_node_spec


def node_specs(inventory: Inventory, base: Path, problems: Diagnostics) -> list[NodeSpec]:
    """Describe the simulated machine behind each node of an inventory that lies in the folder ``base``.

    Passwords that are not there yet are made, once the inventory is without errors.

    Args:
        inventory: The nodes.
        base: What paths are relative to.
        problems: What is wrong is added here.

    Raises:
        InputError: something is wrong, here or before.
    """
    specs = []
    for node in inventory.nodes.values():
        _expect_loopback(node, problems)
    for node in inventory.nodes.values():
        endpoint = node.connection.endpoint
        spec, found = read_node_spec(
            name=node.name,
            address=endpoint.host,
            port=endpoint.port,
            user=node.connection.user,
            # A password file is made only for what will be a lab.
            nt_hash=b"" if problems.has_errors else account_hash(node.connection.password, base),
            lab_trees=node.lab,
        )
        problems.extend(found)
        if not problems.has_errors:
            specs.append(equipped(spec, endpoint, base))
    problems.raise_errors()
    return specs


def _expect_loopback(node: Node, problems: Diagnostics) -> None:
    host = node.connection.endpoint.host
    try:
        address = ipaddress.ip_address(host)
        is_loopback = address.version == 4 and address.is_loopback  # noqa: PLR2004 - IPv4: every node has its own
    except ValueError:
        is_loopback = False
    if not is_loopback:
        problems.error(
            "Lab node is not on loopback",
            f"Node '{node.name}' has the address {host}. A lab listens on addresses in 127.0.0.0/8 only.",
            node.where,
            "Give the node an address such as 127.20.0.11.",
        )
