"""Commands of services, features, processes and accounts give real objects and real error records."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.lab.machine.basics.local_accounts import LocalAccounts
from provisioner.lab.machine.basics.processes import Processes
from provisioner.lab.machine.security.hotfixes import Hotfixes
from provisioner.lab.simulated_node import SimulatedNode
from provisioner.lab.values import TerminatingError
from tests.unit.lab.commands.recording import Recorded, call, make_node, run

_PS = "Microsoft.PowerShell.Commands."


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    return make_node(tmp_path)


def errors(recorded: Recorded) -> list[tuple[str, str]]:
    return [(record.error_id, record.category) for record in recorded.errors]


async def test_a_service_is_made_changed_and_restarted(node: SimulatedNode) -> None:
    made = await run(node, call("New-Service", "Svc", r"C:\svc.exe", StartupType="Manual", DependsOn="RpcSs"))
    row = made.values[0].properties
    assert (row["ServiceName"], row["StartType"].text, row["ServicesDependedOn"]) == (
        "Svc",
        "Manual",
        ["RpcSs"],
    )
    await run(node, call("Set-Service", "Svc", DisplayName="A service", Description="d", Status="Running"))
    service = node.machine.services.find("Svc")
    assert service is not None
    assert (service.display_name, service.description, service.status) == ("A service", "d", "Running")
    again = await run(node, call("Restart-Service", "Svc", PassThru=True))
    assert again.values[0].properties["Status"].text == "Running"


async def test_a_service_name_is_taken_once(node: SimulatedNode) -> None:
    refused = await run(node, call("New-Service", "BITS", r"C:\svc.exe"))
    assert errors(refused) == [(f"CouldNotNewService,{_PS}NewServiceCommand", "PermissionDenied")]
    missing = await run(node, call("Set-Service", "none", StartupType="Disabled"))
    assert errors(missing) == [(f"NoServiceFoundForGivenName,{_PS}SetServiceCommand", "ObjectNotFound")]


async def test_a_service_others_depend_on_restarts_with_force_only(node: SimulatedNode) -> None:
    refused = await run(node, call("Restart-Service", "BFE"))
    assert errors(refused) == [
        (f"ServiceHasDependentServices,{_PS}RestartServiceCommand", "InvalidOperation")
    ]
    done = await run(node, call("Restart-Service", "BFE", Force=True))
    assert not done.errors
    dependant = node.machine.services.find("mpssvc")
    assert dependant is not None
    assert dependant.status == "Running"


async def test_installing_answers_what_was_done_and_warns_of_the_restart(node: SimulatedNode) -> None:
    done = await run(node, call("Install-WindowsFeature", "Hyper-V", IncludeManagementTools=True))
    row = done.values[0].properties
    assert done.values[0].type_names[0] == "Microsoft.Windows.ServerManager.Commands.FeatureOperationResult"
    assert (row["Success"], row["RestartNeeded"].text, row["ExitCode"].text) == (
        True,
        "Yes",
        "SuccessRestartRequired",
    )
    assert "Hyper-V" in {item.properties["Name"] for item in row["FeatureResult"]}
    assert done.warnings == ["You must restart this server to finish the installation process."]
    again = await run(node, call("Install-WindowsFeature", "Hyper-V"))
    assert again.values[0].properties["ExitCode"].text == "NoChangeNeeded"
    gone = await run(node, call("Uninstall-WindowsFeature", "Hyper-V"))
    assert gone.values[0].properties["Success"]


async def test_a_feature_nobody_knows_ends_the_command(node: SimulatedNode) -> None:
    with pytest.raises(TerminatingError) as caught:
        await run(node, call("Add-WindowsFeature", "Hyper-X"))
    assert caught.value.record.error_id == (
        "NameDoesNotExist,Microsoft.Windows.ServerManager.Commands.AddWindowsFeatureCommand"
    )
    assert caught.value.record.category == "InvalidArgument"


async def test_optional_features_are_the_same_features(node: SimulatedNode) -> None:
    await run(node, call("Install-WindowsFeature", "Telnet-Client"))
    shown = await run(node, call("Get-WindowsOptionalFeature", Online=True, FeatureName="telnetclient"))
    row = shown.values[0].properties
    assert (row["FeatureName"], row["State"].text, row["State"].number) == ("TelnetClient", "Enabled", 2)
    everything = await run(node, call("Get-WindowsOptionalFeature", Online=True))
    assert len(everything.values) > 100
    await run(
        node, call("Disable-WindowsOptionalFeature", Online=True, FeatureName="TelnetClient", NoRestart=True)
    )
    assert not node.machine.features.is_installed("Telnet-Client")
    needs = await run(
        node,
        call(
            "Enable-WindowsOptionalFeature",
            Online=True,
            FeatureName="Microsoft-Hyper-V",
            All=True,
            NoRestart=True,
        ),
    )
    assert needs.values[0].properties["RestartNeeded"] is True


async def test_an_optional_feature_wants_its_parents_first(node: SimulatedNode) -> None:
    with pytest.raises(TerminatingError) as caught:
        await run(node, call("Enable-WindowsOptionalFeature", Online=True, FeatureName="IIS-WebServer"))
    assert caught.value.record.error_id == "Microsoft.Dism.Commands.EnableWindowsOptionalFeatureCommand"
    await run(node, call("Enable-WindowsOptionalFeature", Online=True, FeatureName="IIS-WebServer", All=True))
    assert node.machine.features.is_installed("Web-Server")


async def test_processes_follow_services_and_are_ended_by_name(node: SimulatedNode) -> None:
    spooler = await run(node, call("Get-Process", "spoolsv"))
    assert [item.extended["Path"] for item in spooler.values] == [r"C:\Windows\System32\spoolsv.exe"]
    node.machine.services.stop("Spooler")
    gone = await run(node, call("Get-Process", "spoolsv"))
    assert errors(gone) == [(f"NoProcessFoundForGivenName,{_PS}GetProcessCommand", "ObjectNotFound")]
    node.machine.area(Processes).start(r"C:\app\run.exe", "")
    assert not (await run(node, call("Stop-Process", Name="run"))).errors
    assert (await run(node, call("Get-Process", "run*"))).values == []
    refused = await run(node, call("Stop-Process", Name="lsass"))
    assert errors(refused) == [(f"CouldNotStopProcess,{_PS}StopProcessCommand", "CloseError")]


async def test_local_users_and_groups_are_shown_with_their_members(node: SimulatedNode) -> None:
    users = await run(node, call("Get-LocalUser"))
    assert [item.properties["Name"] for item in users.values] == ["Administrator", "Guest", "provisioner"]
    members = await run(node, call("Get-LocalGroupMember", "Administrators"))
    names = [item.properties["Name"] for item in members.values]
    assert r"HV01\provisioner" in names
    missing = await run(node, call("Get-LocalUser", "none"), call("Get-LocalGroup", "none", ends=False))
    assert errors(missing)[0] == (f"UserNotFound,{_PS}GetLocalUserCommand", "ObjectNotFound")
    node.machine.area(LocalAccounts).change_group("Users", members=("S-1-5-21-1-2-3-1001",))
    orphan = await run(node, call("Get-LocalGroupMember", "Users"))
    assert errors(orphan)[0][1] == "NotSpecified"


async def test_installed_programs_are_packages(node: SimulatedNode) -> None:
    uninstall = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{12345678-90AB-CDEF-1234-567890ABCDEF}"
    node.machine.registry.set(uninstall, "DisplayName", "App")
    node.machine.registry.set(uninstall, "DisplayVersion", "1.2")
    row = (await run(node, call("Get-Package", "App"))).values[0].properties
    assert (row["Name"], row["Version"], row["ProviderName"]) == ("App", "1.2", "msi")
    missing = await run(node, call("Get-Package", "None"))
    assert errors(missing) == [
        ("NoMatchFound,Microsoft.PowerShell.PackageManagement.Cmdlets.GetPackage", "ObjectNotFound")
    ]


async def test_the_time_is_the_nodes_own(node: SimulatedNode) -> None:
    year = (await run(node, call("Get-Date", Format="yyyy"))).values[0]
    assert year == str(node.clock.now().year)
    with pytest.raises(TerminatingError) as caught:
        await run(node, call("Get-Date", Format="dddd"))
    assert caught.value.record.error_id == f"System.FormatException,{_PS}GetDateCommand"


async def test_objects_are_counted_and_summed(node: SimulatedNode) -> None:
    counted = await run(node, call("Measure-Object"), given=["a", "b"])
    assert counted.values[0].properties["Count"] == 2
    summed = await run(node, call("Measure-Object", "Length", Sum=True), given=["a", "bbb"])
    assert summed.values[0].properties["Sum"] == 4
    missing = await run(node, call("Measure-Object", "None"), given=["a"])
    assert errors(missing) == [
        (f"GenericMeasurePropertyNotFound,{_PS}MeasureObjectCommand", "InvalidArgument")
    ]


async def test_updates_are_found_by_their_number(node: SimulatedNode) -> None:
    node.machine.files.seed(r"C:\windows10.0-kb5005112-x64.msu", b"x")
    node.machine.area(Hotfixes).install(r"C:\windows10.0-kb5005112-x64.msu")
    found = await run(node, call("Get-HotFix", "kb5005112"))
    assert [item.properties["HotFixID"] for item in found.values] == ["KB5005112"]
    missing = await run(node, call("Get-HotFix", "KB1"))
    assert errors(missing) == [(f"GetHotFixNoEntriesFound,{_PS}GetHotFixCommand", "ObjectNotFound")]


async def test_a_module_that_is_not_there_cannot_be_imported(node: SimulatedNode) -> None:
    assert not (await run(node, call("Import-Module", "ServerManager"))).errors
    missing = await run(node, call("Import-Module", "Hyper-V"))
    assert errors(missing) == [(f"Modules_ModuleNotFound,{_PS}ImportModuleCommand", "ResourceUnavailable")]
