"""What carries the addresses of a machine, and what happens to it below teams and switches."""

from __future__ import annotations

import pytest

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.hyperv import SwitchOptions
from provisioner.lab.machine.machine import Machine
from provisioner.lab.machine.network.adapter_settings import AdapterSettings
from provisioner.lab.machine.network.firewall import Firewall
from provisioner.lab.machine.network.ip import Ip
from provisioner.lab.machine.network.teams import Team, Teams
from tests.unit.lab.machines import REBOOTED, machine, node_spec


def _hyperv(windows: str) -> Machine:
    made = machine(windows=windows)
    made.features.install(["Hyper-V"], with_tools=True)
    made.on_boot(REBOOTED)
    return made


def _where(made: Machine, address: str) -> list[str]:
    return [alias for alias, item in made.area(Ip).addresses() if item.text == address]


def test_the_address_is_on_the_team_while_there_is_one() -> None:
    made = machine()
    made.area(Teams).add(Team("Team1", ("Ethernet",)))
    assert _where(made, made.address) == ["Team1"]
    made.area(Teams).remove("Team1")
    assert _where(made, made.address) == ["Ethernet"]


def test_settings_follow_an_adapter_to_its_new_name() -> None:
    made = machine()
    made.area(Ip).add("Ethernet 2", "10.0.0.5", 24)
    made.area(Ip).set_dns_servers("Ethernet 2", ["10.0.0.1"])
    made.network.rename("Ethernet 2", "Storage")
    assert _where(made, "10.0.0.5") == ["Storage"]
    assert made.area(Ip).dns_servers("Storage", "IPv4") == ["10.0.0.1"]


def test_a_driver_that_is_set_cuts_the_node_off_for_a_moment_only_on_its_own_way() -> None:
    made = machine()
    cuts: list[float | None] = []
    made.on_network = cuts.append
    second, first = made.network.find("Ethernet 2"), made.network.find("Ethernet")
    assert first is not None
    assert second is not None
    made.area(AdapterSettings).set_property(second, "*RSS", "0")
    assert cuts == []
    made.area(AdapterSettings).set_property(first, "*RSS", "0")
    assert cuts == [made.durations.switch_s]


@pytest.mark.parametrize(("windows", "refused"), [("2019", False), ("2022", True), ("2025", True)])
def test_a_switch_on_a_team_is_refused_from_2022_on(windows: str, *, refused: bool) -> None:
    made = _hyperv(windows)
    made.area(Teams).add(Team("Team1", ("Ethernet 2",)))
    if refused:
        with pytest.raises(MachineError, match="LBFO"):
            made.hyperv.new_switch("vs", "External", ["Team1"], SwitchOptions(allow_management_os=False))
    else:
        made.hyperv.new_switch("vs", "External", ["Team1"], SwitchOptions(allow_management_os=False))


def test_a_role_brings_its_rules_and_they_survive_what_is_done_to_others() -> None:
    made = machine()
    firewall = made.area(Firewall)
    firewall.remove("FPS-SMB-In-TCP")
    assert not firewall.find("VIRT-MIGL-In-TCP-NoScope")
    made.features.install(["Hyper-V"])
    made.on_boot(REBOOTED)
    assert firewall.find("VIRT-MIGL-In-TCP-NoScope")
    restored = Machine.from_plain(made.to_plain(), node_spec())
    assert not restored.area(Firewall).find("FPS-SMB-In-TCP")
    assert restored.area(Firewall).rules() == firewall.rules()
