"""Commands of disks, iSCSI, clusters and Hyper-V hosts: what one changes, another shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner.lab.machine.cluster.cluster import SERVICE, Clusters
from provisioner.lab.machine.computer.identity import Identity
from provisioner.lab.machine.machine import Machine
from provisioner.lab.machine.storage.disks import Disks
from provisioner.lab.simulated_node import SimulatedNode
from provisioner.lab.values import EnumValue, TerminatingError
from tests.unit.lab.commands.recording import Recorded, call, make_node, run
from tests.unit.lab.machines import BOOTED, REBOOTED, node_spec


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    return make_node(tmp_path)


@pytest.fixture
def hyperv(node: SimulatedNode) -> SimulatedNode:
    node.machine.features.install(["Hyper-V"], with_tools=True)
    node.machine.on_boot(REBOOTED)
    return node


@pytest.fixture
def server(node: SimulatedNode) -> Machine:
    """A target server of the same lab."""
    made = Machine.create(node_spec(name="stor01", address="127.0.0.9"), BOOTED, node.machine.world)
    made.features.install(["FS-iSCSITarget-Server"])
    made.files.make_folder(r"D:\iSCSI")
    return made


def _shown(recorded: Recorded, *properties: str) -> list[tuple[Any, ...]]:
    assert recorded.errors == []
    rows = []
    for item in recorded.values:
        values = {**item.properties, **item.extended}
        found = [values[name] for name in properties]
        rows.append(tuple(value.text if isinstance(value, EnumValue) else value for value in found))
    return rows


def _ids(recorded: Recorded) -> list[str]:
    return [record.error_id for record in recorded.errors]


async def test_disks_partitions_and_volumes_hang_together(node: SimulatedNode) -> None:
    node.machine.area(Disks).attach("test", 2**30, bus="SAS", identity="x")
    assert _shown(await run(node, call("Get-Disk")), "Number", "PartitionStyle", "OperationalStatus") == [
        (0, "GPT", "Online"),
        (1, "GPT", "Online"),
        (2, "RAW", "Online"),
    ]
    of_first = await run(node, call("Get-Disk", 0), call("Get-Partition"), call("Get-Volume"))
    assert _shown(of_first, "DriveLetter", "FileSystem", "AllocationUnitSize") == [("C", "NTFS", 4096)]
    missing = await run(node, call("Get-Disk", Number=7))
    assert _ids(missing) == ["CmdletizationQuery_NotFound_Number,Get-Disk"]
    assert _shown(await run(node, call("Get-Partition", DriveLetter="D")), "DiskNumber") == [(1,)]


async def test_a_target_made_by_commands_is_found_and_used_from_another_node(
    node: SimulatedNode, server: Machine, tmp_path: Path
) -> None:
    target = make_node(tmp_path / "stor01")
    target.machine = server
    disk, name = r"D:\iSCSI\a.vhdx", "volumes"
    made = await run(target, call("New-IscsiVirtualDisk", disk, SizeBytes="5GB"))
    assert _shown(made, "Path", "Size", "DiskType") == [(disk, 5 * 2**30, "Dynamic")]
    await run(
        target, call("New-IscsiServerTarget", name, InitiatorIds=["IQN:iqn.1991-05.com.microsoft:hv01"])
    )
    await run(target, call("Add-IscsiVirtualDiskTargetMapping", name, disk))

    assert _ids(await run(node, call("Get-IscsiTarget"))) == ["HRESULT 0x80070426,Get-IscsiTarget"]
    node.machine.services.start("MSiSCSI")
    refused = await run(node, call("New-IscsiTargetPortal", TargetPortalAddress="127.0.0.10"))
    assert _ids(refused) == ["HRESULT 0xefff0003,New-IscsiTargetPortal"]
    await run(node, call("New-IscsiTargetPortal", TargetPortalAddress="127.0.0.9"))
    iqn = "iqn.1991-05.com.microsoft:stor01-volumes-target"
    assert _shown(await run(node, call("Get-IscsiTarget")), "NodeAddress", "IsConnected") == [(iqn, False)]

    await run(node, call("Connect-IscsiTarget", NodeAddress=iqn, IsPersistent=True))
    assert _shown(await run(node, call("Get-IscsiSession")), "TargetNodeAddress", "IsPersistent") == [
        (iqn, True)
    ]
    arrived = await run(node, call("Get-Disk", Number=2))
    assert _shown(arrived, "BusType", "Size", "IsOffline") == [("iSCSI", 5 * 2**30, True)]
    assert _shown(await run(target, call("Get-IscsiServerTarget")), "Status") == [("Connected",)]
    again = await run(node, call("Connect-IscsiTarget", NodeAddress=iqn))
    assert _ids(again) == ["HRESULT 0xefff003f,Connect-IscsiTarget"]

    node.machine.on_boot(REBOOTED)
    node.machine.services.start("MSiSCSI")
    await run(node, call("Disconnect-IscsiTarget", NodeAddress=iqn))
    assert _shown(await run(target, call("Get-IscsiServerTarget")), "Status") == [("NotConnected",)]


async def test_a_target_does_not_admit_everybody(node: SimulatedNode, server: Machine) -> None:
    server.iscsi.new_target("volumes", ["IQN:iqn.other"])
    node.machine.services.start("MSiSCSI")
    await run(node, call("New-IscsiTargetPortal", TargetPortalAddress="127.0.0.9"))
    assert (await run(node, call("Get-IscsiTarget"))).values == []


async def test_the_secret_of_a_target_counts(node: SimulatedNode, server: Machine) -> None:
    server.iscsi.new_target("volumes", ["IQN:*"])
    server.iscsi.change_target("volumes", chap_user="hv01", chap_secret="secret-of-12")
    node.machine.services.start("MSiSCSI")
    await run(node, call("New-IscsiTargetPortal", TargetPortalAddress="127.0.0.9"))
    iqn = "iqn.1991-05.com.microsoft:stor01-volumes-target"
    login: dict[str, Any] = {"NodeAddress": iqn, "AuthenticationType": "OneWayCHAP", "ChapUsername": "hv01"}
    wrong = await run(node, call("Connect-IscsiTarget", ChapSecret="secret-of-13", **login))
    assert _ids(wrong) == ["HRESULT 0xefff0009,Connect-IscsiTarget"]
    right = await run(node, call("Connect-IscsiTarget", ChapSecret="secret-of-12", **login))
    assert _shown(right, "AuthenticationType") == [("OneWayCHAP",)]


async def test_settings_of_a_host_are_what_was_set(hyperv: SimulatedNode) -> None:
    await run(hyperv, call("Set-VMHost", VirtualMachinePath=r"D:\VM", MaximumStorageMigrations=4))
    shown = await run(hyperv, call("Get-VMHost"))
    assert _shown(shown, "VirtualMachinePath", "MaximumStorageMigrations", "Name") == [(r"D:\VM", 4, "HV01")]


async def test_a_switch_of_several_adapters_is_a_team(hyperv: SimulatedNode) -> None:
    adapters = ["Ethernet", "Ethernet 2"]
    made = await run(
        hyperv, call("New-VMSwitch", "team", NetAdapterName=adapters, EnableEmbeddedTeaming=True)
    )
    assert _shown(made, "Name", "EmbeddedTeamingEnabled") == [("team", True)]
    team = await run(hyperv, call("Get-VMSwitch", "team"), call("Get-VMSwitchTeam"))
    assert _shown(team, "LoadBalancingAlgorithm") == [("Dynamic",)]
    host = await run(hyperv, call("Get-VMNetworkAdapter", ManagementOS=True))
    assert _shown(host, "Name", "IsManagementOs") == [("team", True)]


async def test_a_node_is_told_that_it_cuts_itself_off(hyperv: SimulatedNode) -> None:
    told: list[float | None] = []
    hyperv.machine.on_network = told.append
    seconds = hyperv.machine.durations.switch_s
    await run(hyperv, call("New-VMSwitch", "other", NetAdapterName="Ethernet 2", AllowManagementOS=False))
    assert told == []
    await run(hyperv, call("New-VMSwitch", "external", NetAdapterName="Ethernet", AllowManagementOS=True))
    assert told == [seconds]
    assert hyperv.machine.network.management
    assert hyperv.machine.network.management.name == "vEthernet (external)"
    await run(hyperv, call("Set-VMSwitch", "external", AllowManagementOS=False))
    assert told == [seconds, None]


async def test_machines_and_disks_come_and_go(hyperv: SimulatedNode) -> None:
    await run(hyperv, call("New-VM", "vm1"))
    await run(hyperv, call("Start-VM", "vm1"))
    assert _ids(await run(hyperv, call("Remove-VM", "vm1"))) == [
        "InvalidState,Microsoft.HyperV.PowerShell.Commands.RemoveVM"
    ]
    await run(hyperv, call("Stop-VM", "vm1"))
    await run(hyperv, call("Get-VM"), call("Remove-VM", Force=True))
    assert (await run(hyperv, call("Get-VM"))).values == []
    made = await run(hyperv, call("New-VHD", r"D:\d.vhdx", SizeBytes=2**30, Fixed=True))
    assert _shown(made, "VhdType", "VhdFormat", "FileSize") == [("Fixed", "VHDX", 2**30)]
    missing = await run(hyperv, call("Get-VHD", r"D:\none.vhdx"))
    assert _ids(missing) == ["ObjectNotFound,Microsoft.Vhd.PowerShell.Cmdlets.GetVhd"]


async def test_hyperv_commands_need_the_module(node: SimulatedNode) -> None:
    with pytest.raises(TerminatingError):
        await run(node, call("Get-VMHost"))


async def test_a_cluster_shows_its_nodes_from_each_of_them(node: SimulatedNode) -> None:
    node.machine.features.install(["Failover-Clustering"], with_tools=True)
    with pytest.raises(TerminatingError):
        await run(node, call("Get-Cluster", "CLU1"))
    node.machine.area(Identity).domain = "contoso.com"
    node.machine.world.area(Clusters).create(node.machine, "CLU1", "10.0.0.50")
    assert _shown(await run(node, call("Get-Cluster")), "Name", "SameSubnetDelay") == [("CLU1", 1000)]
    assert _shown(await run(node, call("Get-ClusterNode")), "Name", "State") == [("HV01", "Up")]
    assert _shown(await run(node, call("Get-ClusterQuorum")), "QuorumType") == [("Majority",)]
    names = [row[0] for row in _shown(await run(node, call("Get-ClusterResource")), "Name")]
    assert names == ["Cluster Name", "Cluster IP Address"]
    node.machine.services.change(SERVICE, status="Stopped")
    ended = await run(node, call("Get-ClusterNode"))
    assert [item.partition(",")[0] for item in _ids(ended)] == ["ClusterServiceNotRunning"]


async def test_settings_of_the_system_are_shown(node: SimulatedNode) -> None:
    assert _shown(await run(node, call("Get-MpPreference")), "ScanAvgCPULoadFactor") == [(50,)]
    uri = "winrm/config/Listener"
    listeners = await run(node, call("Get-WSManInstance", uri, Enumerate=True))
    assert _shown(listeners, "Transport", "Address", "Port") == [("HTTP", "*", "5985")]
    assert len(_ids(await run(node, call("Get-WSManInstance", "winrm/config/Other")))) == 1
