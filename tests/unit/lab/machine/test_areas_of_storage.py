"""What lies in areas of storage, Hyper-V, clusters and security survives as JSON; disks come and go with sessions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provisioner.lab.machine.area import Area, MachineError
from provisioner.lab.machine.cluster.cluster import Clusters, Quorum
from provisioner.lab.machine.computer.identity import Identity
from provisioner.lab.machine.ground.iscsi import InitiatorId, Target, VirtualDisk
from provisioner.lab.machine.hyperv.adapters import VmAdapter, VmAdapters
from provisioner.lab.machine.hyperv.host import VirtualizationHost
from provisioner.lab.machine.hyperv.vhd import Vhd, VirtualHardDisks
from provisioner.lab.machine.iscsi.initiator import Initiator, Login, Portal
from provisioner.lab.machine.machine import Machine
from provisioner.lab.machine.security.certificate_store import CertificateStore, StoredCertificate
from provisioner.lab.machine.security.defender import Defender
from provisioner.lab.machine.security.hotfixes import Hotfixes
from provisioner.lab.machine.security.user_rights import UserRights
from provisioner.lab.machine.security.wsman_listeners import Listener, Listeners
from provisioner.lab.machine.storage.disks import Disks
from provisioner.lab.machine.storage.images import Images
from provisioner.lab.spec import DiskSpec
from tests.unit.lab.machines import BOOTED, REBOOTED, hyperv_machine, machine, node_spec

_IQN = "iqn.1991-05.com.microsoft:stor-t1-target"


def _copy(area: Area[Any], owner: Any) -> Area[Any]:
    made = type(area)(owner)
    made.load(json.loads(json.dumps(area.to_plain())))
    return made


def _used(of: Machine) -> list[Area[Any]]:
    """Areas of a machine, each with something in it."""
    disks = of.area(Disks)
    disks.attach("test", 2**31, bus="SAS", identity="x")
    disks.initialize(2, "GPT")
    disks.format(disks.new_partition(2, "E", 2**30), "ReFS", "data", 65536)
    disks.detach("test")
    of.files.seed(r"C:\i.vhdx", b"x")
    images = of.area(Images)
    images.mount(r"C:\i.vhdx", "V", "", "ReadOnly")
    host = of.area(VirtualizationHost)
    host.change({"VirtualMachinePath": r"D:\VM"})
    vhds = of.area(VirtualHardDisks)
    vhds.create(Vhd(r"D:\d.vhdx", size=2**30))
    adapters = of.area(VmAdapters)
    adapters.add(VmAdapter("storage"))
    rights = of.area(UserRights)
    rights.configure("SeServiceLogonRight", ["Everyone"])
    listeners = of.area(Listeners)
    listeners.add(Listener("*", "HTTPS", "5986", "hv01", "AB"))
    listeners.set_service("AuthBasic", "true")
    certificates = of.area(CertificateStore)
    certificates.add(StoredCertificate("AB", "CN=x", "CN=y", ("x",), ("Server Authentication",)))
    defender = of.area(Defender)
    defender.change({"ExclusionPath": ["C:\\x"]})
    of.files.seed(r"C:\kb1.msu", b"x")
    hotfixes = of.area(Hotfixes)
    hotfixes.install(r"C:\kb1.msu")
    return [
        disks,
        images,
        host,
        vhds,
        adapters,
        rights,
        listeners,
        certificates,
        defender,
        hotfixes,
    ]


def test_every_area_is_the_same_after_a_restart_of_the_lab() -> None:
    of = hyperv_machine()
    for area in _used(of):
        assert _copy(area, of).to_plain() == area.to_plain()


def test_a_cluster_is_the_same_after_a_restart_of_the_lab() -> None:
    of = machine()
    of.features.install(["Failover-Clustering"], with_tools=True)
    of.area(Identity).domain = "contoso.com"
    clusters = of.world.area(Clusters)
    made = clusters.create(of, "CLU1", "10.0.0.50")
    clusters.add_disk(of, made, "{g}", "U1")
    clusters.set_quorum(of, made, Quorum("Majority", "Physical Disk", "Cluster Disk 1"))
    clusters.set_properties(of, made, {"samesubnetdelay": 2000})
    copy = Clusters(of.world)
    copy.load(json.loads(json.dumps(clusters.to_plain())))
    assert copy.clusters == clusters.clusters
    assert copy.clusters[0].values()["SameSubnetDelay"] == 2000


def test_raw_disks_of_the_inventory_follow_those_of_the_volumes() -> None:
    of = machine(disks=(DiskSpec(10, serial="S1"), DiskSpec(20, offline=True)))
    found = [(disk.number, disk.style, disk.serial, disk.is_offline) for disk in of.area(Disks).all()[2:]]
    assert found[0] == (2, "RAW", "S1", False)
    assert found[1][:2] == (3, "RAW")
    assert found[1][3] is True


def test_a_volume_is_a_place_for_files_until_its_disk_goes() -> None:
    of = machine()
    disks = of.area(Disks)
    disk = disks.attach("test", 2**31, bus="SAS", identity="x")
    disks.initialize(disk.number, "GPT")
    disks.format(disks.new_partition(disk.number, "E"), "NTFS")
    of.files.seed(r"E:\a\b.txt", b"x")
    disks.detach("test")
    assert not of.files.is_folder("E:\\")
    again = disks.attach("test", 2**31, bus="SAS", identity="x")
    assert (again.style, disks.partitions(again.number)[0].letter) == ("GPT", "")


def _initiator_and_server() -> tuple[Machine, Machine]:
    of = machine()
    of.services.start("MSiSCSI")
    server = Machine.create(node_spec(name="stor", address="127.0.0.8"), BOOTED, of.world)
    server.features.install(["FS-iSCSITarget-Server"])
    target = Target("t1", _IQN, (InitiatorId("IQN", "*"),), (r"D:\a.vhdx",))
    server.iscsi.adopt([VirtualDisk(r"D:\a.vhdx", 2**30, "Dynamic")], [target])
    of.area(Initiator).add_portal(Portal("127.0.0.8"))
    return of, server


@pytest.mark.parametrize("is_persistent", [True, False])
def test_only_persistent_sessions_survive_a_boot(is_persistent: bool) -> None:  # noqa: FBT001 - a parameter
    of, server = _initiator_and_server()
    of.services.change("MSiSCSI", start_mode="Auto")
    initiator = of.area(Initiator)
    initiator.connect(_IQN, Login(Portal("127.0.0.8"), is_persistent=is_persistent))
    assert server.iscsi.target("t1").sessions == 1
    copy = _copy(initiator, of)
    assert copy.to_plain() == initiator.to_plain()
    of.on_boot(REBOOTED)
    assert initiator.target(_IQN).is_connected is is_persistent
    assert server.iscsi.target("t1").sessions == int(is_persistent)
    assert len(of.area(Disks).all()) == (3 if is_persistent else 2)


def test_a_persistent_session_is_lost_when_its_target_does_not_answer() -> None:
    of, server = _initiator_and_server()
    of.services.change("MSiSCSI", start_mode="Auto")
    of.area(Initiator).connect(_IQN, Login(Portal("stor"), is_persistent=True))
    server.services.stop("WinTarget")
    of.on_boot(REBOOTED)
    assert not of.area(Initiator).target(_IQN).is_connected
    assert len(of.area(Disks).all()) == 2


def test_a_target_in_use_is_not_removed() -> None:
    of, server = _initiator_and_server()
    of.area(Initiator).connect(_IQN, Login(Portal("127.0.0.8")))
    with pytest.raises(MachineError, match="initiators are connected"):
        server.iscsi.remove_target("t1")
    of.area(Initiator).disconnect(_IQN)
    server.iscsi.remove_target("t1")
