"""A target server that was set up by a role answers foreign and own initiators; a switch cuts its node off."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.labs import LabRun, running_lab

pytestmark = pytest.mark.slow

INVENTORY = """\
site: lab
connection: {transport: psrp, port: 15985, user: provisioner}
nodes:
  st01:
    address: 127.20.0.21
    connection: {password: file:.secrets/st01}
    roles: [iscsi_target]
    variables:
      iscsi_targets:
        - name: volumes
          initiators:
            - iqn.1991-05.com.microsoft:hv01
            - iqn.2007-10.com.github:sahlberg:libiscsi:iscsi-ls
          disks: [{path: 'D:\\first.vhdx', size_gb: 5}]
  hv01:
    address: 127.20.0.11
    connection: {password: file:.secrets/hv01}
    roles: [hyperv_vswitch]
    variables:
      hyperv_switch_name: tenants
      hyperv_switch_adapters: [Ethernet 2]
lab:
  windows: "2022"
"""
_IQN = "iqn.1991-05.com.microsoft:st01-volumes-target"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[LabRun]:
    with running_lab(tmp_path, INVENTORY) as made:
        yield made


def _listed(address: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["iscsi-ls", *options, f"iscsi://{address}"], capture_output=True, text=True, timeout=30, check=False
    )


@pytest.mark.skipif(shutil.which("iscsi-ls") is None, reason="libiscsi-bin is not installed")
def test_a_target_of_a_role_is_discovered_by_libiscsi_and_used_by_a_node(run: LabRun) -> None:
    address = f"{run.network}.21"
    assert _listed(address).returncode != 0
    done = run.apply("--limit", "st01")
    assert done.returncode == 0, done.stdout + done.stderr
    listed = _listed(address, "-s")
    assert listed.returncode == 0, listed.stderr
    assert f"Target:{_IQN} Portal:{address}:3260,1" in listed.stdout
    assert "Size:4G" in listed.stdout

    run.output_of("hv01", "provisioner", "Start-Service", Name="MSiSCSI")
    run.output_of("hv01", "provisioner", "New-IscsiTargetPortal", TargetPortalAddress=address)
    run.output_of("hv01", "provisioner", "Connect-IscsiTarget", NodeAddress=_IQN)
    buses = [
        str(disk.extended_properties["BusType"]) for disk in run.output_of("hv01", "provisioner", "Get-Disk")
    ]
    assert buses == ["SAS", "SAS", "iSCSI"]

    cut = run.provision("lab", "cut", "st01", "--name", "test")
    assert cut.returncode == 0, cut.stderr
    assert _listed(address).returncode != 0
    assert run.provision("lab", "restore", "st01", "--name", "test").returncode == 0
    for _ in range(50):
        if _listed(address).returncode == 0:
            break
        time.sleep(0.1)
    assert _listed(address).returncode == 0
    state = json.dumps(run.machine("hv01"))
    assert _IQN in state


_BOTH = """\
site: lab
connection: {transport: psrp, port: 15985, user: provisioner}
encryption: {certificate: .secrets/certificates/}
nodes:
  st01:
    address: 127.20.0.21
    connection: {password: file:.secrets/st01}
    roles: [iscsi_target]
    variables:
      iscsi_targets:
        - name: volumes
          initiators: ['iqn.2007-10.com.github:sahlberg:libiscsi:iscsi-ls']
          disks: [{path: 'D:\\first.vhdx', size_gb: 5}]
        - name: others
          initiators: ['iqn.1991-05.com.microsoft:hv01']
          disks: [{path: 'D:\\other.vhdx', size_gb: 1}]
lab:
  windows: "2022"
"""
_MORE = """\
        - name: more
          initiators: ['iqn.2007-10.com.github:sahlberg:libiscsi:iscsi-ls']
          disks: [{path: 'D:\\more.vhdx', size_gb: 2}]
"""


@pytest.mark.skipif(shutil.which("iscsi-ls") is None, reason="libiscsi-bin is not installed")
def test_a_foreign_discovery_lists_exactly_the_declared_targets_whatever_changes(tmp_path: Path) -> None:
    with running_lab(tmp_path, _BOTH) as run:
        address = f"{run.network}.21"

        def applied(text: str) -> list[str]:
            run.write(text)
            done = run.apply()
            assert done.returncode == 0, done.stdout + done.stderr
            lines = _listed(address).stdout.splitlines()
            return sorted(line.removeprefix("Target:") for line in lines if line.startswith("Target:"))

        volumes = f"{_IQN} Portal:{address}:3260,1"
        more = f"iqn.1991-05.com.microsoft:st01-more-target Portal:{address}:3260,1"
        others = f"iqn.1991-05.com.microsoft:st01-others-target Portal:{address}:3260,1"
        two = _BOTH.replace("lab:\n", _MORE + "lab:\n")
        assert applied(_BOTH) == [volumes]
        assert applied(two) == [more, volumes]
        gone = "        - {name: more, ensure: Absent}\n"
        assert applied(two.replace(_MORE, gone)) == [volumes]
        admitted = _BOTH.replace(
            "'iqn.1991-05.com.microsoft:hv01'", "'iqn.2007-10.com.github:sahlberg:libiscsi:iscsi-ls'"
        )
        assert applied(admitted) == [others, volumes]
        # A second address of the node, and the portal on it alone: the first one does not answer any more.
        second = f"{run.network}.121"
        line = f"New-NetIPAddress -InterfaceAlias Ethernet -IPAddress {second} -PrefixLength 24"
        done = run.provision("lab", "shell", "st01", "-c", line, "--name", "test")
        assert done.returncode == 0, done.stderr
        assert f"Portal:{second}:3260,1" in _listed(address).stdout
        only = _BOTH.replace("      iscsi_targets:", f"      iscsi_portals: [{second}]\n      iscsi_targets:")
        assert applied(only) == []
        assert _listed(address).returncode != 0
        assert f"Target:{_IQN} Portal:{second}:3260,1" in _listed(second).stdout
        decommissioned = only.replace(
            "roles: [iscsi_target]", "roles: [windows_base]\n    decommission: [iscsi_target]"
        )
        assert applied(decommissioned) == []
        assert "Target:" not in _listed(second).stdout


_SECRET, _PROOF = "secret-of-12", "proof-of-1234"
_CHAP = """\
site: lab
connection: {transport: psrp, port: 15985, user: provisioner}
encryption: {certificate: .secrets/certificates/}
nodes:
  st01:
    address: 127.20.0.21
    connection: {password: file:.secrets/st01}
    roles: [iscsi_target]
    variables:
      iscsi_targets:
        - name: volumes
          initiators:
            - iqn.1991-05.com.microsoft:hv01
            - iqn.2007-10.com.github:sahlberg:libiscsi:iscsi-inq
          disks: [{path: 'D:\\first.vhdx', size_gb: 5}]
          chap: {user: someone, password: file:.secrets/chap}
          reverse_chap: {user: storage, password: file:.secrets/proof}
  hv01:
    address: 127.20.0.11
    connection: {password: file:.secrets/hv01}
    roles: [iscsi_initiator]
    variables:
      iscsi_initiator_waits_for: [st01]
      iscsi_initiator_targets:
        - target: iqn.1991-05.com.microsoft:st01-volumes-target
          portals: [127.20.0.21@127.20.0.11]
          chap: {user: someone, password: file:.secrets/chap}
lab:
  windows: "2022"
"""


def _inquired(address: str, secret: str, proof: str) -> bool:
    """Whether libiscsi logs on with a secret, to a target that proves that it knows another one."""
    url = f"iscsi://someone%{secret}@{address}/{_IQN}/0?target_user=storage&target_password={proof}"
    done = subprocess.run(["iscsi-inq", url], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode == 0) == ("Peripheral Qualifier" in done.stdout), done.stdout + done.stderr
    return done.returncode == 0


@pytest.mark.skipif(shutil.which("iscsi-inq") is None, reason="libiscsi-bin is not installed")
def test_both_directions_of_chap_are_asked_of_foreign_and_own_initiators(tmp_path: Path) -> None:
    secrets = tmp_path / ".secrets"
    secrets.mkdir(mode=0o700)
    for name, secret in (("chap", _SECRET), ("proof", _PROOF)):
        (secrets / name).write_text(secret, encoding="utf-8")
        (secrets / name).chmod(0o600)
    with running_lab(tmp_path, _CHAP) as run:
        done = run.apply()
        assert done.returncode == 0, done.stdout + done.stderr
        address = f"{run.network}.21"
        assert _inquired(address, _SECRET, _PROOF)
        assert not _inquired(address, _SECRET, _SECRET)
        assert not _inquired(address, _PROOF, _PROOF)

        def session() -> str:
            (found,) = run.output_of("hv01", "provisioner", "Get-IscsiSession")
            return str(found.adapted_properties["AuthenticationType"])

        assert session() == "ONEWAYCHAP"
        wanted = {"NodeAddress": _IQN, "ChapUsername": "someone", "AuthenticationType": "MUTUALCHAP"}
        for proof in (_SECRET, _PROOF):
            run.output_of("hv01", "provisioner", "Set-IscsiChapSecret", ChapSecret=proof)
            run.output_of("hv01", "provisioner", "Disconnect-IscsiTarget", NodeAddress=_IQN, Confirm=False)
            refused = run.errors_of(
                "hv01", "provisioner", "Connect-IscsiTarget", ChapSecret=_SECRET, **wanted
            )
            assert bool(refused) == (proof != _PROOF), refused
        assert session() == "MUTUALCHAP"
        # The role wants one-way CHAP, and the session logs on again.
        done = run.apply()
        assert done.returncode == 0, done.stdout + done.stderr
        assert session() == "ONEWAYCHAP"
        told = json.dumps([run.journal(node) for node in ("st01", "hv01")]) + done.stdout + done.stderr
        assert _SECRET not in told
        assert _PROOF not in told


_VOLUMES = """\
site: lab
connection: {transport: psrp, port: 15985, user: provisioner}
encryption: {certificate: .secrets/certificates/}
nodes:
  st01:
    address: 127.20.0.21
    connection: {password: file:.secrets/st01}
    roles: [cinder_volume]
    variables:
      openstack_release: "2025.2"
      openstack_transport_hosts: [mq.example]
      openstack_transport_password: file:.secrets/rabbit
      cinder_database_host: db.example
      cinder_database_password: file:.secrets/database
      cinder_installer:
        path: https://packages.example/CinderVolumeSetup.msi
        sha256: 8f1fcccd62e15020c5b41df43fbc66f03fd77257e59e22359a132fb212ada48f
        product_code: '{5D0F2C5E-6E0C-4C39-9C3B-5C1B6F1D2A11}'
        version: 27.0.0
      cinder_backends: [{name: winiscsi, kind: iscsi, target_ip_address: 127.20.0.121}]
    lab:
      downloads: {'https://packages.example/CinderVolumeSetup.msi': 'Cinder for the lab, 27.0.0'}
      installers:
        8f1fcccd62e15020c5b41df43fbc66f03fd77257e59e22359a132fb212ada48f:
          product_id: '{5D0F2C5E-6E0C-4C39-9C3B-5C1B6F1D2A11}'
          name: OpenStack Cinder Volume
          version: 27.0.0
          files: [{path: 'bin\\OpenStackService.exe'}, {path: 'Python\\Scripts\\cinder-volume.exe'}]
          services: [{name: cinder-volume}]
lab:
  windows: "2022"
"""
_BESIDE = """\
    roles: [cinder_volume, iscsi_target]
    variables:
      iscsi_portals: [127.20.0.21]
      iscsi_targets:
        - name: others
          initiators: ['iqn.2007-10.com.github:sahlberg:libiscsi:iscsi-ls']
          disks: [{path: 'D:\\other.vhdx', size_gb: 1}]
"""


@pytest.mark.skipif(shutil.which("iscsi-ls") is None, reason="libiscsi-bin is not installed")
def test_a_node_with_volumes_answers_initiators_on_its_declared_portals_only(tmp_path: Path) -> None:
    with running_lab(tmp_path, _VOLUMES) as run:
        management, storage = f"{run.network}.21", f"{run.network}.121"
        refused = run.apply()
        assert refused.returncode == 1, refused.stdout
        said = " ".join((refused.stdout + refused.stderr).split())
        assert f"has the address {storage} of the back end 'winiscsi'" in said
        assert run.count("st01", "resource-set") == 0
        line = f"New-NetIPAddress -InterfaceAlias 'Ethernet 2' -IPAddress {storage} -PrefixLength 24"
        done = run.provision("lab", "shell", "st01", "-c", line, "--name", "test")
        assert done.returncode == 0, done.stderr
        assert run.apply().returncode == 0
        assert _listed(management).returncode != 0
        assert _listed(storage).returncode == 0
        # What Cinder's driver would do for a volume: a target with a disk, for one initiator.
        own = "volume-1"
        initiator = "IQN:iqn.2007-10.com.github:sahlberg:libiscsi:iscsi-ls"
        disk = r"C:\iSCSIVirtualDisks\volume-1.vhdx"
        for line in (
            rf"New-IscsiVirtualDisk -Path {disk} -SizeBytes 1GB",
            f"New-IscsiServerTarget -TargetName {own} -InitiatorIds '{initiator}'",
            rf"Add-IscsiVirtualDiskTargetMapping -TargetName {own} -Path {disk}",
        ):
            done = run.provision("lab", "shell", "st01", "-c", line, "--name", "test")
            assert done.returncode == 0, done.stderr
        assert f"Portal:{storage}:3260,1" in _listed(storage).stdout
        assert _listed(management).returncode != 0
        # The portals of a second role are added, and nothing is taken from the first.
        both = _VOLUMES.replace("    roles: [cinder_volume]\n    variables:\n", _BESIDE)
        run.write(both)
        assert run.apply().returncode == 0
        for address in (management, storage):
            listed = _listed(address).stdout
            assert f"-volume-1-target Portal:{address}:3260,1" in listed
            assert f"-others-target Portal:{address}:3260,1" in listed


def test_a_switch_on_the_management_adapter_loses_the_node_until_somebody_mends_it(run: LabRun) -> None:
    done = run.apply("--limit", "hv01")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not run.status()["hv01"]["cut"]
    line = "New-VMSwitch -Name lost -NetAdapterName Ethernet -AllowManagementOS:$false"
    done = run.provision("lab", "shell", "hv01", "-c", line, "--name", "test")
    assert done.returncode == 0, done.stderr
    assert run.status()["hv01"]["cut"]
    assert run.provision("lab", "restore", "hv01", "--name", "test").returncode == 0
    switches = run.output_of("hv01", "provisioner", "Get-VMSwitch")
    assert sorted(str(item.adapted_properties["Name"]) for item in switches) == ["lost", "tenants"]
