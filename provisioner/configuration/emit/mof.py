"""Emit a node's configuration as a MOF document, byte by byte as Windows PowerShell 5.1 writes it.

Pure: the same configuration gives the same bytes in any process. Two things differ from Windows on purpose:
there is no date, and author and host are constant. Source of every rule: mof-format.
"""

from __future__ import annotations

from collections import Counter

from provisioner.catalogue.registry import Registry
from provisioner.catalogue.schema import CREDENTIAL_CLASS
from provisioner.configuration.emit import layout
from provisioner.configuration.emit.resource_text import RUN_AS, EmissionCache
from provisioner.configuration.emit.sealing import Sealer
from provisioner.configuration.model import Artifact, Configuration
from provisioner.diagnostics import Diagnostics, SourceRange
from provisioner.inventory.model import MofEncoding

#: Size up to which the LCM takes a document. Source: LCM class, 1.3 number 5.
LARGEST_DOCUMENT_BYTES = 10 * 1024 * 1024


def emit_mof(
    configuration: Configuration,
    encoding: MofEncoding,
    registry: Registry | None = None,
    seal: Sealer | None = None,
    cache: EmissionCache | None = None,
) -> Artifact:
    """Emit ``<node>.mof``.

    Args:
        configuration: What to write; resources come in its order.
        encoding: UTF-16LE with byte order mark is what Windows writes.
        registry: Where known property orders come from; None takes the shipped ones.
        seal: Gives the texts of passwords; needed as soon as there is a credential.
        cache: Keeps the texts of resources for the next configuration that has the same ones.
    """
    orders = registry or Registry.builtin()
    texts = EmissionCache() if cache is None else cache
    numbers: Counter[str] = Counter()
    name = layout.quoted(configuration.name)
    parts = [layout.header(configuration.node)]
    for resource in configuration.resources:
        texts.text(resource, orders).write(parts, numbers, name, seal)
    parts.append(
        _document(
            name,
            runs_as=any(RUN_AS in each.properties for each in configuration.resources),
            is_encrypted=seal is not None and seal.is_encrypted and numbers[CREDENTIAL_CLASS] > 0,
        )
    )
    return layout.artifact(f"{configuration.node}.mof", "".join(parts), encoding)


def size_problems(document: Artifact, where: SourceRange) -> Diagnostics:
    """Refuse a document no LCM would take. ``where`` is the node in the inventory."""
    problems = Diagnostics()
    if len(document.content) > LARGEST_DOCUMENT_BYTES:
        problems.error(
            "Document too large",
            f"{document.file_name} has {len(document.content):,} bytes; an LCM takes "
            f"{LARGEST_DOCUMENT_BYTES:,} at most.",
            where,
            "Give the node fewer roles or smaller files, or set its encoding to utf-8, which halves the size.",
        )
    return problems


def _document(name: str, *, runs_as: bool, is_encrypted: bool) -> str:
    author = layout.quoted(layout.AUTHOR)
    return layout.document_block(
        [
            ("Version", '"2.0.0"'),
            ("MinimumCompatibleVersion", '"2.0.0"' if runs_as else '"1.0.0"'),
            ("CompatibleVersionAdditionalProperties", '{"Omi_BaseResource:ConfigurationName"}'),
            ("Author", author),
            ("GenerationHost", author),
            *([("ContentType", '"PasswordEncrypted"')] if is_encrypted else []),
            ("Name", name),
        ]
    )
