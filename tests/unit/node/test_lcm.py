"""What is asked of the LCM, and what its refusals become."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from provisioner.errors import CommandError, ConnectError, LcmError
from provisioner.inventory.model import Framing
from provisioner.node.framing import PROBE, frame
from provisioner.node.lcm import STATUS_FOLDER, LocalConfigurationManager
from provisioner.transport.base import Pipeline, Result
from tests.unit.node.nodes import error, fails, gives, record, session

JOB = "{0F0F0F0F-0000-4000-8000-000000000001}"
IDLE = gives(record(MetaConfiguration=record(LCMState="Idle"), ReturnValue=0))
DONE = gives(record(ReturnValue=0))


@pytest.mark.parametrize(
    ("framing", "framed"),
    [
        (Framing.BIG_ENDIAN, b"\x00\x00\x00\x07abc"),
        (Framing.LITTLE_ENDIAN, b"\x07\x00\x00\x00abc"),
        (Framing.RAW, b"abc"),
    ],
)
def test_a_document_is_framed_as_the_inventory_says(framing: Framing, framed: bytes) -> None:
    assert frame(b"abc", framing) == framed


class Calls:
    """Answers by method name and remembers what was asked."""

    def __init__(self, answers: Mapping[str, Result]) -> None:
        self.answers = {"GetMetaConfiguration": IDLE, **answers}
        self.asked: list[dict[str, Any]] = []

    def __call__(self, pipeline: Pipeline) -> Result:
        (command,) = pipeline.commands
        self.asked.append({"Command": command.name, **command.parameters})
        return self.answers[command.parameters.get("MethodName", command.name)]


def lcm(calls: Callable[[Pipeline], Result]) -> LocalConfigurationManager:
    return LocalConfigurationManager(session(calls), Framing.RAW)


async def test_start_is_a_local_cim_call_with_our_job_id_and_force() -> None:
    calls = Calls({"SendConfigurationApplyAsync": DONE})
    await lcm(calls).start(b"mof", JOB)
    assert calls.asked == [
        {
            "Command": "Invoke-CimMethod",
            "Namespace": "root/Microsoft/Windows/DesiredStateConfiguration",
            "ClassName": "MSFT_DSCLocalConfigurationManager",
            "MethodName": "SendConfigurationApplyAsync",
            "Arguments": {"ConfigurationData": b"mof", "force": True, "jobId": JOB},
        }
    ]


async def test_the_meta_configuration_is_sent_with_force_and_the_test_with_reference_data() -> None:
    verdict = gives(record(InDesiredState=True, ReturnValue=0))
    calls = Calls({"SendMetaConfigurationApply": DONE, "TestConfiguration": verdict})
    await lcm(calls).send_meta_configuration(b"meta")
    assert (await lcm(calls).test(b"mof")).in_desired_state
    assert [call["Arguments"] for call in calls.asked] == [
        {"ConfigurationData": b"meta", "force": True},
        {"configurationData": b"mof"},
    ]


async def test_a_question_without_arguments_sends_none() -> None:
    calls = Calls({})
    assert (await lcm(calls).meta_configuration()).state == "Idle"
    assert "Arguments" not in calls.asked[0]


async def test_a_refusal_names_method_text_code_and_last_state() -> None:
    refusal = fails("Undefined class: X", "MI RESULT 4,Microsoft.X.InvokeCimMethodCommand")
    with pytest.raises(LcmError, match="hv01: TestConfiguration: Undefined class: X") as raised:
        await lcm(Calls({"TestConfiguration": refusal})).test(b"mof")
    assert (raised.value.code, raised.value.last_state) == ("MI RESULT 4", "Idle")


async def test_all_errors_of_a_call_are_told_once_each() -> None:
    refusal = Result(
        errors=(error("a failed"), error("b failed"), error("a failed"), error("no success", "MI RESULT 1,C"))
    )
    with pytest.raises(LcmError, match="a failed; b failed; no success") as raised:
        await lcm(Calls({"SendMetaConfigurationApply": refusal})).send_meta_configuration(b"")
    assert raised.value.code == "MI RESULT 1"


async def test_a_terminating_error_is_a_refusal_too() -> None:
    refusal = Result(terminated=error("denied", "HRESULT 0x80041003,C"))
    with pytest.raises(LcmError, match="denied") as raised:
        await lcm(Calls({"SendConfigurationApplyAsync": refusal})).start(b"", JOB)
    assert raised.value.code == "HRESULT 0x80041003"


async def test_a_return_value_other_than_zero_is_a_refusal() -> None:
    with pytest.raises(LcmError, match="it returned 27") as raised:
        await lcm(Calls({"SendConfigurationApplyAsync": gives(record(ReturnValue=27))})).start(b"", JOB)
    assert raised.value.code == "MI RESULT 27"


async def test_a_refusal_is_told_even_when_the_state_cannot_be_asked() -> None:
    def answer(pipeline: Pipeline) -> Result:
        if pipeline.commands[0].parameters["MethodName"] == "GetMetaConfiguration":
            raise ConnectError("hv01", "memory", "cut")
        return fails("refused")

    with pytest.raises(LcmError, match="refused") as raised:
        await lcm(answer).test(b"")
    assert raised.value.last_state == ""


@pytest.mark.parametrize("method", ["meta_configuration", "test"])
async def test_an_answer_without_the_documented_properties_is_an_error(method: str) -> None:
    found = lcm(Calls({"GetMetaConfiguration": DONE, "TestConfiguration": DONE}))
    with pytest.raises(LcmError, match="documented properties"):
        await (found.test(b"") if method == "test" else found.meta_configuration())


async def test_no_history_is_an_empty_history_and_other_refusals_are_not() -> None:
    none = fails("No status information available for node hv01. Apply a configuration", "MI RESULT 1,C")
    assert await lcm(Calls({"GetConfigurationStatus": none})).statuses() == ()
    with pytest.raises(LcmError):
        await lcm(Calls({"GetConfigurationStatus": fails()})).statuses()


async def test_output_that_is_not_served_now_is_empty_and_keeps_the_bookmark() -> None:
    found = await lcm(Calls({"GetConfigurationResultOutput": fails()})).output(JOB, b"5")
    assert (found.messages, found.bookmark) == ((), b"5")


async def test_output_is_asked_for_from_the_bookmark_on() -> None:
    calls = Calls({"GetConfigurationResultOutput": DONE})
    await lcm(calls).output(JOB, None)
    await lcm(calls).output(JOB, b"5")
    assert [call["Arguments"] for call in calls.asked] == [
        {"jobId": JOB},
        {"jobId": JOB, "resumeOutputBookmark": b"5"},
    ]


HISTORY = gives(record(configurationStatus=[record(JobID=JOB.lower())]))


@pytest.mark.parametrize(
    ("files", "history", "exists"),
    [
        (gives(record(Name="x")), fails(), True),
        (gives(), HISTORY, True),
        (fails(category="ObjectNotFound"), HISTORY, True),
        (gives(), gives(record(configurationStatus=None)), False),
    ],
)
async def test_a_job_exists_by_its_file_or_its_status(
    files: Result, history: Result, *, exists: bool
) -> None:
    calls = Calls({"Get-ChildItem": files, "GetConfigurationStatus": history})
    assert await lcm(calls).job_exists(JOB) is exists
    assert calls.asked[0] == {
        "Command": "Get-ChildItem",
        "Path": STATUS_FOLDER,
        "Filter": f"{JOB}-*.details.json",
    }


async def test_a_folder_that_cannot_be_read_does_not_pass_for_an_absent_job() -> None:
    with pytest.raises(CommandError):
        await lcm(Calls({"Get-ChildItem": fails(category="PermissionDenied")})).job_exists(JOB)


# -- the layout a node takes ------------------------------------------------------------------------------------

VERDICT = gives(record(InDesiredState=False, ReturnValue=0))
SYNTAX = fails("Syntax error:", "MI RESULT 1,C")


class Picky(Calls):
    """Reads documents in one layout only."""

    def __init__(self, taken: Framing | None, refusal: Result = SYNTAX) -> None:
        super().__init__({"SendConfigurationApplyAsync": DONE})
        self.taken = taken
        self.refusal = refusal

    def __call__(self, pipeline: Pipeline) -> Result:
        given = pipeline.commands[0].parameters.get("Arguments", {}).get("configurationData")
        result = super().__call__(pipeline) if given is None else self.refusal
        if given is not None:
            self.asked.append({"probe": given})
            if self.taken and given == frame(PROBE, self.taken):
                result = VERDICT
        return result

    @property
    def probes(self) -> list[bytes]:
        return [call["probe"] for call in self.asked if "probe" in call]


def asking(calls: Callable[[Pipeline], Result]) -> LocalConfigurationManager:
    return LocalConfigurationManager(session(calls), Framing.AUTO)


@pytest.mark.parametrize("taken", [Framing.BIG_ENDIAN, Framing.RAW, Framing.LITTLE_ENDIAN])
async def test_a_node_is_asked_once_for_the_layout_it_takes(taken: Framing) -> None:
    calls = Picky(taken)
    node = asking(calls)
    await node.start(b"mof", JOB)
    await node.start(b"again", JOB)

    sent = [call["Arguments"]["ConfigurationData"] for call in calls.asked if "Arguments" in call]
    assert sent == [frame(b"mof", taken), frame(b"again", taken)]
    assert calls.probes[-1] == frame(PROBE, taken)
    assert len(calls.probes) == len(set(calls.probes)) <= 3


async def test_a_node_that_takes_no_layout_is_told_with_every_refusal() -> None:
    with pytest.raises(LcmError) as raised:
        await asking(Picky(None)).start(b"mof", JOB)

    assert str(raised.value) == (
        "hv01: the LCM can read a document in none of the known layouts (big-endian: TestConfiguration: Syntax "
        "error:; raw: TestConfiguration: Syntax error:; little-endian: TestConfiguration: Syntax error:)"
    )
    assert "'framing'" in raised.value.help


@pytest.mark.parametrize(
    ("message", "error_id"),
    [
        (
            "Cannot invoke the X cmdlet. The Y cmdlet is in progress and must return before X.",
            "MI RESULT 1,C",
        ),
        ("Access denied", "HRESULT 0x80041003,C"),
        ("Access denied", "MI RESULT 2,C"),
        ("Invalid class", "HRESULT 0x80041010,C"),
    ],
)
async def test_a_node_that_cannot_be_asked_now_is_not_asked_again(message: str, error_id: str) -> None:
    calls = Picky(None, fails(message, error_id))
    with pytest.raises(LcmError, match=message[:13]):
        await asking(calls).test(b"mof")
    assert len(calls.probes) == 1


async def test_a_resource_that_fails_was_read_in_the_layout_it_was_sent_in() -> None:
    calls = Picky(None, fails("no Log here", "ProviderOperationExecutionFailure,C"))
    await asking(calls).start(b"mof", JOB)
    assert calls.probes == [frame(PROBE, Framing.BIG_ENDIAN)]


async def test_nothing_is_asked_of_a_node_whose_layout_is_known_or_that_is_sent_nothing() -> None:
    calls = Calls({"SendConfigurationApplyAsync": DONE})
    await lcm(calls).start(b"mof", JOB)
    await asking(calls).meta_configuration()
    assert [call["MethodName"] for call in calls.asked] == [
        "SendConfigurationApplyAsync",
        "GetMetaConfiguration",
    ]
