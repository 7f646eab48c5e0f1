"""Each field of each message: left out, null, of another type, in another place; and each message at each time.

Source of what is expected: RemotingDecoder, RemoteHostEncoder, Command, ServerRemoteSession and
ServerRemoteSessionDSHandlerStateMachine of PowerShell; what recordings show is compared elsewhere.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from provisioner.wire import faults
from provisioner.wire.fragments import Defragmenter, Message
from provisioner.wire.psrp import (
    Event,
    InputArrived,
    KeyOffered,
    MetadataRequested,
    PipelineRequested,
    RunspacePool,
)
from provisioner.wire.psrp.message_types import MessageType
from tests.unit.wire.psrp_client import message

_ID = uuid.UUID(int=0x11)
_PIPELINE = uuid.UUID(int=0x22)
_HOST = (
    '<B N="_isHostNull">true</B><B N="_isHostUINull">true</B><B N="_isHostRawUINull">true</B>'
    '<B N="_useRunspaceHost">true</B>'
)
_COMMAND = (
    '<Obj RefId="5"><MS><S N="Cmd">Get-Thing</S><B N="IsScript">false</B><Nil N="UseLocalScope"/>'
    '<I32 N="MergeMyResult">0</I32><I32 N="MergeToResult">0</I32><I32 N="MergePreviousResults">0</I32>'
    '<Obj N="Args" RefId="6"><LST><Obj RefId="7"><MS><S N="N">Name</S><S N="V">value</S></MS></Obj></LST></Obj>'
    "</MS></Obj>"
)
_CREATE = (
    '<Obj RefId="0"><MS><B N="NoInput">true</B><I32 N="ApartmentState">2</I32><I32 N="RemoteStreamOptions">0</I32>'
    f'<B N="AddToHistory">false</B><Obj N="HostInfo" RefId="1"><MS>{_HOST}</MS></Obj><B N="IsNested">false</B>'
    '<Obj N="PowerShell" RefId="2"><MS><B N="IsNested">false</B><Nil N="ExtraCmds"/>'
    f'<Obj N="Cmds" RefId="3"><LST>{_COMMAND}</LST></Obj><Nil N="History"/>'
    '<B N="RedirectShellErrorOutputPipe">false</B></MS></Obj></MS></Obj>'
)
_OPENING = (
    '<Obj RefId="0"><MS><I32 N="MinRunspaces">1</I32><I32 N="MaxRunspaces">1</I32><I32 N="PSThreadOptions">0</I32>'
    f'<I32 N="ApartmentState">2</I32><Obj N="HostInfo" RefId="1"><MS>{_HOST}</MS></Obj>'
    '<Nil N="ApplicationArguments"/></MS></Obj>'
)
_METADATA = (
    '<Obj RefId="0"><MS><Obj N="Name" RefId="1"><LST><S>Get-*</S></LST></Obj><I32 N="CommandType">8</I32>'
    '<Nil N="Namespace"/><Nil N="ArgumentList"/></MS></Obj>'
)


def _capability(protocol: str = "2.3", powershell: str = "2.0", serialization: str = "1.1.0.1") -> bytes:
    fields = {"protocolversion": protocol, "PSVersion": powershell, "SerializationVersion": serialization}
    parts = (
        f'<Version N="{name}">{text}</Version>' if text else f'<Nil N="{name}"/>'
        for name, text in fields.items()
    )
    return f'<Obj RefId="0"><MS>{"".join(parts)}</MS></Obj>'.encode()


def _session(capability: bytes | None = None) -> RunspacePool:
    pool = RunspacePool("20348.1")
    pool.receive(None, message(MessageType.SESSION_CAPABILITY, capability or _capability(), _ID))
    return pool


def _opened(opening: str = _OPENING, protocol: str = "2.3") -> RunspacePool:
    pool = _session(_capability(protocol))
    pool.receive(None, message(MessageType.INIT_RUNSPACEPOOL, opening.encode(), _ID))
    return pool


def _sent(pool: RunspacePool) -> list[Message]:
    found: list[Message] = []
    for _, chunk in pool.outgoing():
        data = b""
        while not chunk.is_sent:
            data += chunk.take(32768)
        found += Defragmenter().feed(data)
    return found


def _kinds(pool: RunspacePool) -> list[str]:
    return [MessageType(item.type).name for item in _sent(pool)]


def _is_open(pool: RunspacePool) -> bool:
    return "APPLICATION_PRIVATE_DATA" in _kinds(pool)


def _created(text: str, pool: RunspacePool | None = None) -> list[Event]:
    data = message(MessageType.CREATE_PIPELINE, text.encode(), _ID, _PIPELINE)
    return (pool or _opened()).command(_PIPELINE, data)


def _with(text: str, name: str, field: str, nth: int = 0) -> str:
    """Replace the n-th field of a name by another element; the whole of it."""
    found = [item.start() for item in re.finditer(rf'<\w+ N="{name}"', text)][nth]
    tag = re.match(r"<(\w+)", text[found:])
    assert tag is not None
    element = text[found:]
    if re.match(r"<\w+ [^>]*/>", element):
        end = element.index("/>") + 2
    else:
        depth, end = 0, 0
        for part in re.finditer(rf"<{tag[1]}[ >][^>]*(/?)>|<{tag[1]}>|</{tag[1]}>", element):
            depth += -1 if part[0].startswith("</") else 0 if part[0].endswith("/>") else 1
            end = part.end()
            if depth == 0:
                break
    return text[:found] + field + element[end:]


_ENUMERATIONS = [
    ('<Nil N="{0}"/>', True),  # null is the number zero
    ('<I64 N="{0}">0</I64>', True),
    ('<By N="{0}">0</By>', True),
    ('<Db N="{0}">0.4</Db>', True),
    ('<B N="{0}">false</B>', True),
    ('<S N="{0}">0</S>', True),
    ('<S N="{0}">NoSuchName</S>', False),
    ('<S N="{0}"></S>', False),
    ('<I64 N="{0}">2147483648</I64>', False),
    ('<Db N="{0}">NaN</Db>', False),
    ('<Version N="{0}">1.0</Version>', False),
    ('<Obj N="{0}" RefId="90"><TN RefId="90"><T>Any</T></TN><I32>0</I32></Obj>', True),
    ('<Obj N="{0}" RefId="90"><LST/></Obj>', False),
    ("", False),
]
_BOOLEANS = [
    ('<Nil N="{0}"/>', False),
    ('<I32 N="{0}">1</I32>', False),
    ('<S N="{0}">true</S>', False),
    ('<Obj N="{0}" RefId="90"><TN RefId="90"><T>Any</T></TN><B>true</B></Obj>', True),
    ("", False),
]
_TEXTS = [('<I32 N="{0}">1</I32>', False), ('<S N="{0}">a</S>', True), ("", False)]


@pytest.mark.parametrize(
    ("name", "nth", "field", "is_taken"),
    [
        *((name, 0, *case) for name in ("ApartmentState", "RemoteStreamOptions") for case in _ENUMERATIONS),
        *((name, 0, *case) for name in ("MergeMyResult", "MergePreviousResults") for case in _ENUMERATIONS),
        *((name, 0, *case) for name in ("NoInput", "AddToHistory", "IsScript") for case in _BOOLEANS),
        *(("IsNested", nth, *case) for nth in (0, 1) for case in _BOOLEANS),
        *(("RedirectShellErrorOutputPipe", 0, *case) for case in _BOOLEANS),
        *(("History", 0, *case) for case in [*_TEXTS, ('<Nil N="{0}"/>', True)]),
        *(("Cmd", 0, *case) for case in [*_TEXTS, ('<Nil N="{0}"/>', False)]),
        *(("N", 0, *case) for case in [*_TEXTS, ('<Nil N="{0}"/>', True), ('<S N="{0}"> </S>', False)]),
        ("UseLocalScope", 0, '<B N="{0}">true</B>', True),
        ("UseLocalScope", 0, '<I32 N="{0}">1</I32>', False),
        ("UseLocalScope", 0, "", False),
        ("V", 0, "", False),
        ("V", 0, '<Nil N="{0}"/>', True),
        ("ExtraCmds", 0, "", True),
        ("ExtraCmds", 0, '<S N="{0}"></S>', True),
        ("ExtraCmds", 0, '<S N="{0}">a</S>', False),
        ("Args", 0, "", False),
        ("Args", 0, '<S N="{0}"></S>', True),
        ("Args", 0, '<S N="{0}">abc</S>', False),
        ("Args", 0, '<Obj N="{0}" RefId="90"><DCT/></Obj>', True),
        ("Args", 0, '<Obj N="{0}" RefId="90"><QUE/></Obj>', True),
        ("Args", 0, '<Obj N="{0}" RefId="90"/>', False),
        ("Args", 0, '<Obj N="{0}" RefId="90"><LST><Nil/></LST></Obj>', False),
        ("Cmds", 0, '<Nil N="{0}"/>', False),
        ("HostInfo", 0, '<Nil N="{0}"/>', False),
        ("HostInfo", 0, '<Obj N="{0}" RefId="90"/>', True),  # fields that are not sent have their defaults
        ("PowerShell", 0, '<Nil N="{0}"/>', False),
        ("_isHostNull", 0, "", True),
        ("_isHostNull", 0, '<Nil N="{0}"/>', False),
        ("_isHostNull", 0, '<I32 N="{0}">1</I32>', False),
        ("_isHostNull", 0, '<B N="_ISHOSTNULL">true</B>', False),  # names of fields have a case here
        ("_isHostNull", 0, '<B N="_other">true</B>', False),
        ("_isHostNull", 0, '<Obj N="_hostDefaultData" RefId="90"><MS><S N="data">x</S></MS></Obj>', False),
        ("_isHostNull", 0, '<Obj N="_hostDefaultData" RefId="90"/>', True),
    ],
)
def test_a_field_of_a_pipeline(name: str, nth: int, field: str, is_taken: bool) -> None:  # noqa: FBT001
    changed = _with(_CREATE, name, field.format(name), nth)
    assert bool(_created(changed)) is is_taken, changed


@pytest.mark.parametrize(
    ("mine", "target", "previous", "is_taken"),
    [
        ("2", "1", "0", True),
        ("2", "8", "0", False),  # errors go to the output or nowhere
        ("1", "1", "0", False),
        ("0", "1", "0", False),
        ("3", "8", "0", True),
        ("999", "1", "0", True),
        ("3", "2", "0", False),
        ("0", "0", "3", True),
        ("0", "0", "1", False),
    ],
)
def test_ways_to_merge(mine: str, target: str, previous: str, is_taken: bool) -> None:  # noqa: FBT001
    text = _with(_CREATE, "MergeMyResult", f'<I32 N="MergeMyResult">{mine}</I32>')
    text = _with(text, "MergeToResult", f'<I32 N="MergeToResult">{target}</I32>')
    text = _with(text, "MergePreviousResults", f'<I32 N="MergePreviousResults">{previous}</I32>')
    assert bool(_created(text)) is is_taken


def test_names_of_ways_to_merge_are_joined_by_commas() -> None:
    (request,) = _created(
        _with(_CREATE, "MergePreviousResults", '<S N="MergePreviousResults">output, ERROR</S>')
    )
    assert isinstance(request, PipelineRequested)


@pytest.mark.parametrize(
    ("sent", "bound"),
    [
        ("Name:", "Name:"),
        ("-Name: ", "Name"),
        ("--Name", "-Name"),
        ("-Name::", "Name:"),
        ("\u2013Name", "Name"),
    ],
)
def test_a_name_that_begins_with_a_dash_is_a_token(sent: str, bound: str) -> None:
    (request,) = _created(_with(_CREATE, "N", f'<S N="N">{sent}</S>'))
    assert isinstance(request, PipelineRequested)
    assert request.calls[0].parameters[0][0] == bound


def test_fields_are_found_among_adapted_properties_too() -> None:
    (request,) = _created(_CREATE.replace("<MS>", "<Props>").replace("</MS>", "</Props>"))
    assert isinstance(request, PipelineRequested)


@pytest.mark.parametrize(
    ("protocol", "is_taken"), [("2.3", False), ("2.2", False), ("2.1", True), ("2.0", True)]
)
def test_old_clients_say_nothing_of_nesting(protocol: str, is_taken: bool) -> None:  # noqa: FBT001
    text = _CREATE.replace('<B N="IsNested">false</B><Obj N="PowerShell"', '<Obj N="PowerShell"')
    assert bool(_created(text, _opened(protocol=protocol))) is is_taken


@pytest.mark.parametrize(
    ("name", "field", "is_open"),
    [
        *(("ApartmentState", *case) for case in _ENUMERATIONS),
        *(("PSThreadOptions", *case) for case in _ENUMERATIONS),
        ("MinRunspaces", '<I64 N="{0}">1</I64>', False),
        ("MinRunspaces", '<I32 N="{0}">0</I32>', False),
        ("MinRunspaces", '<I32 N="{0}">2</I32>', False),
        ("MaxRunspaces", '<I32 N="{0}">2147483647</I32>', True),
        ("MaxRunspaces", '<I32 N="{0}">-1</I32>', False),
        ("ApplicationArguments", "", False),
        ("ApplicationArguments", '<S N="{0}">x</S>', False),
        ("ApplicationArguments", '<Obj N="{0}" RefId="9"/>', False),
        ("ApplicationArguments", '<Obj N="{0}" RefId="9"><LST/></Obj>', False),
        ("ApplicationArguments", '<Obj N="{0}" RefId="9"><DCT/></Obj>', True),
        (
            "ApplicationArguments",
            '<Obj N="{0}" RefId="9"><DCT>{1}<I32 N="Value">1</I32></En></DCT></Obj>',
            True,
        ),
        (
            "ApplicationArguments",
            '<Obj N="{0}" RefId="9"><DCT>{1}<I16 N="Value">1</I16></En></DCT></Obj>',
            False,
        ),
        ("ApplicationArguments", '<Obj N="{0}" RefId="9"><DCT>{1}<Obj N="Value"/></En></DCT></Obj>', False),
        (
            "ApplicationArguments",
            '<Obj N="{0}"><DCT>{1}<Obj N="Value"><LST><S>a</S></LST></Obj></En></DCT></Obj>',
            True,
        ),
        (
            "ApplicationArguments",
            '<Obj N="{0}"><DCT><En><I32 N="Key">1</I32><Nil N="Value"/></En></DCT></Obj>',
            False,
        ),
    ],
)
def test_a_field_of_the_opening(name: str, field: str, is_open: bool) -> None:  # noqa: FBT001
    changed = _with(_OPENING, name, field.format(name, '<En><S N="Key">k</S>'))
    assert _is_open(_opened(changed)) is is_open, changed


@pytest.mark.parametrize(
    ("versions", "spoken", "is_heard"),
    [
        (("2.3",), "2.3", True),
        (("2.99",), "2.3", True),
        (("2.2",), "2.2", True),
        (("2.2.0",), "2.3", False),  # an older version is compared whole
        (("2.1",), "2.1", True),
        (("1.9",), "2.3", False),
        (("3.0",), "2.3", False),
        (("2.3", "2.7"), "2.3", True),
        (("2.3", "5.1"), "2.3", False),
        (("2.3", "2.0", "1.0"), "2.3", False),
        (("2.3", "2.0", "1.5"), "2.3", True),
        (("2.2", "2.0", "2.0"), "2.2", False),
    ],
)
def test_versions_are_agreed_upon(versions: tuple[str, ...], spoken: str, is_heard: bool) -> None:  # noqa: FBT001
    pool = _session(_capability(*versions))
    (answer,) = _sent(pool)
    assert f'"protocolversion">{spoken}<'.encode() in answer.data
    pool.receive(None, message(MessageType.INIT_RUNSPACEPOOL, _OPENING.encode(), _ID))
    sent = _sent(pool)
    assert bool(sent) is is_heard
    if is_heard:
        assert f'"PSRemotingProtocolVersion">{spoken}<'.encode() in b"".join(
            item.data.replace(b'<S N="Key">', b'"').replace(b'</S><Version N="Value">', b'">')
            for item in sent
        )


def test_a_version_that_is_null_is_answered_by_nothing_ever() -> None:
    pool = _session(_capability(""))
    pool.receive(None, message(MessageType.SESSION_CAPABILITY, _capability(), _ID))
    assert pool.outgoing() == []


def test_a_capability_that_cannot_be_read_may_be_followed_by_one_that_can() -> None:
    pool = _session(b"<Obj/>")
    pool.receive(None, message(MessageType.SESSION_CAPABILITY, _capability(), _ID))
    assert _kinds(pool) == ["SESSION_CAPABILITY"]


@pytest.mark.parametrize(
    ("kind", "data", "is_heard_after"),
    [
        (MessageType.INIT_RUNSPACEPOOL, _OPENING, False),
        (MessageType.CLOSE_SESSION, "", False),
        (MessageType.GET_AVAILABLE_RUNSPACES, "<Obj/>", False),
        (MessageType.CREATE_PIPELINE, _CREATE, False),
        (MessageType.PIPELINE_INPUT, "<I32>1</I32>", False),
        (MessageType.PUBLIC_KEY, '<Obj><MS><S N="PublicKey">AAAA</S></MS></Obj>', True),
        (MessageType.CONNECT_RUNSPACEPOOL, "<S></S>", True),
        (0x00000077, "", True),
        (0x00021FFF, "", False),  # a number nobody knows, but by its bits one for the pool
        (MessageType.CLOSE_SESSION, "<not xml", True),  # a message that cannot be read is none
    ],
)
def test_before_the_capability(kind: int, data: str, is_heard_after: bool) -> None:  # noqa: FBT001
    pool = RunspacePool("20348.1")
    assert pool.receive(None, message(kind, data.encode(), _ID)) == []
    pool.receive(None, message(MessageType.SESSION_CAPABILITY, _capability(), _ID))
    assert bool(pool.outgoing()) is is_heard_after


@pytest.mark.parametrize(
    ("kind", "data", "opens_after"),
    [
        (MessageType.GET_AVAILABLE_RUNSPACES, "<Obj/>", False),
        (MessageType.CREATE_PIPELINE, _CREATE, False),
        (MessageType.PIPELINE_INPUT, "<I32>1</I32>", True),
        (MessageType.SESSION_CAPABILITY, _capability().decode(), False),
        (MessageType.INIT_RUNSPACEPOOL, "<Obj/>", True),
        (MessageType.CLOSE_SESSION, "", False),
    ],
)
def test_before_the_pool(kind: int, data: str, opens_after: bool) -> None:  # noqa: FBT001
    pool = _session()
    pool.outgoing()
    pool.receive(None, message(kind, data.encode(), _ID))
    assert pool.outgoing() == []  # who has no pool is not told of its end
    pool.receive(None, message(MessageType.INIT_RUNSPACEPOOL, _OPENING.encode(), _ID))
    assert _is_open(pool) is opens_after


@pytest.mark.parametrize(
    ("kind", "closes"),
    [
        (MessageType.GET_AVAILABLE_RUNSPACES, True),
        (0x00021FFF, True),
        (MessageType.PIPELINE_INPUT, False),
        (MessageType.PUBLIC_KEY, False),
        (MessageType.CONNECT_RUNSPACEPOOL, False),
        (MessageType.INIT_RUNSPACEPOOL, False),
        (0x00000077, False),
    ],
)
def test_what_is_for_another_pool(kind: int, closes: bool) -> None:  # noqa: FBT001
    pool = _opened()
    pool.receive(None, message(kind, b"<Obj/>", uuid.UUID(int=0x99)))
    assert pool.is_closed is closes


def test_the_pool_has_the_id_of_the_message_that_opened_it() -> None:
    pool, other = _session(), uuid.UUID(int=0x77)
    pool.receive(None, message(MessageType.INIT_RUNSPACEPOOL, _OPENING.encode(), other))
    assert _sent(pool)[-1].pool_id == other
    pool.receive(None, message(MessageType.GET_AVAILABLE_RUNSPACES, b"<Obj/>", _ID))
    assert pool.is_closed


def test_which_stream_carries_a_message_is_no_matter() -> None:
    pool = _opened()
    pool.command(_PIPELINE, b"")
    text = _CREATE.replace('NoInput">true', 'NoInput">false').encode()
    (request,) = pool.receive(None, message(MessageType.CREATE_PIPELINE, text, _ID, _PIPELINE))
    assert isinstance(request, PipelineRequested)
    given = message(MessageType.PIPELINE_INPUT, b"<I32>1</I32>", _ID, _PIPELINE)
    assert pool.receive(None, given) == [InputArrived(_PIPELINE, 1)]
    pool.outgoing()
    question = b'<Obj><MS><I64 N="ci">1</I64></MS></Obj>'
    pool.receive(_PIPELINE, message(MessageType.GET_AVAILABLE_RUNSPACES, question, _ID))
    assert _kinds(pool) == ["RUNSPACE_AVAILABILITY"]


def test_a_pipeline_without_its_command_is_dropped() -> None:
    pool = _opened()
    data = message(MessageType.CREATE_PIPELINE, _CREATE.encode(), _ID, _PIPELINE)
    assert pool.receive(None, data) == []
    assert not pool.is_closed


def test_each_stream_has_a_sequence_of_its_own() -> None:
    pool = _opened()
    text = _CREATE.replace('NoInput">true', 'NoInput">false')
    pool.command(_PIPELINE, message(MessageType.CREATE_PIPELINE, text.encode(), _ID, _PIPELINE))
    given = message(MessageType.PIPELINE_INPUT, b"<I32>1</I32>", _ID, _PIPELINE)
    assert pool.receive(_PIPELINE, given[:30]) == []
    assert pool.receive(_PIPELINE, given, "pr") == [InputArrived(_PIPELINE, 1)]
    assert pool.receive(_PIPELINE, given[30:]) == [InputArrived(_PIPELINE, 1)]


def test_what_comes_behind_a_message_that_is_refused_waits_for_more() -> None:
    pool = _opened()
    pool.outgoing()
    bad = message(MessageType.GET_AVAILABLE_RUNSPACES, b"<Obj/>", _ID)
    good = message(MessageType.GET_AVAILABLE_RUNSPACES, b'<Obj><MS><I64 N="ci">1</I64></MS></Obj>', _ID)
    pool.receive(None, bad + good)
    assert pool.outgoing() == []
    pool.receive(None, good)
    assert len(pool.outgoing()) == 2


@pytest.mark.parametrize(
    ("field", "is_answered"),
    [
        ('<I64 N="ci">1</I64>', True),
        ('<I32 N="ci">1</I32>', False),
        ('<S N="ci">1</S>', False),
        ("", False),
    ],
)
def test_the_number_of_a_question_is_an_int64(field: str, is_answered: bool) -> None:  # noqa: FBT001
    pool = _opened()
    pool.outgoing()
    pool.receive(
        None, message(MessageType.RESET_RUNSPACE_STATE, f"<Obj><MS>{field}</MS></Obj>".encode(), _ID)
    )
    assert bool(pool.outgoing()) is is_answered


def _ask(pool: RunspacePool, kind: MessageType, name: str = "", count: int = 0) -> str:
    pool.outgoing()
    field = f'<I32 N="{name}">{count}</I32>' if name else ""
    pool.receive(None, message(kind, f'<Obj><MS>{field}<I64 N="ci">1</I64></MS></Obj>'.encode(), _ID))
    (answer,) = _sent(pool)
    found = re.search(r'"SetMinMaxRunspacesResponse">([^<]*)<', answer.data.decode())
    assert found is not None
    return found[1]


def test_idle_runspaces_outlive_a_smaller_pool() -> None:
    """RunspacePoolInternal takes away idle runspaces down to the new size, whatever runs besides."""
    three = _OPENING.replace('MinRunspaces">1', 'MinRunspaces">3').replace(
        'MaxRunspaces">1', 'MaxRunspaces">3'
    )
    pool = _opened(three)
    assert _ask(pool, MessageType.GET_AVAILABLE_RUNSPACES) == "3"
    assert _created(_CREATE, pool) != []
    assert _ask(pool, MessageType.SET_MAX_RUNSPACES, "MaxRunspaces", 2) == "false"  # below the minimum
    assert _ask(pool, MessageType.SET_MIN_RUNSPACES, "MinRunspaces", 1) == "true"
    assert _ask(pool, MessageType.SET_MAX_RUNSPACES, "MaxRunspaces", 2) == "true"
    assert _ask(pool, MessageType.GET_AVAILABLE_RUNSPACES) == "2"
    assert _ask(pool, MessageType.SET_MAX_RUNSPACES, "MaxRunspaces", 1) == "true"
    assert _ask(pool, MessageType.GET_AVAILABLE_RUNSPACES) == "1"
    pool.complete(_PIPELINE)
    assert _ask(pool, MessageType.GET_AVAILABLE_RUNSPACES) == "1"
    assert _ask(pool, MessageType.SET_MAX_RUNSPACES, "MaxRunspaces", 2147483647) == "true"
    assert _ask(pool, MessageType.GET_AVAILABLE_RUNSPACES) == "2147483647"


def test_only_a_single_idle_runspace_can_be_reset() -> None:
    pool = _opened()
    assert _ask(pool, MessageType.RESET_RUNSPACE_STATE) == "true"
    _created(_CREATE, pool)
    assert _ask(pool, MessageType.RESET_RUNSPACE_STATE) == "false"
    pool.complete(_PIPELINE)
    assert _ask(pool, MessageType.RESET_RUNSPACE_STATE) == "true"
    _ask(pool, MessageType.SET_MAX_RUNSPACES, "MaxRunspaces", 2)
    assert _ask(pool, MessageType.RESET_RUNSPACE_STATE) == "false"


@pytest.mark.parametrize(
    ("name", "field", "patterns"),
    [
        ("Name", '<Nil N="Name"/>', ("*",)),
        ("Name", '<S N="Name">Get-*</S>', None),
        ("Name", '<Obj N="Name"><LST><I32>1</I32></LST></Obj>', None),
        ("Name", "", None),
        ("Namespace", "", None),
        ("Namespace", '<I32 N="Namespace">1</I32>', None),
        ("ArgumentList", "", None),
        ("CommandType", '<S N="CommandType">cmdlet, function</S>', ("Get-*",)),
        ("CommandType", '<S N="CommandType">gadget</S>', None),
    ],
)
def test_a_field_of_a_question_for_metadata(name: str, field: str, patterns: tuple[str, ...] | None) -> None:
    data = message(MessageType.GET_COMMAND_METADATA, _with(_METADATA, name, field).encode(), _ID, _PIPELINE)
    events = _opened().command(_PIPELINE, data)
    assert events == ([] if patterns is None else [MetadataRequested(_PIPELINE, patterns)])


class _Key:
    """A key that hides nothing."""

    def wrap(self, public_key: bytes) -> bytes:
        return public_key

    def encrypt(self, text: str) -> bytes:
        return text.encode()

    def decrypt(self, data: bytes) -> str:
        return data.decode()


_OFFER = message(MessageType.PUBLIC_KEY, b'<Obj><MS><S N="PublicKey">AAAA</S></MS></Obj>', _ID)


def _secret() -> Any:
    from provisioner.wire.clixml import Primitive  # noqa: PLC0415 - one use

    return Primitive("SS", "x")


@pytest.mark.parametrize(("protocol", "asks"), [("2.3", False), ("2.2", False), ("2.1", True), ("2.0", True)])
def test_old_clients_are_asked_for_their_key_before_a_secure_string(protocol: str, asks: bool) -> None:  # noqa: FBT001
    """PSRemotingCryptoHelperServer: for clients since version 2.2 the server never begins an exchange."""
    pool = _opened(protocol=protocol)
    pool.session_key = _Key()
    _created(_CREATE, pool)
    pool.outgoing()
    pool.write_output(_PIPELINE, _secret())
    pool.write_output(_PIPELINE, 5)
    pool.complete(_PIPELINE)
    rest = ["PIPELINE_OUTPUT", "PIPELINE_OUTPUT", "PIPELINE_STATE"]
    assert _kinds(pool) == (["PUBLIC_KEY_REQUEST"] if asks else rest)
    assert pool.is_finished(_PIPELINE) is not asks
    if asks:
        (offered,) = pool.receive(None, _OFFER)
        assert isinstance(offered, KeyOffered)
        pool.give_key(offered.public_key)
        assert _kinds(pool) == ["ENCRYPTED_SESSION_KEY", *rest]
        assert pool.is_finished(_PIPELINE)


def test_a_secure_string_that_nobody_can_read_yet_makes_the_server_ask() -> None:
    """DecryptSecureString runs the exchange first, whatever the client's version."""
    pool = _opened()
    pool.session_key = _Key()
    text = _CREATE.replace('<S N="V">value</S>', '<SS N="V">eA==</SS>')
    assert _created(text, pool) == []
    assert _kinds(pool)[-1] == "PUBLIC_KEY_REQUEST"
    (offered,) = pool.receive(None, _OFFER)
    assert isinstance(offered, KeyOffered)
    (request,) = pool.give_key(offered.public_key)
    assert isinstance(request, PipelineRequested)
    assert request.calls[0].parameters[0][1] == _secret()


def test_who_was_asked_for_a_key_and_says_something_else_is_not_heard_any_more() -> None:
    pool = _opened()
    pool.session_key = _Key()
    _created(_CREATE.replace('<S N="V">value</S>', '<SS N="V">eA==</SS>'), pool)
    pool.outgoing()
    pool.receive(
        None, message(MessageType.GET_AVAILABLE_RUNSPACES, b'<Obj><MS><I64 N="ci">1</I64></MS></Obj>', _ID)
    )
    assert pool.receive(None, _OFFER) == []
    assert pool.outgoing() == []


@pytest.mark.parametrize(
    ("capability", "text", "is_taken"),
    [
        (_capability("2.3"), "<S></S>", True),
        (_capability("2.2"), "<S></S>", True),
        (_capability("2.1"), "<S></S>", False),
        (_capability("3.0"), "<S></S>", False),
        (_capability("2.3"), '<Obj><MS><I32 N="MinRunspaces">1</I32></MS></Obj>', True),
        (
            _capability("2.3"),
            '<Obj><MS><I32 N="MinRunspaces">5</I32><I32 N="MaxRunspaces">9</I32></MS></Obj>',
            False,
        ),
        (
            _capability("2.3"),
            '<Obj><MS><I32 N="MinRunspaces">1</I32><I32 N="MaxRunspaces">9</I32></MS></Obj>',
            True,
        ),
        (
            _capability("2.3"),
            '<Obj><MS><I32 N="MinRunspaces">9</I32><I32 N="MaxRunspaces">1</I32></MS></Obj>',
            False,
        ),
        (
            _capability("2.3"),
            '<Obj><MS><I32 N="MinRunspaces">-1</I32><I32 N="MaxRunspaces">1</I32></MS></Obj>',
            False,
        ),
        (_capability("2.3"), "<Obj", False),
    ],
)
def test_who_may_connect(capability: bytes, text: str, is_taken: bool) -> None:  # noqa: FBT001
    pool = _opened()
    data = message(MessageType.SESSION_CAPABILITY, capability, _ID) + message(
        MessageType.CONNECT_RUNSPACEPOOL, text.encode(), _ID
    )
    if not is_taken:
        with pytest.raises(faults.WSManFault):
            pool.connect(data)
        return
    assert b'MaxRunspaces">1<' in pool.connect(data)
