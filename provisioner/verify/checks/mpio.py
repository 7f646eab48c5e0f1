"""Ask which disks Multipath I/O claims, and how their paths are used by default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from provisioner.errors import NodeError
from provisioner.transport.base import Pipeline, Record
from provisioner.verify.question import output_of, text_of

if TYPE_CHECKING:
    from provisioner.verify.question import AskedNode

CLAIMS = Pipeline.of("Get-MSDSMAutomaticClaimSettings")
POLICY = Pipeline.of("Get-MSDSMGlobalDefaultLoadBalancePolicy")


class Mpio:
    """Multipath I/O of a node. Without the feature, every question raises CommandError."""

    def __init__(self, asked: AskedNode) -> None:
        self._asked = asked

    def __repr__(self) -> str:
        return f"<mpio on {self._asked.node}>"

    @property
    def claimed(self) -> frozenset[str]:
        """Return the bus types whose disks are claimed: of ``iSCSI`` and ``SAS``."""
        settings = output_of(self._asked, CLAIMS)
        if len(settings) != 1 or not isinstance(settings[0], Mapping | Record):
            raise NodeError(self._asked.node, f"cannot read which disks are claimed: {settings!r}")
        found = settings[0].properties if isinstance(settings[0], Record) else settings[0]
        return frozenset(text_of(bus) for bus, is_claimed in found.items() if is_claimed is True)

    @property
    def load_balance_policy(self) -> str:
        """Return the default policy: ``FOO``, ``RR``, ``LQD``, ``LB`` or ``None``."""
        return "".join(text_of(part) for part in output_of(self._asked, POLICY))
