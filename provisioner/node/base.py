"""What the engine may ask of one node, and the values it gets back. Values and a protocol; no I/O here.

Source of names and shapes: MSFT_DSCLocalConfigurationManager and its classes (LCM class facts, 1.2 and 1.5).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from provisioner.addresses import NodeName


@dataclass(frozen=True, slots=True)
class BootState:
    """Which boot the node is in. ``boot_id`` is the counter Windows raises at each boot, None when not kept."""

    boot_time: datetime
    boot_id: int | None
    computer_name: str

    def is_another_boot(self, before: BootState) -> bool:
        """Whether the node restarted between ``before`` and now.

        LastBootUpTime follows the wall clock, which may jump by seconds when time is synchronised after a boot,
        so small moves do not count; the boot counter alone is proof enough.
        """
        moved = abs((self.boot_time - before.boot_time).total_seconds())
        counted = None not in (self.boot_id, before.boot_id) and self.boot_id != before.boot_id
        return counted or moved > BOOT_TIME_TOLERANCE_S


#: Clock corrections up to this size are not taken for a boot.
BOOT_TIME_TOLERANCE_S = 5.0


@dataclass(frozen=True, slots=True)
class MetaConfiguration:
    """GetMetaConfiguration: state (Idle, Busy, PendingReboot, PendingConfiguration), its detail, all settings."""

    state: str
    state_detail: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ResourceState:
    """One resource in an answer of the LCM. ``resource_id`` is ``[Type]Name``.

    ``error`` is the message; ``error_id`` and ``category`` are filled when the LCM gave an error record.
    ``source_info`` is ``path::line::column::Type``. ``changed`` is None where the node's class lacks the property.
    """

    resource_id: str
    in_desired_state: bool
    error: str = ""
    error_id: str = ""
    category: str = ""
    reboot_requested: bool = False
    changed: bool | None = None
    duration_s: float = 0.0
    source_info: str = ""


@dataclass(frozen=True, slots=True)
class ConfigurationStatus:
    """One MSFT_DSCConfigurationStatus. ``type`` is Initial, Reboot, Consistency or LocalConfigurationManager."""

    job_id: str
    type: str
    status: str
    reboot_requested: bool
    start: datetime | None
    duration_s: float
    number_of_resources: int
    in_desired_state: tuple[ResourceState, ...] = ()
    not_in_desired_state: tuple[ResourceState, ...] = ()
    changed: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """TestConfiguration with reference data."""

    __test__ = False  # the name is DSC's; pytest must not collect it

    in_desired_state: bool
    resources: tuple[ResourceState, ...] = ()

    @property
    def differing(self) -> tuple[ResourceState, ...]:
        """Resources that are not in desired state."""
        return tuple(resource for resource in self.resources if not resource.in_desired_state)


@dataclass(frozen=True, slots=True)
class JobMessage:
    """One line a running job wrote: kind is verbose, warning, debug, progress or error."""

    kind: str
    text: str
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class JobOutput:
    """What GetConfigurationResultOutput gave since ``bookmark``; pass ``bookmark`` to the next call."""

    messages: tuple[JobMessage, ...] = ()
    bookmark: bytes | None = None
    errors: tuple[ResourceState, ...] = field(default=())


class NodeApi(Protocol):
    """Everything the engine does to a node.

    Every method may raise ``TransportError`` (the world between) or ``NodeError`` (the node itself). After a
    ``ConnectError`` or ``TransportTimeout`` call ``open`` again. One call at a time.
    """

    name: NodeName

    async def open(self) -> None:
        """Connect; does nothing when connected."""

    async def close(self) -> None:
        """Leave nothing behind on the node; never raises."""

    async def boot_state(self) -> BootState:
        """Ask which boot the node is in."""

    async def meta_configuration(self) -> MetaConfiguration:
        """GetMetaConfiguration: the one call that is answered while the LCM is Busy."""

    async def send_meta_configuration(self, document: bytes) -> None:
        """SendMetaConfigurationApply."""

    async def test(self, document: bytes) -> TestOutcome:
        """TestConfiguration with ``document`` as reference data; stores nothing on the node."""

    async def start(self, document: bytes, job_id: str) -> None:
        """SendConfigurationApplyAsync with force and our job id ("{GUID}"); returns at once."""

    async def statuses(self) -> tuple[ConfigurationStatus, ...]:
        """GetConfigurationStatus(All), newest first; empty when there is no history."""

    async def job_exists(self, job_id: str) -> bool:
        """Whether the node ever began this job: a details file or status record of that id is there."""

    async def output(self, job_id: str, bookmark: bytes | None) -> JobOutput:
        """GetConfigurationResultOutput; an empty output when the node does not serve it now."""

    async def running_virtual_machines(self) -> tuple[str, ...]:
        """Names of virtual machines a reboot would stop; empty without Hyper-V."""

    async def restart(self) -> None:
        """Restart the node now; returns as soon as the node accepted it.

        A ``ConnectError`` or ``TransportTimeout`` leaves open whether it did.
        """

    async def copy_file(
        self, source: Path, destination: str, *, timeout_s: float, sent: Callable[[int], None]
    ) -> None:
        """Copy a file to a full path whose folder is there; ``sent`` is told how many bytes are on the way.

        May be called twice. Raises ``OSError`` when ``source`` cannot be read.
        """

    async def run(self, pipeline: Any, *, timeout_s: float = 60.0) -> Any:
        """Run any ``transport.base.Pipeline``; returns its ``Result``."""
