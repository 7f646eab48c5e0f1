"""Get-VMHost, Set-VMHost, Enable- and Disable-VMMigration: settings of the Hyper-V host."""

from __future__ import annotations

from typing import Any, Final

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import reporting
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.computer.identity import Identity
from provisioner.lab.machine.hyperv.devices import NO_IOMMU
from provisioner.lab.machine.hyperv.host import VirtualizationHost
from provisioner.lab.values import EnumValue, Int64, PsObject, UInt32

_NAMESPACE: Final = "Microsoft.HyperV.PowerShell."
_CMDLETS: Final = _NAMESPACE + "Commands."
_MIGRATION: Final = {"CredSSP": 0, "Kerberos": 1}
_PERFORMANCE: Final = {"TCPIP": 0, "Compression": 1, "SMB": 2}
_INTERVAL: Final = "ResourceMeteringSaveInterval"


async def get(invocation: Invocation) -> None:
    """Write the host."""
    machine = invocation.node.machine
    with reporting(invocation, "Get-VMHost", _CMDLETS + "GetVMHost"):
        settings = machine.area(VirtualizationHost).settings()
        reasons = [] if machine.has_iommu else list(NO_IOMMU)
        shown = settings | {"IovSupport": machine.has_iommu, "IovSupportReasons": reasons}
        invocation.output.write(_object(shown, machine.computer_name))


async def enable_migration(invocation: Invocation) -> None:
    """Turn live migration on; only members of a domain may."""
    machine = invocation.node.machine
    with reporting(invocation, "Enable-VMMigration", _CMDLETS + "EnableVMMigration"):
        if not machine.area(Identity).domain:
            raise MachineError(
                "Live migration can be enabled only on computers that are joined to a domain.",
                "OperationFailed",
                "InvalidOperation",
                _NAMESPACE + "VirtualizationException",
            )
        machine.area(VirtualizationHost).migrate(enabled=True)


async def disable_migration(invocation: Invocation) -> None:
    """Turn live migration off."""
    with reporting(invocation, "Disable-VMMigration", _CMDLETS + "DisableVMMigration"):
        invocation.node.machine.area(VirtualizationHost).migrate(enabled=False)


async def change(invocation: Invocation) -> None:
    """Change what is given."""
    given = dict(invocation.parameters)
    for name in ("ComputerName", "Passthru", "WhatIf", "Confirm"):
        given.pop(name, None)
    with reporting(invocation, "Set-VMHost", _CMDLETS + "SetVMHost"):
        invocation.node.machine.area(VirtualizationHost).change(given)


def _object(settings: dict[str, Any], computer: str) -> PsObject:
    minutes, seconds = divmod(int(settings[_INTERVAL]), 60)
    hours, minutes = divmod(minutes, 60)
    shown: dict[str, Any] = {
        name: UInt32(value) if isinstance(value, int) and not isinstance(value, bool) else value
        for name, value in settings.items()
    }
    shown |= {
        _INTERVAL: f"{hours:02}:{minutes:02}:{seconds:02}",
        "VirtualMachineMigrationAuthenticationType": _enum(
            "MigrationAuthenticationType", settings["VirtualMachineMigrationAuthenticationType"], _MIGRATION
        ),
        "VirtualMachineMigrationPerformanceOption": _enum(
            "VMMigrationPerformance", settings["VirtualMachineMigrationPerformanceOption"], _PERFORMANCE
        ),
        "ComputerName": computer,
        "FullyQualifiedDomainName": computer,
        "Name": computer,
        "LogicalProcessorCount": 4,
        "MemoryCapacity": Int64(16 * 2**30),
    }
    return PsObject(
        (_NAMESPACE + "VMHost", _NAMESPACE + "VirtualizationObject", "System.Object"),
        shown,
        text=f"VMHost (Name = '{computer}')",
    )


def _enum(kind: str, text: str, numbers: dict[str, int]) -> EnumValue:
    name = next((item for item in numbers if item.casefold() == text.casefold()), text)
    return EnumValue(_NAMESPACE + kind, name, numbers.get(name, 0))
