"""Ask for a virtual switch of Hyper-V.

Without the Hyper-V PowerShell module there is no ``Get-VMSwitch``: then every question raises CommandError,
since nobody can say whether the switch is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.errors import NodeError
from provisioner.transport.base import Pipeline
from provisioner.verify.question import AskedNode, items_of, named, only_row, table_of, text_of

if TYPE_CHECKING:
    from provisioner.transport.base import Record

TABLE = Pipeline.of("Get-VMSwitch")
ADAPTERS = Pipeline.of("Get-NetAdapter")


class VSwitch:
    """One virtual switch by name. Questions about a missing or ambiguous switch raise NodeError."""

    def __init__(self, asked: AskedNode, name: str) -> None:
        self._asked = asked
        self.name = name

    def __repr__(self) -> str:
        return f"<vswitch {self.name} on {self._asked.node}>"

    @property
    def exists(self) -> bool:
        """Whether there is at least one switch of this name."""
        return bool(self._rows)

    @property
    def type(self) -> str:
        """Return External, Internal or Private."""
        return text_of(self._row["SwitchType"])

    @property
    def adapter_description(self) -> str:
        """Return the interface description of the physical adapter; empty for a switch without one."""
        return text_of(self._row["NetAdapterInterfaceDescription"])

    @property
    def adapter(self) -> str:
        """Return the name of the physical adapter ("Ethernet 2"), found by its description.

        Raises:
            NodeError: no adapter, or more than one, has that description.
        """
        description = self.adapter_description
        if not description:
            raise NodeError(self._asked.node, f"vswitch {self.name} has no physical adapter")
        rows = table_of(self._asked, ADAPTERS)
        found = named(rows, "InterfaceDescription", description)
        return text_of(
            only_row(self._asked.node, found, f"network adapter described as {description}")["Name"]
        )

    @property
    def allows_management_os(self) -> bool:
        """Whether the node itself uses the switch too."""
        return bool(self._row["AllowManagementOS"])

    @property
    def adapters(self) -> tuple[str, ...]:
        """Return the names of all physical adapters below the switch, sorted without regard to case.

        Raises:
            NodeError: no adapter, or more than one, has one of the descriptions.
        """
        rows = table_of(self._asked, ADAPTERS)
        names = [
            text_of(
                only_row(
                    self._asked.node,
                    named(rows, "InterfaceDescription", description),
                    f"network adapter described as {description}",
                )["Name"]
            )
            for description in self.adapter_descriptions
        ]
        return tuple(sorted(names, key=str.casefold))

    @property
    def adapter_descriptions(self) -> tuple[str, ...]:
        """Return the interface descriptions of all physical adapters below the switch."""
        return tuple(text_of(item) for item in items_of(self._row["NetAdapterInterfaceDescriptions"]))

    @property
    def is_team(self) -> bool:
        """Whether it is a team of its own (switch embedded teaming)."""
        return bool(self._row["EmbeddedTeamingEnabled"])

    @property
    def load_balancing(self) -> str:
        """Return how its team shares its load, Dynamic or HyperVPort.

        Raises:
            NodeError: it is no team.
        """
        rows = table_of(self._asked, Pipeline.of("Get-VMSwitchTeam", Name=self.name))
        return text_of(
            only_row(self._asked.node, rows, f"team of the switch {self.name}")["LoadBalancingAlgorithm"]
        )

    @property
    def has_iov(self) -> bool:
        """Whether it offers SR-IOV."""
        return bool(self._row["IovEnabled"])

    @property
    def management_vlan(self) -> int:
        """Return the VLAN of the node's own adapter that has the name of the switch; 0 is untagged.

        Raises:
            NodeError: the node has no such adapter, or one that is in neither access mode nor untagged.
        """
        pipeline = Pipeline.of("Get-VMNetworkAdapterVlan", ManagementOS=True, VMNetworkAdapterName=self.name)
        rows = table_of(self._asked, pipeline)
        row = only_row(self._asked.node, rows, f"adapter of the node named {self.name}")
        mode = text_of(row["OperationMode"])
        if mode not in {"Access", "Untagged"}:
            raise NodeError(self._asked.node, f"the node's adapter {self.name} is in VLAN mode {mode}")
        return int(row["AccessVlanId"]) if mode == "Access" else 0

    @property
    def _rows(self) -> tuple[Record, ...]:
        return named(table_of(self._asked, TABLE), "Name", self.name)

    @property
    def _row(self) -> Record:
        return only_row(self._asked.node, self._rows, f"virtual switch named {self.name}")
