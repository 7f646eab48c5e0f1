"""Every format a configuration can be written in, by the name a user says: one line per format.

An emitter returns the document together with what its format cannot express. Beside an error the document is not
what was asked for, and must not be written. Adding a format is a module here and a line in ``EMITTERS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from provisioner.catalogue.registry import Registry
from provisioner.configuration.emit.dsc3 import emit_dsc3_json, emit_dsc3_yaml
from provisioner.configuration.emit.mof import emit_mof
from provisioner.configuration.emit.powershell import emit_powershell
from provisioner.configuration.emit.resource_text import EmissionCache
from provisioner.configuration.emit.sealing import Sealer
from provisioner.configuration.model import Artifact, Configuration
from provisioner.diagnostics import Diagnostics
from provisioner.inventory.model import MofEncoding


@dataclass(frozen=True, slots=True)
class Emission:
    """What emitters work with beside the configuration.

    ``encoding`` and ``seal`` concern MOF only: every other format is UTF-8 and leaves passwords to whoever
    runs it. One ``cache`` serves all configurations of a run.
    """

    registry: Registry
    encoding: MofEncoding = MofEncoding.UTF16
    seal: Sealer | None = None
    cache: EmissionCache = field(default_factory=EmissionCache)


#: Writes one configuration. The diagnostics are what the format loses or cannot say.
Emitter = Callable[[Configuration, Emission], tuple[Artifact, Diagnostics]]


def _mof(configuration: Configuration, emission: Emission) -> tuple[Artifact, Diagnostics]:
    document = emit_mof(configuration, emission.encoding, emission.registry, emission.seal, emission.cache)
    return document, Diagnostics()


def _powershell(configuration: Configuration, emission: Emission) -> tuple[Artifact, Diagnostics]:
    return emit_powershell(configuration, emission.registry)


def _dsc3_yaml(configuration: Configuration, emission: Emission) -> tuple[Artifact, Diagnostics]:
    return emit_dsc3_yaml(configuration, emission.registry)


def _dsc3_json(configuration: Configuration, emission: Emission) -> tuple[Artifact, Diagnostics]:
    return emit_dsc3_json(configuration, emission.registry)


#: The name a user says to what writes the format.
EMITTERS: Mapping[str, Emitter] = MappingProxyType(
    {
        "mof": _mof,
        "ps1": _powershell,
        "dsc3-yaml": _dsc3_yaml,
        "dsc3-json": _dsc3_json,
    }
)
