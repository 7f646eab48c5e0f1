"""Desired state of one node, checked and in order, and the bytes made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioner.addresses import NodeName, ResourceId, SecretRef
from provisioner.catalogue.schema import ResourceType
from provisioner.diagnostics import SourceRange


@dataclass(frozen=True, slots=True)
class Instance:
    """An embedded instance. ``properties`` are keyed by the schema's spelling, in schema order."""

    class_name: str
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Credential:
    """A value of MSFT_Credential: the user in clear, the password still a reference.

    ``secrets`` is used instead of ``password`` for a property that takes named secrets: name to reference, in
    the author's order; the password is then one line ``name=base64`` each. Exactly one of the two is given.
    """

    user: str
    password: SecretRef | None
    where: SourceRange
    secrets: Mapping[str, SecretRef] | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """One declared resource, checked against its type.

    ``properties`` are keyed by the schema's spelling, ``PsDscRunAsCredential`` included; values are str, bool,
    int, float, ``Instance``, ``Credential`` or a tuple of these, already converted to what the MOF holds
    (ValueMap entry in schema case). ``version`` is the ModuleVersion to write, which for in-box modules may be
    another one than that of the type; ``module`` is the ModuleName to write, in the author's case. ``where`` is
    the position of the declaration, ``property_ranges`` those of the values. ``role`` is the first role that
    declared it. ``may_recur`` is as that of its declaration.
    """

    id: ResourceId
    type: ResourceType
    properties: Mapping[str, Any]
    depends_on: tuple[ResourceId, ...]
    where: SourceRange
    property_ranges: Mapping[str, SourceRange]
    role: str = ""
    version: str = ""
    module: str = ""
    may_recur: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True)
class Configuration:
    """All resources of one node in a stable order in which every dependency comes first.

    ``name`` is a letter and the digest of the content: same content, same name.
    ``modules`` are the module versions the node must have. ``expects_reboot`` names the resources that ask for a
    restart when they change something.
    """

    node: NodeName
    name: str
    resources: tuple[Resource, ...]
    modules: Mapping[str, str]
    expects_reboot: tuple[ResourceId, ...] = ()

    def resource(self, resource_id: str) -> Resource | None:
        """Find a resource by its text ``[Type]Name``, without regard to case."""
        wanted = ResourceId.parse(resource_id)
        return next((r for r in self.resources if wanted and r.id.folded == wanted.folded), None)


@dataclass(frozen=True, slots=True)
class Artifact:
    """An emitted document."""

    file_name: str
    content: bytes
    sha256: str
