"""Compile nodes of one inventory, one after the other, remembering what they have in common.

Nothing here keeps a node: what is remembered are resources and their texts, and the least needed are let go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from provisioner.addresses import NodeName
from provisioner.catalogue.registry import PROJECT_FOLDER, Registry
from provisioner.configuration.build import build
from provisioner.configuration.check import Checker
from provisioner.configuration.emit.formats import EMITTERS, Emission
from provisioner.configuration.emit.meta_mof import META_SETTINGS, emit_meta_mof
from provisioner.configuration.emit.mof import size_problems
from provisioner.configuration.emit.resource_text import EmissionCache
from provisioner.configuration.model import Configuration
from provisioner.diagnostics import Diagnostics
from provisioner.inventory.model import Inventory, Node
from provisioner.project.model import META, MOF, CompiledNode
from provisioner.project.sealers import Sealers, Withheld, credentials_of, keyed_digest
from provisioner.roles.expand import expand
from provisioner.roles.loader import RoleLibrary
from provisioner.roles.memo import Memo
from provisioner.secrets.sealing import NodeSealer, check_encryption


class NodeCompiler:
    """Compiles nodes of one inventory."""

    def __init__(
        self, root: Path, builtin: Path, inventory: Inventory, library: RoleLibrary | None = None
    ) -> None:
        """``root`` is the project; its roles, configurations and modules come before those in ``builtin``.

        ``library`` has these roles, where it is there already.
        """
        self.inventory = inventory
        self.library = library or RoleLibrary([root, builtin])
        self.registry = Registry.of(builtin / PROJECT_FOLDER, root / PROJECT_FOLDER)
        self.memo = Memo()
        self.sealers = Sealers(Path(inventory.path).parent, root / ".provisioner")
        self._checker = Checker(self.registry)
        self._texts = EmissionCache()

    def compile(
        self, name: NodeName, formats: tuple[str, ...] = (MOF,), *, sealed: bool = True
    ) -> tuple[CompiledNode | None, Diagnostics]:
        """Compile one node.

        Args:
            name: A node of the inventory.
            formats: What to emit.
            sealed: Whether secrets are resolved. Otherwise passwords are masks, and the documents of a node with
                credentials must not be used.

        Returns:
            The node and its problems; None beside errors, and when its roles declare nothing on it.
        """
        problems = Diagnostics()
        node = self.inventory.nodes[name]
        if not (node.roles or node.decommission):
            return None, problems  # the loader has warned of it
        expansion, found = expand(node, self.library, self.registry, site=self.inventory.site, memo=self.memo)
        problems.extend(found)
        if found.has_errors:
            return None, problems
        configuration, found = build(node, expansion, self.registry, self._checker)
        problems.extend(found)
        if configuration is None:
            return None, problems
        compiled = CompiledNode(
            node=node,
            expansion=expansion,
            configuration=configuration,
            documents={},
            meta_settings=META_SETTINGS,
            digest=configuration.name,
        )
        compiled = self._emitted(compiled, formats, sealed=sealed, problems=problems)
        return (None if problems.has_errors else compiled), problems

    def _emitted(
        self, compiled: CompiledNode, formats: tuple[str, ...], *, sealed: bool, problems: Diagnostics
    ) -> CompiledNode:
        node, configuration = compiled.node, compiled.configuration
        emission = Emission(self.registry, node.connection.encoding, cache=self._texts)
        credentials = tuple(credentials_of(configuration)) if MOF in formats else ()
        sealer: NodeSealer | None = None
        found = Diagnostics()
        if credentials and not sealed:
            problems.extend(check_encryption(node))
            emission = replace(emission, seal=Withheld(is_encrypted=not has_plain_text(node)))
        elif credentials:
            sealer, found = self.sealers.open(node)
            if sealer is None:
                problems.extend(found)
                return compiled
            emission = replace(emission, seal=sealer)
        documents = {}
        for name in formats:
            documents[name], lost = EMITTERS[name](configuration, emission)
            problems.extend(lost)
        if MOF in documents:
            problems.extend(size_problems(documents[MOF], node.where))
        compiled = replace(compiled, documents=documents, credentials=credentials)
        if sealer is not None:
            compiled = _sealed(compiled, sealer, found)
            problems.extend(compiled.sealing_warnings)
        if MOF in formats and sealed:
            encoding = node.connection.encoding
            documents[META] = emit_meta_mof(node.name, compiled.meta_settings, encoding)
        return compiled


def _sealed(compiled: CompiledNode, sealer: NodeSealer, found: Diagnostics) -> CompiledNode:
    """Say what stands for the secrets, and let the node's LCM know which certificate decrypts them."""
    keyed = keyed_digest(sealer, compiled.credentials)
    found.extend(sealer.problems)
    settings: Mapping[str, Any] = compiled.meta_settings
    if sealer.thumbprint:
        settings = {**settings, "CertificateID": sealer.thumbprint}
    return replace(
        compiled,
        meta_settings=settings,
        digest=f"{compiled.configuration.name}-{keyed[:24]}",
        sealed=keyed,
        sealing_warnings=tuple(found),
        opened=tuple(sealer.opened),
    )


def needs(configuration: Configuration) -> tuple[str, ...]:
    """Return the resources that may ask for a restart, as texts."""
    return tuple(str(each) for each in configuration.expects_reboot)


def has_plain_text(node: Node) -> bool:
    """Whether passwords may stand in the documents of a node as they are."""
    return node.encryption is None or not node.encryption.certificate
