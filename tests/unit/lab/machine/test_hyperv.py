"""Switches take adapters, give the host a port, and need not have a name of their own."""

from __future__ import annotations

import pytest

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.hyperv import SwitchOptions
from tests.unit.lab.machines import hyperv_machine, machine


def test_nothing_answers_before_the_boot() -> None:
    made = machine()
    made.features.install(["Hyper-V"], with_tools=True)
    for action in (
        made.hyperv.switches,
        made.hyperv.machines,
        lambda: made.hyperv.new_switch("s", "Private"),
    ):
        with pytest.raises(MachineError, match="Virtual Machine Management service"):
            action()


def test_stopping_vmms_silences_the_cmdlets() -> None:
    made = hyperv_machine()
    made.services.stop("vmms", force=True)
    with pytest.raises(MachineError) as caught:
        made.hyperv.switches()
    assert caught.value.category == "ObjectNotFound"


def test_an_external_switch_binds_its_adapter_and_gives_the_host_a_port() -> None:
    made = hyperv_machine()
    switch = made.hyperv.new_switch("external", "External", ["Ethernet 2"])
    adapter = made.network.find("Ethernet 2")
    assert adapter
    assert adapter.switch_id == switch.id
    assert made.network.find("vEthernet (external)")
    made.hyperv.set_switch(switch, allow_management_os=False)
    assert made.network.find("vEthernet (external)") is None
    made.hyperv.remove_switch(made.hyperv.switches("EXTERNAL")[0])
    freed = made.network.find("Ethernet 2")
    assert freed
    assert freed.switch_id == ""


def test_two_switches_may_share_a_name() -> None:
    made = hyperv_machine()
    made.hyperv.new_switch("s", "Private")
    made.hyperv.new_switch("s", "Private")
    found = made.hyperv.switches("s")
    assert len({item.id for item in found}) == 2


def test_a_team_reports_weight_and_every_adapter() -> None:
    made = hyperv_machine()
    options = SwitchOptions(is_team=True, allow_management_os=False)
    team = made.hyperv.new_switch("t", "External", ["Ethernet", "Ethernet 2"], options)
    assert (team.bandwidth_mode, team.load_balancing, len(team.descriptions)) == ("Weight", "Dynamic", 2)
    with pytest.raises(MachineError, match="already bound"):
        made.hyperv.new_switch("u", "External", ["Ethernet"])


def test_a_name_without_switch_is_an_error() -> None:
    with pytest.raises(MachineError) as caught:
        hyperv_machine().hyperv.switches("none")
    assert (caught.value.error_id, caught.value.category) == ("InvalidParameter", "InvalidArgument")
