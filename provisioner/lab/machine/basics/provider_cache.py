"""What providers of DSC keep between runs below BuiltinProvCache, until a configuration is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from provisioner.lab.machine.area import Area

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine


class ProviderCache(Area["Machine"]):
    """``lists``: names in source folders by destination; ``downloads``: time and size by file and address."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self.lists: dict[str, list[str]] = {}
        self.downloads: dict[str, tuple[str, int]] = {}

    def keep_list(self, key: str, names: list[str]) -> None:
        """Keep the names in a source folder."""
        self.lists[key] = names
        self.owner.ledger.changed("provider cache", "file list kept")

    def keep_download(self, key: str, written: str, size: int) -> None:
        """Keep time and size of a file that was fetched."""
        self.downloads[key] = (written, size)
        self.owner.ledger.changed("provider cache", "download kept")

    def clear(self) -> None:
        """Forget everything: a new configuration was sent."""
        self.lists.clear()
        self.downloads.clear()

    def to_plain(self) -> dict[str, Any]:
        """Give both."""
        return {"lists": self.lists, "downloads": {key: list(value) for key, value in self.downloads.items()}}

    def load(self, plain: Mapping[str, Any]) -> None:
        """Take over what ``to_plain`` gave."""
        self.lists = {key: list(value) for key, value in plain.get("lists", {}).items()}
        self.downloads = {key: (time, size) for key, (time, size) in plain.get("downloads", {}).items()}
