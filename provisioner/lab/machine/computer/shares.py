r"""SMB shares and who may use them.

Accounts are kept as Windows shows them, so a share that was granted to ``Administrators`` shows
``BUILTIN\Administrators``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area, MachineError
from provisioner.lab.machine.directory.principals import shown_name

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

_CIM: Final = "Microsoft.Management.Infrastructure.CimException"


@dataclass(frozen=True, slots=True)
class Access:
    """One entry. ``control`` is Allow or Deny, ``right`` Full, Change, Read or Custom."""

    account: str
    control: str
    right: str


_EVERYONE_READS: Final = (Access("Everyone", "Allow", "Read"),)
_ADMINISTRATORS: Final = (Access("BUILTIN\\Administrators", "Allow", "Full"),)


@dataclass(frozen=True, slots=True)
class Share:
    """A share. Names of fields are those of Get-SmbShare in small letters; limit 0 is no limit."""

    name: str
    path: str
    description: str = ""
    concurrent_user_limit: int = 0
    encrypt_data: bool = False
    folder_enumeration_mode: str = "Unrestricted"
    caching_mode: str = "Manual"
    continuously_available: bool = False
    share_state: str = "Online"
    share_type: str = "FileSystemDirectory"
    shadow_copy: bool = False
    special: bool = False
    scope_name: str = "*"
    access: tuple[Access, ...] = _EVERYONE_READS


_REMOTE_IPC: Final = Share(
    "IPC$", "", "Remote IPC", share_type="InterprocessCommunication", special=True, access=()
)
_REMOTE_ADMIN: Final = Share("ADMIN$", "C:\\Windows", "Remote Admin", special=True, access=_ADMINISTRATORS)


class Shares(Area["Machine"]):
    """Shares by name; those for administrators are there from the start."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        drives = [
            Share(f"{letter}$", f"{letter}:\\", "Default share", special=True, access=_ADMINISTRATORS)
            for letter in sorted(owner.files.volumes)
        ]
        self.shares: list[Share] = [_REMOTE_ADMIN, *drives, _REMOTE_IPC]

    def find(self, name: str) -> Share | None:
        """Look a share up by its name."""
        return next((item for item in self.shares if item.name.casefold() == name.casefold()), None)

    def add(self, share: Share) -> None:
        """Make a share, as New-SmbShare does.

        Raises:
            MachineError: the name is taken, there is no such folder, or no such account.
        """
        self.owner.ledger.attempt("New-SmbShare")
        if self.find(share.name):
            raise MachineError(
                "The name has already been shared.", "Windows System Error 2118", "NotSpecified", _CIM
            )
        if not self.owner.files.is_folder(share.path):
            raise MachineError(
                "The system cannot find the file specified.", "Windows System Error 2", "NotSpecified", _CIM
            )
        access = tuple(replace(item, account=self._account(item.account)) for item in share.access)
        self.shares.append(replace(share, access=access))
        self._changed(f"{share.name} made")

    def change(self, name: str, **changes: Any) -> None:
        """Change fields of a share; names are those of ``Share``."""
        self.owner.ledger.attempt("Set-SmbShare")
        self._replace(name, **changes)
        self._changed(f"{name} set")

    def remove(self, name: str) -> None:
        """Remove a share."""
        self.owner.ledger.attempt("Remove-SmbShare")
        self.shares = [item for item in self.shares if item.name.casefold() != name.casefold()]
        self._changed(f"{name} removed")

    def grant(self, name: str, account: str, right: str) -> None:
        """Allow a right; it takes the place of what the account was allowed."""
        self.owner.ledger.attempt("Grant-SmbShareAccess")
        shown = self._account(account)
        self._access(name, Access(shown, "Allow", right), lambda item: _is_of(item, shown, "Allow"))

    def revoke(self, name: str, account: str) -> None:
        """Take everything an account is allowed."""
        self.owner.ledger.attempt("Revoke-SmbShareAccess")
        self._access(name, None, lambda item: _is_of(item, account, "Allow"))

    def block(self, name: str, account: str) -> None:
        """Deny an account everything."""
        self.owner.ledger.attempt("Block-SmbShareAccess")
        shown = self._account(account)
        self._access(name, Access(shown, "Deny", "Full"), lambda item: _is_of(item, shown, "Deny"))

    def unblock(self, name: str, account: str) -> None:
        """Take everything an account is denied."""
        self.owner.ledger.attempt("Unblock-SmbShareAccess")
        self._access(name, None, lambda item: _is_of(item, account, "Deny"))

    def adopt(self, shares: Iterable[Share]) -> None:
        """Take these shares for all there are."""
        self.shares = list(shares)

    def _access(self, name: str, added: Access | None, is_old: Any) -> None:
        share = self._replace(name)
        kept = tuple(item for item in share.access if not is_old(item))
        self._replace(name, access=(*kept, added) if added else kept)
        self._changed(f"access to {name} set")

    def _replace(self, name: str, **changes: Any) -> Share:
        share = self.find(name)
        if share is None:
            raise MachineError(
                f"No MSFT_SMBShare objects found with property 'Name' equal to '{name}'.  Verify the value of the "
                "property and retry.",
                "CmdletizationQuery_NotFound_Name",
                "ObjectNotFound",
                "Microsoft.PowerShell.Cmdletization.Cim.CimJobException",
            )
        changed = replace(share, **changes)
        self.shares = [changed if item is share else item for item in self.shares]
        return changed

    def _account(self, name: str) -> str:
        try:
            return shown_name(self.owner, name)
        except MachineError:
            raise MachineError(
                "No mapping between account names and security IDs was done.",
                "Windows System Error 1332",
                "InvalidArgument",
                _CIM,
            ) from None

    def _changed(self, what: str) -> None:
        self.owner.ledger.changed("shares", what)

    def to_plain(self) -> list[dict[str, Any]]:
        """Give all shares."""
        return [asdict(item) for item in self.shares]

    def load(self, plain: list[dict[str, Any]]) -> None:
        """Take over what ``to_plain`` gave; fields may be left out."""
        self.shares = [
            Share(**{**item, "access": tuple(_loaded(each) for each in item["access"])})
            if "access" in item
            else Share(**item)
            for item in plain
        ]


def _loaded(plain: Any) -> Access:
    return Access(**plain) if isinstance(plain, dict) else Access(*plain)


def _is_of(item: Access, account: str, control: str) -> bool:
    return item.control == control and item.account.casefold() == account.casefold()
