"""Ask where a Hyper-V host waits for virtual machines that migrate to it.

Whether migration is on is a setting of the host (``vm_host``). OpenStack's os-win asks for both first.
"""

from __future__ import annotations

from provisioner.transport.base import Pipeline
from provisioner.verify.question import AskedNode, items_of, only_row, table_of, text_of

NETWORKS = Pipeline.of("Get-VMMigrationNetwork")
SERVICE = Pipeline.of(
    "Get-CimInstance", Namespace="root/virtualization/v2", ClassName="Msvm_VirtualSystemMigrationService"
)


class Migration:
    """Live migration of one node. Without Hyper-V every question raises CommandError."""

    def __init__(self, asked: AskedNode) -> None:
        self._asked = asked

    def __repr__(self) -> str:
        return f"<migration on {self._asked.node}>"

    @property
    def networks(self) -> tuple[str, ...]:
        """Return the networks of the host's list, as and in the order in which Windows writes them."""
        rows = table_of(self._asked, NETWORKS)
        return tuple(text_of(row["Subnet"]) for row in rows)

    @property
    def listeners(self) -> tuple[str, ...]:
        """Return the addresses the host listens on; none when no network of the list is one of its own."""
        rows = table_of(self._asked, SERVICE)
        row = only_row(self._asked.node, rows, "migration service")
        return tuple(text_of(item) for item in items_of(row["MigrationServiceListenerIPAddressList"]))
