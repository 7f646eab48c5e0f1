"""The state machine of shells: each row of its table, and each way in which a Receive ends."""

from __future__ import annotations

import base64
import itertools
import re
import uuid
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest

from provisioner.wire import faults
from provisioner.wire import namespaces as ns
from provisioner.wire.contents import (
    Await,
    Caller,
    CommandStart,
    Ended,
    Happened,
    Opening,
    Refuse,
    Respond,
)
from provisioner.wire.envelope import parse_request
from provisioner.wire.settings import ServiceSettings
from provisioner.wire.shell import Shells

_IDS = (uuid.UUID(int=number) for number in itertools.count(1000))
_SHELL = uuid.UUID(int=1)
_COMMAND = uuid.UUID(int=2)
_URI = ns.POWERSHELL + "/Microsoft.PowerShell"


@dataclass
class Lump:
    """Output that may be cut anywhere."""

    data: bytes
    ends_response: bool = False
    awaits_answer: bool = False

    @property
    def is_sent(self) -> bool:
        return not self.data

    def next_size(self) -> int:
        return min(len(self.data), 32768)

    def take(self, limit: int) -> bytes:
        size = min(limit, 32768)
        part, self.data = self.data[:size], self.data[size:]
        return part


@dataclass
class Box:
    """Contents that record what they are told."""

    input_streams: str = "stdin pr"
    output_streams: str = "stdout"
    is_classic: bool = False
    is_closed: bool = False
    told: list[Any] = field(default_factory=list)
    output: list[tuple[uuid.UUID | None, Lump]] = field(default_factory=list)
    finished: set[uuid.UUID] = field(default_factory=set)

    def create(self, opening: Opening) -> None:
        if opening.creation == b"bad":
            raise faults.invalid_parameter("bad")

    def connect(self, data: bytes) -> bytes:
        return b"connected " + data

    def command(self, command_id: uuid.UUID, start: CommandStart) -> list[Any]:
        return [("command", command_id, start.arguments)]

    def receive(self, command_id: uuid.UUID | None, data: bytes, *, stream: str, is_last: bool) -> list[Any]:
        assert (stream, is_last) == ("stdin", False)
        return [("input", command_id, data)]

    def signal(self, command_id: uuid.UUID, code: str) -> list[Any]:
        return [("signal", command_id, code)]

    def forget(self, command_id: uuid.UUID) -> list[Any]:
        return [("forget", command_id)]

    def outgoing(self) -> list[tuple[uuid.UUID | None, str, Lump]]:
        ready, self.output = self.output, []
        return [(command_id, "stdout", lump) for command_id, lump in ready]

    def exit_code(self, command_id: uuid.UUID) -> int | None:
        return 0 if command_id in self.finished else None


class Desk:
    """A set of shells, with requests written for it."""

    def __init__(self) -> None:
        self.box = Box()
        self.shells = Shells(
            ServiceSettings(), lambda uri: self.box if uri == _URI else None, lambda: next(_IDS)
        )
        self.now = 0.0
        self._tickets = itertools.count(1)

    def ask(
        self,
        action: str,
        body: str = "",
        *,
        shell: uuid.UUID | None = _SHELL,
        uri: str = _URI,
        size: int = 153600,
    ) -> list[Any]:
        selectors = (
            f'<w:SelectorSet><w:Selector Name="ShellId">{shell}</w:Selector></w:SelectorSet>' if shell else ""
        )
        declared = " ".join(f"xmlns:{prefix}={quoteattr(value)}" for prefix, value in ns.PREFIXES.items())
        text = (
            f"<s:Envelope {declared}><s:Header><a:Action>{action}</a:Action><w:ResourceURI>{uri}</w:ResourceURI>"
            f"<w:OperationTimeout>PT20S</w:OperationTimeout><w:MaxEnvelopeSize>{size}</w:MaxEnvelopeSize>{selectors}"
            f"</s:Header><s:Body>{body}</s:Body></s:Envelope>"
        )
        return self.shells.handle(
            next(self._tickets), parse_request(text.encode()), Caller("N\\u", "127.0.0.1"), self.now
        )

    def create(self, *, creation: bytes = b"", idle: str = "", shell: uuid.UUID = _SHELL) -> list[Any]:
        xml = f'<creationXml xmlns="{ns.POWERSHELL}">{base64.b64encode(creation).decode()}</creationXml>'
        idle_xml = f"<rsp:IdleTimeOut>{idle}</rsp:IdleTimeOut>" if idle else ""
        return self.ask(
            f"{ns.TRANSFER}/Create", f'<rsp:Shell ShellId="{shell}">{idle_xml}{xml}</rsp:Shell>', shell=None
        )

    def command(self) -> list[Any]:
        arguments = base64.b64encode(b"first").decode()
        return self.ask(
            f"{ns.SHELL}/Command",
            f'<rsp:CommandLine CommandId="{_COMMAND}"><rsp:Command/><rsp:Arguments>{arguments}</rsp:Arguments></rsp:CommandLine>',
        )

    def receive(self, command: uuid.UUID | None = None, size: int = 153600) -> list[Any]:
        attribute = f' CommandId="{command}"' if command else ""
        return self.ask(
            f"{ns.SHELL}/Receive",
            f"<rsp:Receive><rsp:DesiredStream{attribute}>stdout</rsp:DesiredStream></rsp:Receive>",
            size=size,
        )

    def send(self, command: uuid.UUID = _COMMAND) -> list[Any]:
        data = base64.b64encode(b"more").decode()
        return self.ask(
            f"{ns.SHELL}/Send",
            f'<rsp:Send><rsp:Stream Name="stdin" CommandId="{command}">{data}</rsp:Stream></rsp:Send>',
        )

    def signal(self, code: str, command: uuid.UUID = _COMMAND) -> list[Any]:
        return self.ask(
            f"{ns.SHELL}/Signal",
            f'<rsp:Signal CommandId="{command}"><rsp:Code>{code}</rsp:Code></rsp:Signal>',
        )

    def disconnect(self, body: str = "<rsp:Disconnect/>") -> list[Any]:
        return self.ask(f"{ns.SHELL}/Disconnect", body)

    def produce(self, data: bytes, command: uuid.UUID | None = None, *, ends: bool = False) -> list[Any]:
        self.box.output.append((command, Lump(data, ends)))
        return self.shells.pump(_SHELL)


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.create()
    return made


def _streams(effect: Respond) -> list[bytes]:
    return [base64.b64decode(text) for text in re.findall(r"<rsp:Stream[^>]*>([^<]*)<", effect.body)]


def _code(effects: list[Any]) -> int:
    (refusal,) = [effect for effect in effects if isinstance(effect, Refuse)]
    return refusal.fault.code


def _answer(effects: list[Any]) -> Respond:
    (found,) = [effect for effect in effects if isinstance(effect, Respond)]
    return found


def test_a_shell_is_created_with_the_id_the_client_chose(desk: Desk) -> None:
    assert len(desk.shells) == 1
    body = _answer(desk.ask(f"{ns.TRANSFER}/Get")).body
    assert f"<rsp:ShellId>{str(_SHELL).upper()}</rsp:ShellId>" in body
    assert "<rsp:Owner>N\\u</rsp:Owner>" in body


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda desk: desk.create(), 87),
        (lambda desk: desk.create(creation=b"bad", shell=uuid.UUID(int=9)), 87),
        (lambda desk: desk.create(idle="PT5S", shell=uuid.UUID(int=9)), 2150859250),
        (lambda desk: desk.create(idle="PT2147484S", shell=uuid.UUID(int=9)), 2150859250),
        (lambda desk: desk.create(idle="3600000", shell=uuid.UUID(int=9)), 2150858817),
        (
            lambda desk: desk.ask(f"{ns.TRANSFER}/Create", "<rsp:Shell/>", uri="urn:other", shell=None),
            2150858752,
        ),
        (lambda desk: desk.ask(f"{ns.TRANSFER}/Create", "", shell=None), 2150858817),
        (lambda desk: desk.ask(f"{ns.TRANSFER}/Create", '<rsp:Shell ShellId="x"/>', shell=None), 87),
        (lambda desk: desk.ask(f"{ns.TRANSFER}/Put"), 2150858771),
        (lambda desk: desk.ask(f"{ns.SHELL}/Dance"), 2150858771),
        (lambda desk: desk.ask("urn:else/Receive"), 2150858771),
        (lambda desk: desk.ask(f"{ns.TRANSFER}/Get", shell=uuid.UUID(int=77)), 2150858843),
        (lambda desk: desk.ask(f"{ns.TRANSFER}/Get", shell=None), 2150858843),
        (lambda desk: desk.receive(_COMMAND), 2150858843),
        (lambda desk: desk.send(), 2150858843),
        (lambda desk: desk.ask(f"{ns.SHELL}/Receive", "<rsp:Receive/>"), 2150858817),
        (lambda desk: desk.ask(f"{ns.ENUMERATION}/Enumerate", "<n:Enumerate/>", uri="urn:x"), 2150858752),
    ],
)
def test_what_cannot_be_done_is_refused(desk: Desk, make: Any, code: int) -> None:
    assert _code(make(desk)) == code
    assert len(desk.shells) == 1


def test_input_is_handed_to_the_contents(desk: Desk) -> None:
    assert Happened(_SHELL, ("command", _COMMAND, (base64.b64encode(b"first").decode(),))) in desk.command()
    assert Happened(_SHELL, ("input", _COMMAND, b"more")) in desk.send()


def test_a_command_id_is_used_once(desk: Desk) -> None:
    desk.command()
    assert _code(desk.command()) == 87


def test_a_receive_is_answered_at_once_when_there_is_output(desk: Desk) -> None:
    desk.produce(b"hello")
    assert _streams(_answer(desk.receive())) == [b"hello"]


def test_a_receive_waits_for_output(desk: Desk) -> None:
    (waiting,) = desk.receive()
    assert isinstance(waiting, Await)
    assert waiting.timeout_s == 20.0
    (answer,) = desk.produce(b"late")
    assert (answer.ticket, _streams(answer)) == (waiting.ticket, [b"late"])
    assert desk.shells.expire(waiting.ticket) == []


def test_a_receive_ends_by_its_timeout_and_loses_nothing(desk: Desk) -> None:
    (waiting,) = desk.receive()
    assert _code(desk.shells.expire(waiting.ticket)) == 2150858793
    assert desk.produce(b"after") == []
    assert _streams(_answer(desk.receive())) == [b"after"]


def test_a_receive_whose_connection_broke_loses_nothing(desk: Desk) -> None:
    (waiting,) = desk.receive()
    assert desk.shells.abandon(waiting.ticket)
    assert not desk.shells.abandon(waiting.ticket)
    assert desk.produce(b"kept") == []
    assert _streams(_answer(desk.receive())) == [b"kept"]


def test_a_newer_receive_ends_the_older(desk: Desk) -> None:
    (first,) = desk.receive()
    refusal, second = desk.receive()
    assert (refusal.ticket, refusal.fault.code) == (first.ticket, 995)
    (answer,) = desk.produce(b"x")
    assert answer.ticket == second.ticket


def test_deleting_a_shell_ends_what_waits(desk: Desk) -> None:
    desk.command()
    (own,) = desk.receive()
    (other,) = desk.receive(_COMMAND)
    effects = desk.ask(f"{ns.TRANSFER}/Delete")
    assert {(item.ticket, item.fault.code) for item in effects if isinstance(item, Refuse)} == {
        (own.ticket, 995),
        (other.ticket, 995),
    }
    assert Ended(_SHELL) in effects
    assert len(desk.shells) == 0
    assert desk.shells.contents(_SHELL) is None
    assert desk.shells.pump(_SHELL) == []


def test_terminate_removes_a_command_and_ends_its_receive(desk: Desk) -> None:
    desk.command()
    (waiting,) = desk.receive(_COMMAND)
    effects = desk.signal(ns.SHELL + "/signal/Terminate")
    assert Happened(_SHELL, ("forget", _COMMAND)) in effects
    assert [(item.ticket, item.fault.code) for item in effects if isinstance(item, Refuse)] == [
        (waiting.ticket, 995)
    ]
    assert _code(desk.receive(_COMMAND)) == 2150858843


@pytest.mark.parametrize("code", [ns.SIGNAL_CTRL_C, "powershell/signal/crtl_c", "powershell/signal/ctrl_c"])
def test_a_stop_leaves_the_command_until_its_end_is_fetched(desk: Desk, code: str) -> None:
    desk.command()
    assert Happened(_SHELL, ("signal", _COMMAND, code.casefold())) in desk.signal(code)
    assert isinstance(desk.receive(_COMMAND)[0], Await)


def test_signals_for_what_is_gone_are_acknowledged_and_unknown_ones_refused(desk: Desk) -> None:
    assert _answer(desk.signal(ns.SIGNAL_TERMINATE))
    desk.command()
    assert _code(desk.signal("urn:hup")) == 87


def test_done_comes_with_the_last_output_and_ends_the_command(desk: Desk) -> None:
    desk.command()
    desk.produce(b"one", _COMMAND)
    desk.box.finished.add(_COMMAND)
    desk.produce(b"two", _COMMAND)
    answer = _answer(desk.receive(_COMMAND))
    assert _streams(answer) == [b"one", b"two"]
    assert 'CommandState/Done"><rsp:ExitCode>0<' in answer.body
    assert _code(desk.receive(_COMMAND)) == 2150858843


def test_a_command_is_not_done_while_its_last_output_is_still_with_the_contents(desk: Desk) -> None:
    desk.command()
    desk.produce(b"one", _COMMAND)
    # The contents finished, and the caller has not come to pump yet.
    desk.box.output.append((_COMMAND, Lump(b"two", False)))
    desk.box.finished.add(_COMMAND)
    answer = _answer(desk.receive(_COMMAND))
    assert _streams(answer) == [b"one", b"two"]
    assert "CommandState/Done" in answer.body


def test_output_goes_to_the_stream_it_is_for(desk: Desk) -> None:
    desk.command()
    (waiting,) = desk.receive()
    assert desk.produce(b"command's", _COMMAND) == []
    (answer,) = desk.produce(b"own")
    assert (answer.ticket, _streams(answer)) == (waiting.ticket, [b"own"])
    assert _streams(_answer(desk.receive(_COMMAND))) == [b"command's"]


def test_output_for_a_command_that_is_gone_is_dropped(desk: Desk) -> None:
    assert desk.produce(b"x", _COMMAND) == []


@pytest.mark.parametrize("size", [8192, 153600, 512000])
def test_a_response_fits_the_envelope_of_the_client(desk: Desk, size: int) -> None:
    desk.produce(bytes(range(256)) * 4000)
    found = b""
    while len(found) < 256 * 4000:
        answer = _answer(desk.receive(size=size))
        assert len(answer.body) + 1200 < size  # what the envelope around it needs
        assert len(answer.body) > min(size * 0.5, 131072) or len(found) + 60_000 > 256 * 4000
        found += b"".join(_streams(answer))
    assert found == bytes(range(256)) * 4000


def test_a_response_ends_where_a_message_says_so(desk: Desk) -> None:
    desk.produce(b"a")
    desk.produce(b"b", ends=True)
    desk.produce(b"c")
    assert _streams(_answer(desk.receive())) == [b"a", b"b"]
    assert _streams(_answer(desk.receive())) == [b"c"]


@pytest.mark.parametrize("operation", ["command", "receive", "send"])
def test_a_disconnected_shell_takes_no_work(desk: Desk, operation: str) -> None:
    desk.disconnect()
    assert _code(getattr(desk, operation)()) == 2150859230
    assert _answer(desk.ask(f"{ns.SHELL}/Reconnect"))
    assert _answer(desk.command())


def test_disconnecting_ends_what_waits_and_may_set_the_idle_timeout(desk: Desk) -> None:
    (waiting,) = desk.receive()
    effects = desk.disconnect("<rsp:Disconnect><rsp:IdleTimeOut>PT90S</rsp:IdleTimeOut></rsp:Disconnect>")
    assert [(item.ticket, item.fault.code) for item in effects if isinstance(item, Refuse)] == [
        (waiting.ticket, 2150859230)
    ]
    assert "PT90.000S" in _answer(desk.ask(f"{ns.TRANSFER}/Get")).body


def test_connecting_hands_over_the_contents_answer(desk: Desk) -> None:
    desk.disconnect()
    data = base64.b64encode(b"hi").decode()
    answer = _answer(
        desk.ask(
            f"{ns.SHELL}/Connect",
            f'<rsp:Connect><connectXml xmlns="{ns.POWERSHELL}">{data}</connectXml></rsp:Connect>',
        )
    )
    assert base64.b64encode(b"connected hi").decode() in answer.body
    assert isinstance(desk.receive()[0], Await)


def test_shells_and_commands_are_enumerated(desk: Desk) -> None:
    desk.command()
    body = _answer(desk.ask(f"{ns.ENUMERATION}/Enumerate", "<n:Enumerate/>", uri=ns.SHELLS_URI)).body
    assert body.count("<rsp:Shell ") == 1
    body = _answer(
        desk.ask(f"{ns.ENUMERATION}/Enumerate", "<n:Enumerate/>", uri=f"{ns.SHELLS_URI}/Command")
    ).body
    assert f"<rsp:CommandId>{str(_COMMAND).upper()}</rsp:CommandId>" in body


def test_idle_shells_are_removed_and_waiting_ones_are_not(desk: Desk) -> None:
    desk.create(idle="PT60S", shell=uuid.UUID(int=9))
    desk.now = 61.0
    desk.receive()
    assert desk.shells.sweep(61.0) == [Ended(uuid.UUID(int=9))]
    assert desk.shells.sweep(61.0 + 7201.0) == []
    assert len(desk.shells) == 1


def test_a_reboot_removes_all_shells(desk: Desk) -> None:
    assert desk.shells.remove_all() == [Ended(_SHELL)]
    assert len(desk.shells) == 0


def test_a_shell_whose_contents_closed_gives_its_last_words_and_is_gone(desk: Desk) -> None:
    desk.produce(b"bye")
    desk.box.is_closed = True
    assert _streams(_answer(desk.receive())) == [b"bye"]
    assert _code(desk.command()) == 2150858843
    assert _code(desk.receive()) == 995
    assert len(desk.shells) == 0
