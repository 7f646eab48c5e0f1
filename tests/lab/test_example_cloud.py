"""The example cloud from bare to retired, one site after the other, as its page says; counted by the lab's journals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cloud.controller import PASSWORD, World, serving
from tests.lab.labs import ROOT, LabRun, running_lab

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

FOLDER = ROOT / "inventories/example-cloud"
_LONG_S = 400
#: What the lab writes down of a change, a document that was pushed, a boot.
_SET, _PUSH, _BOOT = "resource-set", "job-started", "boot"


@dataclass(frozen=True)
class Story:
    """What is done to a site, and what each step may set.

    ``changed`` are variables of nodes; ``drift`` lines at consoles with what mends them; ``leaver`` is the node that
    leaves, and ``left`` what its leaving sets on others.
    """

    site: str
    network: str
    hosts: tuple[str, ...]
    changed: Mapping[str, Mapping[str, Any]]
    change_sets: Mapping[str, set[str]]
    drift: Mapping[str, tuple[str, set[str]]]
    leaver: str
    agent: str
    services: tuple[str, ...]
    left: Mapping[str, set[str]]


_NOVA = {"[ConfigurationFile]nova.conf", "[ServiceRestart]nova-compute"}
_OVS = {"[ConfigurationFile]neutron_ovs_agent.conf", "[ServiceRestart]neutron-ovs-agent"}
STORIES = [
    Story(
        site="berlin",
        network="127.20.10",
        hosts=("hosts", "cluster"),
        changed={
            "ber-hv02": {"nova_reserved_memory_mb": 8192},
            "ber-hv08": {"nova_reserved_memory_mb": 8192},
        },
        change_sets={"ber-hv02": _NOVA, "ber-hv08": _NOVA},
        drift={
            "ber-hv01": ("Stop-Service -Name nova-compute", {"[Service]nova-compute"}),
            "ber-hv04": ("Disable-VMMigration", {"[VMMigration]migration"}),
            "ber-hv07": (
                "Disconnect-IscsiTarget -NodeAddress iqn.1991-05.com.microsoft:ber-st01-cluster-target -Confirm:$false",
                {"[IscsiSession]iqn.1991-05.com.microsoft:ber-st01-cluster-target"},
            ),
            "ber-st02": ("Stop-Service -Name cinder-volume", {"[Service]cinder-volume"}),
        },
        leaver="ber-hv06",
        agent="HyperV agent",
        services=("neutron-hyperv-agent",),
        left={
            **{f"ber-hv0{number}": {"[ComputerDelegation]delegation"} for number in range(1, 6)},
            "ber-st02": {"[FolderAccess]D\\Volumes", "[SmbShare]volumes"},
        },
    ),
    Story(
        site="hamburg",
        network="127.20.20",
        hosts=("hosts",),
        changed={
            "ham-hv01": {"neutron_ovs_options": {"agent": {"l2_population": True}}},
            "ham-hv03": {"neutron_ovs_options": {"agent": {"l2_population": True}}},
        },
        change_sets={"ham-hv01": _OVS, "ham-hv03": _OVS},
        drift={
            "ham-hv01": ("Stop-Service -Name neutron-ovs-agent", {"[Service]neutron-ovs-agent"}),
            "ham-hv02": ("Stop-Service -Name ovs-vswitchd -Force", {"[Service]ovs-vswitchd"}),
            "ham-st01": (
                "Stop-Service -Name WinTarget -Force",
                {"[Service]WinTarget", "[Service]cinder-volume"},
            ),
            "ham-st02": (
                "Set-Content -Path C:\\OpenStack\\cloudbase\\cinder\\etc\\cinder.conf -Value nothing",
                {"[ConfigurationFile]cinder.conf", "[ServiceRestart]cinder-volume"},
            ),
        },
        leaver="ham-hv04",
        agent="Open vSwitch agent",
        services=("neutron-ovs-agent",),
        left={
            **{f"ham-hv0{number}": {"[ComputerDelegation]delegation"} for number in range(1, 4)},
            "ham-st02": {"[FolderAccess]D\\Volumes", "[SmbShare]volumes"},
        },
    ),
]


class Cloud:
    """A site in a lab, with its inventory as data, and the controller it serves."""

    def __init__(self, run: LabRun, inventory: dict[str, Any]) -> None:
        self.run = run
        self.inventory = inventory
        self.nodes = list(inventory["nodes"])

    def write(self) -> None:
        """Write the inventory as it is now."""
        self.run.write(yaml.safe_dump(self.inventory, sort_keys=False))

    def apply(self) -> dict[str, Applied]:
        """Apply to all nodes, which has to end well; give what the lab counted of each."""
        before = {node: len(self.run.journal(node)) for node in self.nodes}
        done = self.run.apply(timeout_s=_LONG_S)
        assert done.returncode == 0, done.stdout + done.stderr
        return {node: Applied.of(self.run.journal(node)[before[node] :]) for node in self.nodes}

    def openstack(self, verb: str, *arguments: str) -> str:
        """Have the controller's side done, which has to end well."""
        done = self.run.provision("openstack", verb, str(self.run.inventory), *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@dataclass(frozen=True)
class Applied:
    """What one apply did to a node."""

    sets: tuple[str, ...]
    pushes: int
    boots: int
    generic: tuple[str, ...]

    @classmethod
    def of(cls, entries: list[dict[str, Any]]) -> Applied:
        """Count what a node wrote down."""
        sets = [entry for entry in entries if entry["kind"] == _SET]
        return cls(
            tuple(entry["resource"] for entry in sets),
            sum(entry["kind"] == _PUSH for entry in entries),
            sum(entry["kind"] == _BOOT for entry in entries),
            tuple(entry["resource"] for entry in sets if entry["simulated"] != "specific"),
        )


@contextmanager
def brought_up(story: Story, folder: Path) -> Iterator[tuple[Cloud, World]]:
    """Give the site with its nodes bare, and a controller that nothing has registered with yet."""
    world = World()
    text = (FOLDER / f"{story.site}.yaml").read_text(encoding="utf-8").replace(story.network, "127.20.0")
    with serving(world) as url, running_lab(folder, text) as run:
        cloud = Cloud(run, yaml.safe_load(run.inventory.read_text(encoding="utf-8")))
        cloud.inventory["openstack"]["auth_url"] = url
        secret = folder / ".secrets" / "keystone-admin"
        secret.write_text(PASSWORD + "\n", encoding="utf-8")
        secret.chmod(0o600)
        cloud.write()
        yield cloud, world


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.site)
def test_a_site_comes_up_stays_is_changed_mended_and_loses_a_node(story: Story, tmp_path: Path) -> None:
    pytest.importorskip("openstack", reason="openstacksdk, the extra 'openstack', is not installed")
    with brought_up(story, tmp_path) as (cloud, world):
        bare = cloud.apply()
        assert [node for node, each in bare.items() if each.generic or not each.pushes] == []
        assert quiet(cloud.apply(), except_for=set()) == {}
        expect_to_be_known(cloud, world, story)
        expect_a_change(cloud, story)
        expect_drift_to_be_mended(cloud, story)
        expect_a_node_to_leave(cloud, world, story)


def quiet(applied: Mapping[str, Applied], except_for: set[str]) -> dict[str, Applied]:
    """Give the nodes but these to which anything was done at all."""
    return {
        node: each
        for node, each in applied.items()
        if node not in except_for and (each.sets or each.pushes or each.boots)
    }


def expect_sets(applied: Mapping[str, Applied], sets: Mapping[str, set[str]]) -> None:
    """Exactly these were set, without a boot, and nothing was sent to any other node."""
    assert quiet(applied, except_for=set(sets)) == {}
    assert {node: set(applied[node].sets) for node in sets} == dict(sets)
    assert sum(applied[node].boots for node in sets) == 0


def expect_to_be_known(cloud: Cloud, world: World, story: Story) -> None:
    """The services register, as they would; zones are made of it, and the controller finds all well."""
    for name, node in cloud.inventory["nodes"].items():
        if node["groups"][0] in story.hosts:
            world.add_compute(name.upper())
            world.add_agent(name.upper(), story.agent)
        for backend in (
            cloud.inventory["groups"][node["groups"][0]].get("variables", {}).get("cinder_backends", ())
        ):
            world.add_volume_service(f"{name.upper()}@{backend['name']}")
    for flavor in cloud.inventory["openstack"]["flavors"]:
        world.add_flavor(flavor)
    for image in cloud.inventory["openstack"]["images"]:
        world.add_image(image)
    cloud.openstack("zones")
    zone = f"windows-{story.site}"
    assert sorted(world.aggregate(zone)["hosts"]) == sorted(each["host"] for each in world.services)
    assert world.aggregate(zone)["metadata"]["availability_zone"] == zone
    assert f"{len(cloud.nodes)} nodes well" in cloud.openstack("status")
    assert "nothing to change" in cloud.openstack("zones")


def expect_a_change(cloud: Cloud, story: Story) -> None:
    """A variable that is another one on two nodes touches only these."""
    for node, variables in story.changed.items():
        cloud.inventory["nodes"][node].setdefault("variables", {}).update(variables)
    cloud.write()
    expect_sets(cloud.apply(), story.change_sets)


def expect_drift_to_be_mended(cloud: Cloud, story: Story) -> None:
    """What somebody did at the consoles is put right, and nothing else."""
    for node, (line, _) in story.drift.items():
        done = cloud.run.provision("lab", "shell", node, "--name", "test", "-c", line)
        assert done.returncode == 0, done.stdout + done.stderr
    expect_sets(cloud.apply(), {node: sets for node, (_, sets) in story.drift.items()})


def expect_a_node_to_leave(cloud: Cloud, world: World, story: Story) -> None:
    """One node is undone, and taken out of the controller; the others hear of it where they name it."""
    inventory, leaver = cloud.inventory, story.leaver
    inventory["nodes"][leaver]["groups"] = ["retired"]
    for group in inventory["groups"].values():
        variables = group.get("variables", {})
        if leaver in variables.get("live_migration_hosts", ()):
            variables["live_migration_hosts"].remove(leaver)
        for share in variables.get("smb_shares", ()):
            share["access"] = [each for each in share["access"] if leaver not in each["account"]]
    cloud.write()
    applied = cloud.apply()
    expect_sets({node: each for node, each in applied.items() if node != leaver}, story.left)
    services = {"nova-compute", *story.services}
    assert services <= set(cloud.run.machine(next(iter(story.changed)))["services"]["changed"])
    assert not services & set(cloud.run.machine(leaver)["services"]["changed"])
    cloud.openstack("retire", leaver)
    host = leaver.upper()
    assert host not in [each["host"] for each in (*world.services, *world.agents)]
    assert host not in world.aggregate(f"windows-{story.site}")["hosts"]
    del inventory["nodes"][leaver]
    cloud.write()
    assert f"{len(cloud.nodes) - 1} nodes well" in cloud.openstack("status")
