"""Make the metaconfigurations of an LCM profile for nodes of an inventory.

An apply sets what our way of working asks of an LCM; these documents are for whoever sets an LCM otherwise, by
hand or for a pull server, and are only written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provisioner.addresses import SecretRef
from provisioner.catalogue.registry import Registry
from provisioner.configuration.emit.meta_mof import compile_lcm_profile
from provisioner.configuration.lcm.model import LcmProfile
from provisioner.configuration.lcm.profile import load_lcm_profile
from provisioner.configuration.model import Artifact, Credential, Instance
from provisioner.diagnostics import Diagnostics
from provisioner.errors import SecretError
from provisioner.inventory.model import Node
from provisioner.project.sealers import Sealers
from provisioner.secrets.model import MASK
from provisioner.secrets.stores import resolve


@dataclass(frozen=True, slots=True)
class LcmDocuments:
    """``<node>.meta.mof`` of each node. ``hold_secrets`` tells that something in them stands in clear."""

    artifacts: tuple[Artifact, ...]
    hold_secrets: bool
    warnings: Diagnostics


def compile_profile(
    path: Path, nodes: Iterable[Node], base: Path, registry: Registry, sealers: Sealers
) -> LcmDocuments:
    """Compile a profile for each node. References in it start, as all do, from ``base``, the inventory's folder.

    Raises:
        InputError: The profile is wrong, a secret cannot be resolved, or a node has no fit certificate.
    """
    profile, problems = load_lcm_profile(path, registry)
    problems.raise_errors()
    assert profile is not None
    values = tuple(_values(profile))
    takes_credentials = any(isinstance(value, Credential) for value in values)
    holds_secrets = any(isinstance(value, SecretRef) for value in values)
    artifacts = []
    for node in nodes:
        sealer = None
        if takes_credentials:
            sealer, found = sealers.open(node)
            problems.extend(found)
            if sealer is None:
                continue
            holds_secrets |= not sealer.is_encrypted
        artifact, found = compile_lcm_profile(
            path,
            node.name,
            registry,
            node.connection.encoding,
            seal=sealer,
            reveal=_revealing(base, problems),
        )
        problems.extend([*found, *(sealer.problems if sealer else ())])
        if artifact is not None:
            artifacts.append(artifact)
    problems.raise_errors()
    return LcmDocuments(tuple(artifacts), holds_secrets, problems)


def _revealing(base: Path, problems: Diagnostics) -> Callable[[SecretRef], str]:
    def reveal(reference: SecretRef) -> str:
        try:
            return resolve(reference, base).reveal()
        except SecretError as error:
            problems.error(
                "Secret cannot be resolved", f"{error.reference}: {error.reason}.", None, error.help
            )
            return MASK

    return reveal


def _values(profile: LcmProfile) -> Iterable[Any]:
    for given in (profile.settings, *(part.properties for part in profile.parts)):
        for value in given.values():
            yield from _flat(value)


def _flat(value: Any) -> Iterable[Any]:
    match value:
        case tuple():
            for part in value:
                yield from _flat(part)
        case Instance():
            for part in value.properties.values():
                yield from _flat(part)
        case _:
            yield value
