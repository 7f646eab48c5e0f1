"""The runspace pool reacts to odd messages as the real server was seen to react."""

from __future__ import annotations

import uuid
from typing import Any

import psrpcore
import pytest
from psrpcore import ClientPowerShell, ClientRunspacePool

from provisioner.wire import faults
from provisioner.wire.fragments import Defragmenter
from provisioner.wire.psrp import (
    InputArrived,
    InputEnded,
    KeyOffered,
    MetadataRequested,
    PipelineRequested,
    RunspacePool,
    StopRequested,
)
from provisioner.wire.psrp.message_types import MessageType
from tests.unit.wire.psrp_client import message


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


_raw = message
_CAPABILITY = b"".join(
    (
        b'<Obj RefId="0"><MS><Version N="protocolversion">2.3</Version><Version N="PSVersion">2.0</Version>',
        b'<Version N="SerializationVersion">1.1.0.1</Version></MS></Obj>',
    )
)


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
    client.server.receive(None, _raw(MessageType.SESSION_CAPABILITY, b"<Obj/>", client.pool.runspace_pool_id))
    assert client.fetch() == []  # one that says nothing is none
    client.server.receive(
        None, _raw(MessageType.SESSION_CAPABILITY, _CAPABILITY, client.pool.runspace_pool_id)
    )
    assert [event.state.name for event in client.fetch()] == ["Closing", "Closed"]
    assert client.server.is_closed
    assert client.start()[1] == []


def test_a_message_for_another_pool_closes_the_pool() -> None:
    client = Client()
    client.server.receive(None, _raw(MessageType.GET_AVAILABLE_RUNSPACES, b"<Obj/>", uuid.uuid4()))
    assert client.server.is_closed


@pytest.mark.parametrize("kind", [0x12345, MessageType.PIPELINE_OUTPUT, MessageType.USER_EVENT])
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
@pytest.mark.parametrize("kind", [MessageType.CREATE_PIPELINE, MessageType.GET_COMMAND_METADATA])
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
    assert isinstance(request, PipelineRequested)
    assert request.pipeline_id == second


def test_input_that_comes_early_waits_with_its_pipeline() -> None:
    client = Client()
    first, _ = client.start("First")
    second, _ = client.start("Second", no_input=False)
    end = _raw(MessageType.END_OF_PIPELINE_INPUT, b"", client.pool.runspace_pool_id, second)
    one = _raw(MessageType.PIPELINE_INPUT, b"<I32>5</I32>", client.pool.runspace_pool_id, second)
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


def test_broken_input_is_dropped() -> None:
    client = Client()
    pipeline_id, _ = client.start(no_input=False)
    bogus = _raw(MessageType.PIPELINE_INPUT, b"no xml", client.pool.runspace_pool_id, pipeline_id)
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
        (MessageType.GET_AVAILABLE_RUNSPACES, "", 3),
        (MessageType.SET_MAX_RUNSPACES, '<I32 N="MaxRunspaces">5</I32>', True),
        (MessageType.SET_MAX_RUNSPACES, '<I32 N="MaxRunspaces">0</I32>', False),
        (MessageType.SET_MIN_RUNSPACES, '<I32 N="MinRunspaces">2</I32>', True),
        (MessageType.SET_MIN_RUNSPACES, '<I32 N="MinRunspaces">9</I32>', False),
        (MessageType.RESET_RUNSPACE_STATE, "", False),
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
    client.server.receive(None, _raw(MessageType.SET_MAX_RUNSPACES, data, client.pool.runspace_pool_id))
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


class _PlainKey:
    """A key that hides nothing."""

    def wrap(self, public_key: bytes) -> bytes:
        if not public_key.startswith(b"\x06"):
            raise ValueError(public_key)
        return b"key"

    def encrypt(self, text: str) -> bytes:
        return text.encode()

    def decrypt(self, data: bytes) -> str:
        return data.decode()


def test_the_session_key_is_given_to_who_offers_one() -> None:
    client = Client()
    client.pool.exchange_key()
    payload = client.pool.data_to_send()
    assert payload is not None
    (offered,) = client.server.receive(None, payload.data)
    assert isinstance(offered, KeyOffered)
    client.server.give_key(offered.public_key)
    assert client.server.outgoing() == []  # a pool without a key gives none
    client.server.session_key = _PlainKey()
    client.server.give_key(b"AAAA")
    assert client.server.outgoing() == []
    client.server.give_key(offered.public_key)
    ((_, chunk),) = client.server.outgoing()
    (answer,) = Defragmenter().feed(chunk.take(32768))
    assert answer.data == b'<Obj RefId="0"><MS><S N="EncryptedSessionKey">a2V5</S></MS></Obj>'
