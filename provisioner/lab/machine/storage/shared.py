"""What is on disks that several machines of a lab reach: one content, whoever wrote it."""

from __future__ import annotations

from typing import Any

from provisioner.lab.machine.area import Area


class SharedDisks(Area[Any]):
    """Contents by the unique id of a disk: partition style, GUID and partitions, as plain values."""

    def __init__(self, owner: Any) -> None:
        super().__init__(owner)
        self._contents: dict[str, list[Any]] = {}

    def read(self, unique_id: str) -> list[Any] | None:
        """Give what is on a disk; None when nobody wrote to it yet."""
        return self._contents.get(unique_id)

    def write(self, unique_id: str, content: list[Any]) -> bool:
        """Keep what is on a disk now; tell whether that is another content. Letters belong to no disk."""
        style, guid, partitions = content
        plain = [{**item, "letter": "", "disk": 0} for item in partitions]
        if self._contents.get(unique_id) == [style, guid, plain]:
            return False
        self._contents[unique_id] = [style, guid, plain]
        self.owner.ledger.changed("shared disks", f"disk {unique_id} written to")
        return True

    def to_plain(self) -> Any:
        """Give all contents."""
        return self._contents

    def load(self, plain: Any) -> None:
        """Take over what ``to_plain`` gave."""
        self._contents = {unique_id: list(content) for unique_id, content in plain.items()}
