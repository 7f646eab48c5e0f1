"""Commands of the machine's areas give real objects and real error records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner.lab.commands import registry
from provisioner.lab.machine.ground.certificates import encoded, thumbprint
from provisioner.lab.machine.ground.iscsi import VirtualDisk
from provisioner.lab.simulated_node import SimulatedNode
from provisioner.lab.spec import VirtualMachineSpec
from provisioner.lab.values import CommandCall, EnumValue, PsObject, TerminatingError
from tests.unit.lab.commands.recording import Recorded, call, make_node, run
from tests.unit.lab.machines import REBOOTED

BOOT_KEY = r"HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters"
_PS = "Microsoft.PowerShell.Commands."


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    return make_node(tmp_path, virtual_machines=(VirtualMachineSpec("vm1", "Running", "external"),))


@pytest.fixture
def hyperv(node: SimulatedNode) -> SimulatedNode:
    node.machine.features.install(["Hyper-V"], with_tools=True)
    node.machine.on_boot(REBOOTED)
    node.machine.hyperv.new_switch("external", "External", ["Ethernet 2"])
    return node


@pytest.fixture
def storage(node: SimulatedNode) -> SimulatedNode:
    machine = node.machine
    machine.features.install(["FS-iSCSITarget-Server"])
    machine.iscsi.new_disk(VirtualDisk(r"D:\a.vhdx", 2**30, "Dynamic"))
    machine.iscsi.new_target("volumes", ["iqn.1991-05.com.microsoft:hv01"])
    machine.iscsi.map_disk("volumes", r"D:\a.vhdx")
    return node


@pytest.fixture
def files(node: SimulatedNode) -> SimulatedNode:
    node.machine.files.seed(r"C:\data\a.txt", "h\xe9\r\nb\r\n".encode())
    node.machine.files.seed(r"C:\data\b.log", b"x")
    node.machine.files.seed(r"C:\data\sub\c.txt", b"c")
    return node


def errors(recorded: Recorded) -> list[tuple[str, str]]:
    return [(record.error_id, record.category) for record in recorded.errors]


def names(recorded: Recorded) -> list[Any]:
    return [item.extended.get("Name", item.properties.get("Name")) for item in recorded.values]


def test_every_line_of_the_table_leads_to_a_function() -> None:
    for spec in registry.table().values():
        assert callable(registry.function(spec))
        positions = [item.position for item in spec.parameters if item.position is not None]
        assert len({item.name for item in spec.parameters}) == len(spec.parameters)
        assert set(positions) <= {0, 1, 2}


async def test_services_are_found_by_name_wildcard_and_display_name(node: SimulatedNode) -> None:
    assert names(await run(node, call("Get-Service", "winrm"))) == ["WinRM"]
    assert names(await run(node, call("Get-Service", ["rpc*"]))) == ["RpcEptMapper", "RpcSs"]
    assert names(await run(node, call("Get-Service", DisplayName="Print*"))) == ["Spooler"]
    everything = await run(node, call("Get-Service"))
    assert len(everything.values) == len(list(node.machine.services))
    status = everything.values[0].properties["Status"]
    assert (status.type_name, status.text, status.number) == (
        "System.ServiceProcess.ServiceControllerStatus",
        "Running",
        4,
    )


async def test_a_missing_service_is_an_error_of_its_own(node: SimulatedNode) -> None:
    answer = await run(node, call("Get-Service", ["none", "WinRM"]))
    assert errors(answer) == [(f"NoServiceFoundForGivenName,{_PS}GetServiceCommand", "ObjectNotFound")]
    assert names(answer) == ["WinRM"]
    by_title = await run(node, call("Get-Service", DisplayName="none"))
    assert errors(by_title)[0][0] == f"NoServiceFoundForGivenDisplayName,{_PS}GetServiceCommand"


async def test_services_stop_and_start_also_through_the_pipeline(node: SimulatedNode) -> None:
    answer = await run(node, call("Get-Service", "W32Time"), call("Stop-Service", PassThru=True))
    assert answer.values[0].properties["Status"].text == "Stopped"
    await run(node, call("Start-Service", "W32Time"))
    service = node.machine.services.find("W32Time")
    assert service
    assert service.status == "Running"
    refused = await run(node, call("Stop-Service", "RpcSs"))
    assert errors(refused) == [(f"ServiceHasDependentServices,{_PS}StopServiceCommand", "InvalidOperation")]


async def test_a_service_that_cannot_start_is_an_error(node: SimulatedNode) -> None:
    node.machine.services.change("MSiSCSI", start_mode="Disabled")
    refused = await run(node, call("Start-Service", "MSiSCSI"))
    assert errors(refused) == [(f"CouldNotStartService,{_PS}StartServiceCommand", "OpenError")]


async def test_features_show_their_state_and_unknown_ones_give_nothing(node: SimulatedNode) -> None:
    node.machine.features.install(["Hyper-V"])
    row = (await run(node, call("Get-WindowsFeature", "hyper-v"))).values[0].properties
    assert (row["Name"], row["Installed"], row["InstallState"].text) == ("Hyper-V", False, "InstallPending")
    unknown = await run(node, call("Get-WindowsFeature", "Hyper-X"))
    assert (unknown.values, unknown.errors) == ([], [])
    everything = await run(node, call("Get-WindowsFeature"))
    assert len(everything.values) == len(node.machine.features.table.features)


async def test_hyper_v_commands_exist_with_their_module_only(node: SimulatedNode) -> None:
    with pytest.raises(TerminatingError) as caught:
        await run(node, call("Get-VMSwitch"))
    assert caught.value.record.error_id == "CommandNotFoundException"
    node.machine.features.install(["Hyper-V-PowerShell"])
    refused = await run(node, call("Get-VMSwitch"))
    assert errors(refused) == [
        ("ObjectNotFound,Microsoft.HyperV.PowerShell.Commands.GetVMSwitch", "ObjectNotFound")
    ]


async def test_switches_are_shown_and_removed(hyperv: SimulatedNode) -> None:
    row = (await run(hyperv, call("Get-VMSwitch", "external"))).values[0].properties
    assert (row["SwitchType"].text, row["AllowManagementOS"]) == ("External", True)
    adapter = hyperv.machine.network.find("Ethernet 2")
    assert adapter
    assert row["NetAdapterInterfaceDescription"] == adapter.description
    missing = await run(hyperv, call("Get-VMSwitch", "none"))
    assert errors(missing) == [
        ("InvalidParameter,Microsoft.HyperV.PowerShell.Commands.GetVMSwitch", "InvalidArgument")
    ]
    in_use = await run(hyperv, call("Remove-VMSwitch", "external", Force=True))
    assert errors(in_use) == [
        ("OperationFailed,Microsoft.HyperV.PowerShell.Commands.RemoveVMSwitch", "InvalidOperation")
    ]
    hyperv.machine.hyperv.set_machine_state("vm1", "Off")
    await run(hyperv, call("Get-VMSwitch"), call("Remove-VMSwitch", Force=True))
    assert hyperv.machine.hyperv.switches() == []


async def test_virtual_machines_are_shown_with_their_state(hyperv: SimulatedNode) -> None:
    row = (await run(hyperv, call("Get-VM"))).values[0].properties
    assert (row["Name"], row["State"].text, row["State"].number) == ("vm1", "Running", 2)
    assert errors(await run(hyperv, call("Get-VM", "none")))[0][1] == "InvalidArgument"


async def test_adapters_are_found_by_name_or_description(hyperv: SimulatedNode) -> None:
    assert names(await run(hyperv, call("Get-NetAdapter", "eth*"))) == ["Ethernet", "Ethernet 2"]
    assert names(await run(hyperv, call("Get-NetAdapter"))) == [
        "Ethernet",
        "Ethernet 2",
        "vEthernet (external)",
    ]
    assert len((await run(hyperv, call("Get-NetAdapter", Physical=True))).values) == 2
    missing = await run(hyperv, call("Get-NetAdapter", InterfaceDescription="none"))
    assert errors(missing) == [
        ("CmdletizationQuery_NotFound_InterfaceDescription,Get-NetAdapter", "ObjectNotFound")
    ]


async def test_the_address_moves_to_the_port_of_the_host(hyperv: SimulatedNode) -> None:
    async def on() -> list[str]:
        found = await run(hyperv, call("Get-NetIPAddress", AddressFamily=["IPv4"]))
        return [f"{row.properties['InterfaceAlias']} {row.properties['IPAddress']}" for row in found.values]

    loopback = "Loopback Pseudo-Interface 1 127.0.0.1"
    assert await on() == [f"Ethernet {hyperv.address}", loopback]
    hyperv.machine.hyperv.new_switch("kept", "External", ["Ethernet"])
    assert await on() == [f"vEthernet (kept) {hyperv.address}", loopback]
    hyperv.machine.network.remove("vEthernet (kept)")
    assert await on() == [loopback]
    missing = await run(hyperv, call("Get-NetIPAddress", "192.0.2.99"))
    assert errors(missing) == [("CmdletizationQuery_NotFound_IPAddress,Get-NetIPAddress", "ObjectNotFound")]


async def test_targets_and_disks_are_shown_with_what_belongs_to_them(storage: SimulatedNode) -> None:
    target = (await run(storage, call("Get-IscsiServerTarget", "volumes"))).values[0].properties
    assert [item.properties["Value"] for item in target["InitiatorIds"]] == ["iqn.1991-05.com.microsoft:hv01"]
    assert [item.text for item in target["InitiatorIds"]] == ["IQN:iqn.1991-05.com.microsoft:hv01"]
    assert [item.properties["Path"] for item in target["LunMappings"]] == [r"D:\a.vhdx"]
    disk = (await run(storage, call("Get-IscsiVirtualDisk", TargetName="volumes"))).values[0].properties
    assert (disk["Path"], disk["Size"], disk["DiskType"].text) == (r"D:\a.vhdx", 2**30, "Dynamic")
    for command, argument in (("Get-IscsiServerTarget", "none"), ("Get-IscsiVirtualDisk", r"D:\none.vhdx")):
        assert errors(await run(storage, call(command, argument)))[0][1] == "ObjectNotFound"


async def test_items_are_files_folders_and_keys(files: SimulatedNode) -> None:
    answer = await run(files, call("Get-Item", r"c:\DATA\a.txt"))
    item = answer.values[0]
    assert item.type_names[0] == "System.IO.FileInfo"
    assert (item.properties["Length"], item.extended["PSIsContainer"]) == (8, False)
    folder = (await run(files, call("Get-Item", LiteralPath=r"C:\data"))).values[0]
    assert (folder.type_names[0], folder.extended["Mode"]) == ("System.IO.DirectoryInfo", "d-----")
    key = (await run(files, call("Get-Item", BOOT_KEY))).values[0]
    assert key.type_names[0] == "Microsoft.Win32.RegistryKey"
    assert len((await run(files, call("Get-Item", r"C:\data\*.txt"))).values) == 1


@pytest.mark.parametrize(
    ("command", "type_name"),
    [
        ("Get-Item", "GetItemCommand"),
        ("Get-ChildItem", "GetChildItemCommand"),
        ("Get-Content", "GetContentCommand"),
        ("Get-ItemProperty", "GetItemPropertyCommand"),
        ("Get-Acl", "GetAclCommand"),
        ("Remove-Item", "RemoveItemCommand"),
    ],
)
async def test_a_path_that_leads_nowhere_is_an_error_but_no_pattern_is(
    files: SimulatedNode, command: str, type_name: str
) -> None:
    missing = await run(files, call(command, r"C:\none"))
    assert errors(missing) == [(f"PathNotFound,{_PS}{type_name}", "ObjectNotFound")]
    assert missing.errors[0].message == r"Cannot find path 'C:\none' because it does not exist."
    drive = await run(files, call(command, r"Q:\none"))
    assert errors(drive) == [(f"DriveNotFound,{_PS}{type_name}", "ObjectNotFound")]
    assert errors(await run(files, call(command, r"C:\none*"))) == []


async def test_children_are_listed_filtered_and_deep(files: SimulatedNode) -> None:
    assert names(await run(files, call("Get-ChildItem", r"C:\data"))) == ["sub", "a.txt", "b.log"]
    assert names(await run(files, call("Get-ChildItem", r"C:\data", "*.txt"))) == ["a.txt"]
    assert names(await run(files, call("Get-ChildItem", r"C:\data", File=True, Recurse=True))) == [
        "c.txt",
        "a.txt",
        "b.log",
    ]
    listed = await run(files, call("Get-ChildItem", r"C:\data", Directory=True, Name=True))
    assert listed.values == ["sub"]


@pytest.mark.parametrize(
    ("path", "kind", "expected"),
    [
        (r"C:\data", "Any", True),
        (r"C:\data", "Container", True),
        (r"C:\data", "Leaf", False),
        (r"C:\data\*.txt", "Leaf", True),
        (r"Q:\none", "Any", False),
        (BOOT_KEY, "Container", True),
    ],
)
async def test_paths_are_tested(files: SimulatedNode, path: str, kind: str, expected: object) -> None:
    answer = await run(files, call("Test-Path", path, PathType=kind))
    assert (answer.values, answer.errors) == ([expected], [])


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"Encoding": "UTF8"}, ["hé", "b"]),
        ({"Encoding": "UTF8", "Raw": True}, ["hé\r\nb\r\n"]),
        ({}, ["hÃ©", "b"]),
        ({"TotalCount": 1, "Encoding": "UTF8"}, ["hé"]),
        ({"Encoding": "Byte", "TotalCount": 2}, [0x68, 0xC3]),
        ({"Encoding": "Byte", "Raw": True}, [b"h\xc3\xa9\r\nb\r\n"]),
        (
            {
                "Encoding": EnumValue(
                    "Microsoft.PowerShell.Commands.FileSystemCmdletProviderEncoding", "UTF8", 6
                )
            },
            ["hé", "b"],
        ),
    ],
)
async def test_content_is_decoded_as_windows_powershell_does(
    files: SimulatedNode, parameters: dict[str, Any], expected: list[Any]
) -> None:
    answer = await run(files, call("Get-Content", LiteralPath=r"C:\data\a.txt", **parameters))
    assert answer.values == expected


async def test_a_byte_order_mark_decides_and_is_dropped(files: SimulatedNode) -> None:
    files.machine.files.write(r"C:\data\a.txt", "é\n".encode("utf-16"))
    answer = await run(files, call("Get-Content", r"C:\data\a.txt", Encoding="UTF8"))
    assert answer.values == ["é"]


async def test_the_content_of_a_folder_is_denied(files: SimulatedNode) -> None:
    answer = await run(files, call("Get-Content", r"C:\data"))
    assert errors(answer) == [
        (f"GetContentReaderUnauthorizedAccessError,{_PS}GetContentCommand", "PermissionDenied")
    ]


async def test_hashes_are_upper_case_and_errors_those_of_the_function(files: SimulatedNode) -> None:
    answer = await run(files, call("Get-FileHash", r"C:\data\b.log"))
    assert answer.values[0].extended == {
        "Algorithm": "SHA256",
        "Hash": "2D711642B726B04401627CA9FBAC32F5C8530FB1903CC4DB02258717921A4881",
        "Path": r"C:\data\b.log",
    }
    literal = await run(files, call("Get-FileHash", LiteralPath=r"C:\none"))
    assert errors(literal) == [("FileReadError,Get-FileHash", "ReadError")]
    path = await run(files, call("Get-FileHash", r"C:\none"))
    assert errors(path) == [(f"PathNotFound,{_PS}ResolvePathCommand", "ObjectNotFound")]


async def test_registry_values_are_read_as_dotnet_does(node: SimulatedNode) -> None:
    answer = await run(node, call("Get-ItemProperty", BOOT_KEY, "BootId"))
    assert answer.values[0].extended["BootId"] == 1
    node.machine.registry.set(BOOT_KEY, "Big", 2**32 - 1, "DWord")
    big = await run(node, call("Get-ItemProperty", BOOT_KEY, Name=["Big"]))
    assert big.values[0].extended["Big"] == -1
    missing = await run(node, call("Get-ItemProperty", BOOT_KEY, Name="none"))
    assert errors(missing) == [
        (f"System.Management.Automation.PSArgumentException,{_PS}GetItemPropertyCommand", "InvalidArgument")
    ]


async def test_rights_are_shown_by_account_name(files: SimulatedNode) -> None:
    row = (await run(files, call("Get-Acl", r"C:\data\a.txt"))).values[0]
    assert row.type_names[0] == "System.Security.AccessControl.FileSecurity"
    assert row.extended["Owner"] == r"NT AUTHORITY\SYSTEM"
    rights = {rule.properties["IdentityReference"]: rule.properties for rule in row.extended["Access"]}
    assert rights[r"BUILTIN\Administrators"]["FileSystemRights"].text == "FullControl"
    assert rights[r"BUILTIN\Users"]["IsInherited"]


async def test_what_has_children_is_removed_with_recurse_only(files: SimulatedNode) -> None:
    refused = await run(files, call("Remove-Item", r"C:\data"))
    assert errors(refused)[0][1] == "InvalidOperation"
    await run(files, call("Get-Item", r"C:\data\a.txt"), call("Remove-Item"))
    assert not files.machine.files.is_file(r"C:\data\a.txt")
    await run(files, call("Remove-Item", r"C:\data", Recurse=True, Force=True))
    assert not files.machine.files.is_folder(r"C:\data")


async def test_objects_of_a_command_can_be_given_to_the_next_from_outside(files: SimulatedNode) -> None:
    given = PsObject(
        ("System.Object",), extended={"PSPath": r"Microsoft.PowerShell.Core\FileSystem::C:\data\a.txt"}
    )
    answer = await run(files, CommandCall("Get-Item"), given=[given])
    assert names(answer) == ["a.txt"]


@pytest.mark.parametrize(
    "path", [r"Cert:\LocalMachine\My", "cert:/localmachine/my/", r"CERT:\LOCALMACHINE\MY"]
)
async def test_the_certificate_store_holds_the_one_for_documents(node: SimulatedNode, path: str) -> None:
    listed = await run(node, call("Get-ChildItem", Path=path, DocumentEncryptionCert=True))
    (found,) = listed.values
    own = node.machine.certificates.own[0].certificate
    assert found.properties["RawData"] == encoded(own)
    assert found.properties["Thumbprint"] == thumbprint(own)
    assert found.properties["HasPrivateKey"] is True


async def test_a_certificate_store_that_is_not_there_is_an_error(node: SimulatedNode) -> None:
    listed = await run(node, call("Get-ChildItem", r"Cert:\CurrentUser\Nothing"))
    assert errors(listed) == [
        ("PathNotFound,Microsoft.PowerShell.Commands.GetChildItemCommand", "ObjectNotFound")
    ]
