"""Ask for the settings of a Hyper-V host.

Without Hyper-V's PowerShell module every question raises CommandError.
"""

from __future__ import annotations

from typing import Any

from provisioner.transport.base import Pipeline
from provisioner.verify.question import AskedNode, only_row, table_of, text_of

TABLE = Pipeline.of("Get-VMHost")


class VMHost:
    """The Hyper-V host of one node."""

    def __init__(self, asked: AskedNode) -> None:
        self._asked = asked

    def __repr__(self) -> str:
        return f"<vm host on {self._asked.node}>"

    @property
    def virtual_machine_path(self) -> str:
        """Return the folder of virtual machines that are given none."""
        return text_of(self._setting("VirtualMachinePath"))

    @property
    def virtual_hard_disk_path(self) -> str:
        """Return the folder of virtual disks that are given none."""
        return text_of(self._setting("VirtualHardDiskPath"))

    @property
    def numa_spanning_is_enabled(self) -> bool:
        """Whether a virtual machine may use memory of several NUMA nodes."""
        return bool(self._setting("NumaSpanningEnabled"))

    @property
    def enhanced_session_is_enabled(self) -> bool:
        """Whether consoles of virtual machines may be enhanced sessions."""
        return bool(self._setting("EnableEnhancedSessionMode"))

    @property
    def mac_address_minimum(self) -> str:
        """Return the first MAC address of the pool, 12 hexadecimal digits."""
        return text_of(self._setting("MacAddressMinimum"))

    @property
    def mac_address_maximum(self) -> str:
        """Return the last MAC address of the pool, 12 hexadecimal digits."""
        return text_of(self._setting("MacAddressMaximum"))

    @property
    def migration_is_enabled(self) -> bool:
        """Whether live migrations may leave and reach the host."""
        return bool(self._setting("VirtualMachineMigrationEnabled"))

    @property
    def migration_authentication(self) -> str:
        """Return Kerberos or CredSSP."""
        return text_of(self._setting("VirtualMachineMigrationAuthenticationType"))

    @property
    def migration_performance(self) -> str:
        """Return TCPIP, Compression or SMB."""
        return text_of(self._setting("VirtualMachineMigrationPerformanceOption"))

    @property
    def maximum_migrations(self) -> int:
        """Return how many live migrations go on at the same time."""
        return int(self._setting("MaximumVirtualMachineMigrations"))

    @property
    def maximum_storage_migrations(self) -> int:
        """Return how many storage migrations go on at the same time."""
        return int(self._setting("MaximumStorageMigrations"))

    def _setting(self, name: str) -> Any:
        rows = table_of(self._asked, TABLE)
        return only_row(self._asked.node, rows, "Hyper-V host")[name]
