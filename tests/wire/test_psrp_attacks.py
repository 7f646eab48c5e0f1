"""Nothing a client sends makes the pool raise, grow without limit, or answer what it should not."""

from __future__ import annotations

import re
import struct
import uuid
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.wire import faults
from provisioner.wire.fragments import MAX_COMMAND_BYTES, MAX_MESSAGE_BYTES
from provisioner.wire.psrp import PipelineRequested, RunspacePool
from provisioner.wire.psrp.message_types import MessageType
from tests.unit.wire.psrp_client import message
from tests.wire.recorded import share_key

_ID = uuid.UUID(int=0x11)
_PIPELINE = uuid.UUID(int=0x22)
_CAPABILITY = (
    '<Obj RefId="0"><MS><Version N="protocolversion">2.3</Version><Version N="PSVersion">2.0</Version>'
    '<Version N="SerializationVersion">1.1.0.1</Version></MS></Obj>'
)
_HOST = (
    '<Obj N="HostInfo" RefId="9"><MS><B N="_isHostNull">true</B><B N="_isHostUINull">true</B>'
    '<B N="_isHostRawUINull">true</B><B N="_useRunspaceHost">true</B></MS></Obj>'
)
_OPENING = (
    '<Obj RefId="0"><MS><I32 N="MinRunspaces">1</I32><I32 N="MaxRunspaces">1</I32><I32 N="PSThreadOptions">0</I32>'
    f'<I32 N="ApartmentState">2</I32>{_HOST}<Nil N="ApplicationArguments" /></MS></Obj>'
)
_CREATE = (
    '<Obj RefId="0"><MS><Obj N="PowerShell" RefId="1"><MS><Obj N="Cmds" RefId="2"><LST><Obj RefId="3"><MS>'
    '<S N="Cmd">Get-Thing</S><B N="IsScript">false</B><Nil N="UseLocalScope" /><I32 N="MergeMyResult">0</I32>'
    '<I32 N="MergeToResult">0</I32><I32 N="MergePreviousResults">0</I32><Obj N="Args" RefId="4"><LST>'
    '<Obj RefId="5"><MS><S N="N">Name</S><S N="V">x</S></MS></Obj></LST></Obj></MS></Obj></LST></Obj>'
    '<B N="IsNested">false</B><Nil N="History" /><B N="RedirectShellErrorOutputPipe">true</B></MS></Obj>'
    '<B N="NoInput">true</B><I32 N="ApartmentState">2</I32><I32 N="RemoteStreamOptions">0</I32>'
    f'<B N="AddToHistory">false</B>{_HOST}<B N="IsNested">false</B></MS></Obj>'
)
_QUESTION = '<Obj RefId="0"><MS><I32 N="MaxRunspaces">3</I32><I32 N="MinRunspaces">1</I32><I64 N="ci">1</I64></MS></Obj>'
_ANSWER = '<Obj RefId="0"><MS><S N="mr">x</S><I64 N="ci">1</I64><I32 N="mi">11</I32></MS></Obj>'
_METADATA = (
    '<Obj RefId="0"><MS><Obj N="Name" RefId="1"><LST><S>*</S></LST></Obj><I32 N="CommandType">8</I32>'
    '<Nil N="Namespace"/><Nil N="ArgumentList"/></MS></Obj>'
)
_LEAF = re.compile(r"<(?:S|B|I32|I64|Version|Nil) N=\"\w+\"(?:>[^<]*</\w+>| ?/>)")

_GARBAGE = st.sampled_from(
    [
        "",
        '<Nil N="{0}"/>',
        '<S N="{0}">x</S>',
        '<I32 N="{0}">-1</I32>',
        '<I32 N="{0}">2147483647</I32>',
        '<I64 N="{0}">9223372036854775807</I64>',
        '<B N="{0}">true</B>',
        '<BA N="{0}">AAAA</BA>',
        '<SS N="{0}">AAAA</SS>',
        '<Db N="{0}">NaN</Db>',
        '<Version N="{0}">0.0</Version>',
        '<Obj N="{0}" RefId="77"/>',
        '<Obj N="{0}" RefId="77"><LST/></Obj>',
        '<Obj N="{0}" RefId="77"><LST><Nil/><Ref RefId="77"/></LST></Obj>',
        '<Obj N="{0}" RefId="77"><DCT/></Obj>',
        '<Obj N="{0}" RefId="77"><I32>5</I32></Obj>',
        '<Ref N="{0}" RefId="0"/>',
        '<Ref N="{0}" RefId="1"/>',
    ]
)
_POOL_MESSAGES = {
    MessageType.SET_MAX_RUNSPACES: _QUESTION,
    MessageType.SET_MIN_RUNSPACES: _QUESTION,
    MessageType.GET_AVAILABLE_RUNSPACES: _QUESTION,
    MessageType.RESET_RUNSPACE_STATE: _QUESTION,
    MessageType.PUBLIC_KEY: '<Obj RefId="0"><MS><S N="PublicKey">AAAA</S></MS></Obj>',
    MessageType.RUNSPACEPOOL_HOST_RESPONSE: _ANSWER,
}
_PIPELINE_MESSAGES = {
    MessageType.CREATE_PIPELINE: _CREATE,
    MessageType.GET_COMMAND_METADATA: _METADATA,
    MessageType.PIPELINE_HOST_RESPONSE: _ANSWER,
    MessageType.PIPELINE_INPUT: _ANSWER,
    MessageType.END_OF_PIPELINE_INPUT: "",
}


def _opening() -> bytes:
    return message(MessageType.SESSION_CAPABILITY, _CAPABILITY.encode(), _ID) + message(
        MessageType.INIT_RUNSPACEPOOL, _OPENING.encode(), _ID
    )


def _opened() -> RunspacePool:
    pool = RunspacePool("20348.1")
    share_key(pool)
    pool.create(_opening())
    pool.outgoing()
    return pool


def _spoil(text: str, number: int, garbage: str) -> str:
    """Replace the n-th leaf by something else of the same name."""
    leaves = list(_LEAF.finditer(text))
    if not leaves:
        return text
    found = leaves[number % len(leaves)]
    name = re.search(r'N="(\w+)"', found[0])
    return text[: found.start()] + garbage.format(name[1] if name else "x") + text[found.end() :]


def _runs(pool: RunspacePool) -> bool:
    fresh = uuid.UUID(int=0x33)
    data = message(MessageType.CREATE_PIPELINE, _CREATE.encode(), _ID, fresh)
    return any(isinstance(event, PipelineRequested) for event in pool.command(fresh, data))


def test_the_messages_are_good_before_they_are_spoiled() -> None:
    assert _runs(_opened())


@given(st.sampled_from(list(_PIPELINE_MESSAGES)), st.integers(0, 40), _GARBAGE)
def test_a_pipeline_message_with_a_spoiled_field_harms_nobody_else(
    kind: MessageType, number: int, garbage: str
) -> None:
    pool = _opened()
    spoiled = _spoil(_PIPELINE_MESSAGES[kind], number, garbage).encode()
    for event in pool.command(_PIPELINE, message(kind, spoiled, _ID, _PIPELINE)):
        pool.complete(event.pipeline_id)  # type: ignore[union-attr]
    assert not pool.is_closed
    assert _runs(pool)


@given(st.sampled_from(list(_POOL_MESSAGES)), st.integers(0, 10), _GARBAGE)
def test_a_pool_message_with_a_spoiled_field_leaves_the_pool_open(
    kind: MessageType, number: int, garbage: str
) -> None:
    pool = _opened()
    pool.receive(None, message(kind, _spoil(_POOL_MESSAGES[kind], number, garbage).encode(), _ID))
    assert not pool.is_closed
    assert _runs(pool)


@given(st.sampled_from([_CAPABILITY, _OPENING]), st.integers(0, 10), _GARBAGE)
def test_a_spoiled_opening_opens_nothing_or_a_pool(text: str, number: int, garbage: str) -> None:
    spoiled = _spoil(text, number, garbage).encode()
    pool = RunspacePool("20348.1")
    parts = [
        spoiled if text == _CAPABILITY else _CAPABILITY.encode(),
        spoiled if text == _OPENING else _OPENING.encode(),
    ]
    data = message(MessageType.SESSION_CAPABILITY, parts[0], _ID) + message(
        MessageType.INIT_RUNSPACEPOOL, parts[1], _ID
    )
    try:
        pool.create(data)
    except faults.WSManFault:
        return
    assert len(pool.outgoing()) in {1, 3}


@given(st.binary(max_size=200), st.integers(0, 2**32 - 1), st.uuids(), st.integers(0, 3))
def test_any_message_is_taken(data: bytes, kind: int, pool_id: uuid.UUID, destination: int) -> None:
    for one in (_ID, pool_id):
        pool = _opened()
        pool.receive(None, message(kind, data, one, destination=destination))
        pool.command(_PIPELINE, message(kind, data, one, _PIPELINE, destination))
        assert len(pool.outgoing()) <= 2


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 255), st.binary(max_size=60))))
def test_fragments_in_any_order_are_taken(parts: list[tuple[int, int, int, bytes]]) -> None:
    pool = _opened()
    pool.command(_PIPELINE, b"")
    for object_id, fragment_id, flags, blob in parts:
        data = struct.pack(">QQBI", object_id, fragment_id, flags, len(blob)) + blob
        pool.receive(_PIPELINE, data)
        pool.receive(None, data)
    assert not pool.is_closed


@given(st.data())
def test_a_stream_cut_anywhere_arrives(data: st.DataObject) -> None:
    whole = message(MessageType.CREATE_PIPELINE, _CREATE.encode(), _ID, _PIPELINE)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    pool = _opened()
    events = list(pool.command(_PIPELINE, b""))
    for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        events += pool.receive(_PIPELINE, whole[begin:end])
    assert [type(event) for event in events] == [PipelineRequested]


@pytest.mark.parametrize("length", [MAX_MESSAGE_BYTES + 1, 2**31, 2**32 - 1])
def test_a_huge_length_is_not_waited_for(length: int) -> None:
    pool = _opened()
    pool.command(_PIPELINE, struct.pack(">QQBI", 1, 0, 3, length) + bytes(1000))
    pool.receive(_PIPELINE, bytes(10))
    assert _runs(pool)


def test_what_never_ends_is_forgotten_at_the_limit_of_a_message() -> None:
    pool = _opened()
    pool.command(_PIPELINE, b"")
    blob = bytes(1 << 20)
    parts = (
        struct.pack(">QQBI", 1, number, 0 if number else 1, len(blob)) + blob
        for number in range(MAX_MESSAGE_BYTES // len(blob) + 2)
    )
    with pytest.raises(faults.WSManFault, match="deserialized object size") as refused:
        deque((pool.receive(_PIPELINE, part) for part in parts), maxlen=0)
    assert refused.value.code == 2152992672
    pipeline = pool._pipelines.get(_PIPELINE)
    assert pipeline is not None
    assert pipeline.fragments._parts == []


def test_a_command_takes_no_more_than_its_limit() -> None:
    pool = _opened()
    pool.command(
        _PIPELINE,
        message(
            MessageType.CREATE_PIPELINE,
            _CREATE.replace('NoInput">true', 'NoInput">false').encode(),
            _ID,
            _PIPELINE,
        ),
    )
    one = message(MessageType.PIPELINE_INPUT, b"<S>" + b"x" * (9 << 20) + b"</S>", _ID, _PIPELINE)
    allowed = MAX_COMMAND_BYTES // len(one)
    assert all(pool.receive(_PIPELINE, one) for _ in range(allowed))
    with pytest.raises(faults.WSManFault, match="total data received"):
        pool.receive(_PIPELINE, one)


def test_questions_without_end_cost_one_answer_each() -> None:
    pool = _opened()
    question = message(MessageType.GET_AVAILABLE_RUNSPACES, _QUESTION.encode(), _ID)
    pool.receive(None, question * 500)
    assert len(pool.outgoing()) == 500


def test_after_its_end_a_pipeline_takes_nothing() -> None:
    pool = _opened()
    pool.command(_PIPELINE, message(MessageType.CREATE_PIPELINE, _CREATE.encode(), _ID, _PIPELINE))
    pool.complete(_PIPELINE)
    pool.outgoing()
    for kind, text in _PIPELINE_MESSAGES.items():
        assert list(pool.receive(_PIPELINE, message(kind, text.encode(), _ID, _PIPELINE))) == []
    pool.write_output(_PIPELINE, "late")
    pool.tell_host(_PIPELINE, "WriteLine2", 16, ["late"])
    assert pool.call_host(_PIPELINE, "ReadLine", 11) is None
    assert pool.outgoing() == []
