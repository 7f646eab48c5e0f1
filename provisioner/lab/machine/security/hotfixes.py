"""Updates of Windows: which are installed, and what wusa.exe does with a file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from provisioner.lab.machine.area import Area

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine


class Hotfixes(Area["Machine"]):
    """Numbers of installed updates. ``failing`` maps numbers to the text that wusa.exe logs when it fails."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._installed: set[str] = set()
        self.failing: dict[str, str] = {}
        #: Installed, but superseded: Win32_QuickFixEngineering does not list them.
        self._superseded: set[str] = set()

    def is_listed(self, number: str) -> bool:
        """Whether Get-HotFix finds an update."""
        return number in self._installed - self._superseded

    def listed(self) -> list[str]:
        """Give the numbers of all updates that Get-HotFix finds, sorted."""
        return sorted(self._installed - self._superseded)

    def install(self, path: str) -> str:
        """Install a file (wusa.exe /quiet); give the text of an error event in its log, or nothing.

        The number is what the name of the file says: ``windows10.0-kb5005112-x64.msu``.
        """
        found = re.search(r"kb(\d+)", path, re.IGNORECASE)
        if found is None or not self.owner.files.is_file(path):
            return "Windows update could not be installed because of error 2147942402."
        if found[1] in self.failing:
            return self.failing[found[1]]
        self._installed.add(found[1])
        self.owner.ledger.changed("hotfixes", f"KB{found[1]} installed")
        return ""

    def uninstall(self, number: str) -> str:
        """Remove an update (wusa.exe /uninstall); give the text of an error event in its log, or nothing."""
        if number not in self._installed:
            return f"The update KB{number} is not installed on this computer."
        self._installed.discard(number)
        self.owner.ledger.changed("hotfixes", f"KB{number} removed")
        return ""

    def to_plain(self) -> Any:
        """Give what is installed."""
        return {
            "installed": sorted(self._installed),
            "superseded": sorted(self._superseded),
            "failing": self.failing,
        }

    def load(self, plain: Any) -> None:
        """Take over what ``to_plain`` gave."""
        self._installed = set(plain.get("installed", ()))
        self._superseded = set(plain.get("superseded", ()))
        self.failing = dict(plain.get("failing", {}))
