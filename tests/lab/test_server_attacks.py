"""Whatever comes over the wire, the server survives and the next client works."""

from __future__ import annotations

import base64
import random
import socket
import struct
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import spnego
import yaml
from pypsrp.encryption import WinRMEncryption
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from provisioner.lab.server.http import Timeouts
from provisioner.wire.contents import Caller
from provisioner.wire.service import Service
from provisioner.wire.settings import ServiceSettings
from tests.lab.fake_node import PASSWORD, USER, RunningFleet, running_fleet
from tests.shared_data import shared

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def fleet() -> Iterator[RunningFleet]:
    with running_fleet(timeouts=Timeouts(request_s=1.0, idle_s=30.0)) as running:
        yield running


@pytest.fixture(autouse=True)
def _next_client_works(fleet: RunningFleet, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    with (
        WSMan(
            fleet.node.address, port=fleet.node.port, ssl=False, auth="ntlm", username=USER, password=PASSWORD
        ) as connection,
        RunspacePool(connection) as pool,
    ):
        shell: Any = PowerShell(pool).add_cmdlet("Get-Echo").add_parameter("Value", "alive")
        assert shell.invoke() == ["alive"]
    assert "bug in the lab" not in caplog.text
    assert "Traceback" not in caplog.text


def _raw(fleet: RunningFleet, data: bytes, *, finish: bool = True) -> bytes:
    """Send bytes, and return what comes back until the server ends the connection or two seconds pass."""
    with socket.create_connection((fleet.node.address, fleet.node.port), timeout=2.0) as raw:
        try:
            raw.sendall(data)
            if finish:
                raw.shutdown(socket.SHUT_WR)
            found = b""
            while part := raw.recv(65536):
                found += part
        except (ConnectionError, TimeoutError):
            return b""
        return found


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 1000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        b"GET",
        b"POST /wsman HTTP/1.1\r\n",
        b"POST /wsman HTTP/9.9\r\n\r\n",
        b"POST /wsman HTTP/1.1\r\nbroken header\r\n\r\n",
        b"POST /wsman HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /wsman HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST /wsman HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        b"POST /wsman HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nabcde",
        b"POST /wsman HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /wsman HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
        b"POST /wsman HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n",
        b"POST /wsman HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST /wsman HTTP/1.1\r\nX: " + b"a" * 100_000,
        b"POST /" + b"a" * 5000 + b" HTTP/1.1\r\n\r\n",
        b"PUT /wsman HTTP/1.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        b"POST /etc/passwd HTTP/1.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        b"POST /wsman HTTP/1.1\r\nAuthorization: Basic YTpi\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        b"POST /wsman HTTP/1.1\r\nAuthorization: Negotiate\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        b"POST /wsman HTTP/1.1\r\nAuthorization: Negotiate !!!\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    ],
    ids=range(22),
)
def test_broken_http_is_answered_with_an_error_or_nothing(fleet: RunningFleet, data: bytes) -> None:
    answer = _raw(fleet, data)
    assert not answer or answer.startswith(b"HTTP/1.1 4"), answer[:100]
    assert b"Traceback" not in answer


def test_a_huge_body_is_refused_before_it_is_read(fleet: RunningFleet) -> None:
    head = b"POST /wsman HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4000000000\r\n\r\n"
    assert _raw(fleet, head, finish=False).startswith(b"HTTP/1.1 413")


def test_a_client_that_waits_to_be_asked_for_the_body_is_asked(fleet: RunningFleet) -> None:
    head = b"POST /wsman HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n"
    with socket.create_connection((fleet.node.address, fleet.node.port), timeout=5) as raw:
        raw.sendall(head)
        assert raw.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        raw.sendall(b"abc")
        assert raw.recv(100).startswith(b"HTTP/1.1 401")


def test_a_request_that_dribbles_in_is_cut_off(fleet: RunningFleet) -> None:
    # The socket's own time-out is longer than the server's patience, so an empty read is the server's doing.
    with socket.create_connection((fleet.node.address, fleet.node.port), timeout=10) as raw:
        raw.sendall(b"POST /wsman HTTP/1.1\r\nX: ")
        assert raw.recv(100) == b""


def test_requests_in_one_packet_are_answered_in_order(fleet: RunningFleet) -> None:
    one = b"POST /wsman HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"
    last = b"POST /nowhere HTTP/1.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    answer = _raw(fleet, one + one + last, finish=False)
    assert [line for line in answer.split(b"\r\n") if line.startswith(b"HTTP/")] == [
        b"HTTP/1.1 401 Unauthorized",
        b"HTTP/1.1 401 Unauthorized",
        b"HTTP/1.1 404 Not Found",
    ]


def test_chunked_bodies_are_read(fleet: RunningFleet) -> None:
    identify = (
        b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        b'xmlns:w="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"><s:Header/><s:Body><w:Identify/></s:Body></s:Envelope>'
    )
    answer = requests.post(
        f"http://{fleet.node.address}:{fleet.node.port}/wsman",
        data=iter([identify[:40], identify[40:]]),
        headers={"WSMANIDENTIFY": "unauthenticated"},
        timeout=5,
    )
    assert answer.status_code == 200
    assert "IdentifyResponse" in answer.text


def _tokens(count: int) -> Iterator[bytes]:
    """Yield damaged NTLM and SPNEGO tokens, always the same ones."""
    dice = random.Random(7)
    context = spnego.client(
        USER, PASSWORD, protocol="negotiate", options=spnego.NegotiateOptions.use_negotiate
    )
    wrapped = context.step() or b""
    plain = spnego.client(USER, PASSWORD, protocol="ntlm").step() or b""
    for number in range(count):
        token = bytearray(wrapped if number % 2 else plain)
        for _ in range(dice.randint(1, 6)):
            token[dice.randrange(len(token))] = dice.randrange(256)
        yield bytes(token[: dice.randint(0, len(token))])


def test_damaged_logon_tokens_are_refused(fleet: RunningFleet) -> None:
    url = f"http://{fleet.node.address}:{fleet.node.port}/wsman"
    with requests.Session() as session:
        for token in _tokens(150):
            header = {"Authorization": f"Negotiate {base64.b64encode(token).decode()}"}
            assert session.post(url, headers=header, timeout=5).status_code == 401


def test_an_authenticate_message_without_a_challenge_is_refused(fleet: RunningFleet) -> None:
    token = b"NTLMSSP\0" + struct.pack("<I", 3) + bytes(200)
    header = {"Authorization": f"Negotiate {base64.b64encode(token).decode()}"}
    answer = requests.post(f"http://{fleet.node.address}:{fleet.node.port}/wsman", headers=header, timeout=5)
    assert answer.status_code == 401


class _LoggedOn:
    """A connection that has logged on and can send sealed or unsealed bodies by hand."""

    def __init__(self, fleet: RunningFleet) -> None:
        self.url = f"http://{fleet.node.address}:{fleet.node.port}/wsman"
        self.session = requests.Session()
        self.context = spnego.client(
            USER, PASSWORD, protocol="ntlm", options=spnego.NegotiateOptions.wrapping_winrm
        )
        token: bytes | None = self.context.step()
        while token:
            header = {"Authorization": f"Negotiate {base64.b64encode(token).decode()}"}
            answer = self.session.post(self.url, headers=header, timeout=5)
            text = answer.headers.get("WWW-Authenticate", "").partition(" ")[2]
            token = self.context.step(base64.b64decode(text)) if text else None
        assert answer.status_code == 200
        self.encryption = WinRMEncryption(self.context, WinRMEncryption.SPNEGO)

    def post(self, body: bytes, content_type: str) -> requests.Response:
        return self.session.post(self.url, data=body, headers={"Content-Type": content_type}, timeout=5)

    def post_sealed(self, message: bytes) -> requests.Response:
        kind, body = self.encryption.wrap_message(message)
        content_type = f'{kind};protocol="{WinRMEncryption.SPNEGO}";boundary="Encrypted Boundary"'
        return self.post(body, content_type)


_MULTIPART = f'multipart/encrypted;protocol="{WinRMEncryption.SPNEGO}";boundary="Encrypted Boundary"'


@pytest.mark.parametrize(
    "body",
    [
        b"x",
        b"--Encrypted Boundary\r\n",
        b"--Encrypted Boundary--\r\n",
        (
            b"--Encrypted Boundary\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n"
            b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=9\r\n--Encrypted Boundary\r\n"
            b"\tContent-Type: application/octet-stream\r\n\x10\x00\x00\x00"
            + bytes(40)
            + b"--Encrypted Boundary--\r\n"
        ),
        (
            b"--Encrypted Boundary\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n"
            b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=9\r\n--Encrypted Boundary\r\n"
            b"\tContent-Type: application/octet-stream\r\n\xff\xff\xff\xff"
            + bytes(40)
            + b"--Encrypted Boundary--\r\n"
        ),
    ],
)
def test_a_broken_encrypted_body_is_refused(fleet: RunningFleet, body: bytes) -> None:
    assert _LoggedOn(fleet).post(body, _MULTIPART).status_code == 400


def test_a_replayed_message_is_refused(fleet: RunningFleet) -> None:
    client = _LoggedOn(fleet)
    kind, body = client.encryption.wrap_message(b"<x/>")
    content_type = f'{kind};protocol="{WinRMEncryption.SPNEGO}";boundary="Encrypted Boundary"'
    assert client.post(body, content_type).status_code == 400  # sealed well, but no envelope
    assert client.post(body, content_type).status_code in {400, 401}


_BOMB = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body>&c;</s:Body></s:Envelope>'
)


@pytest.mark.parametrize(
    "message",
    [
        _BOMB.encode(),
        _BOMB.encode("utf-16"),
        _BOMB.encode("utf-16-le"),
        _BOMB.replace('"a"', "SYSTEM 'file:///etc/passwd'").encode(),
        b"<a>" * 100_000,
        b"<a>" * 60_000 + b"</a>" * 60_000,
        b"\xff\xfe\x00",
        b"<s:Envelope/>",
        b"",
    ],
    ids=range(9),
)
def test_hostile_xml_is_refused(fleet: RunningFleet, message: bytes) -> None:
    assert _LoggedOn(fleet).post_sealed(message).status_code in {200, 400} - ({200} if message else set())


def test_damaged_recorded_requests_never_raise() -> None:
    """Random damage to what real clients sent, always the same; straight into the service, for speed."""
    dice = random.Random(42)
    service = Service(ServiceSettings(), "20348.1", uuid.uuid4)
    caller = Caller("N\\u", "127.0.0.1")
    ticket = 0
    for path in sorted(Path(shared("wire-traces")).glob("*.yml")):
        text = path.read_text(encoding="utf-8")
        for item in yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["messages"]:
            whole = item["request"].encode()
            for data in [_damaged(whole, dice) for _ in range(12)] + [whole]:
                ticket += 1
                service.handle(ticket, data, caller, float(ticket))
    assert ticket > 1500


def _damaged(data: bytes, dice: random.Random) -> bytes:
    damaged = bytearray(data)
    match dice.randrange(5):
        case 0:
            return bytes(damaged[: dice.randrange(len(damaged))])
        case 1:
            start = dice.randrange(len(damaged))
            del damaged[start : start + dice.randrange(200)]
        case 2:
            start = dice.randrange(len(damaged))
            damaged[start:start] = damaged[start : start + dice.randrange(300)]
        case 3:  # inside the base64 of a PSRP message, if there is one
            marks = [found for found in (data.find(b"AAAAAAAAAA"), data.rfind(b"RefId")) if found > 0] or [0]
            start = dice.choice(marks)
            for _ in range(8):
                damaged[min(len(damaged) - 1, start + dice.randrange(400))] = dice.choice(b"ABCxyz019+/")
        case _:
            for _ in range(dice.randint(1, 20)):
                damaged[dice.randrange(len(damaged))] = dice.randrange(256)
    return bytes(damaged)
