"""Every secret that a shipped role takes, in one inventory: none is in anything that runs leave, show or send on.

What Windows itself would keep is allowed where it would be: accounts of the domain in what the nodes share, CHAP
secrets at the target server, and the configuration files of services, which are for secrets.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from provisioner.lab.server.authentication.accounts import nt_hash
from tests.lab import test_canary
from tests.lab.labs import ROOT
from tests.lab.test_canary import Quiet, Watch, needles_of

#: By the path of the variable: the environment variable that holds its canary. A variable that is not here fails.
CANARIES = {
    "connection": "CANARY_LOGON",
    "ceilometer_agent.ceilometer_account": "CANARY_POLLER",
    "ceilometer_agent.ceilometer_option_secrets": "CANARY_UNSEEN",
    "ceilometer_agent.ceilometer_password": "CANARY_METER",
    "ceilometer_agent.ceilometer_telemetry_secret": "CANARY_SIGNING",
    "cinder_volume.cinder_account": "CANARY_ACCOUNT",
    "cinder_volume.cinder_backends.chap": "CANARY_VOLUMES",
    "cinder_volume.cinder_backends.shares.credential": "CANARY_SHARE",
    "cinder_volume.cinder_database_password": "CANARY_DATABASE",
    "cinder_volume.cinder_nova_password": "CANARY_ASSISTED",
    "cinder_volume.cinder_option_secrets": "CANARY_EXTRA",
    "cinder_volume.cinder_service_password": "CANARY_TOKEN",
    "failover_cluster.cluster_credential": "CANARY_CLUSTER",
    "freerdp_webconnect.freerdp_password": "CANARY_GATEWAY",
    "freerdp_webconnect.freerdp_host_password": "CANARY_HOST",
    "iscsi_initiator.iscsi_initiator_targets.chap": "CANARY_CHAP",
    "iscsi_target.iscsi_targets.chap": "CANARY_CHAP",
    "iscsi_target.iscsi_targets.reverse_chap": "CANARY_BACK",
    "live_migration.live_migration_credential": "CANARY_DELEGATE",
    "neutron_hyperv_agent.neutron_hyperv_account": "CANARY_AGENT",
    "neutron_hyperv_agent.neutron_hyperv_option_secrets": "CANARY_LAID",
    "neutron_ovs_agent.neutron_ovs_account": "CANARY_TUNNELS",
    "neutron_ovs_agent.neutron_ovs_option_secrets": "CANARY_OVER",
    "nova_compute.nova_account": "CANARY_SERVICE",
    "nova_compute.nova_option_secrets": "CANARY_OPTION",
    "nova_compute.nova_service_password": "CANARY_NOVA",
    "nova_compute.nova_placement_password": "CANARY_PLACEMENT",
    "nova_compute.nova_neutron_password": "CANARY_NEUTRON",
    "openstack_node.openstack_transport_password": "CANARY_RABBIT",
    "windows_base.windows_domain_credential": "CANARY_JOIN",
    "windows_base.windows_pfx_credential": "CANARY_PFX",
}


def _value(name: str) -> str:
    # Secrets of CHAP have 12 to 16 characters.
    return f"Vo{os.getpid() % 10**6:06}{name[7:9]}$?+k"


VALUES = {name: _value(name) for name in CANARIES.values()}
WRONG = f"Falsch{os.getpid() % 10**6:06}$?+k"

INVENTORY = """\
site: canary
connection: {transport: psrp, port: 15985, user: tester, password: 'env:CANARY_LOGON'}
encryption: {certificate: .secrets/certificates/}
variables:
  windows_domain: contoso.com
  windows_domain_credential: {user: 'CONTOSO\\join', password: 'env:CANARY_JOIN'}
lab:
  windows: "2022"
  adapters:
    - {name: Ethernet, description: "Intel(R) I350 Gigabit Network Connection"}
    - {name: Ethernet 2, description: "Intel(R) I350 Gigabit Network Connection #2"}
  volumes: [{letter: C, size_gb: 120}, {letter: D, size_gb: 500}]
  domains:
    - name: contoso.com
      controllers: [dc01]
      users:
        - {name: join, password: 'env:CANARY_JOIN'}
        - {name: nova, password: 'env:CANARY_SERVICE'}
        - {name: agent, password: 'env:CANARY_AGENT'}
        - {name: poller, password: 'env:CANARY_POLLER'}
        - {name: tunnels, password: 'env:CANARY_TUNNELS'}
        - {name: cinder, password: 'env:CANARY_ACCOUNT'}
        - {name: cluster, password: 'env:CANARY_CLUSTER', groups: [Domain Admins]}
        - {name: delegate, password: 'env:CANARY_DELEGATE', groups: [Domain Admins]}
nodes:
  st01:
    address: 127.20.0.21
    roles: [iscsi_target]
    variables:
      iscsi_folders: ['D:\\iSCSI']
      iscsi_targets:
        - name: a
          initiators: [iqn.1991-05.com.microsoft:hv02, iqn.1991-05.com.microsoft:hv02.contoso.com]
          disks: [{path: 'D:\\iSCSI\\a.vhdx', size_gb: 1}]
          chap: {user: in, password: 'env:CANARY_CHAP'}
          reverse_chap: {user: out, password: 'env:CANARY_BACK'}
  st02:
    address: 127.20.0.22
    roles: [cinder_volume]
    variables:
      openstack_release: "2025.2"
      openstack_transport_hosts: [mq.example]
      openstack_transport_password: env:CANARY_RABBIT
      openstack_auth_url: https://keystone.example:5000/v3
      cinder_account: {user: 'CONTOSO\\cinder', password: 'env:CANARY_ACCOUNT'}
      cinder_database_host: db.example
      cinder_database_password: env:CANARY_DATABASE
      cinder_nova_password: env:CANARY_ASSISTED
      cinder_service_password: env:CANARY_TOKEN
      cinder_options: {barbican_service_user: {auth_type: password, password: '@{secret:extra}'}}
      cinder_option_secrets: {extra: 'env:CANARY_EXTRA|oslo'}
      cinder_backends:
        - name: disks
          kind: iscsi
          target_ip_address: 127.20.0.22
          use_chap_auth: true
          chap: {user: in, password: 'env:CANARY_VOLUMES'}
        - name: files
          kind: smb
          shares: [{share: //fs.example/a, credential: {user: 'CONTOSO\\cinder', password: 'env:CANARY_SHARE'}}]
      cinder_installer:
        path: C:\\Packages\\CinderVolumeSetup.msi
        sha256: 396532579bb7c4a66e71b3c79c244cb87e885f6bae1821f78bad52de47950beb
        product_code: '{5D0F2C5E-6E0C-4C39-9C3B-5C1B6F1D2A11}'
        version: 27.0.0
    lab:
      files:
        - path: C:\\Packages\\CinderVolumeSetup.msi
          content: "Cinder for the lab, 27.0.0\\n"
          msi:
            product_id: '{5D0F2C5E-6E0C-4C39-9C3B-5C1B6F1D2A11}'
            name: OpenStack Cinder Volume
            version: 27.0.0
            files: [{path: 'bin\\OpenStackService.exe'}, {path: 'Python\\Scripts\\cinder-volume.exe'}]
            services: [{name: cinder-volume}]
  hv01:
    address: 127.20.0.11
    after: [st01]
    roles: [hyperv_vswitch, live_migration, failover_cluster, nova_compute, neutron_hyperv_agent, ceilometer_agent]
    variables:
      hyperv_switch_adapters: [Ethernet 2]
      live_migration_hosts: [hv01, hv02]
      live_migration_credential: {user: 'CONTOSO\\delegate', password: 'env:CANARY_DELEGATE'}
      cluster_name: clu1
      cluster_former: hv01
      cluster_address: 127.20.0.90
      cluster_credential: {user: 'CONTOSO\\cluster', password: 'env:CANARY_CLUSTER'}
      openstack_release: "2023.1"
      openstack_transport_hosts: [mq.example]
      openstack_transport_password: env:CANARY_RABBIT
      openstack_auth_url: https://keystone.example:5000/v3
      nova_account: {user: 'CONTOSO\\nova', password: 'env:CANARY_SERVICE'}
      nova_options: {vendordata_dynamic_auth: {auth_type: password, password: '@{secret:vendor}'}}
      nova_option_secrets: {vendor: 'env:CANARY_OPTION'}
      nova_service_password: env:CANARY_NOVA
      nova_placement_password: env:CANARY_PLACEMENT
      nova_neutron_password: env:CANARY_NEUTRON
      nova_metrics: true
      neutron_hyperv_account: {user: 'CONTOSO\\agent', password: 'env:CANARY_AGENT'}
      neutron_hyperv_options: {neutron: {auth_type: password, password: '@{secret:laid}'}}
      neutron_hyperv_option_secrets: {laid: 'env:CANARY_LAID'}
      ceilometer_account: {user: 'CONTOSO\\poller', password: 'env:CANARY_POLLER'}
      ceilometer_password: env:CANARY_METER
      ceilometer_telemetry_secret: env:CANARY_SIGNING
      ceilometer_options: {vmware: {host_password: '@{secret:unseen}'}}
      ceilometer_option_secrets: {unseen: 'env:CANARY_UNSEEN'}
  hv02:
    address: 127.20.0.12
    after: [st01]
    roles: [iscsi_initiator]
    variables:
      iscsi_initiator_targets:
        - target: iqn.1991-05.com.microsoft:st01-a-target
          portals: [127.20.0.21]
          chap: {user: in, password: 'env:CANARY_CHAP'}
  hv03:
    address: 127.20.0.15
    roles: [neutron_ovs_agent]
    variables:
      hyperv_switch_adapters: [Ethernet]
      openstack_release: "2023.1"
      openstack_transport_hosts: [mq.example]
      openstack_transport_password: env:CANARY_RABBIT
      ovs_installer:
        path: C:\\Packages\\openvswitch.msi
        sha256: 2c78ad3bb27366fc7bcf1dfcce37e978b7d0a87f5504779caed1a2cef2305644
        product_code: '{A5CE0CD6-AABF-42AB-B52D-077492FF41A6}'
        version: 2.7.0
      ovs_bridges: [{name: br-ex, adapter: Ethernet, move_address: true}]
      neutron_ovs_account: {user: 'CONTOSO\\tunnels', password: 'env:CANARY_TUNNELS'}
      neutron_ovs_options: {nova: {auth_type: password, password: '@{secret:over}'}}
      neutron_ovs_option_secrets: {over: 'env:CANARY_OVER'}
    lab:
      files:
        - path: C:\\Packages\\openvswitch.msi
          content: Open vSwitch for the lab, 2.7.0
          msi:
            product_id: '{A5CE0CD6-AABF-42AB-B52D-077492FF41A6}'
            name: Cloudbase Open vSwitch
            version: 2.7.0
            services:
              - {name: ovsdb-server, start_mode: Auto, status: Running}
              - {name: ovs-vswitchd, start_mode: Auto, status: Running, dependencies: [ovsdb-server]}
            files:
              - {path: 'bin\\ovs-vsctl.exe', feature: OpenvSwitchCLI}
              - {path: 'driver\\ovsext.inf', content: Cloudbase Open vSwitch Extension, feature: OpenvSwitchDriver}
  pf01:                       # its .pfx file is none, so its password is refused on every run
    address: 127.20.0.13
    roles: [windows_base]
    variables:
      windows_pfx: [{thumbprint: a123456789012345678901234567890123456789, path: 'C:\\a.pfx'}]
      windows_pfx_credential: {user: pfx, password: 'env:CANARY_PFX'}
    lab: {files: [{path: 'C:\\a.pfx', content: none}]}
  gw01:
    address: 127.20.0.14
    roles: [freerdp_webconnect]
    variables:
      openstack_release: "2023.1"
      openstack_transport_hosts: [mq.example]
      openstack_transport_password: env:CANARY_RABBIT
      openstack_auth_url: https://keystone.example:5000/v3
      freerdp_installer:
        path: C:\\Packages\\FreeRDPWebConnect.msi
        sha256: 5c9bffc73cf19de76e133a0a7d179256791ebc267bc714ff6d6b4db495398059
        product_code: '{0935139D-41F6-40C1-A8C5-218DD93F8C76}'
        version: 1.0.0.0
      freerdp_password: env:CANARY_GATEWAY
      freerdp_host_user: console
      freerdp_host_password: env:CANARY_HOST
    lab:
      users: [{name: FreeRDP-WebConnect, password: 'file:.secrets/made-by-the-package'}]
      files:
        - path: C:\\Packages\\FreeRDPWebConnect.msi
          content: "FreeRDP-WebConnect 1.0.0.0 of the lab\\n"
          msi:
            product_id: '{0935139D-41F6-40C1-A8C5-218DD93F8C76}'
            name: FreeRDP-WebConnect
            version: 1.0.0.0
            files: [{path: 'etc\\wsgate.ini'}, {path: 'etc\\server.cer'}]
            services: [{name: wsgate, start_name: '.\\FreeRDP-WebConnect', status: Running}]
"""


def _inventory() -> str:
    """The inventory with the package of the example, which the lab can install."""
    inventory = yaml.safe_load(INVENTORY)
    example = yaml.safe_load((ROOT / "inventories/lab/inventory.yaml").read_text("utf-8"))["groups"][
        "compute"
    ]
    installer = "openstack_runtime_installer"
    for name in ("hv01", "hv03"):
        node = inventory["nodes"][name]
        node["variables"][installer] = example["variables"][installer]
        node["lab"] = {"files": [*node.get("lab", {}).get("files", ()), *example["lab"]["files"]]}
    return yaml.safe_dump(inventory, sort_keys=False)


def _secrets_of_roles() -> Iterator[str]:
    """Name every variable of type secret or credential of every role, and every such field."""

    def walk(variables: Mapping[str, Any], path: str) -> Iterator[str]:
        for name, variable in variables.items():
            if {variable.get("type"), variable.get("items")} & {"secret", "credential"}:
                yield f"{path}.{name}"
            yield from walk(variable.get("fields") or {}, f"{path}.{name}")

    for path in sorted((ROOT / "roles").glob("*/role.yaml")):
        yield from walk(yaml.safe_load(path.read_text("utf-8")).get("variables", {}), path.parent.name)


def test_every_secret_of_every_role_has_a_canary() -> None:
    assert set(_secrets_of_roles()) == set(CANARIES) - {"connection"}
    for name in CANARIES.values():
        assert re.search(rf"env:{name}['|\n]", INVENTORY), name
    assert len(set(VALUES.values())) == len(VALUES)


NEEDLES = {
    f"{name}{form}, {encoding}": needle
    for name, value in [*VALUES.items(), ("the wrong one", WRONG)]
    for form, text in [
        ("", value),
        (" for a URL", quote(value, safe="")),
        (" for oslo", value.replace("$", "$$")),
    ]
    for encoding, needle in needles_of(text).items()
}
#: Windows keeps these itself: a target server and an initiator their CHAP secrets, a directory what proves passwords.
_USERS = ("JOIN", "CLUSTER", "DELEGATE", "SERVICE", "ACCOUNT", "AGENT", "POLLER", "TUNNELS")
_HASHES = [nt_hash(VALUES[f"CANARY_{name}"]).hex().encode() for name in _USERS]
_CHAP = [VALUES[name].encode() for name in ("CANARY_CHAP", "CANARY_BACK")]
_KEPT = {"labs/world": _HASHES, "st01/iscsi": _CHAP, "hv02/areas": _CHAP}
_outside_nova_conf = test_canary.outside_the_file
#: Configuration files of services, whose secrets have no other place.
_SERVICE_FILES = re.compile(
    rb'("path": "[^"]*(?:cinder\.conf|smbfs_shares_files\.txt|'
    rb'wsgate\.ini|neutron_(?:hyperv|ovs)_agent\.conf|ceilometer\.conf)(?:\.provisioner-new)?", '
    rb'[^{}]*?"content": ")[^"]*'
)


def _outside_what_windows_keeps(path: Path) -> bytes:
    content = _outside_nova_conf(path)
    if path.name in test_canary.DISK:
        content = _SERVICE_FILES.sub(rb"\1", content)
    for kept in _KEPT.get(f"{path.parent.parent.name}/{path.stem}", []):
        content = content.replace(kept, b"")
    return content


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Quiet]:
    """A lab of the inventory; when it is down, everything is searched."""
    for name, value in VALUES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(test_canary, "NEEDLES", NEEDLES)
    monkeypatch.setattr(test_canary, "outside_the_file", _outside_what_windows_keeps)
    lab = Quiet(tmp_path, _inventory())
    lab.keep_house()
    with Watch(tmp_path) as watch:
        lab.up()
        try:
            yield lab
        finally:
            lab.down()
    assert lab.leaks() | watch.found == set()
    assert watch.rounds > 3


def _ends(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    events = [json.loads(line) for line in done.stdout.splitlines()]
    ends = {"NodeDone", "NodeFailed", "NodeSkipped"}
    return {event["node"]: event["type"] for event in events if event["type"] in ends}


def test_the_search_finds_each_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_canary, "NEEDLES", NEEDLES)
    monkeypatch.setattr(test_canary, "outside_the_file", _outside_what_windows_keeps)
    for name, value in VALUES.items():
        for text in (value, quote(value, safe="")):
            for place in ("world.json", "iscsi.json", "journal.jsonl"):
                path = tmp_path / place
                path.write_bytes(text.encode("utf-16-le"))
                assert test_canary.leaks_below(tmp_path), (name, place)
                path.unlink()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_secret_of_a_role_is_anywhere_when_all_is_applied_shown_and_told(run: Quiet) -> None:
    first = run.apply("--json", timeout_s=300)
    assert _ends(first) == dict.fromkeys(["st01", "st02", "hv01", "hv02", "hv03", "gw01"], "NodeDone") | {
        "pf01": "NodeFailed"
    }
    inventory = str(run.inventory)
    for words in [
        ("apply", inventory, "--yes", "--debug", "--limit", "!pf01"),
        ("verify", inventory, "--json", "--limit", "!pf01"),
        ("validate", inventory),
        ("compile", inventory, "--format", "mof,ps1,dsc3-yaml,dsc3-json"),
        *(
            ("explain", inventory, node, *more)
            for node in ("st01", "st02", "hv01")
            for more in ((), ("--json",))
        ),
        *(
            ("inventory", "show", inventory, node)
            for node in ("st01", "st02", "hv01", "hv02", "hv03", "gw01", "pf01")
        ),
        ("inventory", "graph", inventory),
        ("roles",),
        ("lab", "status", "--json"),
        *(
            ("lab", word, node, "--name", "test")
            for word in ("show", "diff")
            for node in ("st01", "st02", "hv01", "hv02", "hv03", "gw01")
        ),
    ]:
        done = run.provision(*words, timeout_s=300)
        assert done.returncode == 0, (words, done.stdout[-2000:], done.stderr[-2000:])


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["CANARY_JOIN", "CANARY_LOGON", "CANARY_CHAP"])
def test_no_secret_is_anywhere_when_one_is_wrong(run: Quiet, name: str) -> None:
    # The secret of CHAP is wrong for the rules of Windows: it is too short.
    wrong = "K" + WRONG[:9] if name == "CANARY_CHAP" else WRONG
    for more in ("--json", "--debug"):
        done = run.apply(more, environment={name: wrong}, timeout_s=300)
        assert done.returncode == 1, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_no_secret_is_anywhere_when_the_controller_ends_early(run: Quiet, number: signal.Signals) -> None:
    for node, moment in [("st01", "job-started"), ("hv01", "boot"), ("hv01", "resource-set")]:
        controller = run.spawn("apply", str(run.inventory), "--yes", "--debug")
        begun = run.count(node, moment)
        deadline = time.monotonic() + 60
        while controller.poll() is None and run.count(node, moment) == begun and time.monotonic() < deadline:
            time.sleep(0.02)
        controller.send_signal(number)
        output, errors = controller.communicate(timeout=60)
        run.said += f"{output}\n{errors}".encode()
        assert run.leaks() == set()
    assert _ends(run.apply("--json", timeout_s=300))["hv01"] == "NodeDone"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_secret_is_anywhere_but_on_nodes_that_take_passwords_in_clear(run: Quiet) -> None:
    run.write(_inventory().replace("certificate: .secrets/certificates/", "plain_text: true"))
    done = run.apply("--json", timeout_s=300)
    assert _ends(done)["hv01"] == "NodeDone"
