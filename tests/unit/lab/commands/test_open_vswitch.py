"""Extensions of switches and ovs-vsctl.exe, as a console and checks ask for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.services import Service
from provisioner.lab.machine.openvswitch.bridges import OpenVSwitch
from provisioner.lab.simulated_node import SimulatedNode
from provisioner.lab.values import TerminatingError
from tests.unit.lab.commands.recording import call, make_node, run
from tests.unit.lab.machines import REBOOTED

_SHOW = call("ovs-vsctl.exe", "--timeout=10", "--db=tcp:127.0.0.1:6640", "show")


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    node = make_node(tmp_path)
    node.machine.features.install(["Hyper-V"], with_tools=True)
    node.machine.on_boot(REBOOTED)
    node.machine.hyperv.new_switch("external", "External", ["Ethernet 2"])
    node.machine.hyperv.new_switch("private", "Private")
    return node


async def test_extensions_are_shown_switch_by_switch_and_enabled_by_name(node: SimulatedNode) -> None:
    node.machine.files.seed(r"C:\OVS\ovsext.inf", b"Open vSwitch Extension\r\n")
    await run(node, call("Enable-VMSwitchExtension", "open vswitch extension", "external"))
    shown = await run(node, call("Get-VMSwitch"), call("Get-VMSwitchExtension"))
    rows = [row.properties for row in shown.values]
    enabled = [(row["SwitchName"], row["Name"]) for row in rows if row["Enabled"]]
    assert len(rows) == 6
    assert ("external", "Open vSwitch Extension") in enabled
    assert ("private", "Open vSwitch Extension") not in enabled
    await run(node, call("Disable-VMSwitchExtension", Name="Open vSwitch Extension", VMSwitchName="external"))
    (row,) = (await run(node, call("Get-VMSwitchExtension", "external", "Open vSwitch Extension"))).values
    assert row.properties["Enabled"] is False
    missing = await run(node, call("Enable-VMSwitchExtension", "Other", "external"))
    assert [error.error_id.partition(",")[0] for error in missing.errors] == ["InvalidParameter"]


async def test_bridges_are_shown_as_the_tool_writes_them(node: SimulatedNode) -> None:
    with pytest.raises(TerminatingError, match="ovs-vsctl"):
        await run(node, _SHOW)
    node.machine.files.seed(r"C:\OVS\bin\ovs-vsctl.exe", b"")
    down = await run(node, _SHOW)
    assert ["database connection failed" in error.message for error in down.errors] == [True]
    for name in ("ovsdb-server", "ovs-vswitchd"):
        node.machine.services.add(Service(name, name, name, status="Running"))
    ovs = node.machine.area(OpenVSwitch)
    ovs.add_bridge("br-ex")
    ovs.add_port("br-ex", "Ethernet 2")
    ovs.tag("br-ex", 20)
    assert (await run(node, _SHOW)).values[1:] == [
        "    Bridge br-ex",
        '        Port "Ethernet 2"',
        '            Interface "Ethernet 2"',
        "        Port br-ex",
        "            tag: 20",
        "            Interface br-ex",
        "                type: internal",
        '    ovs_version: "2.17.0"',
    ]
    other = await run(node, call("ovs-vsctl.exe", "list-br"))
    assert "the lab simulates 'show' only" in other.errors[0].message
    node.machine.ledger.failing["ovs-vsctl.exe"] = MachineError(
        "it hangs", "OperationFailed", "InvalidResult"
    )
    assert (await run(node, _SHOW)).errors[0].message == "it hangs"
