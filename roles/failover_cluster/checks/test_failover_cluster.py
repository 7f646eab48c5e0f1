"""The cluster is up with this node in it, and has the witness and the shared volumes it is to have."""

import pytest


def test_features_are_installed(host):
    """Failover clustering and its cmdlets are installed, not only pending."""
    for name in ("Failover-Clustering", "RSAT-Clustering-PowerShell"):
        assert host.feature(name).is_installed


def test_cluster_service_runs(host):
    """The cluster service runs and starts with Windows."""
    service = host.service("ClusSvc")
    assert service.is_running
    assert service.is_enabled


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_the_firewall_lets_the_other_nodes_in(host, protocol):
    """The rules for the heartbeats and calls of the cluster are on."""
    assert host.firewall_rule(f"provisioner-failover-cluster-{protocol}").is_enabled


def test_node_is_up_in_the_cluster(host, variables):
    """The node is a member of the cluster of this name, and up."""
    cluster = host.cluster
    assert cluster.name.casefold() == variables["cluster_name"].casefold()
    computer = variables["windows_computer_name"] or host.node
    assert computer.casefold() in [name.casefold() for name in cluster.nodes_up]


def test_witness_is_the_wanted_one(host, variables):
    """The quorum has a witness, or none, as the inventory says."""
    wanted = {"NodeMajority": "", "NodeAndFileShareMajority": "File Share Witness"}
    quorum = variables["cluster_quorum"]
    if quorum is None:
        pytest.skip("cluster_quorum is not set")
    assert host.cluster.witness == wanted.get(quorum, variables["cluster_witness"])


def test_shared_volumes_are_mounted(host, variables):
    """Every Cluster Shared Volume is on line, those of Storage Spaces Direct on the node that makes them too."""
    names = list(variables["cluster_shared_volumes"])
    if variables["cluster_direct_nodes"][-1:] == [host.node]:
        # The name that Windows gives to the disk of a volume of a pool.
        names += [
            f"Cluster Virtual Disk ({volume['name']})" for volume in variables["cluster_direct_volumes"]
        ]
    if not names:
        pytest.skip("the inventory wants no shared volume of this node")
    for name in names:
        volume = host.cluster_volume(name)
        assert volume.exists
        assert volume.is_online
