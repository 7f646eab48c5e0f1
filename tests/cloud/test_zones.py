"""Aggregates, zones, flavors and images against a controller that answers as the API references say."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from provisioner.cli.app import main
from tests.cloud.controller import Refusal, World
from tests.cloud.inventories import BERLIN, run, written

pytest.importorskip("openstack", reason="openstacksdk, the extra 'openstack', is not installed")
# The SDK warns of parts of itself, whoever calls it.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")


@pytest.fixture
def world() -> World:
    world = World()
    world.add_compute("HV01")
    world.add_compute("HV02")
    world.add_compute("kvm01")
    return world


def happenings(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()][1:]


def test_hosts_join_a_new_zone_in_nova_s_spelling_and_a_second_run_changes_nothing(
    world: World, url: str, tmp_path: Path
) -> None:
    inventory = written(tmp_path, url)
    first = run("zones", inventory)
    assert (first.exit_code, first.stderr) == (0, "")
    assert world.aggregate("windows-berlin")["hosts"] == ["HV01", "HV02"]
    assert world.aggregate("windows-berlin")["metadata"] == {
        "availability_zone": "windows-berlin",
        "hypervisor": "hyperv",
    }
    world.calls.clear()
    second = run("zones", inventory)
    assert (second.exit_code, second.stdout) == (0, "nothing to change\n")
    assert world.changes() == []


def test_a_plan_says_what_would_be_changed_and_changes_nothing(
    world: World, url: str, tmp_path: Path
) -> None:
    planned = run("zones", written(tmp_path, url), "--plan")
    assert planned.exit_code == 0
    assert planned.stdout.splitlines() == [
        "would create the aggregate 'windows-berlin' with availability_zone=windows-berlin",
        "would set hypervisor=hyperv of the aggregate 'windows-berlin'",
        "would add HV01 to the aggregate 'windows-berlin'",
        "would add HV02 to the aggregate 'windows-berlin'",
        "4 changes would be made",
    ]
    assert world.changes() == []


def test_two_sites_share_a_cloud_and_leave_each_other_s_hosts_alone(
    world: World, url: str, tmp_path: Path
) -> None:
    world.add_compute("PARIS-HV1")
    paris = (
        BERLIN.replace("berlin", "paris")
        .replace("hv01", "paris-hv1")
        .replace("  hv02: {groups: [compute]}\n", "")
    )
    one, other = written(tmp_path / "a", url), written(tmp_path / "b", url, paris, site="paris")
    assert [run("zones", each).exit_code for each in (one, other, one, other)] == [0, 0, 0, 0]
    assert world.aggregate("windows-berlin")["hosts"] == ["HV01", "HV02"]
    assert world.aggregate("windows-paris")["hosts"] == ["PARIS-HV1"]
    world.calls.clear()
    assert [run("zones", each).stdout for each in (one, other)] == ["nothing to change\n"] * 2
    assert world.changes() == []


def test_two_sites_that_share_an_aggregate_each_add_their_own(world: World, url: str, tmp_path: Path) -> None:
    rome = BERLIN.replace("hv01", "kvm01").replace("  hv02: {groups: [compute]}\n", "")
    one, other = written(tmp_path / "a", url), written(tmp_path / "b", url, rome, site="rome")
    assert [run("zones", each).exit_code for each in (one, other, one)] == [0, 0, 0]
    assert sorted(world.aggregate("windows-berlin")["hosts"]) == ["HV01", "HV02", "kvm01"]


def test_a_host_that_registers_late_is_waited_for_and_the_others_do_not_wait(
    world: World, url: str, tmp_path: Path
) -> None:
    late, node = world.services.pop(1), world.hypervisors.pop(1)

    def register() -> None:
        while "windows-berlin" not in [each["name"] for each in world.aggregates]:
            time.sleep(0.02)
        while world.aggregate("windows-berlin")["hosts"] != ["HV01"]:
            time.sleep(0.02)
        world.hypervisors.append(node)
        world.services.append(late)

    thread = threading.Thread(target=register)
    thread.start()
    result = run("zones", written(tmp_path, url), "--json", "--wait", "60")
    thread.join()
    assert result.exit_code == 0
    assert world.aggregate("windows-berlin")["hosts"] == ["HV01", "HV02"]
    assert [each["status"] for each in happenings(result) if each["type"] == "Waits"] == ["unregistered"]


def test_a_host_that_never_registers_fails_with_where_to_look(world: World, url: str, tmp_path: Path) -> None:
    del world.services[1]
    result = run("zones", written(tmp_path, url), "--wait", "0.1")
    assert result.exit_code == 1
    assert "error: hv02: nova-compute of 'hv02' has not registered with Nova." in result.stderr
    assert "log of nova-compute" in result.stderr
    assert world.aggregate("windows-berlin")["hosts"] == ["HV01"]


@pytest.mark.parametrize("refuses", [False, True], ids=["newer release", "older release"])
def test_a_host_without_a_cell_mapping_is_told_from_one_that_did_not_register(
    world: World, url: str, tmp_path: Path, *, refuses: bool
) -> None:
    world.unmapped.add("HV02")
    world.refuses_unmapped = refuses
    inventory = written(tmp_path, url)
    result = run("zones", inventory, "--wait", "0.1", "--json")
    assert result.exit_code == 1
    assert [each["status"] for each in happenings(result) if each["type"] == "Waits"] == ["unmapped"]
    failed = [each for each in happenings(result) if each["type"] == "Failed"]
    assert [each["about"] for each in failed] == ["hv02"]
    assert "nova-manage cell_v2 discover_hosts" in failed[0]["help"]
    assert "nova-manage cell_v2 discover_hosts" in run("status", inventory).stdout
    world.unmapped.clear()
    assert run("zones", inventory).exit_code == 0
    assert world.aggregate("windows-berlin")["hosts"] == ["HV01", "HV02"]


def test_a_host_moves_from_one_zone_of_the_inventory_to_another(
    world: World, url: str, tmp_path: Path
) -> None:
    body = BERLIN.replace("groups:\n  compute", "    windows-gpu: {zone: windows-gpu}\ngroups:\n  compute", 1)
    assert run("zones", written(tmp_path, url, body)).exit_code == 0
    moved = body.replace(
        "hv02: {groups: [compute]}", "hv02: {roles: [hyperv_host], openstack: {aggregates: [windows-gpu]}}"
    )
    assert run("zones", written(tmp_path, url, moved)).exit_code == 0
    assert world.aggregate("windows-berlin")["hosts"] == ["HV01"]
    assert world.aggregate("windows-gpu")["hosts"] == ["HV02"]


def test_a_host_in_a_zone_nobody_here_speaks_of_is_left_there_and_said(
    world: World, url: str, tmp_path: Path
) -> None:
    foreign = {
        "id": 9,
        "uuid": "x",
        "name": "theirs",
        "hosts": ["HV02"],
        "metadata": {"availability_zone": "theirs"},
    }
    world.aggregates.append(foreign)
    result = run("zones", written(tmp_path, url))
    assert result.exit_code == 1
    assert "HV02 is in the zone 'theirs' by the aggregate 'theirs'" in result.stderr
    assert "openstack aggregate remove host 'theirs' HV02" in result.stderr
    assert world.aggregate("windows-berlin")["hosts"] == ["HV01"]
    assert foreign["hosts"] == ["HV02"]


def test_an_aggregate_somebody_else_makes_at_the_same_moment_is_taken(
    world: World, url: str, tmp_path: Path
) -> None:
    def race(method: str, path: str) -> None:
        if method == "POST" and path.endswith("/os-aggregates") and not world.aggregates:
            made = {"id": 5, "uuid": "y", "name": "windows-berlin", "hosts": ["HV01"], "metadata": {}}
            world.aggregates.append(made)

    world.before = race
    result = run("zones", written(tmp_path, url))
    assert (result.exit_code, result.stderr) == (0, "")
    assert world.aggregate("windows-berlin")["hosts"] == ["HV01", "HV02"]
    assert world.aggregate("windows-berlin")["metadata"]["availability_zone"] == "windows-berlin"


def test_a_host_somebody_else_adds_at_the_same_moment_is_in_it(
    world: World, url: str, tmp_path: Path
) -> None:
    def race(method: str, path: str) -> None:
        if method == "POST" and path.endswith("/action") and "HV02" not in world.aggregates[0]["hosts"]:
            world.aggregates[0]["hosts"].append("HV02")

    world.before = race
    result = run("zones", written(tmp_path, url))
    assert (result.exit_code, result.stderr) == (0, "")


def test_an_aggregate_that_vanishes_is_made_again(world: World, url: str, tmp_path: Path) -> None:
    def vanish(method: str, path: str) -> None:
        if method == "POST" and path.endswith("/1/action") and len(world.calls) < 15:
            world.aggregates[:] = []

    world.before = vanish
    result = run("zones", written(tmp_path, url), "--wait", "20")
    assert (result.exit_code, result.stderr) == (0, "")
    assert world.aggregate("windows-berlin")["hosts"] == ["HV01", "HV02"]


def test_a_zone_that_nova_will_not_change_fails_with_nova_s_own_sentence(
    world: World, url: str, tmp_path: Path
) -> None:
    said = "Cannot update aggregate 1. Reason: One or more hosts contain instances in this zone."
    assert run("zones", written(tmp_path, url)).exit_code == 0

    def refuse(method: str, path: str) -> None:
        if method == "POST" and path.endswith("/action"):
            raise Refusal(400, said)

    world.before = refuse
    result = run("zones", written(tmp_path, url, BERLIN.replace("zone: windows-berlin", "zone: windows-two")))
    assert result.exit_code == 1
    assert said in result.stderr
    assert "move them away first" in result.stderr


ISOLATED = BERLIN.replace(
    "groups:\n",
    """\
  flavors:
    win.small: {'aggregate_instance_extra_specs:hypervisor': hyperv, old: null}
  images:
    server-2022: {hypervisor_type: hyperv, hw_machine_type: hyperv-gen2, os_type: windows}
    ubuntu: {hypervisor_type: qemu}
groups:
""",
    1,
)


def test_flavors_and_images_are_set_apart_both_ways_once(world: World, url: str, tmp_path: Path) -> None:
    world.add_flavor("win.small", old="x", kept="y")
    windows = world.add_image("server-2022", hypervisor_type="qemu", kept="z")
    linux = world.add_image("ubuntu", "qcow2")
    result = run("zones", written(tmp_path, url, ISOLATED))
    assert (result.exit_code, result.stderr) == (0, "")
    assert world.flavors[0]["extra_specs"] == {
        "aggregate_instance_extra_specs:hypervisor": "hyperv",
        "kept": "y",
    }
    said = {key: windows[key] for key in ("hypervisor_type", "hw_machine_type", "os_type", "kept")}
    assert said == {
        "hypervisor_type": "hyperv",
        "hw_machine_type": "hyperv-gen2",
        "os_type": "windows",
        "kept": "z",
    }
    assert linux["hypervisor_type"] == "qemu"
    world.calls.clear()
    assert run("zones", written(tmp_path, url, ISOLATED)).stdout == "nothing to change\n"
    assert world.changes() == []


GUEST = BERLIN.replace(
    "nodes:\n",
    """\
nodes:
  image01: {roles: [guest_image], variables: {guest_image_name: server-2022, guest_image_secure_boot: true}}
""",
)


def test_an_image_that_a_node_becomes_has_the_properties_of_its_role(
    world: World, url: str, tmp_path: Path
) -> None:
    image = world.add_image("server-2022", os_vtpm="required", kept="z")
    planned = run("zones", written(tmp_path, url, GUEST), "--plan")
    assert "hw_machine_type=hyperv-gen2" in planned.stdout
    assert world.changes() == []
    assert run("zones", written(tmp_path, url, GUEST)).exit_code == 0
    asked = {"hypervisor_type", "hw_machine_type", "os_type", "os_secure_boot", "os_vtpm", "kept"}
    assert {key: value for key, value in image.items() if key in asked} == {
        "hypervisor_type": "hyperv",
        "hw_machine_type": "hyperv-gen2",
        "os_type": "windows",
        "os_secure_boot": "required",
        "kept": "z",
    }
    world.calls.clear()
    assert run("zones", written(tmp_path, url, GUEST)).stdout == "nothing to change\n"
    assert world.changes() == []


def test_an_image_that_two_places_contradict_each_other_about_is_not_touched(
    world: World, url: str, tmp_path: Path
) -> None:
    world.add_image("server-2022")
    body = GUEST.replace("groups:\n", "  images: {server-2022: {hw_machine_type: hyperv-gen1}}\ngroups:\n", 1)
    inventory = written(tmp_path, url, body)
    result = run("zones", inventory)
    assert result.exit_code == 2
    assert (
        "has 'hw_machine_type: hyperv-gen1' here, and by the role guest_image of 'image01'" in result.stderr
    )
    assert world.changes() == []
    validated = CliRunner().invoke(main, ["validate", str(inventory)])
    assert validated.exit_code == 2
    assert "Image is said to be two things" in validated.stderr


def test_what_could_still_land_on_the_wrong_side_is_warned_of(world: World, url: str, tmp_path: Path) -> None:
    world.add_flavor("win.small")
    for name in ("server-2022", "ubuntu", "forgotten"):
        world.add_image(name)
    body = ISOLATED.replace("'aggregate_instance_extra_specs:hypervisor': hyperv, ", "")
    result = run("zones", written(tmp_path, url, body))
    assert result.exit_code == 0
    assert "1 image says no hypervisor_type" in result.stderr
    assert "forgotten" in result.stderr
    assert "No flavor asks for hypervisor" in result.stderr


def test_flavors_and_images_that_are_not_there_fail_and_the_rest_is_done(
    world: World, url: str, tmp_path: Path
) -> None:
    world.add_flavor("win.smal")
    world.add_image("ubuntu", "qcow2")
    world.add_image("ubuntu", "qcow2")
    result = run("zones", written(tmp_path, url, ISOLATED))
    assert result.exit_code == 1
    assert "The cloud has no flavor 'win.small'.\n  Did you mean 'win.smal'?" in result.stderr
    assert "The cloud has no image 'server-2022'." in result.stderr
    assert "2 images are called 'ubuntu'." in result.stderr
    assert world.aggregate("windows-berlin")["hosts"] == ["HV01", "HV02"]


def test_properties_of_images_are_texts_whatever_they_hold(world: World, url: str, tmp_path: Path) -> None:
    for number in range(4):
        world.add_image(f"theirs-{number}", hw_cpu_cores="many", hw_boot_menu="perhaps")
    wanted = {"hypervisor_type": "hyperv", "hw_cpu_cores": "4", "hw_boot_menu": "true"}
    image = world.add_image("server-2022", hw_cpu_sockets="2")
    said = "".join(f", {name}: '{value}'" for name, value in wanted.items())
    body = f"  images: {{server-2022: {{hw_cpu_sockets: null{said}}}}}\nnodes:\n  hv01: {{roles: [hyperv_host]}}\n"
    inventory = written(tmp_path, url, body)
    assert run("zones", inventory).exit_code == 0
    assert image.items() >= wanted.items()
    assert "hw_cpu_sockets" not in image
    assert run("zones", inventory).stdout == "nothing to change\n"


def test_an_image_hyper_v_cannot_start_is_told(world: World, url: str, tmp_path: Path) -> None:
    world.add_flavor("win.small")
    world.add_image("server-2022", "qcow2")
    world.add_image("ubuntu", "qcow2")
    result = run("zones", written(tmp_path, url, ISOLATED))
    assert result.exit_code == 1
    assert (
        "The image 'server-2022' has the disk format 'qcow2'; Hyper-V starts VHD and VHDX." in result.stderr
    )


def test_two_hosts_that_differ_by_case_alone_are_not_guessed_between(
    world: World, url: str, tmp_path: Path
) -> None:
    world.add_compute("hv02", state="down")
    result = run("zones", written(tmp_path, url))
    assert result.exit_code == 1
    assert "Nova knows several hosts that may be 'hv02': HV02, hv02." in result.stderr
    assert world.aggregate("windows-berlin")["hosts"] == ["HV01"]


def test_what_the_cloud_takes_and_never_shows_ends_as_a_failure(
    world: World, url: str, tmp_path: Path
) -> None:
    def undo(method: str, _: str) -> None:
        if method == "GET" and world.aggregates:
            world.aggregates[0]["metadata"].pop("hypervisor", None)

    world.before = undo
    result = run("zones", written(tmp_path, url))
    assert result.exit_code == 1
    assert "The cloud took it 3 times and does not show it: set hypervisor=hyperv" in result.stderr
    assert world.aggregate("windows-berlin")["hosts"] == ["HV01", "HV02"]
