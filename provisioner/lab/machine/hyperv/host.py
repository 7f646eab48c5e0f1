"""Settings of the Hyper-V host, as Get-VMHost shows them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area, MachineError

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

#: What a fresh host has; shared by all that never changed anything. Intervals are seconds.
_FRESH: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "EnableEnhancedSessionMode": False,
        "FibreChannelWwnn": "C003FF0000FFFF00",
        "FibreChannelWwpnMaximum": "C003FF000000FFFF",
        "FibreChannelWwpnMinimum": "C003FF0000000000",
        "MacAddressMaximum": "00155D0001FF",
        "MacAddressMinimum": "00155D000100",
        "MaximumStorageMigrations": 2,
        "MaximumVirtualMachineMigrations": 2,
        "NumaSpanningEnabled": True,
        "ResourceMeteringSaveInterval": 3600,
        "UseAnyNetworkForMigration": False,
        "VirtualHardDiskPath": r"C:\Users\Public\Documents\Hyper-V\Virtual Hard Disks",
        "VirtualMachineMigrationAuthenticationType": "CredSSP",
        "VirtualMachineMigrationEnabled": False,
        "VirtualMachineMigrationPerformanceOption": "Compression",
        "VirtualMachinePath": r"C:\ProgramData\Microsoft\Windows\Hyper-V",
    }
)


class VirtualizationHost(Area["Machine"]):
    """The host record. Every action needs the running role."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._changed: dict[str, Any] = {}
        #: MAC addresses given out so far.
        self._given = 0

    def settings(self, cmdlet: str = "Get-VMHost") -> dict[str, Any]:
        """Give all settings by their names.

        Raises:
            MachineError: the role does not run.
        """
        self.owner.ledger.attempt(cmdlet)
        self.owner.hyperv.demand_active()
        return {**_FRESH, **self._changed}

    def change(self, settings: Mapping[str, Any]) -> None:
        """Change settings (Set-VMHost); the NUMA setting counts from the next start of vmms on."""
        self.owner.ledger.attempt("Set-VMHost")
        self.owner.hyperv.demand_active()
        self._changed.update(settings)
        self.owner.ledger.changed("hyperv_host", f"{', '.join(settings)} set")

    def migrate(self, *, enabled: bool) -> None:
        """Allow live migration, or not (Enable-VMMigration, Disable-VMMigration)."""
        self.owner.ledger.attempt("Enable-VMMigration" if enabled else "Disable-VMMigration")
        self.owner.hyperv.demand_active()
        self._changed["VirtualMachineMigrationEnabled"] = enabled
        self.owner.ledger.changed("hyperv_host", f"migration {'on' if enabled else 'off'}")

    def new_mac(self) -> str:
        """Give the next address of the pool, 12 hexadecimal digits.

        Raises:
            MachineError: the pool is empty.
        """
        pool = {**_FRESH, **self._changed}
        first, last = (int(pool[name], 16) for name in ("MacAddressMinimum", "MacAddressMaximum"))
        if first + self._given > last:
            raise MachineError(
                "No available MAC address for virtual network adapter.",
                "OperationFailed",
                "ResourceUnavailable",
                "Microsoft.HyperV.PowerShell.VirtualizationException",
            )
        self._given += 1
        return f"{first + self._given - 1:012X}"

    def to_plain(self) -> Any:
        """Give what is not as on a fresh host."""
        return {"settings": self._changed, "given": self._given}

    def load(self, plain: Any) -> None:
        """Take over what ``to_plain`` gave."""
        self._changed = dict(plain.get("settings", {}))
        self._given = plain.get("given", 0)
