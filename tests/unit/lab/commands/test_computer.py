"""Commands about the computer as a whole, and its domain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner.lab.commands.cim_objects import value_of
from provisioner.lab.machine.computer.event_log import EventLog
from provisioner.lab.machine.directory.domains import Directory, DirectoryUser, Domain
from provisioner.lab.machine.directory.nt_hash import nt_hash
from provisioner.lab.simulated_node import SimulatedNode
from provisioner.lab.values import PsObject, TerminatingError
from tests.unit.lab.commands.recording import Recorded, call, make_node, run
from tests.unit.lab.machines import REBOOTED

_JOIN = PsObject(
    ("System.Management.Automation.PSCredential",), {"UserName": "CONTOSO\\join", "Password": "pw"}
)


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    return make_node(tmp_path)


def _shown(recorded: Recorded, name: str) -> list[Any]:
    assert not recorded.errors
    return [value_of(item, name) for item in recorded.values]


def _found_domain(node: SimulatedNode) -> None:
    user = DirectoryUser("join", nt_hash("pw").hex())
    node.machine.world.area(Directory).add(Domain("contoso.com", "CONTOSO", ("dc1",), {"join": user}))


async def test_a_new_name_counts_from_the_boot_on(node: SimulatedNode, tmp_path: Path) -> None:
    done = await run(node, call("Rename-Computer", "HV02"))
    assert done.warnings == ["The changes will take effect after you restart the computer HV01."]
    assert node.computer_name == "HV01"
    node.machine.on_boot(REBOOTED)
    assert node.computer_name == "HV02"
    node.save()
    assert make_node(tmp_path).computer_name == "HV02"


async def test_the_name_it_has_is_refused(node: SimulatedNode) -> None:
    done = await run(node, call("Rename-Computer", "hv01"))
    assert [item.error_id for item in done.errors] == [
        "NewNameIsOldName,Microsoft.PowerShell.Commands.RenameComputerCommand"
    ]


async def test_a_computer_joins_a_domain_and_shows_in_it(node: SimulatedNode) -> None:
    _found_domain(node)
    joined = await run(node, call("Add-Computer", DomainName="contoso.com", Credential=_JOIN, NewName="HV09"))
    assert not joined.errors
    system = await run(node, call("Get-CimInstance", ClassName="Win32_ComputerSystem"))
    assert (_shown(system, "Domain"), _shown(system, "PartOfDomain")) == (["contoso.com"], [True])
    node.machine.on_boot(REBOOTED)
    node.machine.features.install(["RSAT-AD-PowerShell"])
    found = await run(node, call("Get-ADComputer", "HV09"))
    assert _shown(found, "DistinguishedName") == ["CN=HV09,CN=Computers,DC=contoso,DC=com"]
    assert (await run(node, call("Test-ComputerSecureChannel"))).values == [True]


@pytest.mark.parametrize(
    ("domain", "password", "why"),
    [
        ("nowhere.com", "pw", "The specified domain either does not exist or could not be contacted."),
        ("contoso.com", "wrong", "The user name or password is incorrect."),
    ],
)
async def test_a_join_that_fails_says_why(node: SimulatedNode, domain: str, password: str, why: str) -> None:
    _found_domain(node)
    login = PsObject(_JOIN.type_names, {"UserName": "join", "Password": password})
    (error,) = (await run(node, call("Add-Computer", DomainName=domain, Credential=login))).errors
    assert error.error_id == (
        "FailToJoinDomainFromWorkgroup,Microsoft.PowerShell.Commands.AddComputerCommand"
    )
    assert error.message.endswith(why)


async def test_a_machine_of_a_workgroup_has_no_secure_channel(node: SimulatedNode) -> None:
    with pytest.raises(TerminatingError):
        await run(node, call("Test-ComputerSecureChannel"))


async def test_the_directory_is_asked_only_with_its_tools(node: SimulatedNode) -> None:
    with pytest.raises(TerminatingError) as raised:
        await run(node, call("Get-ADComputer", "HV01"))
    assert raised.value.record.error_id == "CommandNotFoundException"


async def test_accounts_of_a_share_show_their_authority(node: SimulatedNode) -> None:
    node.machine.files.make_folder("C:\\data")
    await run(node, call("New-SmbShare", "Data", "C:\\data", FullAccess=["Administrators"]))
    access = await run(node, call("Get-SmbShareAccess", "data"))
    assert _shown(access, "AccountName") == ["BUILTIN\\Administrators"]


async def test_a_folder_that_is_not_there_is_not_shared(node: SimulatedNode) -> None:
    done = await run(node, call("New-SmbShare", "Data", "C:\\nothing"))
    assert [item.error_id for item in done.errors] == ["Windows System Error 2,New-SmbShare"]


async def test_the_time_zone_is_one_windows_knows(node: SimulatedNode) -> None:
    await run(node, call("Set-TimeZone", Id="tokyo standard time"))
    assert _shown(await run(node, call("Get-TimeZone")), "Id") == ["Tokyo Standard Time"]
    failed = await run(node, call("Set-TimeZone", Id="Nowhere"))
    assert [item.error_id for item in failed.errors] == [
        "TimeZoneNotFound,Microsoft.PowerShell.Commands.SetTimeZoneCommand"
    ]


async def test_events_are_read_newest_first(node: SimulatedNode) -> None:
    log = node.machine.area(EventLog)
    for number in (1, 2, 3):
        log.write("System", "Service Control Manager", number, "Error", f"text {number}")
    found = await run(node, call("Get-WinEvent", LogName="System", MaxEvents=2, Oldest=True))
    assert _shown(found, "Id") == [1, 2]
    assert _shown(await run(node, call("Get-EventLog", "System", Newest=1)), "Message") == ["text 3"]


async def test_a_log_without_events_is_an_error(node: SimulatedNode) -> None:
    done = await run(node, call("Get-WinEvent", LogName="Setup"))
    assert [item.error_id for item in done.errors] == [
        "NoMatchingEventsFound,Microsoft.PowerShell.Commands.GetWinEventCommand"
    ]


async def test_tasks_are_found_by_name(node: SimulatedNode) -> None:
    found = await run(node, call("Get-ScheduledTask", "Consistency"), call("Get-ScheduledTaskInfo"))
    assert _shown(found, "TaskName") == ["Consistency"]


async def test_a_task_is_switched_off_and_removed(node: SimulatedNode) -> None:
    off = await run(node, call("Get-ScheduledTask", "Consistency"), call("Disable-ScheduledTask"))
    assert [value.text for value in _shown(off, "State")] == ["Disabled"]
    await run(node, call("Unregister-ScheduledTask", "Consistency", Confirm=False))
    assert (await run(node, call("Get-ScheduledTask", "Consistency"))).errors


async def test_access_to_a_share_is_given_and_taken(node: SimulatedNode) -> None:
    node.machine.files.make_folder("C:\\data")
    await run(node, call("New-SmbShare", "Data", "C:\\data"))
    given = await run(
        node, call("Grant-SmbShareAccess", "Data", AccountName="Users", AccessRight="full", Force=True)
    )
    assert _shown(given, "AccountName") == ["Everyone", "BUILTIN\\Users"]
    taken = await run(node, call("Revoke-SmbShareAccess", "Data", AccountName="Everyone", Force=True))
    assert _shown(taken, "AccountName") == ["BUILTIN\\Users"]
    nobody = await run(node, call("Grant-SmbShareAccess", "Data", AccountName="NOBODY", Force=True))
    assert [item.error_id for item in nobody.errors] == ["Windows System Error 1332,Grant-SmbShareAccess"]


async def test_delegation_is_set_on_the_object_of_a_computer(node: SimulatedNode) -> None:
    _found_domain(node)
    await run(node, call("Add-Computer", DomainName="contoso.com", Credential=_JOIN))
    node.machine.features.install(["RSAT-AD-PowerShell"])
    await run(
        node,
        call(
            "Set-ADComputer",
            "HV01",
            Add={"msDS-AllowedToDelegateTo": ["cifs/HV02"]},
            PrincipalsAllowedToDelegateToAccount="HV02$",
        ),
    )
    found = await run(node, call("Get-ADComputer", "HV01$", Properties=["*"]))
    assert _shown(found, "msDS-AllowedToDelegateTo") == [["cifs/HV02"]]
    assert _shown(found, "PrincipalsAllowedToDelegateToAccount") == [["HV02$"]]
