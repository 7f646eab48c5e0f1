"""A switch never takes the adapter a node is managed through: the compiler says so, or else the node is asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.lab.labs import LabRun, running_lab

pytestmark = pytest.mark.slow

INVENTORY = """\
site: lab
connection: {transport: psrp, port: 15985, user: provisioner, password: file:.secrets/hv01}
nodes:
  hv01:
    address: 127.20.0.11
    roles: [hyperv_vswitch]
    variables:
      hyperv_switch_name: external
      hyperv_switch_adapters: [Ethernet]
      hyperv_switch_management: false
lab:
  windows: "2022"
"""


def refused_before_anything_is_sent(run: LabRun) -> str:
    """Apply, see that the node fails and was sent neither a document nor settings, and give what was said."""
    refused = run.apply()
    assert refused.returncode == 1, refused.stdout + refused.stderr
    assert run.count("hv01", "job-started") == 0
    assert not [entry for entry in run.journal("hv01") if "meta" in entry["kind"]]
    return " ".join((refused.stdout + refused.stderr).split())


def test_the_node_is_asked_where_the_inventory_does_not_say(tmp_path: Path) -> None:
    with running_lab(tmp_path, INVENTORY) as run:
        said = refused_before_anything_is_sent(run)
        assert "takes the adapter 'Ethernet' away from the host" in said
        assert "AllowManagementOS: true" in said

        run.write(INVENTORY.replace("    roles:", "    management_adapter: Ethernet\n    roles:"))
        refused = run.apply()
        assert refused.returncode == 2, refused.stdout + refused.stderr
        assert "Switch cuts the management network" in refused.stdout + refused.stderr

        run.write(INVENTORY.replace("[Ethernet]", "[Ethernet 2]"))
        done = run.apply()
        assert done.returncode == 0, done.stdout + done.stderr
        assert "vEthernet (external)" not in str(run.machine("hv01"))


def test_a_team_below_the_switch_takes_its_members(tmp_path: Path) -> None:
    with running_lab(tmp_path, INVENTORY.replace("[Ethernet]", "[Ethernet 2, Ethernet]")) as run:
        assert "takes the adapter 'Ethernet' away from the host" in refused_before_anything_is_sent(run)


def test_an_adapter_may_be_named_by_its_description(tmp_path: Path) -> None:
    with running_lab(tmp_path, INVENTORY) as run:
        adapters = run.output_of("hv01", "provisioner", "Get-NetAdapter", Name="Ethernet")
        description = adapters[0].adapted_properties["InterfaceDescription"]
        run.write(INVENTORY.replace("[Ethernet]", f"['{description}']"))
        assert f"takes the adapter '{description}' away" in refused_before_anything_is_sent(run)


def test_behind_a_translation_of_addresses_the_default_route_tells_the_adapter(tmp_path: Path) -> None:
    with running_lab(tmp_path, INVENTORY) as run:
        own = run.status()["hv01"]["address"]
        how = {"InterfaceAlias": "Ethernet", "IPAddress": "10.0.2.15", "PrefixLength": 24}
        run.output_of("hv01", "provisioner", "New-NetIPAddress", **how)
        run.output_of("hv01", "provisioner", "Remove-NetIPAddress", IPAddress=own, Confirm=False)
        said = refused_before_anything_is_sent(run)
        assert f"which has the default route, while none has the address {own}" in said

        run.write(INVENTORY.replace("[Ethernet]", "[Ethernet 2]"))
        done = run.apply()
        assert done.returncode == 0, done.stdout + done.stderr
        assert "leaves the adapter which has the default route" in done.stdout


def test_a_switch_on_the_adapter_we_came_by_is_made_while_its_address_moves(tmp_path: Path) -> None:
    """The network is away for some seconds in the middle of the job, and the job goes on."""
    shared = INVENTORY.replace("management: false", "management: true")
    shared += "  durations: {switch_s: 4, boot_s: 1}\n"
    with running_lab(tmp_path, shared, time_scale=1.0) as run:
        done = run.apply("--json")
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr
        told = [json.loads(line) for line in done.stdout.splitlines()]
        jobs = {event["job_id"] for event in told if event["type"] == "JobStarted"}
        assert len(jobs) == run.count("hv01", "job-started")
        assert [event for event in told if event["type"] == "ConnectionLost"]
        assert "vEthernet (external)" in str(run.machine("hv01"))
        again = run.apply("--json")
        assert again.returncode == 0
        assert len(jobs) == run.count("hv01", "job-started")
