"""Forms of shells' answers that clients read: what was asked for is repeated, and commands are found again."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from provisioner.wire import namespaces as ns
from provisioner.wire.contents import Caller, Happened
from provisioner.wire.psrp import HostAnswered, PipelineRequested
from provisioner.wire.psrp.message_types import MessageType
from provisioner.wire.service import Answer, Service
from provisioner.wire.settings import ServiceSettings
from provisioner.wire.winrs import Programs
from tests.unit.wire.psrp_client import message
from tests.wire.replay import kinds

_SHELL_ID = uuid.UUID("5f0d7f5e-2f63-4d7b-9d4d-0a2f5b7f6a10")
_IDS = [uuid.UUID(int=number) for number in range(1, 4)]
_POWERSHELL = f"{ns.POWERSHELL_URI}Microsoft.PowerShell"
_HOST = (
    '<Obj N="HostInfo" RefId="9"><MS>{}<B N="_isHostNull">false</B><B N="_isHostUINull">false</B>'
    '<B N="_isHostRawUINull">true</B><B N="_useRunspaceHost">false</B></MS></Obj>'
)
_DATA = '<Obj N="_hostDefaultData" RefId="10"><MS><Obj N="data" RefId="11"><DCT></DCT></Obj></MS></Obj>'


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _capability() -> bytes:
    text = '<Obj RefId="0"><MS><Version N="protocolversion">2.3</Version><Version N="PSVersion">2.0</Version>'
    text += '<Version N="SerializationVersion">1.1.0.1</Version></MS></Obj>'
    return message(MessageType.SESSION_CAPABILITY, text.encode(), _SHELL_ID)


def _opening() -> bytes:
    text = (
        '<Obj RefId="0"><MS><I32 N="MinRunspaces">1</I32><I32 N="MaxRunspaces">1</I32>'
        '<I32 N="PSThreadOptions">0</I32><I32 N="ApartmentState">2</I32>'
        f'{_HOST.format(_DATA)}<Nil N="ApplicationArguments"/></MS></Obj>'
    )
    return _capability() + message(MessageType.INIT_RUNSPACEPOOL, text.encode(), _SHELL_ID)


def _pipeline(pipeline_id: uuid.UUID, *, is_nested: bool = False) -> str:
    nested = f'<B N="IsNested">{str(is_nested).lower()}</B>'
    text = (
        '<Obj RefId="0"><MS><Obj N="PowerShell" RefId="1"><MS><Obj N="Cmds" RefId="2"><LST><Obj RefId="3"><MS>'
        '<S N="Cmd">Get-Thing</S><B N="IsScript">false</B><Nil N="UseLocalScope" /><I32 N="MergeMyResult">0</I32>'
        '<I32 N="MergeToResult">0</I32><I32 N="MergePreviousResults">0</I32><Obj N="Args" RefId="4"><LST>'
        f'</LST></Obj></MS></Obj></LST></Obj>{nested}<Nil N="History" />'
        '<B N="RedirectShellErrorOutputPipe">true</B></MS></Obj><B N="NoInput">true</B>'
        '<I32 N="ApartmentState">2</I32><I32 N="RemoteStreamOptions">0</I32><B N="AddToHistory">false</B>'
        f"{_HOST.format(_DATA)}{nested}</MS></Obj>"
    )
    return _base64(message(MessageType.CREATE_PIPELINE, text.encode(), _SHELL_ID, pipeline_id))


@dataclass
class _Desk:
    """One shell of one client. ``uri`` says of which kind."""

    uri: str
    service: Service = field(init=False)
    events: list[Any] = field(default_factory=list)
    answers: dict[int, Answer] = field(default_factory=dict)
    _ticket: int = 0

    def __post_init__(self) -> None:
        programs = Programs(has_folder=lambda path: path == r"C:\Windows")
        self.service = Service(ServiceSettings(), "20348.2227", uuid.uuid4, programs)

    def take(self, outcomes: Iterable[Any]) -> None:
        for outcome in outcomes:
            match outcome:
                case Answer(ticket):
                    self.answers[ticket] = outcome
                case Happened(_, event):
                    self.events.append(event)

    def ask(self, action: str, body: str, header: str = "", uri: str = "") -> str:
        """Send a request and give the body of its answer; nothing, when it waits."""
        self._ticket += 1
        selected = f'<w:SelectorSet><w:Selector Name="ShellId">{_SHELL_ID}</w:Selector></w:SelectorSet>'
        text = (
            f'<s:Envelope xmlns:s="{ns.SOAP}" xmlns:a="{ns.ADDRESSING}" xmlns:w="{ns.WSMAN}" '
            f'xmlns:rsp="{ns.SHELL}" xmlns:n="{ns.ENUMERATION}"><s:Header><a:Action>{action}</a:Action>'
            f"<a:MessageID>uuid:1</a:MessageID><a:To>http://hv01:5985/wsman</a:To>"
            f"<w:ResourceURI>{uri or self.uri}</w:ResourceURI>"
            f"{'' if action.endswith('/Create') else selected}{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
        )
        self.take(self.service.handle(self._ticket, text.encode(), Caller("HV01\\admin", "10.0.0.9"), 0.0))
        answer = self.answers.get(self._ticket)
        return answer.body.decode() if answer else ""

    def create(self, inside: str = "") -> str:
        streams = (
            "<rsp:InputStreams>stdin</rsp:InputStreams><rsp:OutputStreams>stdout stderr</rsp:OutputStreams>"
        )
        if self.uri == _POWERSHELL:
            streams = (
                "<rsp:InputStreams>stdin pr</rsp:InputStreams><rsp:OutputStreams>stdout</rsp:OutputStreams>"
            )
        return self.ask(
            f"{ns.TRANSFER}/Create", f'<rsp:Shell ShellId="{_SHELL_ID}">{inside}{streams}</rsp:Shell>'
        )

    def open(self) -> None:
        """Open a runspace pool and hear what it says first."""
        self.create(f'<creationXml xmlns="{ns.POWERSHELL}">{_base64(_opening())}</creationXml>')
        assert [*kinds(self.receive()), *kinds(self.receive())][-1] == "RUNSPACEPOOL_STATE"

    def command(self, command_id: uuid.UUID, text: str, arguments: str = "") -> str:
        inside = f"<rsp:Command>{text}</rsp:Command>"
        inside += f"<rsp:Arguments>{arguments}</rsp:Arguments>" if arguments else ""
        body = f'<rsp:CommandLine CommandId="{command_id}">{inside}</rsp:CommandLine>'
        return self.ask(f"{ns.SHELL}/Command", body)

    def receive(self, command_id: uuid.UUID | None = None, streams: str = "stdout") -> str:
        named = f' CommandId="{command_id}"' if command_id else ""
        body = f"<rsp:Receive><rsp:DesiredStream{named}>{streams}</rsp:DesiredStream></rsp:Receive>"
        return self.ask(f"{ns.SHELL}/Receive", body)

    def begun(self) -> list[uuid.UUID]:
        return [event.pipeline_id for event in self.events if isinstance(event, PipelineRequested)]


@pytest.fixture
def classic() -> _Desk:
    return _Desk(ns.CMD_URI)


@pytest.fixture
def powershell() -> _Desk:
    return _Desk(_POWERSHELL)


def _children(body: str, parent: str) -> list[str]:
    inside = re.findall(rf"<rsp:{parent}[ >].*?</rsp:{parent}>", body)[0]
    return re.findall(r"<rsp:(\w+)", inside)[1:]


def test_a_classic_shell_repeats_its_variables_and_folder_and_nothing_it_ignores(classic: _Desk) -> None:
    variables = (
        '<rsp:Variable Name="a\\b">x &lt;"\'&gt;</rsp:Variable><rsp:Variable Name="c">1</rsp:Variable>'
    )
    body = classic.create(
        f"<rsp:Name>mine</rsp:Name><rsp:Lifetime>PT90S</rsp:Lifetime><rsp:Environment>{variables}</rsp:Environment>"
        "<rsp:WorkingDirectory>C:\\Windows</rsp:WorkingDirectory>"
    )
    assert _children(body, "Shell")[2:9] == [
        "Owner", "ClientIP", "Environment", "Variable", "Variable", "WorkingDirectory", "IdleTimeOut",
    ]  # fmt: skip
    assert '<rsp:Variable Name="ab">x &lt;&quot;&apos;&gt;</rsp:Variable>' in body
    assert "mine" not in body
    assert "Environment" not in _Desk(ns.CMD_URI).create()


def test_a_folder_that_is_not_there_keeps_every_command_from_starting(classic: _Desk) -> None:
    classic.create("<rsp:WorkingDirectory>C:\\nowhere</rsp:WorkingDirectory>")
    body = classic.command(_IDS[0], "ver")
    assert 'Code="2147942667"' in body
    assert 'provider="Shell cmd plugin"' in body
    assert classic.events == []


def test_an_enumeration_tells_the_line_of_a_command_that_runs(classic: _Desk) -> None:
    classic.create()
    classic.command(_IDS[0], "echo &lt;a&gt;")
    body = classic.ask(
        f"{ns.ENUMERATION}/Enumerate",
        f'<n:Enumerate><w:Filter><w:SelectorSet><w:Selector Name="ShellId">{_SHELL_ID}</w:Selector>'
        "</w:SelectorSet></w:Filter></n:Enumerate>",
        uri=f"{ns.SHELLS_URI}/Command",
    )
    assert _children(body, "Command")[:3] == ["CommandId", "CommandLine", "CommandState"]
    assert "<rsp:CommandLine>echo &lt;a&gt;</rsp:CommandLine><rsp:CommandState>Running<" in body


def test_a_receive_of_a_classic_shell_names_a_command(classic: _Desk) -> None:
    classic.create()
    body = classic.receive(streams="stdout stderr")
    assert 'Code="87"' in body
    assert "faultDetail/InvalidValue" in body
    assert 'provider="Shell cmd plugin"' in body


def test_a_process_that_does_not_read_takes_input_up_to_a_limit(classic: _Desk) -> None:
    classic.create()
    classic.command(_IDS[0], "pause")
    shell = classic.service.command_shell(_SHELL_ID)
    assert shell is not None
    piece, sent = bytes(250_000), 0
    body = (
        f'<rsp:Send><rsp:Stream Name="stdin" CommandId="{_IDS[0]}">{_base64(piece)}</rsp:Stream></rsp:Send>'
    )
    while "Fault" not in (answer := classic.ask(f"{ns.SHELL}/Send", body)):
        sent += len(piece)
        assert sent < 6_000_000
    assert 'Code="2150858793"' in answer
    shell.took(_IDS[0], sent)
    assert "SendResponse" in classic.ask(f"{ns.SHELL}/Send", body)


def test_a_time_out_that_cannot_pass_is_named(classic: _Desk) -> None:
    header = "<w:OperationTimeout>PT-1S</w:OperationTimeout>"
    body = classic.ask(f"{ns.TRANSFER}/Get", "", header, ns.SHELLS_URI)
    assert f"{ns.ADDRESSING}/fault" in body
    assert "a:InvalidMessageInformationHeader" in body
    assert "invalid timeout field in the SOAP header: PT-1S. <" in body


def test_connecting_to_a_command_says_nothing_and_to_a_pool_what_it_is(powershell: _Desk) -> None:
    powershell.open()
    powershell.command(_IDS[0], "", _pipeline(_IDS[0]))
    powershell.ask(f"{ns.SHELL}/Disconnect", "<rsp:Disconnect/>")
    connecting = _capability() + message(MessageType.CONNECT_RUNSPACEPOOL, b"<S />", _SHELL_ID)
    asked = f'<connectXml xmlns="{ns.POWERSHELL}">{_base64(connecting)}</connectXml>'
    assert "connectResponseXml" in powershell.ask(
        f"{ns.SHELL}/Connect", f"<rsp:Connect>{asked}</rsp:Connect>"
    )
    assert kinds(powershell.receive()) == ["APPLICATION_PRIVATE_DATA"]
    answer = powershell.ask(f"{ns.SHELL}/Connect", f'<rsp:Connect CommandId="{_IDS[0]}"/>')
    assert "<s:Body><rsp:ConnectResponse/></s:Body>" in answer


def test_what_nobody_acknowledged_comes_again_to_who_connects(powershell: _Desk) -> None:
    powershell.open()
    powershell.ask(f"{ns.SHELL}/Disconnect", "<rsp:Disconnect/>")
    connecting = _capability() + message(MessageType.CONNECT_RUNSPACEPOOL, b"<S />", _SHELL_ID)
    asked = f'<connectXml xmlns="{ns.POWERSHELL}">{_base64(connecting)}</connectXml>'
    powershell.ask(f"{ns.SHELL}/Connect", f"<rsp:Connect>{asked}</rsp:Connect>")
    assert [kinds(powershell.receive()) for _ in range(2)] == [
        ["RUNSPACEPOOL_STATE"],
        ["APPLICATION_PRIVATE_DATA"],
    ]


def test_a_nested_pipeline_does_not_wait_for_the_one_around_it(powershell: _Desk) -> None:
    powershell.open()
    powershell.command(_IDS[0], "", _pipeline(_IDS[0]))
    powershell.command(_IDS[1], "", _pipeline(_IDS[1]))
    powershell.command(_IDS[2], "", _pipeline(_IDS[2], is_nested=True))
    assert powershell.begun() == [_IDS[0], _IDS[2]]
    pool = powershell.service.pool(_SHELL_ID)
    assert pool is not None
    assert pool.complete(_IDS[2]) == []  # its end frees no runspace
    pool.complete(_IDS[0])
    powershell.take(powershell.service.pump(_SHELL_ID))
    assert "CommandState/Done" in powershell.receive(_IDS[0])


@pytest.mark.parametrize("names_command", [True, False])
def test_a_question_to_the_host_is_pending_until_its_answer(
    powershell: _Desk, *, names_command: bool
) -> None:
    powershell.open()
    powershell.command(_IDS[0], "", _pipeline(_IDS[0]))
    pool = powershell.service.pool(_SHELL_ID)
    assert pool is not None
    call_id = pool.call_host(_IDS[0], "ReadLine", 11)
    body = powershell.receive(_IDS[0])
    assert kinds(body)[-1] == "PIPELINE_HOST_CALL"
    assert re.search(r'<rsp:CommandState CommandId="[^"]+" State="[^"]+/Pending"></rsp:CommandState>', body)

    pool.write_output(_IDS[0], "after")
    assert "CommandState" not in powershell.receive(_IDS[0])
    told = f'<Obj RefId="0"><MS><S N="mr">x</S><I64 N="ci">{call_id}</I64><I32 N="mi">11</I32></MS></Obj>'
    data = _base64(message(MessageType.PIPELINE_HOST_RESPONSE, told.encode(), _SHELL_ID, _IDS[0]))
    named = f' CommandId="{_IDS[0]}"' if names_command else ""
    stream = f'<rsp:Stream Name="pr"{named}>{data}</rsp:Stream>'
    assert "SendResponse" in powershell.ask(f"{ns.SHELL}/Send", f"<rsp:Send>{stream}</rsp:Send>")
    assert isinstance(powershell.events[-1], HostAnswered)


def test_no_response_carries_more_than_a_hundred_and_twenty_eight_kilobytes(powershell: _Desk) -> None:
    powershell.open()
    powershell.command(_IDS[0], "", _pipeline(_IDS[0]))
    pool = powershell.service.pool(_SHELL_ID)
    assert pool is not None
    pool.write_output(_IDS[0], "x" * 300_000)
    pool.complete(_IDS[0])
    powershell.take(powershell.service.pump(_SHELL_ID))
    header = "<w:MaxEnvelopeSize>512000</w:MaxEnvelopeSize>"
    body = f'<rsp:Receive><rsp:DesiredStream CommandId="{_IDS[0]}">stdout</rsp:DesiredStream></rsp:Receive>'
    counts = []
    while "Done" not in (answer := powershell.ask(f"{ns.SHELL}/Receive", body, header)):
        counts.append(answer.count("<rsp:Stream "))
    assert counts[-1] == 4  # of 32 KB each
    assert len(counts) == 2
