"""WMI instances show the machine as it is now."""

from __future__ import annotations

from provisioner.lab.machine import cim
from provisioner.lab.spec import VirtualMachineSpec
from tests.unit.lab.machines import BOOTED, hyperv_machine, machine


def test_the_operating_system_tells_name_version_and_boot() -> None:
    found = cim.instances(machine(windows="2019"), "root/cimv2", "win32_operatingsystem")
    assert found
    values = found[0].properties
    assert values["CSName"] == "NODE1"
    assert (values["Version"], values["BuildNumber"]) == ("10.0.17763", "17763")
    assert values["LastBootUpTime"] == BOOTED
    assert found[0].type_names[0] == (
        "Microsoft.Management.Infrastructure.CimInstance#root/cimv2/Win32_OperatingSystem"
    )


def test_services_show_mode_account_and_state() -> None:
    found = cim.instances(machine(), "ROOT\\CIMV2", "Win32_Service") or []
    row = next(item.properties for item in found if item.properties["Name"] == "MSiSCSI")
    assert (row["State"], row["StartMode"], row["StartName"]) == ("Stopped", "Manual", "LocalSystem")


def test_exactly_one_power_plan_is_active() -> None:
    found = cim.instances(machine(), "root/cimv2/power", "Win32_PowerPlan") or []
    assert [item.properties["IsActive"] for item in found].count(True) == 1


def test_virtual_machines_need_a_running_hypervisor() -> None:
    machines = (VirtualMachineSpec("vm1", "Running"), VirtualMachineSpec("vm2"))
    space, name = "root/virtualization/v2", "Msvm_ComputerSystem"
    assert cim.instances(machine(virtual_machines=machines), space, name) is None
    found = cim.instances(hyperv_machine(virtual_machines=machines), space, name) or []
    rows = [(item.properties["ElementName"], item.properties["EnabledState"]) for item in found]
    assert rows == [("NODE1", 2), ("vm1", 2), ("vm2", 3)]


def test_unknown_classes_are_not_there() -> None:
    assert cim.instances(machine(), "root/cimv2", "Win32_PageFile") is None
    assert cim.instances(machine(), "root/nowhere", "Win32_Service") is None
