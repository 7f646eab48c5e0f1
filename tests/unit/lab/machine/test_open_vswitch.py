"""What Open vSwitch and the tasks that guard it do at a boot, where no resource looks."""

from __future__ import annotations

import pytest

from provisioner.lab.machine.basics import service_control
from provisioner.lab.machine.ground.hyperv import Switch
from provisioner.lab.machine.ground.services import Service
from provisioner.lab.machine.hyperv.extensions import SwitchExtensions
from provisioner.lab.machine.machine import Machine
from provisioner.lab.machine.openvswitch.address_moves import AddressMoves, Configuration, Move, own_guard
from provisioner.lab.machine.openvswitch.bridges import OpenVSwitch
from tests.unit.lab.machines import REBOOTED, hyperv_machine

_TRIGGER = "start/strcustom/6066f867-7ca1-4418-85fd-36e3f9c0600c/VmmsWmiEventProvider"


def host(name: str = "Open vSwitch Extension") -> tuple[Machine, Switch]:
    machine = hyperv_machine()
    machine.files.seed(r"C:\OVS\ovsext.inf", name.encode())
    machine.services.add(Service("ovsdb-server", "db", "db.exe", "Auto", status="Running"))
    machine.services.add(Service("ovs-vswitchd", "d", "d.exe", "Manual", status="Running"))
    switch = machine.hyperv.new_switch("external", "External", ["Ethernet"])
    machine.area(SwitchExtensions).choose(switch, name, is_enabled=True)
    return machine, switch


@pytest.mark.parametrize(("triggers", "status"), [([_TRIGGER], "Running"), ([], "Stopped")])
def test_a_service_that_waits_for_hyper_v_starts_at_a_boot(triggers: list[str], status: str) -> None:
    machine, _ = host()
    machine.area(OpenVSwitch)
    service_control.set_triggers(machine, "ovs-vswitchd", triggers)
    machine.on_boot(REBOOTED)
    daemon = machine.services.find("ovs-vswitchd")
    assert daemon is not None
    assert daemon.status == status


def test_a_bridge_gets_its_adapter_when_the_extension_forwards_and_is_heard_by_its_uplink() -> None:
    machine, _ = host()
    ovs = machine.area(OpenVSwitch)
    ovs.add_bridge("br-ex")
    adapter = machine.network.find("br-ex")
    assert adapter is not None
    assert adapter.status == "Disabled"
    machine.network.change("br-ex", status="Up")
    assert not ovs.reaches_out("br-ex")
    ovs.add_port("br-ex", "Ethernet")
    assert ovs.reaches_out("br-ex")
    machine.network.rename("Ethernet", "Storage")
    assert not ovs.reaches_out("br-ex")


def test_a_move_that_nobody_confirmed_goes_back_at_a_boot() -> None:
    machine, switch = host()
    ovs, moves = machine.area(OpenVSwitch), machine.area(AddressMoves)
    ovs.add_bridge("br-ex")
    before = moves.of("vEthernet (external)")
    moves.keep("br-ex", Move("vEthernet (external)", before))
    moves.guard(own_guard("br-ex"), "br-ex")
    moves.guard("extension of external", "external")
    moves.configure("vEthernet (external)", Configuration())
    moves.configure("br-ex", before)
    assert moves.of("br-ex") == before
    machine.on_boot(REBOOTED)
    assert moves.of("vEthernet (external)") == before
    assert moves.of("br-ex").addresses == ()
    assert moves.find("br-ex") is None
    assert not machine.area(SwitchExtensions).forwards(switch)
    assert not moves.is_guarded(own_guard("br-ex"))
