"""Page files: whether Windows manages them itself, and the settings of those it does not.

Settings count from the next boot on; what WMI shows (Win32_PageFileSetting) is the setting.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

from provisioner.lab.machine.area import Area

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine


@dataclass(frozen=True, slots=True)
class PageFile:
    r"""One page file. ``name`` is its path (``C:\pagefile.sys``); sizes in MB, 0 when Windows chooses."""

    name: str
    initial: int = 0
    maximum: int = 0

    @property
    def drive(self) -> str:
        """Letter and colon."""
        return self.name[:2].upper()


class PageFiles(Area["Machine"]):
    """A fresh Windows manages its page file itself, and has no settings."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self.is_automatic = True
        self.files: tuple[PageFile, ...] = ()

    def find(self, drive: str) -> PageFile | None:
        """Look the page file of a drive (letter and colon) up."""
        return next((item for item in self.files if item.drive == drive.upper()), None)

    def manage(self, *, automatic: bool) -> None:
        """Switch the management by Windows on or off."""
        self.owner.ledger.attempt("Set-CimInstance")
        self.is_automatic = automatic
        self._changed("automatic" if automatic else "not automatic")

    def add(self, name: str) -> None:
        """Make a page file whose size Windows chooses."""
        self.owner.ledger.attempt("New-CimInstance")
        self.files = (*self.files, PageFile(name))
        self._changed(f"{name} made")

    def resize(self, drive: str, initial: int, maximum: int) -> None:
        """Set the sizes of a drive's page file; one that is not there is no matter."""
        self.owner.ledger.attempt("Set-CimInstance")
        self.files = tuple(
            PageFile(item.name, initial, maximum) if item.drive == drive.upper() else item
            for item in self.files
        )
        self._changed(f"{drive} {initial} to {maximum} MB")

    def remove(self, drive: str) -> None:
        """Remove a drive's page file."""
        self.owner.ledger.attempt("Remove-CimInstance")
        self.files = tuple(item for item in self.files if item.drive != drive.upper())
        self._changed(f"{drive} removed")

    def _changed(self, what: str) -> None:
        self.owner.ledger.changed("page files", what)

    def to_plain(self) -> dict[str, Any]:
        """Give all settings."""
        return {"automatic": self.is_automatic, "files": [list(astuple(item)) for item in self.files]}

    def load(self, plain: dict[str, Any]) -> None:
        """Take over what ``to_plain`` gave; parts may be left out."""
        self.is_automatic = plain.get("automatic", self.is_automatic)
        self.files = tuple(PageFile(*item) for item in plain.get("files", ()))
