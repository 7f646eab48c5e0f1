"""What a machine does with disks that it has not seen before: the SAN policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area, MachineError

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

#: Names of the policies with the numbers of MSFT_StorageSetting.
POLICIES: Final = {"OnlineAll": 1, "OfflineShared": 2, "OfflineAll": 3, "OfflineInternal": 4}
_EXCEPTION: Final = "Microsoft.Management.Infrastructure.CimException"


class StorageSettings(Area["Machine"]):
    """Windows Server starts with OfflineShared."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._policy = "OfflineShared"

    def policy(self) -> str:
        """Give the policy for new disks (Get-StorageSetting)."""
        self.owner.ledger.attempt("Get-StorageSetting")
        return self._policy

    def set_policy(self, name: str) -> None:
        """Set the policy for new disks (Set-StorageSetting).

        Raises:
            MachineError: there is no such policy.
        """
        self.owner.ledger.attempt("Set-StorageSetting")
        known = {policy.casefold(): policy for policy in POLICIES}
        if name.casefold() not in known:
            raise MachineError("Invalid Parameter", "StorageWMI 5", "InvalidArgument", _EXCEPTION)
        self._policy = known[name.casefold()]
        self.owner.ledger.changed("storage", f"new disks: {self._policy}")

    @property
    def leaves_shared_offline(self) -> bool:
        """Whether a new disk on a shared bus stays offline."""
        return self._policy in {"OfflineShared", "OfflineAll"}

    def to_plain(self) -> Any:
        """Give the policy."""
        return {"policy": self._policy}

    def load(self, plain: Any) -> None:
        """Take over what ``to_plain`` gave."""
        self._policy = plain["policy"]
