"""Requests cut short, garbled and blown up: every one is answered, and the service lives on."""

from __future__ import annotations

import itertools
import random
import re
import uuid
from http import HTTPStatus
from xml.etree import ElementTree as ET

import pytest

from provisioner.wire.cim.enumerations import CimRequested, Found, Returned
from provisioner.wire.cim.requests import InvokeMethod
from provisioner.wire.cim.values import Instance
from provisioner.wire.contents import Await, Caller, Ended, Happened
from provisioner.wire.service import Answer, Service
from provisioner.wire.settings import Quotas, ServiceSettings

_S = "http://www.w3.org/2003/05/soap-envelope"
_SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
_TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
_ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
_CIMV2 = "http://schemas.microsoft.com/wbem/wsman/1/wmi/" + "root/cimv2"
_ID = "6F6F2A9B-9E6C-4B0E-9C1C-2F0E6C0B7A11"
_CALLER = Caller("N\\u", "127.0.0.1")
_INSTANCES = tuple(
    Instance("root/cimv2", "Win32_Thing", {"Name": f"n{number}", "Text": "x" * 50}, ("Name",))
    for number in range(40)
)


def _envelope(action: str, uri: str, body: str = "", header: str = "") -> bytes:
    return (
        f'<s:Envelope xmlns:s="{_S}" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
        'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" '
        f'xmlns:rsp="{_SHELL}" xmlns:n="{_ENUMERATION}"><s:Header><a:To>http://127.0.0.1:5985/wsman</a:To>'
        f"<w:ResourceURI>{uri}</w:ResourceURI><a:Action>{action}</a:Action>"
        f"<w:MaxEnvelopeSize>153600</w:MaxEnvelopeSize><a:MessageID>uuid:{_ID}</a:MessageID>"
        f"<w:OperationTimeout>PT20S</w:OperationTimeout>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


_SELECTED = f'<w:SelectorSet><w:Selector Name="ShellId">{_ID}</w:Selector></w:SelectorSet>'
_OPTIONS = (
    '<w:OptionSet><w:Option Name="WINRS_CODEPAGE">437</w:Option>'
    '<w:Option Name="WINRS_SKIP_CMD_SHELL">FALSE</w:Option></w:OptionSet>'
)
_CMD = f"{_SHELL}/cmd"
_CREATE = _envelope(
    f"{_TRANSFER}/Create",
    _CMD,
    f'<rsp:Shell ShellId="{_ID}"><rsp:Environment><rsp:Variable Name="A">b</rsp:Variable></rsp:Environment>'
    "<rsp:WorkingDirectory>C:\\</rsp:WorkingDirectory><rsp:IdleTimeOut>PT90S</rsp:IdleTimeOut>"
    "<rsp:InputStreams>stdin</rsp:InputStreams><rsp:OutputStreams>stdout stderr</rsp:OutputStreams></rsp:Shell>",
    _OPTIONS,
)
_COMMAND = _envelope(
    f"{_SHELL}/Command",
    _CMD,
    f'<rsp:CommandLine CommandId="{_ID}"><rsp:Command>ver</rsp:Command><rsp:Arguments>x</rsp:Arguments></rsp:CommandLine>',
    _SELECTED + _OPTIONS,
)
_SEND = _envelope(
    f"{_SHELL}/Send",
    _CMD,
    f'<rsp:Send><rsp:Stream Name="stdin" CommandId="{_ID}" End="true">eA==</rsp:Stream></rsp:Send>',
    _SELECTED,
)
_RECEIVE = _envelope(
    f"{_SHELL}/Receive",
    _CMD,
    f'<rsp:Receive><rsp:DesiredStream CommandId="{_ID}">stdout stderr</rsp:DesiredStream></rsp:Receive>',
    _SELECTED,
)
_SIGNAL = _envelope(
    f"{_SHELL}/Signal",
    _CMD,
    f'<rsp:Signal CommandId="{_ID}"><rsp:Code>{_SHELL}/signal/ctrl_c</rsp:Code></rsp:Signal>',
    _SELECTED,
)
_DELETE = _envelope(f"{_TRANSFER}/Delete", _CMD, "", _SELECTED)
_ENUMERATE = _envelope(
    f"{_ENUMERATION}/Enumerate",
    f"{_CIMV2}/*",
    "<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>3</w:MaxElements>"
    '<w:Filter Dialect="http://schemas.microsoft.com/wbem/wsman/1/WQL">select * from Win32_Thing</w:Filter>'
    "</n:Enumerate>",
)
_PULL = _envelope(
    f"{_ENUMERATION}/Pull",
    f"{_CIMV2}/*",
    f"<n:Pull><n:EnumerationContext>uuid:{_ID}</n:EnumerationContext><n:MaxElements>3</n:MaxElements></n:Pull>",
)
_GET = _envelope(
    f"{_TRANSFER}/Get",
    f"{_CIMV2}/Win32_Thing",
    "",
    '<w:SelectorSet><w:Selector Name="Name">n1</w:Selector></w:SelectorSet>',
)
_INVOKE = _envelope(
    f"{_CIMV2}/Win32_Thing/Do",
    f"{_CIMV2}/Win32_Thing",
    f'<p:Do_INPUT xmlns:p="{_CIMV2}"><p:A>1</p:A></p:Do_INPUT>',
)
_CONFIG = _envelope(f"{_TRANSFER}/Get", "http://schemas.microsoft.com/wbem/wsman/1/config/service")
_TALK = (_CREATE, _COMMAND, _SEND, _RECEIVE, _SIGNAL, _DELETE, _ENUMERATE, _PULL, _GET, _INVOKE, _CONFIG)
_STATUSES = {HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR}


class _Desk:
    """A service whose programs never end and whose classes have forty instances."""

    def __init__(self, settings: ServiceSettings | None = None) -> None:
        self.service = Service(settings or ServiceSettings(), "20348.2227", uuid.uuid4)
        self._tickets = itertools.count(1)

    def ask(self, data: bytes, caller: Caller = _CALLER, now: float = 0.0) -> Answer | None:
        """Send a request; None when it waits. Whatever else comes is checked to be what it may be."""
        ticket = next(self._tickets)
        outcomes = self.service.handle(ticket, data, caller, now)
        for outcome in list(outcomes):
            if isinstance(outcome, CimRequested):
                is_call = isinstance(outcome.operation, InvokeMethod)
                result = Returned("Do", (("ReturnValue", 0),)) if is_call else Found(_INSTANCES[:1])
                outcomes += self.service.cim_answered(ticket, result, now)
        answers = [item for item in outcomes if isinstance(item, Answer) and item.ticket == ticket]
        assert len(answers) <= 1
        assert all(isinstance(item, Answer | Await | Happened | Ended | CimRequested) for item in outcomes)
        for answer in answers:
            if answer.body:
                ET.fromstring(answer.body)
        return answers[0] if answers else None

    def is_well(self) -> bool:
        """Tell whether the service still does its work."""
        own = uuid.uuid4()
        made = self.ask(_CREATE.replace(_ID.encode(), str(own).encode()))
        assert made is not None
        return made.status is HTTPStatus.OK


@pytest.mark.parametrize("number", range(len(_TALK)))
def test_a_request_cut_anywhere_is_answered(number: int) -> None:
    desk = _Desk()
    for request in _TALK[:number]:
        desk.ask(request)
    whole = _TALK[number]
    for end in range(0, len(whole), 7):
        answer = desk.ask(whole[:end])
        assert answer is not None
        assert answer.status is HTTPStatus.BAD_REQUEST
    assert desk.is_well()


@pytest.mark.parametrize("number", range(len(_TALK)))
def test_a_request_with_a_part_missing_or_spoiled_is_answered(number: int) -> None:
    draw = random.Random(number)
    parts = re.split(r"(<[^>]+>)", _TALK[number].decode())
    odd = ["", "-1", "9" * 40, "\U0001f600", "PT1S", "uuid:", "&#65;", "true", "a b c", "=", "x" * 5000]
    for index in range(len(parts)):
        for replacement in (draw.choice(odd), draw.choice(odd)):
            desk = _Desk()
            for request in _TALK[:number]:
                desk.ask(request)
            changed = "".join([*parts[:index], replacement, *parts[index + 1 :]]).encode()
            answer = desk.ask(changed)
            assert answer is None or answer.status in _STATUSES
    assert desk.is_well()


def test_bytes_flipped_anywhere_are_answered() -> None:
    draw = random.Random(7)
    desk = _Desk()
    for _ in range(3000):
        request = bytearray(draw.choice(_TALK))
        for _ in range(draw.randint(1, 4)):
            request[draw.randrange(len(request))] = draw.randrange(256)
        answer = desk.ask(bytes(request))
        assert answer is None or answer.status in _STATUSES
    assert desk.is_well()


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (_RECEIVE.replace(b"stdout stderr", b"stdout stdout2"), b"87"),
        (_RECEIVE.replace(b"stdout stderr", b""), b"87"),
        (_RECEIVE.replace(f' CommandId="{_ID}"'.encode(), b""), b"87"),
        (_SEND.replace(b'"stdin"', b'"stdout"'), b"87"),
        (_SEND.replace(f' CommandId="{_ID}"'.encode(), b""), b"2150859141"),
        (_SIGNAL.replace(b"ctrl_c", b"hup"), b"87"),
        (_SIGNAL.replace(f"{_SHELL}/signal/ctrl_c".encode(), b"powershell/signal/ctrl_c"), b"87"),
        (_COMMAND, b"87"),
        (_COMMAND.replace(f'CommandId="{_ID}'.encode(), b'CommandId="no-guid'), b"87"),
        (_CREATE.replace(b"stdout stderr", b"stdout pr"), b"87"),
        (_CREATE.replace(b">437<", b">four<").replace(f' ShellId="{_ID}"'.encode(), b""), b"2150859072"),
        (_CREATE.replace(b"PT90S", b"PT1S").replace(f' ShellId="{_ID}"'.encode(), b""), b"2150859250"),
        (_CREATE.replace(b">437<", b">70000<").replace(f' ShellId="{_ID}"'.encode(), b""), b"2150859072"),
        (_CREATE.replace(f"{_SHELL}/cmd<".encode(), f"{_SHELL}/sh<".encode()), b"2150858752"),
    ],
)
def test_what_a_classic_shell_cannot_do_is_refused_with_its_code(request_: bytes, code: bytes) -> None:
    desk = _Desk()
    desk.ask(_CREATE)
    desk.ask(_COMMAND)
    answer = desk.ask(request_)
    assert answer is not None
    assert b'Code="' + code + b'"' in answer.body


def _code(answer: Answer | None) -> str:
    assert answer is not None
    found = re.search(rb'Code="(\d+)"|error_Code[^>]*>(\d+)<', answer.body)
    return (found[1] or found[2]).decode() if found else ""


def _other(request: bytes, number: int) -> bytes:
    return request.replace(_ID.encode(), str(uuid.UUID(int=number)).upper().encode())


@pytest.mark.parametrize(
    ("quotas", "code"),
    [
        (Quotas(max_shells_per_user=3), "2150859173"),
        (Quotas(max_operations_per_user=3), "2150859174"),
    ],
)
def test_a_user_has_so_many_shells_and_another_his_own(quotas: Quotas, code: str) -> None:
    desk = _Desk(ServiceSettings(quotas=quotas))
    codes = [_code(desk.ask(_other(_CREATE, number))) for number in range(1, 5)]
    assert codes == ["", "", "", code]
    assert _code(desk.ask(_other(_CREATE, 9), Caller("N\\other", "127.0.0.1"))) == ""
    desk.ask(_other(_DELETE, 1))
    assert _code(desk.ask(_other(_CREATE, 5), Caller("n\\U", "127.0.0.1"))) == ""


def test_so_many_users_have_shells_at_a_time() -> None:
    desk = _Desk(ServiceSettings(quotas=Quotas(max_concurrent_users=2)))
    users = [Caller(f"N\\u{number}", "127.0.0.1") for number in range(3)]
    codes = [_code(desk.ask(_other(_CREATE, number + 1), user)) for number, user in enumerate(users)]
    assert codes == ["", "", "2150859179"]
    assert _code(desk.ask(_other(_CREATE, 7), users[0])) == ""


def test_so_many_commands_run_in_a_shell_at_a_time() -> None:
    desk = _Desk(ServiceSettings(quotas=Quotas(max_processes_per_shell=2)))
    desk.ask(_CREATE)
    command = _COMMAND.replace(f' CommandId="{_ID}"'.encode(), b"")
    assert [_code(desk.ask(command)) for _ in range(3)] == ["", "", "2150859241"]


def test_enumerations_are_counted_and_end_when_nobody_pulls() -> None:
    desk = _Desk(ServiceSettings(quotas=Quotas(max_operations_per_user=2), enumeration_timeout_s=240))
    lazy = _ENUMERATE.replace(b"<w:OptimizeEnumeration/>", b"")
    first = desk.ask(lazy)
    assert first is not None
    context = re.search(rb"EnumerationContext>uuid:([^<]+)<", first.body)
    assert context is not None
    desk.ask(lazy)
    assert _code(desk.ask(lazy)) == "2150859174"
    pull = _PULL.replace(_ID.encode(), context[1])
    assert _code(desk.ask(pull, Caller("N\\other", "127.0.0.1"))) == "5"
    assert _code(desk.ask(pull, now=241.0)) == "2150858779"
    assert _code(desk.ask(lazy, now=242.0)) == ""


def test_a_stranger_may_not_touch_a_shell() -> None:
    desk = _Desk()
    desk.ask(_CREATE)
    stranger = Caller("N\\other", "127.0.0.1")
    for request in (_COMMAND, _SEND, _RECEIVE, _SIGNAL, _DELETE):
        assert _code(desk.ask(request, stranger)) == "5"
    for verb in ("Disconnect", "Reconnect", "Connect"):
        body = f"<rsp:{verb}/>"
        assert _code(desk.ask(_envelope(f"{_SHELL}/{verb}", _CMD, body, _SELECTED), stranger)) == "5"
    assert _code(desk.ask(_COMMAND)) == ""


def test_a_classic_shell_is_left_and_found_again() -> None:
    desk = _Desk()
    desk.ask(_CREATE)
    desk.ask(_COMMAND)
    assert _code(desk.ask(_envelope(f"{_SHELL}/Disconnect", _CMD, "<rsp:Disconnect/>", _SELECTED))) == ""
    assert _code(desk.ask(_RECEIVE)) == "2150859230"
    elsewhere = Caller("N\\u", "127.0.0.9")
    assert _code(desk.ask(_envelope(f"{_SHELL}/Connect", _CMD, "<rsp:Connect/>", _SELECTED), elsewhere)) == ""
    assert desk.ask(_RECEIVE, elsewhere) is None


def test_nobody_keeps_a_shell_for_ever() -> None:
    desk = _Desk()
    desk.ask(_CREATE, now=0.0)
    assert desk.service.sweep(90.0) == []
    assert [type(item) for item in desk.service.sweep(91.0)] == [Ended]
    assert _code(desk.ask(_COMMAND, now=92.0)) == "2150858843"


def test_a_call_that_takes_too_long_ends_and_its_late_answer_is_dropped() -> None:
    desk = _Desk()
    outcomes = desk.service.handle(1, _GET, _CALLER, 0.0)
    assert [type(item) for item in outcomes] == [Await, CimRequested]
    (answer,) = desk.service.expire(1)
    assert isinstance(answer, Answer)
    assert _code(answer) == "2150858793"
    assert desk.service.cim_answered(1, Found(_INSTANCES[:1]), 1.0) == []
    assert desk.service.expire(1) == []


def test_one_instance_too_large_for_the_client_is_refused() -> None:
    desk = _Desk()
    small = _GET.replace(b"153600", b"8192")
    desk.service.handle(1, small, _CALLER, 0.0)
    huge = Instance("root/cimv2", "Win32_Thing", {"Name": "x" * 9000}, ("Name",))
    (answer,) = desk.service.cim_answered(1, Found((huge,)), 0.0)
    assert isinstance(answer, Answer)
    assert _code(answer) == "2150858824"
