"""Emit the metaconfiguration: what an LCM is set to, and the servers and partial configurations it works with.

By default it is what our way of working asks of every LCM. The engine owns reboots and repeats the document
itself, so the LCM must neither restart the node, nor go on by itself after a boot, nor mend drift behind our back.
Source of the layout: mof-format, section 6.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from provisioner.addresses import SecretRef
from provisioner.catalogue.registry import Registry
from provisioner.catalogue.schema import CREDENTIAL_CLASS
from provisioner.configuration.emit import layout
from provisioner.configuration.emit.resource_text import EmissionCache, Piece, Pieces, source_info
from provisioner.configuration.emit.sealing import Sealer
from provisioner.configuration.lcm.model import GROUPS, LcmPart
from provisioner.configuration.lcm.profile import load_lcm_profile
from provisioner.configuration.model import Artifact
from provisioner.diagnostics import Diagnostics
from provisioner.inventory.model import MofEncoding

#: What every node's LCM is set to. Names in the spelling of the class, in schema order.
META_SETTINGS: Mapping[str, Any] = {
    "RebootNodeIfNeeded": False,
    "ConfigurationMode": "ApplyOnly",
    "ActionAfterReboot": "StopConfiguration",
    "RefreshMode": "Push",
}

#: Settings every LCM since WMF 4 knows; any other makes the document ask for 2.0.0 (mof-format, section 6).
_OLD_SETTINGS = frozenset(
    {
        "ConfigurationModeFrequencyMins",
        "RebootNodeIfNeeded",
        "ConfigurationMode",
        "ActionAfterReboot",
        "RefreshMode",
        "CertificateID",
        "ConfigurationID",
        "DownloadManagerName",
        "DownloadManagerCustomData",
        "RefreshFrequencyMins",
        "AllowModuleOverwrite",
        "DebugMode",
        "Credential",
    }
)
_CLASS = "MSFT_DSCMetaConfiguration"
#: Document name; constant, because nothing refers to it.
_NAME = "ProvisionerSettings"


def emit_meta_mof(  # noqa: PLR0913 - most have a default that fits
    node_name: str,
    settings: Mapping[str, Any],
    encoding: MofEncoding,
    managers: Sequence[LcmPart] = (),
    *,
    registry: Registry | None = None,
    seal: Sealer | None = None,
    reveal: Callable[[SecretRef], str] | None = None,
    is_beside_configuration: bool = False,
) -> Artifact:
    """Emit ``<node>.meta.mof``.

    Args:
        node_name: Whose LCM it is for.
        settings: By the spelling of the class. Their order is that of Windows where the registry knows it, else
            the one given.
        encoding: UTF-16LE with byte order mark is what Windows writes.
        managers: Servers, shares, partial configurations and signature checks, in the order to write them.
        registry: Where known property orders come from; without one everything keeps the order given.
        seal: Gives the texts of passwords; needed as soon as there is a credential.
        reveal: Gives the text of a secret that an LCM takes in clear only, such as a registration key.
        is_beside_configuration: Write what Windows PowerShell writes for a LocalConfigurationManager block in an
            ordinary configuration.
    """
    pieces = Pieces(registry or Registry({}, lambda: "[]"), EmissionCache())
    indexes = [(each.group, each.class_name, _part(each, pieces, reveal)) for each in managers]
    # The lists that follow count among the names whose order Windows has.
    lists = {group: None for group in GROUPS if any(own == group for own, _, _ in indexes)}
    ordered = [each for each in pieces.ordered({**settings, **lists}) if each[0] not in lists]
    spelled = [(name, pieces.value(item)) for name, item in ordered]
    pieces.start(_CLASS)
    pieces.properties(spelled)
    pieces.add("\n\n")
    for group in GROUPS:
        pieces.add(*_aliases(group, [(name, index) for own, name, index in indexes if own == group]))
    pieces.add("};\n\n")
    parts = [layout.header(node_name)]
    numbers: Counter[str] = Counter()
    pieces.text().write(parts, numbers, "", seal)
    is_old = not managers and set(settings) <= _OLD_SETTINGS
    is_encrypted = seal is not None and seal.is_encrypted and numbers[CREDENTIAL_CLASS] > 0
    additional = (
        "{ }" if is_beside_configuration else '{ "MSFT_DSCMetaConfiguration:StatusRetentionTimeInDays" }'
    )
    parts.append(
        layout.compact_block(
            [
                ("Version", '"2.0.0"'),
                ("MinimumCompatibleVersion", '"1.0.0"' if is_old else '"2.0.0"'),
                ("CompatibleVersionAdditionalProperties", additional),
                ("Author", layout.quoted(layout.AUTHOR)),
                ("GenerationHost", layout.quoted(layout.AUTHOR)),
                *([("ContentType", '"PasswordEncrypted"')] if is_encrypted else []),
                ("Name", layout.quoted(_NAME)),
            ]
        )
    )
    return layout.artifact(f"{node_name}.meta.mof", "".join(parts), encoding)


def compile_lcm_profile(  # noqa: PLR0913 - as emit_meta_mof
    path: Path,
    node_name: str,
    registry: Registry,
    encoding: MofEncoding = MofEncoding.UTF16,
    *,
    seal: Sealer | None = None,
    reveal: Callable[[SecretRef], str] | None = None,
) -> tuple[Artifact | None, Diagnostics]:
    """Return ``<node>.meta.mof`` of a profile; None beside errors.

    Args:
        path: The file of the profile.
        node_name: Whose LCM it is for.
        registry: Knows the classes of the LCM.
        encoding: Of the document.
        seal: Gives the texts of passwords; needed as soon as there is a credential.
        reveal: Gives the texts of registration keys, which an LCM takes in clear only.
    """
    profile, problems = load_lcm_profile(path, registry)
    if profile is None:
        return None, problems
    document = emit_meta_mof(
        node_name,
        profile.settings,
        encoding,
        profile.parts,
        registry=registry,
        seal=seal,
        reveal=reveal,
        is_beside_configuration=profile.is_beside_configuration,
    )
    return document, problems


def _part(part: LcmPart, pieces: Pieces, reveal: Callable[[SecretRef], str] | None) -> int:
    """Write one object and return what stands for its number."""
    values = {
        "SourceInfo": source_info(part.where, part.keyword),
        "ResourceID": str(part),
        **{name: _clear(item, reveal) for name, item in part.properties.items()},
    }
    spelled = [(name, pieces.value(item)) for name, item in pieces.ordered(values)]
    index = pieces.start(part.class_name)
    pieces.properties(spelled)
    pieces.add("\n\n};\n\n")
    return index


def _clear(item: Any, reveal: Callable[[SecretRef], str] | None) -> Any:
    if not isinstance(item, SecretRef):
        return item
    assert reveal is not None, "a document with secrets is emitted with their texts at hand"
    return reveal(item)


def _aliases(group: str, found: list[tuple[str, int]]) -> list[Piece]:
    if not found:
        return []
    pieces: list[Piece] = [f"  {group} = {{\n  "]
    for class_name, index in found:
        pieces += [*((",\n  ",) if len(pieces) > 1 else ()), f"${class_name}", index, "ref"]
    return [*pieces, "  \n };\n"]
