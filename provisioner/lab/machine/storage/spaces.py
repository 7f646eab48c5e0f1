"""Storage Spaces Direct of a lab: whether it is enabled, its pools, and the disks it must leave alone.

A disk is a machine's own; here it is known by its unique id.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from provisioner.lab.machine.area import Area


@dataclass(slots=True)
class Pool:
    """A storage pool of a cluster. ``disks`` are unique ids, ``volumes`` names with sizes in bytes."""

    name: str
    cluster: str
    disks: list[str] = field(default_factory=list)
    volumes: dict[str, int] = field(default_factory=dict)


class StorageSpaces(Area[Any]):
    """``enabled`` are names of clusters, ``withheld`` unique ids that may not be claimed.

    ``no_auto_pool`` are clusters whose health service adds no new disks to a pool by itself.
    """

    def __init__(self, owner: Any) -> None:
        super().__init__(owner)
        self.enabled: list[str] = []
        self.withheld: list[str] = []
        self.no_auto_pool: list[str] = []
        self.pools: list[Pool] = []

    def pool(self, cluster: str, name: str) -> Pool | None:
        """Look a pool up by its name."""
        return next(
            (
                item
                for item in self.pools
                if item.cluster == cluster and item.name.casefold() == name.casefold()
            ),
            None,
        )

    def pool_of(self, unique_id: str) -> Pool | None:
        """Give the pool a disk is in."""
        return next((item for item in self.pools if unique_id in item.disks), None)

    def changed(self, what: str) -> None:
        """Tell the ledger of a change somebody made."""
        self.owner.ledger.changed("storage spaces", what)

    def to_plain(self) -> Any:
        """Give everything."""
        return {
            "enabled": self.enabled,
            "withheld": self.withheld,
            "no_auto_pool": self.no_auto_pool,
            "pools": [asdict(pool) for pool in self.pools],
        }

    def load(self, plain: Any) -> None:
        """Take over what ``to_plain`` gave."""
        self.enabled = list(plain.get("enabled", ()))
        self.withheld = list(plain.get("withheld", ()))
        self.no_auto_pool = list(plain.get("no_auto_pool", ()))
        self.pools = [Pool(**item) for item in plain.get("pools", ())]
