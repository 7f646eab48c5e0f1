"""The methods of the LCM: who waits for whom, what is pending, what a restart does, what is reported."""

from __future__ import annotations

import asyncio
import json
import re

import pytest

from provisioner.lab.lcm.engine import MAX_DOCUMENT_BYTES
from provisioner.lab.lcm.errors import LcmError
from provisioner.lab.lcm.host import LcmOptions
from provisioner.lab.lcm.jobs.job_log import STATUS_FOLDER
from provisioner.lab.lcm.store import Store
from tests.unit.lab.lcm.building import JOB, UNKNOWN, FakeNode, document, fake, meta, names, service
from tests.unit.lab.waiting import until

OTHER_JOB = "{99999999-2222-3333-4444-5555555555AA}"
SET_FAILED = (
    "PowerShell DSC resource Fake  failed to execute Set-TargetResource functionality with error message: "
)
BUSY = "is in progress and must return before"


async def refused(node: FakeNode, method: str, **arguments: object) -> LcmError:
    with pytest.raises(LcmError) as caught:
        await node.lcm.invoke(method, arguments)
    return caught.value


# -- framing ----------------------------------------------------------------------------------------------------


async def test_a_big_endian_length_in_front_is_dropped() -> None:
    node = FakeNode()
    data = document(fake("S"))
    await node.apply((len(data) + 4).to_bytes(4, "big") + data)

    assert node.lcm.state == "Idle"


async def test_a_little_endian_length_in_front_is_garbage() -> None:
    node = FakeNode()
    data = document(fake("S"))

    with pytest.raises(LcmError, match="Buffer is not supported"):
        await node.push((len(data) + 4).to_bytes(4, "little") + data)


FORMS = {
    "big-endian": lambda data: (len(data) + 4).to_bytes(4, "big") + data,
    "little-endian": lambda data: (len(data) + 4).to_bytes(4, "little") + data,
    "raw": lambda data: data,
}


@pytest.mark.parametrize("sent", FORMS)
@pytest.mark.parametrize("taken", FORMS)
async def test_a_node_that_takes_one_form_refuses_the_others(taken: str, sent: str) -> None:
    node = FakeNode(LcmOptions(accepts=(taken,)))
    data = FORMS[sent](document(fake("S")))

    if sent == taken:
        await node.apply(data)
        assert node.lcm.state == "Idle"
    else:
        with pytest.raises(LcmError, match=r"Buffer is not supported|Token not recognized"):
            await node.push(data)


async def test_a_document_over_10_mb_is_refused_before_it_is_read() -> None:
    node = FakeNode()
    error = await refused(node, "SendConfigurationApply", ConfigurationData=b" " * (MAX_DOCUMENT_BYTES + 1))

    assert error.message.text == "MOF file size exceeded max size limit."
    assert (error.message.error_id, error.message.category) == ("MI RESULT 27", "ResourceBusy")
    assert node.lcm.state == "Idle"


# -- one operation at a time ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "arguments", "cmdlet"),
    [
        ("SendConfigurationApply", {"ConfigurationData": b"x"}, "Start-DscConfiguration"),
        (
            "SendConfigurationApplyAsync",
            {"ConfigurationData": b"x", "jobId": OTHER_JOB},
            "Start-DscConfiguration",
        ),
        (
            "SendConfigurationApplyAsync",
            {"ConfigurationData": b"x", "jobId": JOB, "force": True},
            "Start-DscConfiguration",
        ),
        ("SendConfiguration", {"ConfigurationData": b"x"}, "Publish-DscConfiguration"),
        ("ApplyConfiguration", {}, "Start-DscConfiguration"),
        ("TestConfiguration", {}, "Test-DscConfiguration"),
        ("GetConfiguration", {}, "Get-DscConfiguration"),
        ("SendMetaConfigurationApply", {"ConfigurationData": b"x"}, "Set-DscLocalConfigurationManager"),
        ("GetConfigurationStatus", {"All": True}, "Get-DscConfigurationStatus"),
        ("RemoveConfiguration", {"Stage": 2}, "Remove-DscConfigurationDocument"),
        ("PerformRequiredConfigurationChecks", {"Flags": 1}, "Consistency Check or Pull"),
    ],
)
async def test_who_comes_second_is_told_who_is_first(
    method: str, arguments: dict[str, object], cmdlet: str
) -> None:
    node = FakeNode()
    await node.push(document(fake("slow")))

    error = await refused(node, method, **arguments)

    assert error.message.text == (
        f"Cannot invoke the {cmdlet} cmdlet. The Start-DscConfiguration cmdlet is in progress and must return before "
        f"{cmdlet} can be invoked. Use -Force option if that is available to cancel the current operation."
    )
    assert (error.message.error_id, error.message.category) == ("MI RESULT 1", "NotSpecified")
    node.resource.gate.set()
    await node.idle()
    assert node.lcm.state == "Idle"


async def test_settings_and_state_are_told_while_busy() -> None:
    node = FakeNode()
    await node.push(document(fake("slow")))

    found = (await node.lcm.invoke("GetMetaConfiguration", {}))["MetaConfiguration"].properties

    assert (found["LCMState"], found["LCMStateDetail"]) == ("Busy", "LCM is applying a new configuration.")
    node.resource.gate.set()
    await node.idle()
    after = (await node.lcm.invoke("GetMetaConfiguration", {}))["MetaConfiguration"].properties
    assert (after["LCMState"], after["LCMStateDetail"]) == ("Idle", None)


async def test_a_push_with_force_stops_the_running_job_and_takes_its_place() -> None:
    node = FakeNode()
    await node.push(document(fake("slow")))
    await asyncio.sleep(0)
    await node.push(document(fake("S")), job_id=OTHER_JOB)
    await node.idle()

    second, first = await node.statuses()
    assert (first["JobID"], first["Status"], first["Error"]) == (
        JOB,
        "Failure",
        "The current configuration was cancelled.",
    )
    assert (second["JobID"], second["Status"]) == (OTHER_JOB, "Success")


async def test_a_job_outlives_the_call_that_waits_for_it() -> None:
    node = FakeNode()
    call = asyncio.create_task(
        node.lcm.invoke("SendConfigurationApply", {"ConfigurationData": document(fake("slow"))})
    )
    await asyncio.sleep(0.01)
    call.cancel()
    await asyncio.wait([call])

    assert node.lcm.state == "Busy"
    node.resource.gate.set()
    await node.idle()
    assert node.lcm.state == "Idle"


@pytest.mark.parametrize("force", [True, False])
async def test_stop_ends_the_job_at_once_or_after_the_resource_it_is_at(*, force: bool) -> None:
    node = FakeNode()
    await node.push(document(fake("slow"), fake("S")))
    await asyncio.sleep(0)
    await node.lcm.invoke("StopConfiguration", {"force": force})

    if not force:
        await asyncio.sleep(0.01)
        assert node.lcm.state == "Busy"
        node.resource.gate.set()
    await node.idle()
    assert node.lcm.state == "PendingConfiguration"
    assert "set S" not in node.resource.calls
    assert ("slow" in node.resource.settled) is not force


async def test_stop_without_a_job_does_nothing() -> None:
    assert await FakeNode().lcm.invoke("StopConfiguration", {"force": True}) == {}


# -- pending, current, previous ---------------------------------------------------------------------------------


async def test_a_failed_push_stays_pending_and_blocks_the_next_one_until_force() -> None:
    node = FakeNode()
    await node.apply(document(fake("F")))
    error = await refused(node, "SendConfigurationApply", ConfigurationData=document(fake("S")))

    assert error.message.text.startswith("A configuration is pending.")
    assert (error.message.error_id, error.message.category) == ("MI RESULT 11", "ResourceExists")
    await node.apply(document(fake("S")))
    assert node.lcm.state == "Idle"


async def test_a_refused_push_stays_pending_too_and_is_in_the_history() -> None:
    node = FakeNode()
    with pytest.raises(LcmError):
        await node.push(document(service("a", "Bogus = 1;")))

    record = (await node.statuses())[0]
    assert node.lcm.state == "PendingConfiguration"
    assert (record["JobID"], record["Status"], record["NumberOfResources"]) == (JOB, "Failure", 0)
    assert "Undefined property Bogus" in record["Error"]
    assert node.entries("job-started") == []


async def test_pending_reboot_takes_a_new_push_without_force() -> None:
    node = FakeNode()
    await node.apply(document(fake("r")))
    await node.push(document(fake("S")), force=False)
    await node.idle()

    assert node.lcm.state == "Idle"


async def test_what_was_current_is_previous_once_a_new_document_came_even_if_that_fails() -> None:
    node = FakeNode()
    await node.apply(document(fake("S")))
    assert node.stages() == {"P": None, "C": document(fake("S")), "p": None}
    await node.apply(document(fake("F")))

    assert node.stages() == {"P": document(fake("F")), "C": None, "p": document(fake("S"))}


async def test_removing_the_pending_document_makes_the_lcm_idle() -> None:
    node = FakeNode()
    await node.apply(document(fake("F")))
    await node.lcm.invoke("RemoveConfiguration", {"Stage": 2, "Force": True})

    assert node.lcm.state == "Idle"
    assert "does not exist" in (await refused(node, "ApplyConfiguration")).message.text


async def test_apply_takes_what_is_pending_else_what_is_current() -> None:
    node = FakeNode()
    await node.lcm.invoke("SendConfiguration", {"ConfigurationData": document(fake("S"))})
    assert (node.lcm.state, node.resource.calls) == ("PendingConfiguration", [])

    await node.lcm.invoke("ApplyConfiguration", {})
    await node.lcm.invoke("ApplyConfiguration", {})

    assert node.resource.calls == ["test S", "set S", "test S"]
    assert node.lcm.state == "Idle"


@pytest.mark.parametrize("method", ["TestConfiguration", "GetConfiguration", "ApplyConfiguration"])
async def test_without_any_configuration_there_is_nothing_to_work_on(method: str) -> None:
    error = await refused(FakeNode(), method)

    assert error.message.text.startswith(
        "Current configuration does not exist. Execute Start-DscConfiguration"
    )
    assert error.message.error_id == "MI RESULT 1"


async def test_a_waiting_push_reports_each_failed_resource_and_then_itself() -> None:
    node = FakeNode()
    error = await refused(
        node, "SendConfigurationApply", ConfigurationData=document(fake("F1"), fake("S"), fake("F2"))
    )

    assert [(each.error_id, each.category, each.text) for each in error.errors] == [
        (
            "ProviderOperationExecutionFailure",
            "InvalidOperation",
            f"{SET_FAILED}{name} went wrong ",
        )
        for name in ("F1", "F2")
    ]
    assert error.message.text == "The SendConfigurationApply function did not succeed."
    assert error.message.error_id == "MI RESULT 1"


# -- what makes a resource fail ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource", "error_id", "category", "text"),
    [
        (
            fake("F"),
            "ProviderOperationExecutionFailure",
            "InvalidOperation",
            "Set-TargetResource functionality with",
        ),
        (
            fake("T"),
            "ProviderOperationExecutionFailure",
            "InvalidOperation",
            "Test-TargetResource functionality with",
        ),
        (
            fake("N"),
            "NonTerminatingErrorFromProvider",
            "InvalidOperation",
            "one or more non-terminating errors",
        ),
        (fake("odd"), "TestTargetResourceInvalidResultFormat", "InvalidResult", "must be the boolean value"),
        (fake("bug"), "ProviderOperationExecutionFailure", "InvalidOperation", "the lab itself failed"),
        (
            UNKNOWN,
            "ProviderOperationExecutionFailure",
            "InvalidOperation",
            "the lab does not simulate Unknown",
        ),
    ],
    ids=["set", "test", "non-terminating", "no Boolean", "lab", "not simulated"],
)
async def test_a_failing_resource_is_reported_with_its_error_record(
    resource: str, error_id: str, category: str, text: str
) -> None:
    node = FakeNode()
    await node.apply(document(resource))

    record = (await node.statuses())[0]["ResourcesNotInDesiredState"][0].properties
    error = json.loads(record["Error"])
    written = [line["Error"].properties for line in await node.lines() if "Error" in line]
    assert node.lcm.state == "PendingConfiguration"
    assert error["FullyQualifiedErrorId"] == error_id
    assert text in error["Exception"]["Message"]
    assert error["CategoryInfo"]["Category"] == {"InvalidOperation": 7, "InvalidResult": 8}[category]
    # What a resource writes and survives comes first, under its own id.
    before = ["Meh"] if error_id == "NonTerminatingErrorFromProvider" else []
    assert [each["MessageID"] for each in written] == [*before, error_id, "MI RESULT 1"]
    assert record["InDesiredState"] is False


async def test_a_test_that_throws_is_not_followed_by_set() -> None:
    node = FakeNode()
    await node.apply(document(fake("T")))

    assert node.resource.calls == ["test T"]


async def test_the_journal_keeps_what_the_lcm_hides_from_clients() -> None:
    node = FakeNode()
    await node.apply(document(fake("F")))

    failed = node.entries("resource-failed")[0]
    assert (failed["inner_error_id"], failed["inner_category"]) == ("SetFailed", "InvalidResult")


@pytest.mark.parametrize("method", ["TestConfiguration", "SendConfigurationApply"])
async def test_the_journal_names_the_resource_whose_module_is_missing(method: str) -> None:
    node = FakeNode()
    data = document(service("a").replace("2.12.0.0", "9.9"), fake("S"))
    await refused(node, method, ConfigurationData=data, configurationData=data)

    failed = node.entries("resource-failed")
    assert [(each["resource"], each["error_id"], each["category"]) for each in failed] == [
        ("[Service]a", "DscResourceNotFound", "InvalidOperation")
    ]


# -- restarts ---------------------------------------------------------------------------------------------------


async def test_without_reboot_node_if_needed_the_lcm_waits_for_others_to_restart() -> None:
    node = FakeNode()
    await node.apply(document(fake("r")))

    assert (node.restarts, node.lcm.state) == (0, "PendingReboot")
    assert any(
        "A reboot is required to progress further" in line.get("Message", "") for line in await node.lines()
    )


async def test_with_reboot_node_if_needed_the_node_restarts_by_itself_and_continues_as_the_next_leg() -> None:
    node = FakeNode()
    await node.lcm.invoke(
        "SendMetaConfigurationApply", {"ConfigurationData": meta("RebootNodeIfNeeded = True;")}
    )
    await node.apply(document(fake("r"), fake("S")))
    assert (node.restarts, node.lcm.state) == (1, "PendingReboot")

    node.boot()
    detail = node.lcm.state_detail
    await node.idle()

    reboot, initial, setting = await node.statuses()
    assert detail == "LCM is continuing applying configuration after last reboot."
    assert node.lcm.state == "Idle"
    assert [(each["Type"], each["JobID"], each["RebootRequested"]) for each in (reboot, initial)] == [
        ("Reboot", JOB, False),
        ("Initial", JOB, True),
    ]
    assert setting["Type"] == "LocalConfigurationManager"
    first, second = (
        json.loads(node.machine.files.read(rf"{STATUS_FOLDER}\{JOB}-{leg}.details.json").decode("utf-16"))
        for leg in (0, 1)
    )
    assert "test S" not in node.resource.calls[:2]
    assert [entry["message"] for entry in first + second] == await node.texts()


async def test_with_stop_configuration_nothing_runs_after_the_boot() -> None:
    node = FakeNode()
    await node.lcm.invoke(
        "SendMetaConfigurationApply", {"ConfigurationData": meta('ActionAfterReboot = "StopConfiguration";')}
    )
    await node.apply(document(fake("r"), fake("S")))
    node.boot()

    assert node.lcm.state == "PendingConfiguration"
    assert node.resource.calls == ["test r", "set r"]
    await node.push(document(fake("r"), fake("S")), job_id=OTHER_JOB)
    await node.idle()
    assert node.lcm.state == "Idle"
    assert node.resource.calls[2:] == ["test r", "test S", "set S"]


async def test_a_restart_nobody_asked_for_aborts_the_job_which_stays_pending() -> None:
    node = FakeNode()
    await node.lcm.invoke(
        "SendMetaConfigurationApply", {"ConfigurationData": meta('ActionAfterReboot = "StopConfiguration";')}
    )
    await node.push(document(fake("slow")))
    await asyncio.sleep(0)
    node.boot()

    assert node.lcm.state == "PendingConfiguration"
    assert [each["job"] for each in node.entries("job-aborted")] == [JOB]
    assert node.entries("job-ended") == []
    assert [each["Type"] for each in await node.statuses()] == ["LocalConfigurationManager"]


async def test_a_document_that_always_asks_for_a_restart_loops_for_ever() -> None:
    node = FakeNode()
    await node.lcm.invoke(
        "SendMetaConfigurationApply", {"ConfigurationData": meta("RebootNodeIfNeeded = True;")}
    )
    node.resource.settled = _Forgetful()
    await node.apply(document(fake("r")))
    for _ in range(3):
        node.boot()
        await node.idle()

    assert node.restarts == 4


class _Forgetful(set[str]):
    def add(self, element: str, /) -> None:
        """Never learn."""


# -- settings ---------------------------------------------------------------------------------------------------


async def test_settings_nobody_made_are_those_of_windows() -> None:
    found = (await FakeNode().lcm.invoke("GetMetaConfiguration", {}))["MetaConfiguration"]

    assert found.properties["ConfigurationMode"] == "ApplyAndMonitor"
    assert found.properties["ActionAfterReboot"] == "ContinueConfiguration"
    assert found.properties["RebootNodeIfNeeded"] is False
    assert found.properties["RefreshMode"] == "PUSH"
    assert found.properties["ConfigurationModeFrequencyMins"] == 15
    assert type(found.properties["ConfigurationModeFrequencyMins"]).__name__ == "UInt32"
    assert found.type_names[-3:] == (
        "Microsoft.Management.Infrastructure.CimInstance#MSFT_DSCMetaConfiguration",
        "Microsoft.Management.Infrastructure.CimInstance",
        "System.Object",
    )


async def test_settings_a_document_does_not_name_return_to_their_defaults() -> None:
    node = FakeNode()
    for body in ('ConfigurationMode = "ApplyOnly"; RebootNodeIfNeeded = True;', "RebootNodeIfNeeded = True;"):
        await node.lcm.invoke("SendMetaConfigurationApply", {"ConfigurationData": meta(body)})

    found = (await node.lcm.invoke("GetMetaConfiguration", {}))["MetaConfiguration"].properties
    assert (found["ConfigurationMode"], found["RebootNodeIfNeeded"]) == ("ApplyAndMonitor", True)
    assert len(node.entries("meta-configuration")) == 2


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            'ConfigurationMode = "Sometimes";',
            "The value 'Sometimes' of property ConfigurationMode is not valid",
        ),
        ("ConfigurationModeFrequencyMins = 5;", "must be between 15 and 44640"),
        ('RebootNodeIfNeeded = "True";', "from type 'STRING' to type 'BOOLEAN' failed"),
        ("Bogus = 1;", "Undefined property Bogus"),
        ('LCMState = "Idle";', "read-only"),
        ('DebugMode = {"Loud"};', "The value 'Loud' of property DebugMode"),
    ],
)
async def test_settings_no_lcm_has_are_refused_and_change_nothing(body: str, text: str) -> None:
    node = FakeNode()
    before = (await node.lcm.invoke("GetMetaConfiguration", {}))["MetaConfiguration"].properties
    error = await refused(node, "SendMetaConfigurationApply", ConfigurationData=meta(body))

    assert text in error.message.text
    assert (await node.lcm.invoke("GetMetaConfiguration", {}))["MetaConfiguration"].properties == before


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (document(fake("S")), "Undefined class: Fake"),
        (document(), "exactly one MSFT_DSCMetaConfiguration instance; it has 0"),
        (b"instance of MSFT_DSCMetaConfiguration { };", "no OMI_ConfigurationDocument"),
    ],
)
async def test_a_document_without_settings_is_no_meta_configuration(data: bytes, text: str) -> None:
    assert (
        text in (await refused(FakeNode(), "SendMetaConfigurationApply", ConfigurationData=data)).message.text
    )


@pytest.mark.parametrize(
    ("body", "error_id"),
    [('RefreshMode = "Pull";', "MI RESULT 4"), ('RefreshMode = "Disabled";', "MI RESULT 1")],
)
async def test_a_push_is_refused_in_other_modes(body: str, error_id: str) -> None:
    node = FakeNode()
    await node.lcm.invoke("SendMetaConfigurationApply", {"ConfigurationData": meta(body)})
    error = await refused(node, "SendConfigurationApply", ConfigurationData=document(fake("S")))

    assert error.message.error_id == error_id


async def test_force_turns_pull_into_push() -> None:
    node = FakeNode()
    await node.lcm.invoke("SendMetaConfigurationApply", {"ConfigurationData": meta('RefreshMode = "Pull";')})
    await node.apply(document(fake("S")))

    found = (await node.lcm.invoke("GetMetaConfiguration", {}))["MetaConfiguration"].properties
    assert (node.lcm.state, found["RefreshMode"]) == ("Idle", "PUSH")


# -- test, get, status ------------------------------------------------------------------------------------------


async def test_testing_a_document_stores_nothing_and_leaves_no_record() -> None:
    node = FakeNode()
    out = await node.lcm.invoke("TestConfiguration", {"configurationData": document(fake("ok"), fake("S"))})

    assert out["InDesiredState"] is False
    assert names(out["ResourcesInDesiredState"]) == ["ok"]
    assert names(out["ResourcesNotInDesiredState"]) == ["S"]
    assert node.resource.calls == ["test ok", "test S"]
    assert (node.lcm.state, node.saves) == ("Idle", 0)
    error = await refused(node, "GetConfigurationStatus", All=False)
    assert error.message.text.startswith("No status information available for node HV01.")


async def test_testing_ends_at_the_first_resource_that_throws_without_a_result() -> None:
    node = FakeNode()
    error = await refused(
        node, "TestConfiguration", configurationData=document(fake("ok"), fake("T"), fake("S"))
    )

    assert (error.message.error_id, error.message.category) == (
        "ProviderOperationExecutionFailure",
        "InvalidOperation",
    )
    assert node.resource.calls == ["test ok", "test T"]
    assert node.lcm.state == "Idle"


async def test_without_a_document_current_is_tested() -> None:
    node = FakeNode()
    await node.apply(document(fake("S")))
    out = await node.lcm.invoke("TestConfiguration", {})

    assert out["InDesiredState"] is True
    assert out["ResourcesNotInDesiredState"] is None


async def test_get_gives_the_actual_state_of_each_resource() -> None:
    node = FakeNode()
    await node.apply(document(fake("S")))
    found = (await node.lcm.invoke("GetConfiguration", {}))["configurations"][0]

    assert found.properties["IsThere"] is True
    assert found.properties["ResourceId"] == "[Fake]S"
    assert found.text == "[Fake]S"


async def test_getting_ends_at_the_first_resource_that_throws() -> None:
    error = await refused(FakeNode(), "GetConfiguration", configurationData=document(UNKNOWN))

    assert error.message.error_id == "ProviderOperationExecutionFailure"
    assert "failed to execute Get-TargetResource" in error.message.text


async def test_a_status_record_has_the_members_of_its_class() -> None:
    node = FakeNode()
    await node.apply(document(fake("S")))
    record = (await node.statuses())[0]
    resource = record["ResourcesInDesiredState"][0]

    assert re.fullmatch(r"Author: .*; Name: n; Version: 2.0.0; .*", record["MetaData"])
    assert (record["HostName"], record["Mode"], record["Type"]) == ("HV01", "PUSH", "Initial")
    assert resource.type_names[:3] == tuple(
        "Microsoft.Management.Infrastructure.CimInstance#root/Microsoft/Windows/DesiredStateConfiguration/"
        + name
        for name in ("MSFT_ResourceInDesiredState", "MSFT_DSCResource", "OMI_BaseResource")
    )
    assert resource.properties["ResourceId"] == resource.text == "[Fake]S"
    assert resource.properties["SourceInfo"] == "f.yaml::1::2::Fake"
    assert resource.properties["ConfigurationName"] == "n"
    assert (resource.properties["ResourceName"], resource.properties["InstanceName"]) == ("Fake", "S")
    assert resource.properties["StateChanged"] is True
    assert resource.properties["Error"] is None
    assert resource.properties["DurationInSeconds"] > 0
    assert names(record["ResourcesChanged"]) == ["S"]


async def test_the_last_record_is_given_alone_unless_all_are_asked_for() -> None:
    node = FakeNode()
    for _ in range(3):
        await node.apply(document(fake("S")))

    last = (await node.lcm.invoke("GetConfigurationStatus", {}))["configurationStatus"]
    assert len(last) == 1
    assert len(await node.statuses()) == 3


async def test_records_older_than_the_retention_time_are_dropped() -> None:
    node = FakeNode()
    await node.apply(document(fake("S")))
    await node.sleep(11 * 24 * 3600)
    await node.apply(document(fake("S")))

    assert len(await node.statuses()) == 1


# -- output -----------------------------------------------------------------------------------------------------


async def test_the_lines_are_those_of_a_real_lcm() -> None:
    node = FakeNode()
    await node.apply(document(fake("ok"), fake("S")))
    lines = await node.texts()

    assert lines[0].startswith("An LCM method call arrived from computer HV01 with user sid S-1-5-")
    assert lines[1] == "[HV01]: LCM:  [ Start  Set      ]"
    assert lines[2] == "[HV01]: LCM:  [ Start  Resource ]  [[Fake]ok]"
    assert lines[3] == "[HV01]: LCM:  [ Start  Test     ]  [[Fake]ok]"
    assert lines[4] == "[HV01]:                            [[Fake]ok] testing ok"
    assert re.fullmatch(
        r"\[HV01\]: LCM:  \[ End    Test     \]  \[\[Fake\]ok\] True in \d+\.\d{4} seconds\.", lines[5]
    )
    assert lines[6] == "[HV01]: LCM:  [ Skip   Set      ]  [[Fake]ok]"
    assert any(
        re.fullmatch(r"\[HV01\]: LCM:  \[ End    Set      \]    in  \d+\.\d{4} seconds\.", line)
        for line in lines
    )


async def test_a_bookmark_gives_only_what_came_after_it() -> None:
    node = FakeNode()
    await node.push(document(fake("S"), fake("slow")))
    await until(lambda: "set slow" in node.resource.calls)
    first = await node.lines()
    node.resource.gate.set()
    await node.idle()
    rest = await node.lines(first[-1]["Bookmark"])

    assert first
    assert rest
    assert [*first, *rest] == await node.lines()
    assert await node.lines(rest[-1]["Bookmark"]) == []


async def test_a_node_may_keep_its_output_back_while_busy() -> None:
    node = FakeNode(LcmOptions(serves_output_while_busy=False))
    await node.push(document(fake("slow")))

    assert BUSY in (await refused(node, "GetConfigurationResultOutput", jobId=JOB)).message.text
    node.resource.gate.set()
    await node.idle()
    assert await node.lines()


async def test_the_details_file_holds_the_lines_of_the_leg_as_utf_16_json() -> None:
    node = FakeNode()
    await node.apply(document(fake("F")))
    content = node.machine.files.read(rf"{STATUS_FOLDER}\{JOB}-0.details.json")
    entries = json.loads(content.decode("utf-16"))

    assert content[:2] == b"\xff\xfe"
    assert {tuple(sorted(entry)) for entry in entries} == {("message", "time", "type")}
    assert [entry["type"] for entry in entries].count("error") == 2


async def test_the_output_of_a_job_is_still_there_when_the_lab_was_started_again() -> None:
    node = FakeNode()
    await node.apply(document(fake("F"), fake("S")))
    before = [(line.get("Message"), "Error" in line) for line in await node.lines()]

    again = FakeNode(machine=node.machine)
    again.lcm.load(json.loads(json.dumps(node.lcm.to_plain())))

    assert [(line.get("Message"), "Error" in line) for line in await again.lines()] == before
    assert [each["JobID"] for each in await again.statuses()] == [JOB]
    assert again.lcm.state == "PendingConfiguration"


async def test_a_job_nobody_began_has_no_output() -> None:
    assert (
        await refused(FakeNode(), "GetConfigurationResultOutput", jobId=JOB)
    ).message.error_id == "MI RESULT 6"


async def test_a_job_id_must_be_a_guid() -> None:
    error = await refused(
        FakeNode(), "SendConfigurationApplyAsync", ConfigurationData=document(fake("S")), jobId="mine"
    )

    assert error.message.text == "The job id mine is not a GUID."


async def test_job_ids_are_shown_in_upper_case_with_braces() -> None:
    node = FakeNode()
    await node.push(document(fake("S")), job_id=JOB.strip("{}").lower())
    await node.idle()

    assert (await node.statuses())[0]["JobID"] == JOB


# -- consistency check and persistence --------------------------------------------------------------------------


async def test_the_consistency_check_retries_what_is_pending() -> None:
    node = FakeNode()
    await node.apply(document(fake("F")))
    await refused(node, "PerformRequiredConfigurationChecks", Flags=1)

    assert node.resource.calls == ["test F", "set F"] * 2
    assert (await node.statuses())[0]["Type"] == "Consistency"


async def test_the_consistency_check_mends_drift_only_where_the_mode_says_so() -> None:
    node = FakeNode()
    await node.apply(document(fake("S")))
    node.resource.settled.clear()
    await node.lcm.invoke("PerformRequiredConfigurationChecks", {"Flags": 1})
    assert node.resource.calls.count("set S") == 1

    await node.lcm.invoke(
        "SendMetaConfigurationApply",
        {"ConfigurationData": meta('ConfigurationMode = "ApplyAndAutoCorrect";')},
    )
    await node.lcm.invoke("PerformRequiredConfigurationChecks", {"Flags": 1})
    assert node.resource.calls.count("set S") == 2


async def test_a_job_cut_by_the_end_of_the_lab_is_pending_afterwards() -> None:
    node = FakeNode()
    await node.push(document(fake("slow")))
    plain = node.lcm.to_plain()
    await node.lcm.stop()

    again = FakeNode(machine=node.machine)
    again.lcm.load(plain)
    assert again.lcm.state == "PendingConfiguration"


def test_a_store_survives_its_plain_form() -> None:
    node = FakeNode()
    store = Store(node.machine.files, job_id=JOB, state="PendingReboot")
    again = Store(node.machine.files)
    again.load(json.loads(json.dumps(store.to_plain())))

    assert again == store
