"""Fetching certificates from many nodes at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from provisioner.addresses import NodeName
from provisioner.diagnostics import Diagnostics
from provisioner.errors import NodeError, ProvisionerError, SecretError, UsageError
from provisioner.inventory.model import Inventory
from provisioner.node.certificate import read_certificate
from provisioner.node.session import Session
from provisioner.secrets.model import Secret
from provisioner.secrets.pinning import pin
from provisioner.secrets.sealing import certificate_path
from provisioner.secrets.stores import resolve
from provisioner.transport.registry import create_for

#: How many nodes are asked at once.
_AT_ONCE = 10


def targets(inventory: Inventory, names: list[NodeName], base: Path) -> dict[NodeName, Path]:
    """Return where the certificate of each node belongs.

    Raises:
        InputError: a node has no place for a certificate; all such nodes at once.
        UsageError: two nodes share a file, which can only hold the certificate of one.
    """
    problems = Diagnostics()
    found: dict[NodeName, Path] = {}
    for name in names:
        node = inventory.nodes[name]
        if node.encryption is None or not node.encryption.certificate:
            problems.error(
                "No place for a certificate",
                f"The inventory does not say where the certificate of node '{name}' is kept.",
                node.encryption.where if node.encryption else node.where,
                "Write `encryption: {certificate: certificates/}` at the top of the inventory.",
            )
            continue
        found[name] = certificate_path(name, node.encryption.certificate, base)
    problems.raise_errors()
    for name, path in found.items():
        others = [other for other, its in found.items() if its == path and other != name]
        if others:
            raise UsageError(
                f"the nodes '{name}' and '{others[0]}' are to keep their certificates in one file, {path}.",
                "Name a folder: `encryption: {certificate: certificates/}`.",
            )
    return found


def passwords(inventory: Inventory, names: list[NodeName], base: Path) -> dict[NodeName, Secret]:
    """Resolve the passwords of the connections.

    Raises:
        InputError: some cannot be resolved; all at once.
    """
    problems = Diagnostics()
    found = {}
    for name in names:
        connection = inventory.nodes[name].connection
        if connection.password is None:
            continue  # a ticket or a certificate will do
        try:
            found[name] = resolve(connection.password, base)
        except SecretError as error:
            detail = f"The password of node '{name}' is {error.reference}: {error.reason}."
            problems.error("Secret cannot be resolved", detail, connection.where, error.help)
    problems.raise_errors()
    return found


async def fetch(
    inventory: Inventory,
    paths: Mapping[NodeName, Path],
    secrets: Mapping[NodeName, Secret],
    say: Callable[[str], None],
    *,
    replace: bool,
) -> list[ProvisionerError]:
    """Fetch the certificates, tell each as it comes, and return what went wrong."""
    gate = asyncio.Semaphore(_AT_ONCE)
    failures: list[ProvisionerError] = []

    async def one(name: NodeName, path: Path) -> None:
        async with gate:
            try:
                say(await _fetch_one(inventory, name, path, secrets.get(name), replace=replace))
            except ProvisionerError as error:
                failures.append(error)

    await asyncio.gather(*(one(name, path) for name, path in paths.items()))
    return failures


async def _fetch_one(
    inventory: Inventory, name: NodeName, path: Path, password: Secret | None, *, replace: bool
) -> str:
    node = inventory.nodes[name]
    session = Session(name, create_for(node, password, Path(inventory.path).parent))
    try:
        await session.open()
        certificate, count = await read_certificate(session, datetime.now(UTC))
    finally:
        await session.close()
    try:
        what = pin(node.name, path, certificate, replace=replace)
    except OSError as error:
        raise NodeError(node.name, f"its certificate cannot be kept in {path}: {error.strerror}") from error
    choice = f", the one of {count} that ends last" if count > 1 else ""
    ends = f"{certificate.not_after:%Y-%m-%d}"
    return f"{node.name}: {certificate.thumbprint}{choice}, ends {ends}, {what.value} in {path}"
