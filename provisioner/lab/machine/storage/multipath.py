"""Multipath I/O: which buses the Microsoft device specific module claims disks of, and its default policy.

A claim that is switched on, or off, counts for disks that come later; those that are there follow at a boot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area, MachineError, command_not_found
from provisioner.lab.machine.ground.features import FeatureState
from provisioner.lab.machine.storage.disks import Disks

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

FEATURE: Final = "Multipath-IO"
BUSES: Final = ("iSCSI", "SAS")
POLICIES: Final = ("None", "FOO", "RR", "LQD", "LB")
_EXCEPTION: Final = "Microsoft.Management.Infrastructure.CimException"


class Multipath(Area["Machine"]):
    """Claims by bus type, and the default policy. Nothing is claimed on a fresh machine."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._claims = dict.fromkeys(BUSES, False)
        self._policy = "None"

    @property
    def has_commands(self) -> bool:
        """Whether the cmdlets are there; they come before the boot that lets them work."""
        return self.owner.features.state(FEATURE) in {FeatureState.INSTALLED, FeatureState.INSTALL_PENDING}

    def is_claiming(self, bus: str) -> bool:
        """Whether a disk of this bus type that comes now is one disk, on however many paths it is reached."""
        return self.owner.features.is_installed(FEATURE) and self._claims[bus]

    def demand(self, cmdlet: str) -> None:
        """Raise what ``cmdlet`` gives without the feature, and before the boot that it needs.

        Raises:
            MachineError: CommandNotFoundException, or that the WMI class is not there yet.
        """
        self.owner.ledger.attempt(cmdlet)
        if not self.has_commands:
            raise command_not_found(cmdlet)
        if not self.owner.features.is_installed(FEATURE):
            raise MachineError("Invalid class ", "HRESULT 0x80041010", "MetadataError", _EXCEPTION)

    def claims(self) -> dict[str, bool]:
        """Give for each bus type whether it is claimed (Get-MSDSMAutomaticClaimSettings)."""
        self.demand("Get-MSDSMAutomaticClaimSettings")
        return dict(self._claims)

    def claim(self, bus: str, *, is_claimed: bool) -> None:
        """Claim a bus type, or stop (Enable-, Disable-MSDSMAutomaticClaim).

        Raises:
            MachineError: the cmdlets do not work, or there is no such bus type.
        """
        self.demand(f"{'Enable' if is_claimed else 'Disable'}-MSDSMAutomaticClaim")
        name = _known(bus, BUSES, "BusType")
        self._claims[name] = is_claimed
        self.owner.ledger.changed("storage", f"{name} claimed: {is_claimed}")

    def policy(self) -> str:
        """Give the default policy (Get-MSDSMGlobalDefaultLoadBalancePolicy)."""
        self.demand("Get-MSDSMGlobalDefaultLoadBalancePolicy")
        return self._policy

    def set_policy(self, policy: str) -> None:
        """Set the default policy (Set-MSDSMGlobalDefaultLoadBalancePolicy).

        Raises:
            MachineError: the cmdlets do not work, or there is no such policy.
        """
        self.demand("Set-MSDSMGlobalDefaultLoadBalancePolicy")
        self._policy = _known(policy, POLICIES, "Policy")
        self.owner.ledger.changed("storage", f"load balance policy {self._policy}")

    def disks_on(self, bus: str) -> int:
        """Count the disks of a bus type that are there now (Get-Disk)."""
        return sum(1 for disk in self.owner.area(Disks).all() if disk.bus.casefold() == bus.casefold())

    def to_plain(self) -> Any:
        """Give claims and policy."""
        return {"claims": self._claims, "policy": self._policy}

    def load(self, plain: Any) -> None:
        """Take over what ``to_plain`` gave."""
        self._claims = {**dict.fromkeys(BUSES, False), **plain.get("claims", {})}
        self._policy = plain.get("policy", "None")


def _known(value: str, allowed: tuple[str, ...], parameter: str) -> str:
    found = next((item for item in allowed if item.casefold() == value.casefold()), None)
    if found is None:
        raise MachineError(
            f"Cannot validate argument on parameter '{parameter}'. The argument \"{value}\" does not belong to "
            f'the set "{",".join(allowed)}" specified by the ValidateSet attribute.',
            "ParameterArgumentValidationError",
            "InvalidData",
            "System.Management.Automation.ParameterBindingValidationException",
            is_terminating=True,
        )
    return found
