"""Preferences of Microsoft Defender, by the words that its settings mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area, command_not_found

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

FEATURE: Final = "Windows-Defender"
_FRESH: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "CheckForSignaturesBeforeRunningScan": False,
        "DisableArchiveScanning": False,
        "DisableBehaviorMonitoring": False,
        "DisableIOAVProtection": False,
        "DisablePrivacyMode": False,
        "DisableRealtimeMonitoring": False,
        "DisableScriptScanning": False,
        "ExclusionExtension": (),
        "ExclusionPath": (),
        "ExclusionProcess": (),
        "MAPSReporting": "Advanced",
        "QuarantinePurgeItemsAfterDelay": 90,
        "RealTimeScanDirection": "Both",
        "RemediationScheduleDay": "Everyday",
        "ScanAvgCPULoadFactor": 50,
        "ScanOnlyIfIdleEnabled": True,
        "ScanParameters": "Quick scan",
        "ScanPurgeItemsAfterDelay": 15,
        "ScanScheduleDay": "Everyday",
        "SignatureUpdateInterval": 0,
        "SubmitSamplesConsent": "Send safe samples automatically",
        "UILockdown": False,
    }
)
#: Words that can be written to those that are read back.
_READ: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("ScanParameters", "FullSCan"): "Full scan",
        ("ScanParameters", "QuickScan"): "Quick scan",
        ("SubmitSamplesConsent", "Allways Prompt"): "Always prompt",
    }
)


class Defender(Area["Machine"]):
    """With tamper protection (or a policy) what is set is silently kept as it was."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._changed: dict[str, Any] = {}
        self.is_tamper_protected = False

    def preferences(self) -> dict[str, Any]:
        """Give all preferences (Get-MpPreference).

        Raises:
            MachineError: Defender is not installed.
        """
        self._demand("Get-MpPreference")
        return {**_FRESH, **self._changed}

    def change(self, values: Mapping[str, Any]) -> None:
        """Change preferences (Set-MpPreference); lists replace what was there."""
        self._demand("Set-MpPreference")
        if self.is_tamper_protected:
            return
        self._changed.update({name: _READ.get((name, str(value)), value) for name, value in values.items()})
        self.owner.ledger.changed("defender", f"{', '.join(values)} set")

    def exclude(self, name: str, values: Sequence[str]) -> None:
        """Add to a list (Add-MpPreference); what is there already, without regard to case, stays as it is."""
        self._demand("Add-MpPreference")
        now = list(self.preferences()[name])
        known = {item.casefold() for item in now}
        self._keep(name, [*now, *(item for item in values if item.casefold() not in known)])

    def include(self, name: str, values: Sequence[str]) -> None:
        """Take from a list (Remove-MpPreference); what is not there is no matter."""
        self._demand("Remove-MpPreference")
        gone = {item.casefold() for item in values}
        self._keep(name, [item for item in self.preferences()[name] if item.casefold() not in gone])

    def _keep(self, name: str, values: list[str]) -> None:
        if not self.is_tamper_protected:
            self._changed[name] = values
            self.owner.ledger.changed("defender", f"{name} changed")

    def _demand(self, cmdlet: str) -> None:
        self.owner.ledger.attempt(cmdlet)
        if not self.owner.features.is_installed(FEATURE):
            raise command_not_found(cmdlet)

    def to_plain(self) -> Any:
        """Give what was changed."""
        return {"changed": self._changed, "tamper_protection": self.is_tamper_protected}

    def load(self, plain: Any) -> None:
        """Take over what ``to_plain`` gave."""
        self._changed = dict(plain.get("changed", {}))
        self.is_tamper_protected = plain.get("tamper_protection", False)
