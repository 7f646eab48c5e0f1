"""The resources of failover clusters answer as the published modules do: every recorded case."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.cluster.cluster import SERVICE, Cluster, ClusterDisk, Clusters, Quorum
from provisioner.lab.machine.computer.identity import Identity
from provisioner.lab.machine.machine import Machine
from provisioner.lab.resources.cluster.cluster import ClusterResource
from provisioner.lab.resources.cluster.cluster_quorum import ClusterQuorum
from provisioner.lab.resources.cluster.wait_for_cluster import WaitForCluster
from tests.unit.lab.machines import machine
from tests.unit.lab.resources.golden import Different, Key, Scenario, all_cases, compare, unknown_cases


class _Clusters(Clusters):
    """Clusters that are not found the first times, or never by the node itself."""

    hidden = 0
    is_lost = False

    def find(self, asking: Machine, name: str | None = None) -> Cluster | None:
        if name is None and self.is_lost:
            return None
        self.hidden -= name is not None
        if name is None or self.hidden < 0:
            return super().find(asking, name)
        all_clusters, self.clusters = self.clusters, []
        try:
            return super().find(asking, name)
        finally:
            self.clusters = all_clusters


def _member(state: dict[str, Any]) -> tuple[Machine, _Clusters]:
    made = machine()
    made.features.install(["Failover-Clustering"], with_tools=True)
    made.services.change(SERVICE, status="Running")
    if state.get("no_domain"):
        made.area(Identity).workgroup = ""
    else:
        made.area(Identity).domain = "contoso.com"
    clusters = _Clusters(made.world)
    clusters.unknown_name = "nothing"
    made.world._areas._made["machine.cluster.cluster:Clusters"] = clusters
    return made, clusters


def _fail(made: Machine, cmdlet: str, message: str, *what: str, is_terminating: bool) -> None:
    made.ledger.failing[cmdlet] = MachineError(message, *what, is_terminating=is_terminating)


def _clusters(state: dict[str, Any]) -> Machine:
    made, clusters = _member(state)
    it = state.get("cluster")
    if it:
        nodes = [(node["Name"], node["State"]) for node in it["Nodes"]]
        clusters.clusters = [Cluster(it["Name"], it["Address"], "contoso.com", nodes)]
    if state.get("not_found_error"):
        clusters.unknown_name = "error"
    if state.get("cluster_throws"):
        error = ("Get-Cluster", "ConnectionError", "System.InvalidOperationException")
        _fail(made, "Get-Cluster", state["cluster_throws"], *error, is_terminating=True)
    if state.get("logon_fails"):
        error = ("x", "InvalidOperation", "System.InvalidOperationException")
        _fail(made, "LogonUser", "logon failed", *error, is_terminating=True)
    clusters.is_lost = bool(state.get("create_lost"))
    return made


def _read_clusters(made: Machine, _before: dict[str, Any]) -> Any:
    found = made.world.area(Clusters).clusters
    return (found[0].name, found[0].address, found[0].nodes) if found else None


def _expected_clusters(state: dict[str, Any]) -> Any:
    it = state.get("cluster")
    return it and (it["Name"], it["Address"], [(node["Name"], node["State"]) for node in it["Nodes"]])


def _quorums(state: dict[str, Any]) -> Machine:
    made, clusters = _member(state)
    it = state["quorum"]
    quorum = Quorum(it["type"], it["resource_type"], it["resource_name"], it["parameter"])
    clusters.clusters = [Cluster("CLU1", None, "contoso.com", [("NODE1", "Up")], quorum)]
    return made


def _witness_disk(made: Machine, properties: dict[str, Any]) -> None:
    """To the recorded cmdlet every name is that of a disk."""
    disks = [ClusterDisk(str(properties.get("Resource") or ""), "", "")]
    made.world.area(Clusters).clusters[0].disks = disks


def _read_quorum(made: Machine, _before: dict[str, Any]) -> Any:
    it = made.world.area(Clusters).clusters[0].quorum
    return {
        "type": it.type,
        "resource_type": it.resource_type,
        "resource_name": it.resource_name,
        "parameter": it.parameter,
    }


def _waiting(state: dict[str, Any]) -> Machine:
    made, clusters = _member(state)
    clusters.unknown_name = {"null": "nothing"}.get(state.get("how", "null"), state.get("how", "null"))
    clusters.hidden = int(state["appears"])
    if clusters.hidden >= 0:
        clusters.clusters = [Cluster("CLU1", None, "contoso.com", [("NODE2", "Up")])]
    return made


SCENARIOS = {
    ("FailoverClusterDsc", "Cluster"): Scenario(
        ClusterResource(),
        _clusters,
        _read_clusters,
        _expected_clusters,
        # A password is no answer of our Get.
        shown=lambda values: {
            name: value for name, value in values.items() if name != "DomainAdministratorCredential"
        },
    ),
    ("FailoverClusterDsc", "ClusterQuorum"): Scenario(
        ClusterQuorum(), _quorums, _read_quorum, lambda state: state["quorum"], _witness_disk
    ),
    ("FailoverClusterDsc", "WaitForCluster"): Scenario(
        WaitForCluster(), _waiting, lambda _made, _before: None, lambda _state: None
    ),
}

DIFFERING: dict[tuple[str, str], Different] = {}


@pytest.mark.parametrize(("key", "case"), all_cases(SCENARIOS))
async def test_a_resource_answers_as_the_published_module_did(key: Key, case: dict[str, Any]) -> None:
    await compare(key, case, SCENARIOS[key], DIFFERING)


def test_every_listed_difference_is_one_of_a_recorded_case() -> None:
    assert not unknown_cases(SCENARIOS, DIFFERING)
