"""A directory with inventories, roles and configurations as one object: compile, apply, verify.

The user's own ``roles/`` and ``dsc_configs/`` come before the ones that travel with the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from provisioner.addresses import NodeName
from provisioner.catalogue.registry import Registry
from provisioner.configuration.build import build
from provisioner.configuration.emit.meta_mof import META_SETTINGS, emit_meta_mof
from provisioner.configuration.emit.mof import emit_mof
from provisioner.configuration.model import Artifact, Configuration
from provisioner.diagnostics import Diagnostics
from provisioner.inventory.loader import load_inventory
from provisioner.inventory.model import Inventory, Node
from provisioner.inventory.selection import select
from provisioner.roles.expand import Expansion, expand
from provisioner.roles.loader import RoleLibrary

_MARKS = ("roles", "dsc_configs", ".provisioner")


@dataclass(frozen=True, slots=True)
class CompiledNode:
    """One node with everything made for it."""

    node: Node
    expansion: Expansion
    configuration: Configuration
    document: Artifact
    meta_document: Artifact


@dataclass(frozen=True, slots=True)
class Compilation:
    """The selected nodes of an inventory, compiled. ``warnings`` did not stop the work."""

    inventory: Inventory
    nodes: Mapping[NodeName, CompiledNode]
    warnings: Diagnostics


def builtin_folder() -> Path:
    """Return the folder that holds the built-in ``roles`` and ``dsc_configs``."""
    packaged = Path(__file__).parent / "builtin"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent


class Project:
    """A project folder. ``root`` is where ``roles/``, ``dsc_configs/`` and the state folder lie."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def of(cls, inventory: Path) -> Project:
        """Find the project an inventory belongs to: the nearest folder above it with roles or configurations.

        An inventory that stands alone makes its own folder the project.
        """
        folder = inventory.resolve().parent
        for candidate in (folder, *folder.parents):
            if any((candidate / mark).is_dir() for mark in _MARKS):
                return cls(candidate)
        return cls(folder)

    @property
    def state_folder(self) -> Path:
        """Where runs are recorded."""
        return self.root / ".provisioner"

    def compile(self, inventory_path: Path, limit: str = "") -> Compilation:
        """Load an inventory and compile the selected nodes.

        Raises:
            InputError: anything the user wrote is wrong; all problems at once.
            UsageError: ``limit`` names what is not there.
        """
        inventory, problems = load_inventory(inventory_path)
        if inventory is None:
            problems.raise_errors()
            raise AssertionError("an inventory is missing without an error")
        selected = select(inventory, limit)
        library = RoleLibrary([self.root, builtin_folder()])
        registry = Registry.builtin()
        nodes = {}
        for name in selected:
            compiled = _compile_node(inventory.nodes[name], library, registry, problems)
            if compiled is not None:
                nodes[name] = compiled
        problems.raise_errors()
        return Compilation(inventory, nodes, problems)


def _compile_node(
    node: Node, library: RoleLibrary, registry: Registry, problems: Diagnostics
) -> CompiledNode | None:
    expansion, found = expand(node, library, registry)
    problems.extend(found)
    if found.has_errors:
        return None
    configuration, found = build(node, expansion, registry)
    problems.extend(found)
    if configuration is None:
        return None
    encoding = node.connection.encoding
    return CompiledNode(
        node=node,
        expansion=expansion,
        configuration=configuration,
        document=emit_mof(configuration, encoding),
        meta_document=emit_meta_mof(node.name, META_SETTINGS, encoding),
    )
