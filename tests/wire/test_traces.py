"""The server understands what real clients sent to real Windows, and its answers have the same shape.

Every request of every recording is sent, in order; what runs is fed with what ran in the recording. Each answer is
compared with the recorded one: elements, order, attributes, prefixes, header, the sequence of PSRP messages. What
differs stands in ``_DIFFERENCES``, which has to be exact.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from provisioner.wire import faults
from provisioner.wire.psrp import InputArrived, InputEnded, MetadataRequested, PipelineRequested
from provisioner.wire.service import Answer
from provisioner.wire.winrs import ProcessRequested
from tests.shared_data import shared
from tests.wire.replay import KINDS, Exchange, Replay, exchanges, kinds, messages, prefixes, replay, shape

#: Why an answer may differ from the recorded one.
_REASONS = {
    "activity": "Servers before Windows Server 2016 sent no ActivityId; the simulated ones are 2016 and later.",
    "opening": "How the opening messages are spread over two or three Receives is a matter of timing.",
    "progress": "Windows says that it prepares modules when it loads the first one. Whether it has one to load, and "
    "when, depends on what had run on the recorded machine before; the simulated node says so once, first.",
}
#: Recordings of servers that sent no ActivityId, in any answer.
_OLD = {
    "client_copy_file.yml",
    "client_copy_file_warning.yml",
    "psrp_get_command_metadata.yml",
    "psrp_is_alive_invalid_selectors.yml",
    "psrp_multiple_invocations.yml",
    "winrs_no_cmd_shell.yml",
    "winrs_operation_timeout.yml",
    "winrs_standard.yml",
    "winrs_stderr_rc.yml",
    "wsman_update_envelope_size_500.yml",
}
#: By recording: number of the exchange to the kind of its difference, besides the missing ActivityId.
_DIFFERENCES: dict[str, dict[int, str]] = {
    "client_copy_file_warning.yml": {5: "progress"},
    "psrp_disconnect_runspaces.yml": {1: "opening", 2: "opening", 3: "opening"},
    "psrp_get_command_metadata.yml": {4: "progress"},
    "psrp_long_running_cmdlet.yml": {4: "progress"},
    "psrp_multiple_invocations.yml": {4: "progress"},
    "psrp_with_jea_configuration.yml": {1: "opening", 2: "opening", 3: "opening", 5: "progress"},
}
#: Why a PSRP message may differ from the recorded one, and which do: recording, exchange, kind of the message.
_PAYLOAD_REASONS = {
    "exception": "A simulated node has no .NET exception: no stack, no method, no properties of its class.",
    "shared": "One object that stands in two places is written in both; Windows refers to the first.",
}
_PAYLOADS = {
    ("client_execute_ps_failure.yml", 4, "PIPELINE_STATE"): "exception",
    ("psrp_with_jea_configuration.yml", 5, "PIPELINE_OUTPUT"): "shared",
    ("psrp_with_jea_configuration.yml", 7, "ERROR_RECORD"): "exception",
    ("psrp_with_jea_configuration.yml", 7, "PIPELINE_STATE"): "exception",
}
_OPENING = {"SESSION_CAPABILITY", "APPLICATION_PRIVATE_DATA", "RUNSPACEPOOL_STATE"}


def _names() -> list[str]:
    try:
        folder = Path(shared("wire-traces"))
    except pytest.skip.Exception:
        return []
    return sorted(path.name for path in folder.glob("*.yml"))


def _without(tree: Any, name: str) -> Any:
    tag, attributes, told, children = tree
    return [
        tag,
        attributes,
        told,
        [_without(child, name) for child in children if child[0].rpartition("}")[2] != name],
    ]


def _difference(exchange: Exchange, answer: Answer | None) -> list[str]:
    """Name the kinds of differences between our answer and the recorded one."""
    told = kinds(exchange.response)
    if answer is None:
        return ["opening"] if set(told) <= _OPENING else ["waits"]
    found = []
    ours, theirs = shape(answer.body), shape(exchange.response)
    if "ActivityId" not in exchange.response:
        found.append("activity")
        ours = _without(ours, "ActivityId")
    if ours == theirs and kinds(answer.body) == told and prefixes(answer.body) == prefixes(exchange.response):
        return found
    if kinds(answer.body) and set(kinds(answer.body)) | set(told) <= _OPENING:
        return [*found, "opening"]
    rest = [[kind for kind in some if kind != "PROGRESS"] for some in (kinds(answer.body), told)]
    if "PROGRESS" in kinds(answer.body) and rest[0] == rest[1]:
        return [*found, "progress"]
    return [*found, "other"]


@pytest.mark.parametrize("name", _names())
def test_a_recorded_conversation_is_answered_as_windows_did(name: str) -> None:
    found = {}
    for number, (exchange, answer, _) in enumerate(replay(name)):
        assert re.search(r"Action>[^<]+<", exchange.response)
        differences = _difference(exchange, answer)
        if name in _OLD:
            assert differences[:1] == ["activity"] or answer is None
            differences = [kind for kind in differences if kind != "activity"]
        if differences:
            (found[number],) = differences
    assert found == _DIFFERENCES.get(name, {})


def test_the_differences_are_explained_and_about_recordings_there_are() -> None:
    shared("wire-traces")
    assert set(_DIFFERENCES) | _OLD <= set(_names())
    used = {kind for listed in _DIFFERENCES.values() for kind in listed.values()}
    assert used | {"activity"} == set(_REASONS)
    assert sum(len(exchanges(name)) for name in _names()) > 150


@pytest.mark.parametrize("name", _names())
def test_every_recorded_request_has_its_effect(name: str) -> None:
    """A Command begins something, a Send brings its objects and their end; nothing is dropped in silence."""
    before: list[Any] = []
    for exchange, _, run in replay(name):
        new = run.understood[len(before) :]
        before = list(run.understood)
        if "Fault>" in exchange.response:
            continue
        match exchange.verb:
            case "Command":
                assert isinstance(new[0], PipelineRequested | MetadataRequested | ProcessRequested)
            case "Send":
                assert len(new) == len(messages(exchange.request))
                assert isinstance(new[-1], InputEnded)
                assert all(isinstance(event, InputArrived) for event in new[:-1])


def test_command_lines_arrive_as_they_were_sent() -> None:
    found = []
    for name in _names():
        for _, _, run in replay(name):
            last = run
        found += [
            (event.command_line, event.uses_cmd)
            for event in last.understood
            if isinstance(event, ProcessRequested) and len(event.command_line) < 100
        ]
    assert ("cmd.exe /c echo hi", True) in found
    assert ("cmd.exe /c echo out && echo err>&2 && exit 1", True) in found
    assert (r"C:\Windows\system32\WindowsPowerShell\v1.0\powershell.exe Write-Host hi", False) in found


def test_fault_texts_are_those_of_the_recordings() -> None:
    count = 0
    for name in _names():
        for exchange, answer, _ in replay(name):
            if "Fault>" not in exchange.response or answer is None or b"Fault>" not in answer.body:
                continue
            texts = [
                re.findall(r"<(?:s:Text|f:Message)[^>]*>([^<]+)<", text)
                for text in (exchange.response, answer.body.decode())
            ]
            assert texts[0] == texts[1]
            count += 1
    assert count >= 6


def test_application_private_data_is_byte_for_byte_that_of_windows_powershell() -> None:
    run = Replay()
    recorded = exchanges("psrp_open_runspace.yml")
    tickets = [run.send(exchange) for exchange in recorded[:2]]
    ours, theirs = messages(run.answers[tickets[1]].body), messages(recorded[1].response)
    assert [message.data for message in ours] == [message.data for message in theirs]


def test_what_the_recorded_scripts_were_arrives_as_scripts() -> None:
    calls = []
    for name in _names():
        for _, _, run in replay(name):
            last = run
        calls += [
            call for event in last.understood if isinstance(event, PipelineRequested) for call in event.calls
        ]
    assert any(call.is_script for call in calls)
    assert all(isinstance(call.name, str) for call in calls)
    assert len(calls) > 10


def test_fault_codes_are_those_of_the_recordings() -> None:
    seen = {
        int(code)
        for name in _names()
        for exchange in exchanges(name)
        for code in re.findall(r'WSManFault[^>]*Code="(\d+)"', exchange.response)
    }
    known = (faults.timed_out(), faults.no_such_shell(), faults.no_such_command(), faults.no_such_program())
    assert {fault.code for fault in known} == seen


def _elements(payload: bytes) -> Any:
    """Reduce CLIXML to elements, their order and the names of properties."""
    if not payload:
        return None

    def walk(element: ET.Element) -> Any:
        return (element.tag.rpartition("}")[2], element.get("N"), [walk(child) for child in element])

    return walk(ET.fromstring(payload))


def test_every_psrp_message_is_built_as_windows_built_it() -> None:
    shared("wire-traces")
    different, compared = {}, 0
    for name in _names():
        for number, (exchange, answer, _) in enumerate(replay(name)):
            if answer is None or "<rsp:ReceiveResponse" not in exchange.response:
                continue
            ours, theirs = (
                [message for message in messages(text) if KINDS[message.type] != "PROGRESS"]
                for text in (answer.body, exchange.response)
            )
            for mine, recorded in zip(ours, theirs, strict=False):  # openings are spread in another way
                if mine.type != recorded.type:
                    continue
                compared += 1
                if _elements(mine.data) != _elements(recorded.data):
                    key = (name, number, KINDS[recorded.type])
                    different[key] = _PAYLOADS.get(key, "unexplained")
    assert different == _PAYLOADS
    assert set(_PAYLOADS.values()) == set(_PAYLOAD_REASONS)
    assert compared > 120
