"""What the controller knows, as frozen values: only what is shown or decided on.

Names of hosts are as the service itself spells them. Source of the fields: the API references of Compute
(os-services, os-hypervisors, os-aggregates), Networking (agents), Block Storage (os-services) and Image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class ComputeService:
    """A nova-compute that registered. ``state`` is up or down, ``status`` enabled or disabled.

    Both are UNKNOWN where the cell it is in does not answer Nova, which shows its host then and no more.
    """

    id: str
    host: str
    state: str
    status: str
    zone: str
    disabled_reason: str = ""


@dataclass(frozen=True, slots=True)
class Hypervisor:
    """``name`` is the hypervisor's, ``host`` that of the service it belongs to; both are often the same."""

    name: str
    host: str
    type: str
    version: int
    state: str
    status: str


@dataclass(frozen=True, slots=True)
class NetworkAgent:
    """An agent of Neutron."""

    id: str
    host: str
    type: str
    is_alive: bool
    is_admin_up: bool


@dataclass(frozen=True, slots=True)
class VolumeService:
    """A cinder-volume; ``host`` is ``HOST@BACKEND``."""

    host: str
    state: str
    status: str
    zone: str


@dataclass(frozen=True, slots=True)
class HostAggregate:
    """A host aggregate; ``zone`` is empty for none, ``metadata`` is without the zone."""

    id: str
    name: str
    zone: str
    hosts: tuple[str, ...]
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Flavor:
    """A flavor with its extra specs."""

    id: str
    name: str
    specs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Image:
    """An image with all of its properties that are text."""

    id: str
    name: str
    disk_format: str
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a controller said at one time. None where the cloud has no such service, or it was not asked."""

    services: tuple[ComputeService, ...]
    aggregates: tuple[HostAggregate, ...]
    hypervisors: tuple[Hypervisor, ...] = ()
    agents: tuple[NetworkAgent, ...] | None = None
    volumes: tuple[VolumeService, ...] | None = None
    flavors: tuple[Flavor, ...] | None = None
    images: tuple[Image, ...] | None = None
