"""The verbs against a real keystone, placement and nova, which judge every call; Windows is in the names alone."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from provisioner.cli.app import main
from tests.cloud.inventories import written
from tests.cloud.real import PASSWORD, URL, RealController, real_controller

openstack = pytest.importorskip("openstack", reason="openstacksdk, the extra 'openstack', is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning"),
]

BERLIN = """\
  aggregates:
    windows-berlin: {zone: windows-berlin, properties: {hypervisor: hyperv}}
    gpu: {}
  flavors:
    win.small: {'aggregate_instance_extra_specs:hypervisor': hyperv}
groups:
  compute: {roles: [hyperv_host], openstack: {aggregates: [windows-berlin]}}
nodes:
  hv01: {groups: [compute]}
  hv02.example.com: {groups: [compute], openstack: {aggregates: [gpu]}}
  compute-berlin1-east: {groups: [compute]}
"""
PARIS = """\
  aggregates:
    windows-paris: {zone: windows-paris, properties: {hypervisor: hyperv}}
nodes:
  paris-hv1: {roles: [hyperv_host], openstack: {aggregates: [windows-paris]}}
"""


@pytest.fixture(scope="module")
def plane() -> Iterator[RealController]:
    with real_controller("HV01", "HV02", "COMPUTE-BERLIN1", "PARIS-HV1", "kvm01") as running:
        yield running


@pytest.fixture
def cloud(plane: RealController) -> Iterator[Any]:
    """The unmodified SDK as a witness; nothing is left of what the test before made."""
    connection = openstack.connect(
        load_yaml_config=False,
        load_envvars=False,
        auth_url=URL,
        username="admin",
        password=PASSWORD,
        project_name="admin",
        user_domain_name="Default",
        project_domain_name="Default",
    )
    for aggregate in connection.compute.aggregates():
        for host in aggregate.hosts:
            connection.compute.remove_host_from_aggregate(aggregate, host)
        connection.compute.delete_aggregate(aggregate)
    for flavor in connection.compute.flavors():
        connection.compute.delete_flavor(flavor)
    connection.compute.create_flavor(name="win.small", ram=64, vcpus=1, disk=0)
    yield connection
    connection.close()


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["openstack", *map(str, arguments)])


def berlin(folder: Path) -> Path:
    return written(folder / "berlin", URL, BERLIN, password=PASSWORD)


def hosts(cloud: Any) -> dict[str, list[str]]:
    return {each.name: sorted(each.hosts) for each in cloud.compute.aggregates()}


def test_zones_are_made_once_for_two_sites_under_nova_s_names(cloud: Any, tmp_path: Path) -> None:
    one, other = berlin(tmp_path), written(tmp_path / "paris", URL, PARIS, site="paris", password=PASSWORD)
    planned = run("zones", one, "--plan")
    assert planned.exit_code == 0
    assert hosts(cloud) == {}
    for inventory in (one, other):
        done = run("zones", inventory)
        assert (done.exit_code, done.stderr) == (0, "")
    assert hosts(cloud) == {
        "windows-berlin": ["COMPUTE-BERLIN1", "HV01", "HV02"],
        "gpu": ["HV02"],
        "windows-paris": ["PARIS-HV1"],
    }
    zones = {zone.name: sorted(zone.hosts or {}) for zone in cloud.compute.availability_zones(details=True)}
    assert zones["windows-berlin"] == ["COMPUTE-BERLIN1", "HV01", "HV02"]
    assert zones["windows-paris"] == ["PARIS-HV1"]
    assert zones["nova"] == ["kvm01"]
    flavor = cloud.compute.find_flavor("win.small", get_extra_specs=True)
    assert flavor.extra_specs == {"aggregate_instance_extra_specs:hypervisor": "hyperv"}
    # Placement has its own copy, which the scheduler asks.
    provider = next(each for each in cloud.placement.resource_providers(name="HV01"))
    mirrored = cloud.placement.get(
        f"/resource_providers/{provider.id}/aggregates", microversion="1.19"
    ).json()
    wanted = next(each.uuid for each in cloud.compute.aggregates() if each.name == "windows-berlin")
    assert mirrored["aggregates"] == [wanted]
    for inventory in (one, other):
        assert run("zones", inventory).stdout == "nothing to change\n"
        assert run("status", inventory).exit_code == 0


def test_status_shows_nova_s_spelling_and_what_is_missing(cloud: Any, tmp_path: Path) -> None:
    inventory = berlin(tmp_path)
    before = run("status", inventory, "--json")
    assert before.exit_code == 1
    nodes = {line["node"]: line for line in map(json.loads, before.stdout.splitlines()[1:])}
    assert {name: node["host"] for name, node in nodes.items()} == {
        "hv01": "HV01",
        "hv02.example.com": "HV02",
        "compute-berlin1-east": "COMPUTE-BERLIN1",
    }
    assert nodes["hv02.example.com"]["missing_aggregates"] == ["windows-berlin", "gpu"]
    assert nodes["hv01"]["compute"] == [{"state": "up", "status": "enabled", "disabled_reason": ""}]
    assert nodes["hv01"]["hypervisors"][0]["name"] == "HV01"


def test_a_host_is_added_when_it_has_registered_and_has_a_mapping(
    cloud: Any, plane: RealController, tmp_path: Path
) -> None:
    hide = "update {} set host='hidden' where host='HV02'"
    show = "update {} set host='HV02' where host='hidden'"
    tables = ("services", "compute_nodes")
    plane.nova(*(hide.format(table) for table in tables))
    plane.nova_api("update host_mappings set host='hidden' where host='HV02'")

    def register() -> None:
        while "COMPUTE-BERLIN1" not in hosts(cloud).get("windows-berlin", []):
            time.sleep(0.2)
        plane.nova(*(show.format(table) for table in tables))
        time.sleep(5)
        plane.nova_api("update host_mappings set host='HV02' where host='hidden'")

    thread = threading.Thread(target=register, daemon=True)
    thread.start()
    result = run("zones", berlin(tmp_path), "--json", "--wait", "120")
    assert result.exit_code == 0, result.output
    thread.join(30)
    waits = [json.loads(line) for line in result.stdout.splitlines() if '"Waits"' in line]
    assert [each["status"] for each in waits] == ["unregistered", "unmapped"]
    assert "nova-manage cell_v2 discover_hosts" in waits[1]["help"]
    assert hosts(cloud)["windows-berlin"] == ["COMPUTE-BERLIN1", "HV01", "HV02"]


def test_what_nova_refuses_is_said_in_its_own_words(
    cloud: Any, plane: RealController, tmp_path: Path
) -> None:
    theirs = cloud.compute.create_aggregate(name="theirs", availability_zone="theirs")
    cloud.compute.add_host_to_aggregate(theirs, "HV01")
    result = run("zones", berlin(tmp_path))
    assert result.exit_code == 1
    assert "HV01 is in the zone 'theirs' by the aggregate 'theirs'" in result.stderr
    assert hosts(cloud)["windows-berlin"] == ["COMPUTE-BERLIN1", "HV02"]
    cloud.compute.remove_host_from_aggregate(theirs, "HV01")
    assert run("zones", berlin(tmp_path)).exit_code == 0
    plane.nova(_INSTANCE.format(host="HV01"))
    try:
        moved = berlin(tmp_path)
        moved.write_text(moved.read_text().replace("zone: windows-berlin", "zone: windows-two"))
        result = run("zones", moved)
        assert result.exit_code == 1
        assert "was refused (400)" in result.stderr
        assert "One or more hosts contain instances in this zone" in result.stderr
        assert "move them away first" in result.stderr
    finally:
        plane.nova("delete from instances")


# The time has six digits after the point, as Nova writes it. SQLite compares texts, and with a shorter one every page
# of Nova's list holds the same instance again: a thousand queries for one answer, of which a busy machine makes fewer
# than the 60 seconds allow that Nova waits for a cell.
_INSTANCE = """\
insert into instances (created_at, updated_at, uuid, host, node, project_id, user_id, display_name, vm_state,
power_state, deleted, memory_mb, vcpus, root_gb, ephemeral_gb, hidden) values
(strftime('%Y-%m-%d %H:%M:%f000', 'now'), strftime('%Y-%m-%d %H:%M:%f000', 'now'),
'11111111-2222-3333-4444-555555555555', '{host}', '{host}', 'p', 'u', 'left-behind', 'active', 1, 0, 64, 1, 0, 0, 0)"""


def test_a_node_leaves_the_cloud_when_it_is_empty(cloud: Any, plane: RealController, tmp_path: Path) -> None:
    paris = written(tmp_path / "paris", URL, PARIS, site="paris", password=PASSWORD)
    assert run("zones", paris).exit_code == 0
    plane.nova(_INSTANCE.format(host="PARIS-HV1"))
    refused = run("retire", paris, "paris-hv1")
    assert refused.exit_code == 1
    assert "PARIS-HV1 still has 1 instance (left-behind)." in refused.stderr
    assert hosts(cloud)["windows-paris"] == ["PARIS-HV1"]
    late = run("retire", paris, "paris-hv1", "--wait", "1")
    assert late.exit_code == 1
    services = {each.host: each for each in cloud.compute.services(binary="nova-compute")}
    assert services["PARIS-HV1"].status == "disabled"
    assert services["PARIS-HV1"].disabled_reason == "retired by provision"
    plane.nova("delete from instances")
    assert run("retire", paris, "paris-hv1").exit_code == 0
    assert hosts(cloud)["windows-paris"] == []
    assert "PARIS-HV1" not in {each.host for each in cloud.compute.services(binary="nova-compute")}
    assert "PARIS-HV1" not in plane.mapped()
    again = run("retire", paris, "paris-hv1")
    assert (again.exit_code, again.stdout) == (0, "nothing to change\n")


def test_a_wrong_password_is_refused_by_a_real_keystone(plane: RealController, tmp_path: Path) -> None:
    result = run("status", written(tmp_path, URL, BERLIN, password="canary-wrong"))
    assert result.exit_code == 1
    assert "was refused (401)" in result.stderr
    assert "canary" not in result.output
