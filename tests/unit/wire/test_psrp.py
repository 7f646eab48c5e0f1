"""The runspace pool reacts to odd messages as the real server was seen to react."""

from __future__ import annotations

import json
import uuid
from typing import Any

import psrpcore
import pytest
from psrpcore import ClientPowerShell, ClientRunspacePool
from psrpcore.types import PSRPMessageType as MessageType

from provisioner.wire import faults, fragments, psrp
from provisioner.wire.fragments import Defragmenter, Message
from provisioner.wire.psrp import (
    InputArrived,
    InputEnded,
    MetadataRequested,
    PipelineRequested,
    RunspacePool,
    StopRequested,
)
from tests.shared_data import shared


class Client:
    """psrpcore's client joined to our pool in memory."""

    def __init__(self, runspaces: int = 1) -> None:
        self.pool = ClientRunspacePool(max_runspaces=runspaces)
        self.server = RunspacePool("20348.1")
        self.pool.open()
        payload = self.pool.data_to_send()
        assert payload is not None
        self.server.create(payload.data)
        self.received: list[Any] = []
        self.fetch()

    def fetch(self) -> list[Any]:
        """Give the server's output to the client; returns its new events."""
        new = []
        for pipeline_id, chunk in self.server.outgoing():
            while not chunk.is_sent:
                self.pool.receive_data(
                    psrpcore.PSRPPayload(chunk.take(500), psrpcore.StreamType.default, pipeline_id)
                )
            while (event := self.pool.next_event()) is not None:
                new.append(event)
        self.received += new
        return new

    def start(self, name: str = "Get-Thing", *, no_input: bool = True) -> tuple[uuid.UUID, list[Any]]:
        shell = ClientPowerShell(self.pool)
        shell.add_command(name)
        shell.metadata.no_input = no_input
        shell.start()
        payload = self.pool.data_to_send()
        assert payload is not None
        return shell.pipeline_id, self.server.command(shell.pipeline_id, payload.data)


def _raw(kind: int, data: bytes, pool_id: uuid.UUID, pipeline_id: uuid.UUID | None = None) -> bytes:
    return fragments.whole_fragment(Message(kind, pool_id, pipeline_id, data), 99)


def test_the_pool_opens_with_the_messages_of_a_real_server() -> None:
    names = [type(event).__name__ for event in Client().received]
    assert names == ["SessionCapabilityEvent", "ApplicationPrivateDataEvent", "RunspacePoolStateEvent"]


def test_a_pipeline_begins_with_a_progress_record_once() -> None:
    client = Client()
    for expected in (["ProgressRecordEvent", "PipelineStateEvent"], ["PipelineStateEvent"]):
        pipeline_id, (request,) = client.start()
        assert isinstance(request, PipelineRequested)
        client.server.complete(pipeline_id)
        assert [type(event).__name__ for event in client.fetch()] == expected
        assert client.server.is_finished(pipeline_id)


@pytest.mark.parametrize("data", [b"", b"garbage", bytes(100)])
def test_a_pool_is_not_opened_by_garbage(data: bytes) -> None:
    with pytest.raises(faults.WSManFault):
        RunspacePool("1").create(data)


def test_a_second_capability_closes_the_pool() -> None:
    client = Client()
    client.server.receive(None, _raw(MessageType.SessionCapability, b"<Obj/>", client.pool.runspace_pool_id))
    assert [event.state.name for event in client.fetch()] == ["Closing", "Closed"]
    assert client.server.is_closed
    assert client.start()[1] == []


def test_a_message_for_another_pool_closes_the_pool() -> None:
    client = Client()
    client.server.receive(None, _raw(MessageType.GetAvailableRunspaces, b"<Obj/>", uuid.uuid4()))
    assert client.server.is_closed


@pytest.mark.parametrize("kind", [0x12345, MessageType.PipelineOutput, MessageType.UserEvent])
def test_unknown_and_misplaced_messages_are_ignored(kind: int) -> None:
    client = Client()
    assert client.server.receive(None, _raw(kind, b"<Obj/>", client.pool.runspace_pool_id)) == []
    assert not client.server.is_closed
    assert client.start()[1] != []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<Obj",
        b"<Foo/>",
        b'<Obj RefId="0"><MS></MS></Obj>',
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><Obj/>",
        b"\xff\xfe\xfd",
        b'<Obj RefId="0">' * 5000,
    ],
)
@pytest.mark.parametrize("kind", [MessageType.CreatePipeline, MessageType.GetCommandMetadata])
def test_a_broken_pipeline_gets_no_answer_and_the_pool_lives_on(kind: MessageType, data: bytes) -> None:
    client = Client()
    broken = uuid.uuid4()
    assert client.server.command(broken, _raw(kind, data, client.pool.runspace_pool_id, broken)) == []
    assert not client.server.is_finished(broken)
    assert client.start()[1] != []


def test_a_pool_of_one_makes_the_second_pipeline_wait() -> None:
    client = Client()
    first, _ = client.start("First")
    second, waiting = client.start("Second")
    assert waiting == []
    (request,) = client.server.complete(first)
    assert request.pipeline_id == second


def test_input_that_comes_early_waits_with_its_pipeline() -> None:
    client = Client()
    first, _ = client.start("First")
    second, _ = client.start("Second", no_input=False)
    end = _raw(MessageType.EndOfPipelineInput, b"", client.pool.runspace_pool_id, second)
    one = _raw(MessageType.PipelineInput, b"<I32>5</I32>", client.pool.runspace_pool_id, second)
    assert client.server.receive(second, one + end) == []
    request, arrived, ended = client.server.complete(first)
    assert isinstance(request, PipelineRequested)
    assert request.expects_input
    assert (arrived, ended) == (InputArrived(second, 5), InputEnded(second))


def test_a_pipeline_read_before_runs_and_takes_its_own_input() -> None:
    requests = []
    for number in range(2):
        client = Client()
        pipeline_id, (request,) = client.start("Read-Twice", no_input=False)
        requests.append((request.calls, request.expects_input))
        shell = client.pool.pipeline_table[pipeline_id]
        shell.send(number)
        payload = client.pool.data_to_send()
        assert payload is not None
        (arrived,) = client.server.receive(pipeline_id, payload.data)
        assert arrived == InputArrived(pipeline_id, number)
        client.server.complete(pipeline_id)
        assert "PipelineStateEvent" in [type(event).__name__ for event in client.fetch()]
    assert requests[0] == requests[1]
    assert requests[0][1]


def test_a_secure_string_is_read_anew_for_each_pool() -> None:
    remembered = dict(psrp._READ)
    psrp._remember(b'<Obj><SS N="V">x</SS></Obj>', (), expects_input=False)
    psrp._remember(bytes(psrp._READ_BYTES + 1), (), expects_input=False)
    assert remembered == psrp._READ


def test_what_is_remembered_of_pipelines_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psrp, "_READ", {})
    for number in range(psrp._READ_MOST + 5):
        psrp._remember(str(number).encode(), (), expects_input=False)
    assert len(psrp._READ) == 5


def test_broken_input_is_dropped() -> None:
    client = Client()
    pipeline_id, _ = client.start(no_input=False)
    bogus = _raw(MessageType.PipelineInput, b"no xml", client.pool.runspace_pool_id, pipeline_id)
    assert client.server.receive(pipeline_id, bogus) == []


def test_a_stop_is_asked_for_and_ends_the_pipeline() -> None:
    client = Client()
    pipeline_id, _ = client.start()
    assert client.server.signal(pipeline_id, forget=False) == [StopRequested(pipeline_id)]
    client.server.stopped(pipeline_id)
    event = client.fetch()[-1]
    assert event.state.name == "Stopped"
    assert event.reason.FullyQualifiedErrorId == "PipelineStopped"
    assert client.server.signal(pipeline_id, forget=False) == []


def test_a_waiting_pipeline_stops_at_once_and_never_runs() -> None:
    client = Client()
    first, _ = client.start("First")
    second, _ = client.start("Second")
    assert client.server.signal(second, forget=False) == []
    assert client.fetch()[-1].state.name == "Stopped"
    assert client.server.complete(first) == []


def test_a_forgotten_pipeline_says_nothing_more() -> None:
    client = Client()
    pipeline_id, _ = client.start()
    client.fetch()
    client.server.signal(pipeline_id, forget=True)
    client.server.stopped(pipeline_id)
    client.server.write_output(pipeline_id, "late")
    assert client.fetch() == []


def test_what_is_written_after_the_end_is_dropped() -> None:
    client = Client()
    pipeline_id, _ = client.start()
    client.server.complete(pipeline_id)
    client.fetch()
    client.server.write_output(pipeline_id, "late")
    client.server.complete(pipeline_id)
    assert client.fetch() == []


@pytest.mark.parametrize(
    ("kind", "members", "expected"),
    [
        (MessageType.GetAvailableRunspaces, "", 3),
        (MessageType.SetMaxRunspaces, '<I32 N="MaxRunspaces">5</I32>', True),
        (MessageType.SetMaxRunspaces, '<I32 N="MaxRunspaces">0</I32>', False),
        (MessageType.SetMinRunspaces, '<I32 N="MinRunspaces">2</I32>', True),
        (MessageType.SetMinRunspaces, '<I32 N="MinRunspaces">9</I32>', False),
        (MessageType.ResetRunspaceState, "", True),
    ],
)
@pytest.mark.parametrize("call_name", ["ci", "CI"])
def test_questions_about_the_pool_are_answered(
    kind: MessageType, members: str, expected: Any, call_name: str
) -> None:
    client = Client(runspaces=3)
    data = f'<Obj RefId="0"><MS>{members}<I64 N="{call_name}">7</I64></MS></Obj>'.encode()
    client.server.receive(None, _raw(kind, data, client.pool.runspace_pool_id))
    ((_, chunk),) = client.server.outgoing()
    (message,) = Defragmenter().feed(chunk.take(32768))
    value = "<B N=" if isinstance(expected, bool) else "<I32 N="
    text = str(expected).lower()
    assert f'{value}"SetMinMaxRunspacesResponse">{text}<' in message.data.decode()
    assert '<I64 N="ci">7</I64>' in message.data.decode()


@pytest.mark.parametrize(
    "data", [b"", b"<Obj", b'<Obj><MS><I64 N="ci">x</I64></MS></Obj>', b"<Obj><MS/></Obj>"]
)
def test_broken_questions_get_no_answer(data: bytes) -> None:
    client = Client()
    client.server.receive(None, _raw(MessageType.SetMaxRunspaces, data, client.pool.runspace_pool_id))
    assert client.server.outgoing() == []
    assert not client.server.is_closed


def test_metadata_is_asked_for_by_pattern() -> None:
    client = Client()
    shell = psrpcore.ClientGetCommandMetadata(client.pool, ["Get-*", "Set-*"])
    shell.start()
    payload = client.pool.data_to_send()
    assert payload is not None
    assert client.server.command(shell.pipeline_id, payload.data) == [
        MetadataRequested(shell.pipeline_id, ("Get-*", "Set-*"))
    ]


def test_the_session_key_is_exchanged() -> None:
    client = Client()
    client.pool.exchange_key()
    payload = client.pool.data_to_send()
    assert payload is not None
    client.server.receive(None, payload.data)
    assert [type(event).__name__ for event in client.fetch()] == ["EncryptedSessionKeyEvent"]


def test_the_hand_made_messages_of_the_reactions_never_raise() -> None:
    """Each synthetic client of the recorded reactions, its Data packets fed as they are."""
    import base64  # noqa: PLC0415 - only needed here
    import re  # noqa: PLC0415 - only needed here

    path = shared("powershell-goldens", "psrp_server_reactions", "cases.jsonl")
    opened = 0
    for line in path.read_text(encoding="utf-8").splitlines():
        server = RunspacePool("20348.1")
        sent = re.findall(r"PSGuid='([0-9a-fA-F-]{36})'[^>]*>([A-Za-z0-9+/=]+)<", line.replace('\\"', "'"))
        is_created = False
        for guid, text in sent:
            try:
                data = base64.b64decode(text)
            except ValueError:
                continue
            pipeline_id = uuid.UUID(guid)
            try:
                if not is_created:
                    is_created = True
                    server.create(data)
                    opened += 1
                elif pipeline_id.int == 0:
                    server.receive(None, data)
                else:
                    server.command(pipeline_id, data)
            except faults.WSManFault:
                break
        server.outgoing()
    assert opened > 50, json.dumps(opened)
