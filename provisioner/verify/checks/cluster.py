"""Ask a node for the failover cluster it is a member of: its nodes, and how votes are counted.

A node that is no running member answers with an error, and so does every question here: nobody can say then
what the cluster looks like.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.transport.base import Pipeline
from provisioner.verify.question import AskedNode, only_row, table_of, text_of

if TYPE_CHECKING:
    from provisioner.transport.base import Record

CLUSTER = Pipeline.of("Get-Cluster")
NODES = Pipeline.of("Get-ClusterNode")
QUORUM = Pipeline.of("Get-ClusterQuorum")


class Cluster:
    """The cluster of one node."""

    def __init__(self, asked: AskedNode) -> None:
        self._asked = asked

    def __repr__(self) -> str:
        return f"<cluster of {self._asked.node}>"

    @property
    def name(self) -> str:
        """Return the name of the cluster."""
        return text_of(self._only(CLUSTER)["Name"])

    @property
    def nodes_up(self) -> list[str]:
        """Return the computer names of the nodes that are up, sorted."""
        rows = table_of(self._asked, NODES)
        return sorted(text_of(row["Name"]) for row in rows if text_of(row["State"]) == "Up")

    @property
    def quorum_type(self) -> str:
        """Return the type of the quorum; Majority with or without a witness on all releases we know."""
        return text_of(self._only(QUORUM)["QuorumType"])

    @property
    def witness(self) -> str:
        """Return the name of the witness as a resource of the cluster; empty when there is none."""
        return text_of(self._only(QUORUM)["QuorumResource"])

    def _only(self, question: Pipeline) -> Record:
        rows = table_of(self._asked, question)
        return only_row(self._asked.node, rows, "failover cluster")
