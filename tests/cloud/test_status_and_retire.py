"""What the controller says of nodes, and taking one out, where Neutron and Cinder are needed too."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from tests.cloud.controller import Refusal, World
from tests.cloud.inventories import run, written

pytest.importorskip("openstack", reason="openstacksdk, the extra 'openstack', is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")

BODY = """\
  aggregates:
    windows: {zone: windows, properties: {hypervisor: hyperv}}
groups:
  compute: {roles: [nova_compute, neutron_hyperv_agent], openstack: {aggregates: [windows]}}
nodes:
  hv01: {groups: [compute]}
  hv02.example.com: {groups: [compute]}
  stor01: {roles: [cinder_volume]}
  dc01: {roles: [windows_base]}
"""


@pytest.fixture
def world() -> World:
    world = World()
    for host in ("HV01", "HV02"):
        world.add_compute(host)
        world.add_agent(host)
    world.add_volume_service("stor01@winiscsi")
    world.add_volume_service("stor01@winsmb")
    made = {"id": 1, "uuid": "x", "name": "windows", "hosts": ["HV01", "HV02"]}
    world.aggregates.append({**made, "metadata": {"availability_zone": "windows", "hypervisor": "hyperv"}})
    return world


def test_status_shows_every_service_of_a_node_under_the_names_the_cloud_uses(
    world: World, url: str, tmp_path: Path
) -> None:
    result = run("status", written(tmp_path, url, BODY))
    assert (result.exit_code, result.stderr) == (0, "")
    rows = [line.split("  ") for line in result.stdout.splitlines()]
    cells = {row[0].strip(): [cell.strip() for cell in row if cell.strip()] for row in rows if row[0].strip()}
    assert cells["hv01"][1:] == [
        "HV01",
        "up, enabled",
        "hyperv 10000, up",
        "HyperV agent alive",
        "-",
        "windows",
        "windows",
    ]
    assert cells["hv02.example.com"][1] == "HV02"
    assert cells["stor01"][1] == "stor01"
    assert "stor01@winiscsi up, enabled; stor01@winsmb up, enabled" in result.stdout
    assert "dc01" not in result.stdout
    assert result.stdout.endswith("3 nodes well\n")


def test_status_says_what_is_wrong_with_which_node_and_ends_with_1(
    world: World, url: str, tmp_path: Path
) -> None:
    world.services[0] |= {"state": "down", "status": "disabled", "disabled_reason": "disk"}
    world.agents[1]["alive"] = False
    world.volume_services[1]["state"] = "down"
    world.aggregates[0]["hosts"] = ["hv01"]
    result = run("status", written(tmp_path, url, BODY))
    assert result.exit_code == 1
    for said in (
        "hv01: nova-compute is down.",
        "hv01: nova-compute is disabled: disk.",
        "hv02.example.com: The HyperV agent is not alive.",
        "hv02.example.com: It is not in 'windows'",
        "stor01: cinder-volume stor01@winsmb is down.",
        "0 nodes well, 3 not",
    ):
        assert said in result.stdout
    assert "hv01: It is not in" not in result.stdout  # Nova compares without case


def test_status_tells_what_should_be_there_and_never_registered(
    world: World, url: str, tmp_path: Path
) -> None:
    world.services.clear()
    world.hypervisors.clear()
    world.agents.clear()
    world.volume_services.clear()
    result = run("status", written(tmp_path, url, BODY), "--json")
    assert result.exit_code == 1
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert lines[0]["type"] == "version"
    nodes = {line["node"]: line for line in lines[1:]}
    assert set(nodes) == {"hv01", "hv02.example.com", "stor01"}
    assert nodes["hv01"]["host"] == ""
    assert nodes["hv01"]["expected"] == ["compute", "network"]
    assert [fault.partition(".")[0] for fault in nodes["hv01"]["faults"]] == [
        "nova-compute of 'hv01' has not registered with Nova",
        "No network agent registered",
    ]


def test_a_cloud_without_neutron_and_cinder_has_none_of_their_services(
    world: World, url: str, tmp_path: Path
) -> None:
    world.without |= {"network", "volumev3", "image"}
    result = run("status", written(tmp_path, url, BODY))
    assert result.exit_code == 1
    assert "hv01: The cloud has no network service." in result.stdout
    assert "stor01: The cloud has no volume service." in result.stdout


def test_a_host_that_answers_nobody_does_not_keep_the_others_from_being_shown(
    world: World, url: str, tmp_path: Path
) -> None:
    world.silent.add("HV02")
    assert run("status", written(tmp_path, url, BODY)).exit_code == 0


def test_retiring_a_node_takes_everything_of_it_out_once(world: World, url: str, tmp_path: Path) -> None:
    inventory = written(tmp_path, url, BODY)
    result = run("retire", inventory, "hv02.example.com")
    assert result.exit_code == 0
    assert [service["host"] for service in world.services] == ["HV01"]
    assert [agent["host"] for agent in world.agents] == ["HV01"]
    assert world.aggregate("windows")["hosts"] == ["HV01"]
    assert result.stdout.splitlines() == [
        "hv02.example.com: disable nova-compute of HV02: done",
        "hv02.example.com: remove HV02 from the aggregate 'windows': done",
        "hv02.example.com: delete nova-compute of HV02: done",
        "hv02.example.com: delete the HyperV agent of HV02: done",
        "4 changes made",
    ]
    assert "nova-compute of HV02 is still running" in result.stderr
    world.calls.clear()
    again = run("retire", inventory, "hv02.example.com")
    assert (again.exit_code, again.stdout) == (0, "nothing to change\n")
    assert world.changes() == []


def test_a_node_with_instances_is_refused_and_nothing_is_changed(
    world: World, url: str, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        world.add_server("HV01", name)
    result = run("retire", written(tmp_path, url, BODY), "hv01")
    assert result.exit_code == 1
    assert "HV01 still has 2 instances (one, two)." in result.stderr
    assert "--wait" in result.stderr
    assert world.changes() == []


def test_a_node_is_waited_for_until_it_is_empty(world: World, url: str, tmp_path: Path) -> None:
    world.add_server("HV01", "one")

    def leave() -> None:
        while world.calls.count("GET /compute/v2.1/servers") < 2:
            time.sleep(0.02)
        time.sleep(0.3)
        world.servers.clear()

    thread = threading.Thread(target=leave)
    thread.start()
    result = run("retire", written(tmp_path, url, BODY), "hv01", "--wait", "30")
    thread.join()
    assert result.exit_code == 0
    assert "hv01: waiting: HV01 still has 1 instance (one)." in result.stdout
    assert [service["host"] for service in world.services] == ["HV02"]


def test_a_node_that_does_not_get_empty_in_time_stays_disabled_and_keeps_the_rest(
    world: World, url: str, tmp_path: Path
) -> None:
    world.add_server("HV01", "one")
    result = run("retire", written(tmp_path, url, BODY), "hv01", "--wait", "0.2")
    assert result.exit_code == 1
    assert world.services[0]["status"] == "disabled"
    assert world.services[0]["disabled_reason"] == "retired by provision"
    assert world.aggregate("windows")["hosts"] == ["HV01", "HV02"]


def test_an_instance_that_comes_at_the_last_moment_stops_the_deletion(
    world: World, url: str, tmp_path: Path
) -> None:
    def arrive(method: str, path: str) -> None:
        if method == "DELETE" and "/os-services/" in path and not world.servers:
            world.add_server("HV01", "late")

    world.before = arrive
    result = run("retire", written(tmp_path, url, BODY), "hv01")
    assert result.exit_code == 1
    assert "Unable to delete compute service that is hosting instances" in result.stderr
    assert "HV01" in [service["host"] for service in world.services]


@pytest.mark.parametrize("step", ["action", "os-services/", "agents/"])
def test_a_retirement_that_is_cut_off_is_begun_again(
    world: World, url: str, tmp_path: Path, step: str
) -> None:
    inventory = written(tmp_path, url, BODY)

    def cut(method: str, path: str) -> None:
        if method in {"POST", "DELETE"} and step in path:
            raise Refusal(503, "Service Unavailable")

    world.before = cut
    assert run("retire", inventory, "hv01").exit_code == 1
    world.before = None
    assert run("retire", inventory, "hv01").exit_code == 0
    assert [service["host"] for service in world.services] == ["HV02"]
    assert [agent["host"] for agent in world.agents] == ["HV02"]
    assert world.aggregate("windows")["hosts"] == ["HV02"]


def test_what_somebody_else_deletes_meanwhile_is_gone_as_well(world: World, url: str, tmp_path: Path) -> None:
    def faster(method: str, path: str) -> None:
        if method == "DELETE" and "agents" in path:
            world.agents[:] = []
        elif method == "DELETE":
            world.services[:] = world.services[1:]
        elif path.endswith("/action"):
            world.aggregates[0]["hosts"] = ["HV02"]

    world.before = faster
    assert run("retire", written(tmp_path, url, BODY), "hv01").exit_code == 0


def test_a_storage_node_with_volumes_is_refused_and_an_empty_one_is_disabled(
    world: World, url: str, tmp_path: Path
) -> None:
    inventory = written(tmp_path, url, BODY)
    world.volumes.append({"id": "v", "name": "data", "os-vol-host-attr:host": "stor01@winiscsi#pool"})
    refused = run("retire", inventory, "stor01")
    assert refused.exit_code == 1
    assert "stor01 still has 1 volume (data)." in refused.stderr
    assert world.changes() == []
    world.volumes.clear()
    done = run("retire", inventory, "stor01")
    assert done.exit_code == 0
    assert [each["status"] for each in world.volume_services] == ["disabled", "disabled"]
    assert "cinder-manage service remove cinder-volume stor01@winsmb" in done.stderr


def test_a_plan_of_a_retirement_changes_nothing(world: World, url: str, tmp_path: Path) -> None:
    result = run("retire", written(tmp_path, url, BODY), "hv01", "--plan")
    assert result.exit_code == 0
    assert "hv01: would disable nova-compute of HV01" in result.stdout
    assert world.changes() == []


def test_only_the_node_is_named_where_the_inventory_is_in_this_folder(
    world: World, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, url, BODY)
    monkeypatch.chdir(tmp_path)
    assert run("retire", "hv01").exit_code == 0
    unknown = run("retire", "hv1")
    assert unknown.exit_code == 2
    assert "Did you mean 'hv01'?" in unknown.stderr


SHORT = """\
  aggregates:
    windows: {zone: windows}
nodes:
  hv02: {roles: [nova_compute], openstack: {aggregates: [windows]}}
"""


def test_of_two_machines_that_may_be_meant_none_is_retired(world: World, url: str, tmp_path: Path) -> None:
    world.services.clear()
    for host in ("hv02.paris.example", "hv02.berlin.example"):
        world.add_compute(host)
    result = run("retire", written(tmp_path, url, SHORT), "hv02")
    assert result.exit_code == 1
    assert "several hosts that may be 'hv02': hv02.paris.example, hv02.berlin.example." in result.stderr
    assert world.changes() == []


def test_what_belongs_to_another_machine_s_compute_service_stays(
    world: World, url: str, tmp_path: Path
) -> None:
    world.add_compute("hv02.paris.example")
    world.agents[1] |= {"host": "hv02.paris.example", "alive": False}
    world.aggregates[0]["hosts"] = ["HV01", "hv02.paris.example"]
    inventory = written(tmp_path, url, SHORT)
    shown = run("status", inventory, "--json")
    assert json.loads(shown.stdout.splitlines()[1])["agents"] == []
    assert run("retire", inventory, "hv02").exit_code == 0
    assert [service["host"] for service in world.services] == ["HV01", "hv02.paris.example"]
    assert [agent["host"] for agent in world.agents] == ["HV01", "hv02.paris.example"]
    assert world.aggregate("windows")["hosts"] == ["HV01", "hv02.paris.example"]


def test_a_host_that_may_be_another_node_s_stays_where_it_is(world: World, url: str, tmp_path: Path) -> None:
    world.add_compute("COMPUTE-BERLIN1")
    world.aggregates[0]["hosts"] = ["COMPUTE-BERLIN1"]
    head, _, node = SHORT.rpartition("  hv02")
    both = f"{head}  compute-berlin1-db: {{roles: [windows_base]}}\n  compute-berlin1-east{node}"
    inventory = written(tmp_path, url, both)
    assert run("zones", inventory, "--limit", "compute-berlin1-db").exit_code == 0
    assert run("zones", inventory, "--wait", "0").exit_code == 0
    assert world.aggregate("windows")["hosts"] == ["COMPUTE-BERLIN1"]
    world.calls.clear()
    result = run("retire", inventory, "compute-berlin1-db")
    assert result.exit_code == 1
    assert "COMPUTE-BERLIN1 may be the host of the node 'compute-berlin1-east' as well." in result.stderr
    assert world.changes() == []


def test_a_cell_that_does_not_answer_hides_its_own_hosts_alone(
    world: World, url: str, tmp_path: Path
) -> None:
    # What the Compute API guide shows of a host in a cell that is down.
    world.services[1] = {"binary": "nova-compute", "host": "HV02", "status": "UNKNOWN"}
    del world.hypervisors[1]
    world.aggregates[0]["hosts"] = ["HV02"]
    inventory = written(tmp_path, url, BODY)
    shown = {
        line["node"]: line
        for line in map(json.loads, run("status", inventory, "--json").stdout.splitlines()[1:])
    }
    assert shown["hv02.example.com"]["compute"][0]["state"] == "unknown"
    assert "Nova gets no answer from the cell of HV02" in shown["hv02.example.com"]["faults"][0]
    made = run("zones", inventory)
    assert made.exit_code == 1
    assert "hv02.example.com: Nova gets no answer from the cell of HV02" in made.stderr
    assert world.aggregate("windows")["hosts"] == ["HV02", "HV01"]
    world.calls.clear()
    assert run("retire", inventory, "hv02.example.com").exit_code == 1
    assert world.changes() == []
