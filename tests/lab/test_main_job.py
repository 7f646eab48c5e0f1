"""The main job, end to end, as people run it; counted by the lab's own records."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.lab.labs import LabRun, running_lab

COMPUTE = ["hv01", "hv02", "hv03"]
STORAGE = ["st01", "st02"]
NODES = [*COMPUTE, *STORAGE]

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class FirstApply:
    """What the first apply said, and what the lab had counted right after it."""

    events: list[dict[str, Any]]
    journals: dict[str, list[dict[str, Any]]]

    def count(self, node: str, kind: str) -> int:
        return sum(entry["kind"] == kind for entry in self.journals[node])


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LabRun, FirstApply]]:
    """A lab of five nodes, applied once. Tests may drift it if they mend it again."""
    with running_lab(tmp_path_factory.mktemp("main")) as run:
        done = run.apply("--json")
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr
        events = [json.loads(line) for line in done.stdout.splitlines()]
        yield run, FirstApply(events, {node: run.journal(node) for node in NODES})


@pytest.fixture
def lab(applied: tuple[LabRun, FirstApply]) -> LabRun:
    return applied[0]


@pytest.fixture
def first(applied: tuple[LabRun, FirstApply]) -> FirstApply:
    return applied[1]


def test_a_first_apply_brings_every_node_to_its_desired_state(first: FirstApply) -> None:
    finished = {event["node"]: event for event in first.events if event["type"] == "NodeDone"}
    assert sorted(finished) == NODES
    assert all(event["checks"] > 0 for event in finished.values())
    outcomes = {event["outcome"] for event in first.events if event["type"] == "CheckFinished"}
    # Checks of what the inventory does not set are skipped.
    assert outcomes <= {"passed", "skipped"}
    for node in NODES:
        assert finished[node]["reboots"] == first.count(node, "boot"), node


def test_compute_nodes_rebooted_and_storage_nodes_did_not(first: FirstApply) -> None:
    assert all(first.count(node, "boot") >= 1 for node in COMPUTE)
    assert all(first.count(node, "boot") == 0 for node in STORAGE)


def test_there_was_one_job_per_leg(first: FirstApply) -> None:
    for node in NODES:
        assert first.count(node, "job-started") == first.count(node, "boot") + 1, node
        assert first.count(node, "meta-configuration") == 1, node


def test_every_job_was_started_under_an_id_of_its_own(first: FirstApply) -> None:
    ids = [entry["job"] for node in NODES for entry in first.journals[node] if entry["kind"] == "job-started"]
    assert len(ids) == len(set(ids)) > 0


def test_a_second_apply_changes_nothing_and_reboots_nothing(lab: LabRun) -> None:
    before = {
        node: (lab.count(node, "job-started"), lab.count(node, "boot"), lab.count(node, "resource-set"))
        for node in NODES
    }
    done = lab.apply()
    assert done.returncode == 0, done.stdout + done.stderr
    after = {
        node: (lab.count(node, "job-started"), lab.count(node, "boot"), lab.count(node, "resource-set"))
        for node in NODES
    }
    assert after == before
    for node in NODES:
        (line,) = [
            line for line in done.stdout.splitlines() if line.split()[:1] == [node] and "0 changed" in line
        ]
        assert "0 reboots" in line


def test_verify_finds_nothing_wrong(lab: LabRun) -> None:
    done = lab.verify()
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_shell_is_left_on_any_node(lab: LabRun) -> None:
    assert {name: node["shells_open"] for name, node in lab.status().items()} == dict.fromkeys(NODES, 0)


def test_a_stopped_service_is_found_by_verify_and_mended_by_apply_alone_there(lab: LabRun) -> None:
    lab.output_of("hv02", "provisioner-hv02", "Stop-Service", Name="nova-compute")
    jobs = {node: lab.count(node, "job-started") for node in NODES}
    found = lab.verify()
    assert found.returncode == 1
    assert "hv02" in found.stdout
    assert "is_running" in found.stdout
    mended = lab.apply()
    assert mended.returncode == 0, mended.stdout + mended.stderr
    grown = {node for node in NODES if lab.count(node, "job-started") > jobs[node]}
    assert grown == {"hv02"}
    assert lab.journal("hv02", "resource-set")[-1]["resource"] == "[Service]nova-compute"
    assert lab.verify().returncode == 0


def test_a_removed_switch_is_found_by_verify_and_mended_by_apply_alone_there(lab: LabRun) -> None:
    lab.output_of("hv03", "provisioner-hv03", "Remove-VMSwitch", Name="external", Force=True)
    jobs = {node: lab.count(node, "job-started") for node in NODES}
    found = lab.verify()
    assert found.returncode == 1
    assert "hv03" in found.stdout
    assert "vswitch" in found.stdout
    mended = lab.apply()
    assert mended.returncode == 0, mended.stdout + mended.stderr
    assert {node for node in NODES if lab.count(node, "job-started") > jobs[node]} == {"hv03"}
    assert [entry["resource"] for entry in lab.journal("hv03", "resource-set")][
        -1
    ] == "[ExternalSwitch]external"


def test_a_limit_leaves_the_other_nodes_alone(lab: LabRun) -> None:
    commands = {node: lab.status()[node]["requests"] for node in NODES}
    done = lab.apply("--limit", "st*")
    assert done.returncode == 0, done.stdout + done.stderr
    after = {node: lab.status()[node]["requests"] for node in NODES}
    assert {node for node in NODES if after[node] > commands[node]} == set(STORAGE)


def test_identify_needs_no_credentials(lab: LabRun) -> None:
    body = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
        "<s:Header/><s:Body><wsmid:Identify/></s:Body></s:Envelope>"
    )

    async def post(host: str, port: int) -> str:
        reader, writer = await asyncio.open_connection(host, port)
        head = (
            f"POST /wsman HTTP/1.1\r\nHost: {host}\r\nWSMANIDENTIFY: unauthenticated\r\n"
            f"Content-Type: application/soap+xml;charset=UTF-8\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        writer.write((head + body).encode())
        answer = (await reader.read()).decode()
        writer.close()
        return answer

    node = lab.status()["hv01"]
    answer = asyncio.run(post(node["address"], node["port"]))
    assert answer.startswith("HTTP/1.1 200")
    assert "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>" in answer


def test_unmodified_pypsrp_reads_the_lcm_over_ntlm_with_message_encryption(lab: LabRun) -> None:
    (result,) = lab.output_of(
        "hv01",
        "provisioner-hv01",
        "Invoke-CimMethod",
        Namespace="root/Microsoft/Windows/DesiredStateConfiguration",
        ClassName="MSFT_DSCLocalConfigurationManager",
        MethodName="GetMetaConfiguration",
    )
    meta = result.extended_properties["MetaConfiguration"]
    assert meta.adapted_properties["LCMState"] == "Idle"
    assert meta.adapted_properties["ConfigurationMode"] == "ApplyOnly"
    assert meta.adapted_properties["RebootNodeIfNeeded"] is False


def test_an_apply_of_a_lab_that_is_down_says_who_cannot_be_reached(lab: LabRun, tmp_path: Path) -> None:
    copy = tmp_path / "inventory.yaml"
    copy.write_text(
        lab.inventory.read_text(encoding="utf-8").replace("port: 15985", "port: 15999"), encoding="utf-8"
    )
    (tmp_path / ".secrets").symlink_to(lab.folder / ".secrets")
    done = lab.provision("apply", str(copy), "--yes")
    assert done.returncode == 1
    for node in NODES:
        assert node in done.stdout
    assert "15999" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
