"""The inventory as frozen values: what stands in ``inventory.yaml`` after every check."""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from provisioner.addresses import Endpoint, Logon, NodeName, RoleName, SecretRef
from provisioner.diagnostics import SourceRange
from provisioner.documents import Mapping as YamlMapping
from provisioner.documents import Tree, locate, step_into
from provisioner.inventory.rules import NO_RULES, Rules

#: Names that mean something of their own inside expressions; no variable may hide them.
RESERVED_VARIABLES: Final = frozenset(
    {"node", "site", "item", "index", "template", "resources", "range", "dict", "namespace", "loop", "self"}
    | {"true", "false", "none", "is", "in", "not", "and", "or", "if", "else"}
    | {word.casefold() for word in keyword.kwlist}
)


class Framing(Enum):
    """How ConfigurationData is laid out for a local Invoke-CimMethod.

    Which form real Windows wants is not settled by any source (LCM class facts, 1.3), hence a switch.
    """

    AUTO = "auto"  #: asked of the node, once for each run
    BIG_ENDIAN = "big-endian"  #: 4-byte big-endian total length + bytes: the CIM octet string convention
    RAW = "raw"  #: the bytes alone
    LITTLE_ENDIAN = "little-endian"  #: 4-byte little-endian length + bytes: seen only through WS-Man sessions


class MofEncoding(Enum):
    """Bytes of an emitted MOF text."""

    UTF16 = "utf-16"  #: little-endian with byte order mark, as Windows PowerShell 5.1 writes
    UTF8 = "utf-8"  #: without byte order mark


@dataclass(frozen=True, slots=True)
class Located:
    """A plain value (None, bool, int, float, str, list, dict) and where it was written.

    ``tree`` is what it was read from, with a position for every part: parts of one value may come from several
    layers. None for values that were not read from YAML.
    """

    value: Any
    where: SourceRange
    tree: Tree | None = field(default=None, repr=False, compare=False)

    def part(self, *path: str | int) -> Tree | None:
        """Return what stands under keys and indexes; None when there is nothing, or no tree."""
        return step_into(self.tree, path) if self.tree is not None else None

    def origin(self, *path: str | int) -> SourceRange:
        """Return where a part was written, by keys and indexes; of the nearest part above it that is known."""
        return locate(self.tree, path) if self.tree is not None else self.where


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach a node. Times are in seconds.

    ``user`` may be empty and ``password`` missing where a ticket or a certificate does. Paths of ``logon`` are as
    written, relative to the inventory's folder.
    """

    transport: str
    endpoint: Endpoint
    user: str
    password: SecretRef | None
    where: SourceRange
    logon: Logon = field(default_factory=Logon)
    framing: Framing = Framing.AUTO
    encoding: MofEncoding = MofEncoding.UTF16
    connect_timeout_s: float = 10.0
    reconnect_timeout_s: float = 240.0
    reboot_timeout_s: float = 900.0
    job_timeout_s: float = 7200.0
    lcm_timeout_s: float = 900.0


@dataclass(frozen=True, slots=True)
class Encryption:
    """How credentials reach a node. ``certificate`` is a path from the folder of the inventory.

    It names a PEM or DER file with the node's document-encryption certificate, or a folder that holds one
    ``<node>.cer`` for each node. ``is_plain_text`` is the user's explicit word that passwords may stand in the
    document as they are; a section holds one of the two.
    """

    certificate: str
    is_plain_text: bool
    where: SourceRange


@dataclass(frozen=True, slots=True)
class RoleUse:
    """A role named by the inventory, and where."""

    name: RoleName
    where: SourceRange


@dataclass(frozen=True, slots=True)
class AfterUse:
    """A node or a group that is done first; ``said_by`` is the layer that says so (``group storage``)."""

    name: str
    where: SourceRange
    said_by: str


@dataclass(frozen=True, slots=True)
class AggregateUse:
    """An aggregate a node is to be in, and where the inventory says so."""

    name: str
    where: SourceRange


@dataclass(frozen=True, slots=True)
class Property:
    """A property of an aggregate, a flavor or an image; None for one that is to be taken away."""

    name: str
    value: str | None
    where: SourceRange


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A host aggregate; ``zone`` is empty where the inventory says none."""

    name: str
    zone: str
    properties: tuple[Property, ...]
    where: SourceRange


@dataclass(frozen=True, slots=True)
class Cloud:
    """The OpenStack cloud the nodes serve.

    ``name`` is a cloud of clouds.yaml, or empty: then the rest of the first block says how to log on. Flavors and
    images are by name or id, and have to be there; ``ca_certificates`` is relative to the inventory's folder.
    """

    name: str
    auth_url: str
    user: str
    password: SecretRef | None
    project: str
    user_domain: str
    project_domain: str
    region: str
    interface: str
    ca_certificates: str
    aggregates: Mapping[str, Aggregate]
    flavors: Mapping[str, tuple[Property, ...]]
    images: Mapping[str, tuple[Property, ...]]
    where: SourceRange


class LayerKind(Enum):
    """What a layer is, the nearest first; the value is its word in messages."""

    NODE = "node"
    GROUP = "group"
    SITE = "site"
    ROLE = "role"


@dataclass(frozen=True, slots=True)
class Layer:
    """A place that may give values, with the name of the node, group, site or role. ``tree`` is all of it."""

    kind: LayerKind
    name: str
    tree: YamlMapping

    def __str__(self) -> str:
        return f"{self.kind.value} {self.name}"


@dataclass(frozen=True, slots=True)
class Node:
    """One machine. ``variables`` are merged already: node over groups (child over parent, as listed) over site.

    ``layers`` are where they came from, the widest first, and ``rules`` how they were merged; a role may ask for
    another way. ``groups`` are those the node is in, the widest first. ``roles`` keep the order groups first,
    then the node's own, without repetition.
    ``lab`` is the merged ``lab:`` section for simulated nodes, untouched (the lab checks it), node last.
    ``decommission`` are roles to undo, in the same order; ``after`` are nodes and groups that are done first.
    ``management_adapter`` is the name of the network adapter that carries the node's address; empty when the
    inventory does not say. ``nova_host`` is what Nova is expected to call the node, but for case and length.
    """

    name: NodeName
    connection: Connection
    groups: tuple[str, ...]
    roles: tuple[RoleUse, ...]
    variables: Mapping[str, Located]
    where: SourceRange
    lab: tuple[Tree, ...] = ()
    encryption: Encryption | None = None
    management_adapter: str = ""
    decommission: tuple[RoleUse, ...] = ()
    after: tuple[AfterUse, ...] = ()
    aggregates: tuple[AggregateUse, ...] = ()
    nova_host: str = ""
    layers: tuple[Layer, ...] = field(default=(), repr=False, compare=False)
    rules: Rules = field(default=NO_RULES, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Inventory:
    """All nodes of one site, in file order. ``path`` is as the user gave it.

    ``groups`` maps each group to its nodes, those of its children included; ``children`` to the groups in it.
    """

    path: str
    site: str
    nodes: Mapping[NodeName, Node]
    groups: Mapping[str, tuple[NodeName, ...]] = field(default_factory=dict)
    children: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cloud: Cloud | None = None
