"""Ask what a machine is made of: its processors, memory, and the room on its volumes.

A hypervisor that runs hides from Windows what it uses itself: on a Hyper-V host the processors seem to have
neither virtualization nor second level address translation. Ask for the feature Hyper-V first.
"""

from __future__ import annotations

from provisioner.transport.base import Pipeline
from provisioner.verify.question import AskedNode, named, only_row, table_of

PROCESSORS = Pipeline.of(
    "Get-CimInstance",
    ClassName="Win32_Processor",
    Property=["DeviceID", "VirtualizationFirmwareEnabled", "SecondLevelAddressTranslationExtensions"],
)
COMPUTER = Pipeline.of(
    "Get-CimInstance", ClassName="Win32_ComputerSystem", Property=["Name", "TotalPhysicalMemory"]
)
VOLUMES = Pipeline.of(
    "Get-CimInstance", ClassName="Win32_LogicalDisk", Property=["DeviceID", "DriveType", "FreeSpace"]
)
_GIB = 2**30
_FIXED = 3


class Hardware:
    """The hardware of one node."""

    def __init__(self, asked: AskedNode) -> None:
        self._asked = asked

    def __repr__(self) -> str:
        return f"<hardware on {self._asked.node}>"

    @property
    def has_virtualization_enabled(self) -> bool:
        """Whether the firmware has virtualization switched on, for all processors."""
        return self._all_have("VirtualizationFirmwareEnabled")

    @property
    def has_second_level_address_translation(self) -> bool:
        """Whether all processors translate addresses in two levels (Intel EPT, AMD NPT)."""
        return self._all_have("SecondLevelAddressTranslationExtensions")

    @property
    def memory_gb(self) -> float:
        """Return the memory in GiB; less than is built in, since the firmware keeps some."""
        rows = table_of(self._asked, COMPUTER)
        return float(only_row(self._asked.node, rows, "computer system")["TotalPhysicalMemory"]) / _GIB

    def free_gb(self, drive: str) -> float:
        """Return what is free on a drive (``C`` or ``C:``), in GiB.

        Raises:
            NodeError: there is no such drive with a fixed disk.
        """
        rows = table_of(self._asked, VOLUMES)
        fixed = [row for row in rows if row.get("DriveType") == _FIXED]
        name = f"{drive.rstrip(':')}:"
        found = named(fixed, "DeviceID", name)
        return float(only_row(self._asked.node, found, f"volume {name} on a fixed disk")["FreeSpace"]) / _GIB

    def _all_have(self, column: str) -> bool:
        rows = table_of(self._asked, PROCESSORS)
        return bool(rows) and all(bool(row[column]) for row in rows)
