"""A switch never takes the adapter a node is managed through: the compiler says so, or else the node is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.labs import running_lab

pytestmark = pytest.mark.slow

INVENTORY = """\
site: lab
connection: {transport: psrp, port: 15985, user: provisioner, password: file:.secrets/hv01}
nodes:
  hv01:
    address: 127.20.0.11
    roles: [hyperv_host]
    variables:
      hyperv_switch_name: external
      hyperv_switch_adapter: Ethernet
      hyperv_switch_management: false
lab:
  windows: "2022"
"""


def test_the_node_is_asked_where_the_inventory_does_not_say(tmp_path: Path) -> None:
    with running_lab(tmp_path, INVENTORY) as run:
        refused = run.apply()
        assert refused.returncode == 1, refused.stdout + refused.stderr
        said = " ".join((refused.stdout + refused.stderr).split())
        assert "takes the adapter 'Ethernet' away from the host" in said
        assert "AllowManagementOS: true" in said
        # Neither a document nor settings were sent.
        assert run.count("hv01", "job-started") == 0
        assert not [entry for entry in run.journal("hv01") if "meta" in entry["kind"]]

        run.write(INVENTORY.replace("    roles:", "    management_adapter: Ethernet\n    roles:"))
        refused = run.apply()
        assert refused.returncode == 2, refused.stdout + refused.stderr
        assert "Switch cuts the management network" in refused.stdout + refused.stderr

        run.write(INVENTORY.replace("_adapter: Ethernet", "_adapter: Ethernet 2"))
        done = run.apply()
        assert done.returncode == 0, done.stdout + done.stderr
        assert "vEthernet (external)" not in str(run.machine("hv01"))
