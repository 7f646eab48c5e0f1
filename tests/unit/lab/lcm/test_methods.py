"""Methods beside those that push: roll-back, removal, checks on demand, single resources, debugging, output."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.lab.lcm.errors import LcmError
from provisioner.lab.lcm.lcm import METHODS
from tests.unit.lab.lcm.building import JOB, FakeNode, document, fake, meta, names, service

#: Every method of the class and what it takes (LCM class facts 1.2).
DOCUMENTED = {
    "SendConfiguration": {"ConfigurationData": bytes, "force": bool},
    "SendConfigurationApply": {"ConfigurationData": bytes, "force": bool},
    "SendConfigurationApplyAsync": {"ConfigurationData": bytes, "force": bool, "jobId": str},
    "ApplyConfiguration": {"force": bool},
    "GetConfiguration": {"configurationData": bytes},
    "TestConfiguration": {"configurationData": bytes},
    "SendMetaConfigurationApply": {"ConfigurationData": bytes, "force": bool},
    "GetMetaConfiguration": {},
    "GetConfigurationStatus": {"All": bool},
    "GetConfigurationResultOutput": {"jobId": str, "resumeOutputBookmark": bytes},
    "StopConfiguration": {"force": bool},
    "RemoveConfiguration": {"Stage": int, "Force": bool},
    "RollBack": {"configurationNumber": int},
    "PerformRequiredConfigurationChecks": {"Flags": int},
    "ResourceGet": {"ResourceType": str, "ModuleName": str, "resourceProperty": bytes},
    "ResourceSet": {"ResourceType": str, "ModuleName": str, "resourceProperty": bytes},
    "ResourceTest": {"ResourceType": str, "ModuleName": str, "resourceProperty": bytes},
    "EnableDebugConfiguration": {"BreakAll": bool},
    "DisableDebugConfiguration": {},
}


async def refused(node: FakeNode, method: str, **arguments: object) -> LcmError:
    with pytest.raises(LcmError) as caught:
        await node.lcm.invoke(method, arguments)
    return caught.value


def test_there_is_every_method_of_the_class_and_no_other() -> None:
    assert {name: dict(method.parameters) for name, method in METHODS.items()} == DOCUMENTED


# -- roll-back and removal --------------------------------------------------------------------------------------


async def test_rolling_back_applies_what_was_current_before() -> None:
    node = FakeNode()
    await node.apply(document(fake("S1")))
    await node.apply(document(fake("S2")))
    await node.lcm.invoke("RollBack", {})

    assert node.stages() == {"P": None, "C": document(fake("S1")), "p": document(fake("S2"))}
    assert node.lcm.state == "Idle"


async def test_without_a_previous_document_there_is_nothing_to_roll_back_to() -> None:
    node = FakeNode()
    await node.apply(document(fake("S")))

    assert (await refused(node, "RollBack")).message.text.startswith(
        "A previous configuration does not exist. DSC can rollback only when"
    )
    assert node.stages()["C"] == document(fake("S"))


@pytest.mark.parametrize(
    ("stage", "left"), [(1, "Pp"), (2, "Cp"), (4, "PC"), (3, "p"), (5, "P"), (6, "C"), (7, "")]
)
async def test_stages_are_removed_by_their_bits(stage: int, left: str) -> None:
    node = FakeNode()
    await node.apply(document(fake("S1")))
    await node.apply(document(fake("S2")))
    node.machine.files.write(r"C:\Windows\System32\Configuration\Pending.mof", document(fake("S3")))
    await node.lcm.invoke("RemoveConfiguration", {"Stage": stage, "Force": True})

    assert "".join(name for name, found in node.stages().items() if found) == left


@pytest.mark.parametrize("stage", [0, 8, 9])
async def test_a_stage_that_is_none_is_refused(stage: int) -> None:
    assert (await refused(FakeNode(), "RemoveConfiguration", Stage=stage)).message.error_id == "MI RESULT 4"


async def test_removing_what_waits_for_a_restart_ends_the_wait() -> None:
    node = FakeNode()
    await node.apply(document(fake("r")))
    assert node.lcm.state == "PendingReboot"
    await node.lcm.invoke("RemoveConfiguration", {"Stage": 2})

    assert node.lcm.state == "Idle"


@pytest.mark.parametrize("name", ["F", "r"])
async def test_a_pending_document_that_is_deleted_by_hand_blocks_nothing(name: str) -> None:
    node = FakeNode()
    await node.apply(document(fake(name)))
    assert node.lcm.state != "Idle"
    node.machine.files.remove(r"C:\Windows\System32\Configuration\Pending.mof")
    assert node.lcm.state == "Idle"
    await node.push(document(fake("S")), force=False)
    await node.idle()

    assert node.lcm.state == "Idle"


# -- checks on demand -------------------------------------------------------------------------------------------


async def test_the_flag_of_the_boot_continues_what_is_pending_as_a_leg_after_the_restart() -> None:
    node = FakeNode()
    await node.lcm.invoke(
        "SendMetaConfigurationApply", {"ConfigurationData": meta('ActionAfterReboot = "StopConfiguration";')}
    )
    await node.apply(document(fake("r"), fake("S")))
    node.boot()
    assert node.lcm.state == "PendingConfiguration"
    await node.lcm.invoke("PerformRequiredConfigurationChecks", {"Flags": 2})

    assert (await node.statuses())[0]["Type"] == "Reboot"
    assert node.lcm.state == "Idle"


async def test_the_flag_of_the_boot_alone_does_nothing_where_nothing_is_pending() -> None:
    node = FakeNode()
    await node.apply(document(fake("S")))
    await node.lcm.invoke("PerformRequiredConfigurationChecks", {"Flags": 2})

    assert len(await node.statuses()) == 1


@pytest.mark.parametrize("flags", [0, 16, 17])
async def test_flags_nobody_knows_are_refused(flags: int) -> None:
    error = await refused(FakeNode(), "PerformRequiredConfigurationChecks", Flags=flags)
    assert error.message.error_id == "MI RESULT 4"


@pytest.mark.parametrize("flags", [1, 5, 9, 13])
async def test_a_plain_document_that_an_administrator_dropped_is_applied_by_a_check(flags: int) -> None:
    node = FakeNode()
    node.machine.files.make_folder(r"C:\Windows\System32\Configuration")
    node.machine.files.write(r"C:\Windows\System32\Configuration\pending.mof", document(fake("S")))
    await node.lcm.invoke("PerformRequiredConfigurationChecks", {"Flags": flags})

    assert node.stages() == {"P": None, "C": document(fake("S")), "p": None}


# -- one resource -----------------------------------------------------------------------------------------------


def one(
    name: str, class_name: str = "Fake", module: str = "Fake", data: bytes | None = None
) -> dict[str, Any]:
    return {
        "ResourceType": class_name,
        "ModuleName": module,
        "resourceProperty": document(fake(name)) if data is None else data,
    }


async def test_each_method_for_one_resource_makes_the_one_call_it_names() -> None:
    node = FakeNode()
    assert await node.lcm.invoke("ResourceTest", one("S")) == {"InDesiredState": False}
    assert await node.lcm.invoke("ResourceSet", one("S")) == {"RebootRequired": False}
    assert node.resource.calls == ["test S", "set S"]
    found = (await node.lcm.invoke("ResourceGet", one("S")))["configurations"]

    assert found.properties["IsThere"] is True
    assert await node.lcm.invoke("ResourceSet", one("r")) == {"RebootRequired": True}
    assert node.stages() == {"P": None, "C": None, "p": None}
    assert node.lcm.state == "Idle"
    assert (await refused(node, "GetConfigurationStatus")).message.text.startswith("No status information")


@pytest.mark.parametrize(("method", "name"), [("ResourceTest", "T"), ("ResourceSet", "F")])
async def test_what_one_resource_throws_is_the_answer(method: str, name: str) -> None:
    error = await refused(FakeNode(), method, **one(name))
    assert error.message.error_id == "ProviderOperationExecutionFailure"


@pytest.mark.parametrize(
    ("arguments", "error_id"),
    [
        (one("S", class_name="Other"), "MI RESULT 4"),
        (one("S", data=document(fake("S1"), fake("S2"))), "MI RESULT 4"),
        (one("S", data=fake("S").encode()), "MI RESULT 4"),
        (one("S", data=b"nonsense"), "MI RESULT 1"),
        (
            one("S", "MSFT_ServiceResource", "PSDscResources", document(service("a", "Bogus = 1;"))),
            "MI RESULT 1",
        ),
        (one("S", data=document(fake("S").replace('"1.0"', '"2.0"'))), "DscResourceNotFound"),
    ],
    ids=["another class", "two", "no header", "no MOF", "unknown property", "no such version"],
)
async def test_what_is_no_resource_of_the_node_is_refused(arguments: dict[str, Any], error_id: str) -> None:
    node = FakeNode()
    assert (await refused(node, "ResourceSet", **arguments)).message.error_id == error_id
    assert node.resource.calls == []


async def test_without_a_version_the_newest_on_the_node_is_taken() -> None:
    node = FakeNode()
    text = fake("S").replace('ModuleVersion = "1.0"; ', "").replace('ModuleName = "Fake"; ', "")
    await node.lcm.invoke("ResourceSet", one("S", data=document(text)))

    assert node.resource.calls == ["set S"]


async def test_debugging_shows_in_the_settings() -> None:
    node = FakeNode()

    async def mode() -> list[str]:
        answer = await node.lcm.invoke("GetMetaConfiguration", {})
        found: list[str] = answer["MetaConfiguration"].properties["DebugMode"]
        return found

    assert await mode() == ["NONE"]
    await node.lcm.invoke("EnableDebugConfiguration", {"BreakAll": True})
    assert await mode() == ["ResourceScriptBreakAll"]
    await node.lcm.invoke("DisableDebugConfiguration", {})
    assert await mode() == ["NONE"]


# -- output -----------------------------------------------------------------------------------------------------


def kinds(output: list[Any]) -> list[str]:
    return [each.type_names[0].rpartition("MSFT_DSCConfigurationOutput")[2] for each in output]


async def test_the_output_of_a_job_has_an_object_for_each_kind_of_thing_it_says() -> None:
    node = FakeNode()
    await node.apply(document(fake("F"), fake("r")))
    out = (await node.lcm.invoke("GetConfigurationResultOutput", {"jobId": JOB}))["output"]
    by_kind = {kind: each.properties for kind, each in zip(kinds(out), out, strict=True)}

    assert set(by_kind) == {"WriteMessage", "WriteProgress", "WriteError", "Reboot", "Result"}
    assert by_kind["WriteProgress"]["Activity"] == "Applying Configuration"
    assert by_kind["WriteProgress"]["PercentComplete"] == 50
    assert by_kind["Reboot"]["Automatic"] is False
    assert by_kind["Result"]["Result"] == 1
    assert by_kind["WriteError"]["Error"].properties["error_Type"] == "MI"
    assert {each.properties["Channel"] for each in out if "Channel" in each.properties} == {0, 1}
    assert kinds(out)[-1] == "Result"
    assert {each.properties["JobId"] for each in out} == {JOB}
    assert len({each.properties["Bookmark"] for each in out}) == len(out)


async def test_every_bookmark_gives_what_came_after_it_and_also_once_the_lab_was_started_again() -> None:
    node = FakeNode()
    await node.apply(document(fake("F"), fake("S")))
    whole = await node.lines()
    again = FakeNode(machine=node.machine)
    for at, line in enumerate(whole):
        for each in (node, again):
            rest = await each.lines(line["Bookmark"])
            assert [found["Bookmark"] for found in rest] == [found["Bookmark"] for found in whole[at + 1 :]]


async def test_the_simulation_of_the_last_document_is_told_resource_by_resource() -> None:
    node = FakeNode()
    await node.apply(
        document(
            fake("S"),
            service("a"),
            'instance of Other { ResourceID = "[Other]o"; ModuleName = "Fake"; ModuleVersion = "1.0"; };\n',
        )
    )

    assert node.lcm.simulation() == [
        ("[Fake]S", "Fake", "specific"),
        ("[Service]a", "Service", "generic"),
        ("[Other]o", "Other", "none"),
    ]
    set_ = {each["resource"]: each["simulated"] for each in node.entries("resource-set")}
    failed = {each["resource"]: each["simulated"] for each in node.entries("resource-failed")}
    assert set_ == {"[Fake]S": "specific", "[Service]a": "generic"}
    assert failed == {"[Other]o": "none"}
    assert names((await node.statuses())[0]["ResourcesInDesiredState"]) == ["S", "a"]
