"""What a real node refuses, the lab refuses with the same id and category."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from provisioner.lab.machine.ground.iscsi import VirtualDisk
from provisioner.lab.machine.machine import Machine
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.registry import TABLE, find
from provisioner.lab.spec import Durations, FileSpec, PackageSpec, ServiceSpec, VirtualMachineSpec
from tests.unit.lab.machines import REBOOTED, Clock, context, hyperv_machine, iscsi_machine, machine

GUID = "{12345678-90AB-CDEF-1234-567890ABCDEF}"
MSI = r"C:\src\app.msi"
SWITCH = {"Name": "external", "Type": "External", "NetAdapterName": ["Ethernet 2"]}


async def converge(class_name: str, module: str, properties: dict[str, Any], doing: ResourceContext) -> bool:
    """Test, Set when it is needed, as the LCM does; gives whether Set ran."""
    resource = find(class_name, module)
    assert resource is not None
    if await resource.test(properties, doing):
        return False
    await resource.set(properties, doing)
    return True


async def refusal(class_name: str, module: str, properties: dict[str, Any], of: Machine) -> tuple[str, str]:
    doing = context(of)
    try:
        await converge(class_name, module, properties, doing)
    except ResourceError as error:
        return error.error_id, error.category
    assert doing.nonterminating, "nothing was refused"
    return doing.nonterminating[0].error_id, doing.nonterminating[0].category


def with_msi(**fields: Any) -> Machine:
    return machine(files=(FileSpec(MSI, package=PackageSpec(GUID, "App", **fields)),))


async def test_a_feature_windows_does_not_have_is_refused_in_test() -> None:
    refused = await refusal("MSFT_WindowsFeature", "PSDscResources", {"Name": "Hyper-X"}, machine())
    assert refused == ("MachineStateIncorrect", "InvalidOperation")


async def test_a_feature_without_payload_is_refused() -> None:
    made = machine(removed_features=("NET-Framework-Core",))
    name, category = await refusal(
        "MSFT_WindowsFeature", "PSDscResources", {"Name": "NET-Framework-Core"}, made
    )
    assert name == (
        "DISMAPI_Error__Cbs_Download_Failure,Microsoft.Windows.ServerManager.Commands.AddWindowsFeatureCommand"
    )
    assert category == "InvalidOperation"


async def test_a_switch_without_the_role_asks_for_the_powershell_module() -> None:
    refused = await refusal("MSFT_xVMSwitch", "xHyper-V", SWITCH, machine())
    assert refused == ("MachineStateIncorrect", "ObjectNotFound")


async def test_a_switch_before_the_reboot_finds_no_hypervisor() -> None:
    made = machine()
    made.features.install(["Hyper-V"], with_tools=True)
    refused = await refusal("MSFT_xVMSwitch", "xHyper-V", SWITCH, made)
    assert refused == ("ObjectNotFound,Microsoft.HyperV.PowerShell.Commands.NewVMSwitch", "ObjectNotFound")
    made.on_boot(REBOOTED)
    doing = context(made)
    assert await converge("MSFT_xVMSwitch", "xHyper-V", SWITCH, doing)
    assert not doing.nonterminating
    assert not await converge("MSFT_xVMSwitch", "xHyper-V", SWITCH, context(made))


async def test_a_switch_on_a_missing_adapter_is_refused() -> None:
    wrong = {**SWITCH, "NetAdapterName": ["Ethernet 9"]}
    refused = await refusal("MSFT_xVMSwitch", "xHyper-V", wrong, hyperv_machine())
    assert refused == ("InvalidParameter,Microsoft.HyperV.PowerShell.Commands.NewVMSwitch", "InvalidArgument")


async def test_a_switch_on_an_adapter_in_use_is_refused() -> None:
    made = hyperv_machine()
    made.hyperv.new_switch("first", "External", ["Ethernet 2"])
    refused = await refusal("MSFT_xVMSwitch", "xHyper-V", SWITCH, made)
    assert refused == ("OperationFailed,Microsoft.HyperV.PowerShell.Commands.NewVMSwitch", "ResourceBusy")


async def test_a_renamed_adapter_costs_the_switch() -> None:
    made = hyperv_machine()
    made.hyperv.new_switch("external", "External", ["Ethernet 2"])
    refused = await refusal("MSFT_xVMSwitch", "xHyper-V", {**SWITCH, "NetAdapterName": ["LAN"]}, made)
    assert refused == ("CmdletizationQuery_NotFound_Name,Get-NetAdapter", "ObjectNotFound")
    assert made.hyperv.switches() == []


async def test_a_switch_that_running_machines_use_stays() -> None:
    made = hyperv_machine(virtual_machines=(VirtualMachineSpec("vm1", "Running", "external"),))
    made.hyperv.new_switch("external", "External", ["Ethernet 2"])
    absent = {**SWITCH, "Ensure": "Absent"}
    refused = await refusal("MSFT_xVMSwitch", "xHyper-V", absent, made)
    assert refused == (
        "OperationFailed,Microsoft.HyperV.PowerShell.Commands.RemoveVMSwitch",
        "InvalidOperation",
    )
    assert len(made.hyperv.switches()) == 1


async def test_a_service_whose_package_is_absent_cannot_be_made_without_path() -> None:
    refused = await refusal("MSFT_ServiceResource", "PSDscResources", {"Name": "nova-compute"}, machine())
    assert refused == ("Path", "InvalidArgument")


@pytest.mark.parametrize(
    "service",
    [
        ServiceSpec("app", dependencies=("no-such-service",)),
        ServiceSpec("app", dependencies=("broken",)),
        ServiceSpec("app", start_mode="Disabled"),
        ServiceSpec("app", start_behaviour="fail"),
    ],
)
async def test_a_service_that_cannot_start_says_so(service: ServiceSpec) -> None:
    broken = ServiceSpec("broken", start_behaviour="fail")
    made = machine(services=(service, broken))
    refused = await refusal("MSFT_ServiceResource", "PSDscResources", {"Name": "app"}, made)
    assert refused == ("CouldNotStartService,Microsoft.PowerShell.Commands.StartServiceCommand", "OpenError")


async def test_a_service_others_depend_on_is_not_stopped() -> None:
    wanted = {"Name": "RpcSs", "State": "Stopped", "StartupType": "Manual"}
    refused = await refusal("MSFT_ServiceResource", "PSDscResources", wanted, machine())
    assert refused == (
        "ServiceHasDependentServices,Microsoft.PowerShell.Commands.StopServiceCommand",
        "InvalidOperation",
    )


async def test_a_slow_service_runs_into_the_timeout_of_the_resource() -> None:
    made = machine(services=(ServiceSpec("app", start_behaviour="slow"),))
    clock = Clock()
    resource = find("MSFT_ServiceResource", "PSDscResources")
    assert resource
    with pytest.raises(ResourceError, match="Time out has expired"):
        await resource.set({"Name": "app", "StartupTimeout": 5000}, context(made, clock))
    assert clock.waited == [0, 5.0]


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"FileHash": "0" * 64}, ("FileHash", "InvalidArgument")),
        ({"Path": r"C:\src\none.msi"}, ("MachineStateIncorrect", "InvalidOperation")),
        ({"Path": r"C:\src\app.exe"}, ("Path", "InvalidArgument")),
        ({"ProductId": "app"}, ("ProductId", "InvalidArgument")),
        ({"SignerSubject": "CN=Contoso*"}, ("Path", "InvalidArgument")),
        ({"LogPath": r"C:\no\such\folder\l.log"}, ("MachineStateIncorrect", "InvalidOperation")),
    ],
)
async def test_a_package_is_refused_before_it_runs(
    properties: dict[str, Any], expected: tuple[str, str]
) -> None:
    wanted = {"ProductId": GUID, "Path": MSI, **properties}
    made = with_msi()
    assert await refusal("MSFT_MsiPackage", "PSDscResources", wanted, made) == expected
    assert made.packages.key_of(GUID) is None


async def test_a_package_with_its_hash_is_installed_with_files_services_and_pending_rename() -> None:
    made = with_msi(
        services=(ServiceSpec("app"),), files=(("etc\\app.conf", "x"),), pending_rename=True, duration_s=90
    )
    wanted = {
        "ProductId": GUID.lower(),
        "Path": MSI,
        "FileHash": hashlib.sha256(made.files.read(MSI)).hexdigest().upper(),
        "Arguments": 'INSTALLDIR="C:\\Open Stack" ADDLOCAL=ALL',
    }
    clock = Clock()
    doing = context(made, clock)
    assert await converge("MSFT_MsiPackage", "PSDscResources", wanted, doing)
    assert clock.waited == [90]
    assert made.files.read("C:\\Open Stack\\etc\\app.conf") == b"x"
    service = made.services.find("app")
    assert service
    assert service.path == '"C:\\Open Stack\\bin\\app.exe"'
    assert doing.reboot_requested
    assert made.needs_reboot
    made.on_boot(REBOOTED)
    assert not made.needs_reboot
    assert not await converge("MSFT_MsiPackage", "PSDscResources", wanted, context(made))


async def test_a_second_installation_at_the_same_time_fails_silently_but_for_the_missing_product() -> None:
    made = with_msi()
    with made.packages.execute():
        refused = await refusal("MSFT_MsiPackage", "PSDscResources", {"ProductId": GUID, "Path": MSI}, made)
    assert refused == ("MachineStateIncorrect", "InvalidOperation")


async def test_a_package_that_fails_once_works_the_next_time() -> None:
    made = with_msi(exit_codes=(1603, 0))
    wanted = {"ProductId": GUID, "Path": MSI}
    assert await refusal("MSFT_MsiPackage", "PSDscResources", wanted, made) == (
        "MachineStateIncorrect",
        "InvalidOperation",
    )
    assert await converge("MSFT_MsiPackage", "PSDscResources", wanted, context(made))


@pytest.mark.parametrize(
    ("class_name", "properties"),
    [
        ("DSR_iSCSIVirtualDisk", {"Path": r"D:\a.vhdx", "SizeBytes": 2**30}),
        ("DSR_iSCSIServerTarget", {"TargetName": "t", "InitiatorIds": ["iqn.x"], "Paths": [r"D:\a.vhdx"]}),
    ],
)
async def test_iscsi_without_the_role_service_has_no_cmdlets(
    class_name: str, properties: dict[str, Any]
) -> None:
    refused = await refusal(class_name, "iSCSIDsc", properties, machine())
    assert refused == ("CommandNotFoundException", "ObjectNotFound")


@pytest.mark.parametrize(
    ("properties", "error_id"),
    [
        ({"Path": r"D:\none\a.vhdx", "SizeBytes": 1}, "ObjectNotFound"),
        ({"Path": r"D:\iSCSI\a.img", "SizeBytes": 1}, "InvalidArgument"),
        ({"Path": r"D:\iSCSI\a.vhdx", "SizeBytes": 2**50, "DiskType": "Fixed"}, "ResourceUnavailable"),
        ({"Path": r"D:\iSCSI\a.vhdx", "ParentPath": r"D:\iSCSI\p.vhdx"}, "ObjectNotFound"),
    ],
)
async def test_a_virtual_disk_that_cannot_be_made_is_refused(
    properties: dict[str, Any], error_id: str
) -> None:
    name, _category = await refusal("DSR_iSCSIVirtualDisk", "iSCSIDsc", properties, iscsi_machine())
    assert name == f"{error_id},Microsoft.Iscsi.Target.Commands.NewIscsiVirtualDiskCommand"


async def test_the_file_of_a_removed_virtual_disk_stays_in_the_way() -> None:
    made = iscsi_machine()
    wanted = {"Path": r"D:\iSCSI\a.vhdx", "SizeBytes": 2**30}
    await converge("DSR_iSCSIVirtualDisk", "iSCSIDsc", wanted, context(made))
    await converge("DSR_iSCSIVirtualDisk", "iSCSIDsc", {**wanted, "Ensure": "Absent"}, context(made))
    name, _category = await refusal("DSR_iSCSIVirtualDisk", "iSCSIDsc", wanted, made)
    assert name.startswith("ResourceExists,")


async def test_a_target_without_its_disk_is_refused() -> None:
    wanted = {"TargetName": "t", "InitiatorIds": ["iqn.x"], "Paths": [r"D:\iSCSI\a.vhdx"]}
    name, category = await refusal("DSR_iSCSIServerTarget", "iSCSIDsc", wanted, iscsi_machine())
    assert name == "ObjectNotFound,Microsoft.Iscsi.Target.Commands.AddIscsiVirtualDiskTargetMappingCommand"
    assert category == "ObjectNotFound"


async def test_a_disk_of_another_target_is_refused() -> None:
    made = iscsi_machine()
    made.iscsi.new_disk(VirtualDisk(r"D:\iSCSI\a.vhdx", 1, "Dynamic"))
    made.iscsi.new_target("first", ["iqn.x"])
    made.iscsi.map_disk("first", r"D:\iSCSI\a.vhdx")
    wanted = {"TargetName": "t", "InitiatorIds": ["iqn.x"], "Paths": [r"D:\iSCSI\a.vhdx"]}
    name, _category = await refusal("DSR_iSCSIServerTarget", "iSCSIDsc", wanted, made)
    assert name.startswith("ResourceBusy,")


async def test_bare_initiator_names_converge_and_prefixed_ones_never_do() -> None:
    made = iscsi_machine()
    made.iscsi.new_disk(VirtualDisk(r"D:\iSCSI\a.vhdx", 1, "Dynamic"))
    wanted = {"TargetName": "t", "InitiatorIds": ["iqn.x"], "Paths": [r"D:\iSCSI\a.vhdx"]}
    assert await converge("DSR_iSCSIServerTarget", "iSCSIDsc", wanted, context(made))
    assert not await converge("DSR_iSCSIServerTarget", "iSCSIDsc", wanted, context(made))
    prefixed = {**wanted, "InitiatorIds": ["Iqn:iqn.x"]}
    assert await converge("DSR_iSCSIServerTarget", "iSCSIDsc", prefixed, context(made))
    assert await converge("DSR_iSCSIServerTarget", "iSCSIDsc", prefixed, context(made))


async def test_resources_take_their_simulated_time() -> None:
    made = machine(durations=Durations(feature_s=40))
    clock = Clock()
    doing = context(made, clock)
    assert await converge("MSFT_WindowsFeature", "PSDscResources", {"Name": "Hyper-V"}, doing)
    assert clock.waited == [40]
    assert doing.reboot_requested


def test_every_resource_is_found_by_class_and_module_in_any_case() -> None:
    for class_name, module in TABLE:
        resource = find(class_name.upper(), module.lower())
        assert resource is not None
        assert (resource.class_name, resource.module) == (class_name, module)
    assert find("MSFT_ServiceResource", "NetworkingDsc") is None
