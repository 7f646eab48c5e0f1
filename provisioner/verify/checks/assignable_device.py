"""Ask where a PCI Express device is: on the host, off it, or with a virtual machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.transport.base import Command, Pipeline
from provisioner.verify.question import AskedNode, named, table_of, text_of

if TYPE_CHECKING:
    from provisioner.transport.base import Record

FREE = Pipeline.of("Get-VMHostAssignableDevice")
ASSIGNED = Pipeline((Command("Get-VM"), Command("Get-VMAssignableDevice")))


class AssignableDevice:
    """One device by its location path. Without Hyper-V every question raises CommandError."""

    def __init__(self, asked: AskedNode, location_path: str) -> None:
        self._asked = asked
        self.location_path = location_path

    def __repr__(self) -> str:
        return f"<assignable device {self.location_path} on {self._asked.node}>"

    @property
    def is_off_host(self) -> bool:
        """Whether the device is free to be assigned, or assigned."""
        return bool(self._at(FREE) or self._at(ASSIGNED))

    @property
    def virtual_machine(self) -> str:
        """Return the name of the virtual machine that has the device; empty when none has."""
        return next((text_of(row["VMName"]) for row in self._at(ASSIGNED)), "")

    def _at(self, pipeline: Pipeline) -> tuple[Record, ...]:
        rows = table_of(self._asked, pipeline)
        return named(rows, "LocationPath", self.location_path)
