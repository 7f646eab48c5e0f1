"""What a node refuses, and how little it says of why: 401 and which schemes there are."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import spnego
from pypsrp.exceptions import AuthenticationError, WSManFaultError
from pypsrp.negotiate import HTTPNegotiateAuth
from pypsrp.powershell import RunspacePool
from pypsrp.shell import WinRS
from requests_credssp.exceptions import AuthenticationException, NTStatusException
from spnego.channel_bindings import GssChannelBindings

from provisioner.lab.logon import (
    ADMINISTRATORS,
    REMOTE_MANAGEMENT,
    KerberosSpec,
    LockoutSpec,
    LogonSpec,
    UserSpec,
)
from provisioner.lab.server.authentication import encryption
from tests.kerberos import REALM, USER, KerberosRealm, needs_kerberos, running_realm
from tests.lab.authentication.nodes import HOST, OTHER, OTHER_PASSWORD, Site, everything, running_site, user
from tests.lab.fake_node import PASSWORD
from tests.lab.fake_node import USER as OWNER

pytestmark = pytest.mark.filterwarnings("default")  # the clients warn about what they do not know


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site"), everything()) as running:
        yield running


class Line:
    """One connection on which a test says whatever it likes."""

    def __init__(self, site: Site) -> None:
        self._session = requests.Session()
        self._url = site.url(ssl=False)
        self._session.trust_env = False

    def post(
        self, token: bytes | None = None, body: bytes = b"", *, scheme: str = "Negotiate", kind: str = ""
    ) -> requests.Response:
        headers = {"Content-Type": kind} if kind else {}
        if token is not None:
            headers["Authorization"] = f"{scheme} {base64.b64encode(token).decode()}"
        return self._session.post(self._url, data=body, headers=headers, timeout=10)

    def log_on(self, protocol: str = "ntlm", **more: Any) -> Any:
        """Shake hands; returns pyspnego's context."""
        context = spnego.client(OWNER, PASSWORD, hostname=HOST, service="HTTP", protocol=protocol, **more)
        token = context.step()
        while token is not None:
            answer = self.post(token)
            found = answer.headers.get("WWW-Authenticate", "")
            if not found.startswith("Negotiate "):
                break
            token = context.step(base64.b64decode(found.removeprefix("Negotiate ")))
        assert answer.status_code == 200
        return context


def refused(answer: requests.Response) -> bool:
    """Whether an answer is a refusal that tells nothing."""
    return (
        answer.status_code == 401
        and not answer.content
        and answer.headers["WWW-Authenticate"] == "Negotiate, CredSSP"
    )


def sealed(context: Any, message: bytes = b"<x/>") -> bytes:
    header: bytes
    data: bytes
    header, data, _ = context.wrap_winrm(message)
    return (
        b"--Encrypted Boundary\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n"
        b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n"
        b"--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n"
        % len(message)
        + len(header).to_bytes(4, "little")
        + header
        + data
        + b"--Encrypted Boundary--\r\n"
    )


_SEALED = f'multipart/encrypted;protocol="{encryption.SPNEGO}";boundary="Encrypted Boundary"'


@pytest.mark.parametrize("protocol", ["ntlm", "negotiate"])
def test_a_replayed_handshake_is_refused(site: Site, protocol: str) -> None:
    """The last token of a handshake that worked fits no other challenge."""
    context = spnego.client(OWNER, PASSWORD, hostname=HOST, service="HTTP", protocol=protocol)
    first, line = context.step(), Line(site)
    answer = line.post(first)
    challenge = base64.b64decode(answer.headers["WWW-Authenticate"].removeprefix("Negotiate "))
    last = context.step(challenge)
    assert line.post(last).status_code == 200
    again = Line(site)
    assert again.post(first).status_code == 401
    assert refused(again.post(last))
    assert refused(Line(site).post(last))


@pytest.mark.parametrize("protocol", ["ntlm", "negotiate"])
@pytest.mark.parametrize("keep", [1, 8, 20, 60, -1, -17])
def test_a_truncated_token_is_refused(site: Site, protocol: str, keep: int) -> None:
    context = spnego.client(OWNER, PASSWORD, hostname=HOST, service="HTTP", protocol=protocol)
    line = Line(site)
    answer = line.post(context.step())
    last = context.step(base64.b64decode(answer.headers["WWW-Authenticate"].removeprefix("Negotiate ")))
    assert last is not None
    assert refused(line.post(last[:keep]))


@pytest.mark.parametrize("position", [12, 20, 44, 60, 72, 80, 100, 130, -20, -1])
def test_a_token_with_one_wrong_byte_is_refused(site: Site, position: int) -> None:
    """The response proves the password, the integrity code everything else."""
    context = spnego.client(OWNER, PASSWORD, hostname=HOST, service="HTTP", protocol="ntlm")
    line = Line(site)
    answer = line.post(context.step())
    last = context.step(base64.b64decode(answer.headers["WWW-Authenticate"].removeprefix("Negotiate ")))
    assert last is not None
    changed = bytearray(last)
    changed[position] ^= 1
    assert refused(line.post(bytes(changed)))


@pytest.mark.parametrize(
    "header",
    [
        "Negotiate",
        "Negotiate !!",
        "Negotiate AAAA",
        "NTLM TlRMTVNTUAABAAAA",
        "Kerberos YII=",
        "Digest x",
        "CredSSP QUFBQUFBQUFBQUE=",
    ],
)
def test_nonsense_is_refused(site: Site, header: str) -> None:
    answer = requests.post(site.url(ssl=False), headers={"Authorization": header}, timeout=10)
    assert refused(answer)


@pytest.mark.parametrize("protocol", ["ntlm", "negotiate"])
def test_a_tampered_message_is_refused(site: Site, protocol: str) -> None:
    line = Line(site)
    body = bytearray(sealed(line.log_on(protocol)))
    body[-30] ^= 1
    answer = line.post(body=bytes(body), kind=_SEALED)
    assert (answer.status_code, answer.content) == (400, b"")


@pytest.mark.parametrize("protocol", ["ntlm", "negotiate"])
def test_messages_out_of_order_are_refused(site: Site, protocol: str) -> None:
    line = Line(site)
    context = line.log_on(protocol)
    lost, second = sealed(context), sealed(context)
    answer = line.post(body=second, kind=_SEALED)
    assert (answer.status_code, answer.content) == (400, b"")
    line = Line(site)
    once = sealed(line.log_on(protocol))
    assert line.post(body=once, kind=_SEALED).status_code != 401
    assert line.post(body=once, kind=_SEALED).status_code == 400
    assert lost


def test_a_message_in_the_clear_is_refused_over_http_only(site: Site, tmp_path: Path) -> None:
    line = Line(site)
    line.log_on()
    answer = line.post(body=b"<x/>", kind="application/soap+xml")
    assert (answer.status_code, answer.content) == (500, b"")
    with running_site(tmp_path, everything(authentication={"allow_unencrypted": True})) as open_site:
        assert open_site.echo("ntlm", ssl=False, encryption="never") == rf"NODE0\{OWNER}"
        assert open_site.echo("basic", ssl=False, encryption="never") == rf"NODE0\{OWNER}"


def test_basic_over_http_is_not_even_looked_at(site: Site) -> None:
    assert refused(requests.post(site.url(ssl=False), auth=(OWNER, PASSWORD), timeout=10))


def test_a_scheme_that_is_off_is_refused(tmp_path: Path) -> None:
    with running_site(tmp_path, LogonSpec()) as bare:
        for header in (f"Basic {base64.b64encode(f'{OWNER}:{PASSWORD}'.encode()).decode()}", "CredSSP AAAA"):
            answer = requests.post(bare.url(ssl=False), headers={"Authorization": header}, timeout=10)
            assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Negotiate")


# -- channel binding -------------------------------------------------------------------------------------------


def _bound_to(monkeypatch: pytest.MonkeyPatch, binding: bytes | None) -> None:
    """Have pypsrp bind itself to something else than the certificate of its connection."""
    monkeypatch.setattr(HTTPNegotiateAuth, "_get_cbt_data", staticmethod(lambda response: binding))


_ELSEWHERE = b"tls-server-end-point:" + bytes(32)


@pytest.mark.parametrize("auth", ["ntlm", "negotiate"])
@pytest.mark.parametrize(
    ("level", "binding", "is_let_in"),
    [
        ("None", "right", True),
        ("None", None, True),
        ("None", _ELSEWHERE, True),
        ("Relaxed", "right", True),
        ("Relaxed", None, True),
        ("Relaxed", _ELSEWHERE, False),
        ("Strict", "right", True),
        ("Strict", None, False),
        ("Strict", _ELSEWHERE, False),
    ],
)
def test_channel_bindings_are_hardened_as_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, auth: str, level: str, binding: Any, *, is_let_in: bool
) -> None:
    if binding != "right":
        _bound_to(monkeypatch, binding)
    with running_site(tmp_path, everything(authentication={"channel_binding": level})) as site:
        if is_let_in:
            assert site.echo(auth, ssl=True) == rf"NODE0\{OWNER}"
        else:
            with pytest.raises(AuthenticationError):
                site.echo(auth, ssl=True)
        assert site.echo(auth, ssl=False) == rf"NODE0\{OWNER}"


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KerberosRealm]:
    with running_realm(tmp_path_factory.mktemp("realm")) as running:
        running.kinit()
        yield running


@needs_kerberos
@pytest.mark.parametrize(
    ("level", "binding", "is_let_in"),
    [
        ("None", _ELSEWHERE, True),
        ("Relaxed", "right", True),
        ("Relaxed", None, True),
        ("Relaxed", _ELSEWHERE, False),
        ("Strict", "right", True),
        ("Strict", None, False),
        ("Strict", _ELSEWHERE, False),
    ],
)
def test_channel_bindings_of_kerberos_are_hardened_as_asked(
    realm: KerberosRealm,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    level: str,
    binding: Any,
    *,
    is_let_in: bool,
) -> None:
    for name, value in realm.environment.items():
        monkeypatch.setenv(name, value)
    if binding != "right":
        _bound_to(monkeypatch, binding)
    logon = everything(
        kerberos=KerberosSpec(str(realm.keytab)),
        users=(UserSpec(f"{USER}@{REALM}", groups=(ADMINISTRATORS,)),),
        authentication={"channel_binding": level},
    )
    ticket: dict[str, Any] = {"username": None, "password": None, "negotiate_hostname_override": HOST}
    with running_site(tmp_path, logon) as site:
        if is_let_in:
            assert site.echo("kerberos", ssl=True, **ticket) == rf"{REALM}\{USER}"
        else:
            with pytest.raises(AuthenticationError):
                site.echo("kerberos", ssl=True, **ticket)


@needs_kerberos
def test_a_replayed_ticket_is_refused(
    realm: KerberosRealm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in realm.environment.items():
        monkeypatch.setenv(name, value)
    with running_site(tmp_path, LogonSpec(kerberos=KerberosSpec(str(realm.keytab)))) as site:
        token = spnego.client(hostname=HOST, service="HTTP", protocol="kerberos").step()
        assert Line(site).post(token).status_code == 200
        assert Line(site).post(token).status_code == 401
        broken = bytearray(spnego.client(hostname=HOST, service="HTTP", protocol="kerberos").step() or b"")
        broken[-40] ^= 1
        assert Line(site).post(bytes(broken)).status_code == 401


@needs_kerberos
def test_somebody_of_the_realm_who_is_nobody_here_gets_in_and_nowhere(
    realm: KerberosRealm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in realm.environment.items():
        monkeypatch.setenv(name, value)
    ticket: dict[str, Any] = {"username": None, "password": None, "negotiate_hostname_override": HOST}
    logon = LogonSpec(kerberos=KerberosSpec(str(realm.keytab)))
    with running_site(tmp_path, logon) as site, pytest.raises(WSManFaultError) as caught:
        site.echo("kerberos", ssl=False, **ticket)
    assert caught.value.code == 5


# -- accounts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("auth", ["ntlm", "basic", "credssp"])
def test_an_account_locks_after_so_many_wrong_passwords(tmp_path: Path, auth: str) -> None:
    policy = {"lockout": LockoutSpec(threshold=3, window_s=60, duration_s=600)}
    logon = everything(users=(user(groups=(ADMINISTRATORS,)),), authentication=policy)
    mine = {"username": OTHER, "password": OTHER_PASSWORD}
    wrong = {"username": OTHER, "password": "wrong"}
    with running_site(tmp_path, logon) as site:
        for _ in range(2):
            with pytest.raises((AuthenticationError, NTStatusException)):
                site.echo(auth, ssl=True, **wrong)
        site.echo(auth, ssl=True, **mine)  # the right one begins anew
        for _ in range(3):
            with pytest.raises((AuthenticationError, NTStatusException)):
                site.echo(auth, ssl=True, **wrong)
        with pytest.raises((AuthenticationError, AuthenticationException)):
            site.echo(auth, ssl=True, **mine)
        assert site.echo(auth, ssl=True) == rf"NODE0\{OWNER}"  # nobody else is locked out
        site.fleet.node.ahead = timedelta(seconds=601)
        assert site.echo(auth, ssl=True, **mine) == rf"NODE0\{OTHER}"


def test_wrong_passwords_long_apart_do_not_lock(tmp_path: Path) -> None:
    policy = {"lockout": LockoutSpec(threshold=2, window_s=60)}
    with running_site(tmp_path, everything(authentication=policy)) as site:
        for attempt in range(4):
            site.fleet.node.ahead = timedelta(seconds=attempt * 61)
            with pytest.raises(AuthenticationError):
                site.echo("ntlm", ssl=False, password="wrong")
        assert site.echo("ntlm", ssl=False)


@pytest.mark.parametrize("auth", ["ntlm", "basic"])
@pytest.mark.parametrize("state", [{"enabled": False}, {"expired": True}])
def test_a_disabled_or_expired_account_is_refused(tmp_path: Path, auth: str, state: dict[str, bool]) -> None:
    logon = everything(users=(user(OTHER, OTHER_PASSWORD, groups=(ADMINISTRATORS,), **state),))
    with running_site(tmp_path, logon) as site, pytest.raises(AuthenticationError):
        site.echo(auth, ssl=True, username=OTHER, password=OTHER_PASSWORD)


def test_groups_decide_which_shells_an_account_may_open(tmp_path: Path) -> None:
    nobody, some = user("nobody"), user("some", groups=(REMOTE_MANAGEMENT,))
    with running_site(tmp_path, LogonSpec(users=(nobody, some))) as site:
        given = {"password": OTHER_PASSWORD}
        caught = _refusal(site, RunspacePool, username="nobody", **given)
        assert (caught.code, str(caught.reason).strip()) == (5, "Access is denied.")
        assert site.echo("ntlm", ssl=False, username="some", **given) == r"NODE0\some"
        assert _refusal(site, WinRS, username="some", **given).code == 5


def _refusal(site: Site, kind: Any, **account: str) -> WSManFaultError:
    """What pypsrp says when an account opens a shell it must not."""
    with site.wsman("ntlm", ssl=False, **account) as connection, pytest.raises(WSManFaultError) as caught:
        kind(connection).open()
    return caught.value


# -- TLS -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("certificate", "text"),
    [
        ("expired", "certificate has expired"),
        ("wrong-name", "IP address mismatch"),
        ("self-signed", "self-signed"),
    ],
)
def test_a_client_that_verifies_sees_what_is_wrong_with_a_certificate(
    tmp_path: Path, certificate: str, text: str
) -> None:
    with running_site(tmp_path, everything(https={"certificate": certificate})) as site:
        with pytest.raises(requests.exceptions.SSLError, match=text):
            site.echo("ntlm", ssl=True)
        own = str(tmp_path / "lab" / "certificates" / "node0.pem")
        if certificate == "self-signed":
            assert site.echo("ntlm", ssl=True, cert_validation=own) == rf"NODE0\{OWNER}"


def test_a_handshake_that_never_comes_hurts_nobody(site: Site) -> None:
    with socket.create_connection((site.address, 24986), 5) as idle:
        idle.sendall(b"\x16\x03\x01")
        assert site.echo("ntlm", ssl=True) == rf"NODE0\{OWNER}"
    with socket.create_connection((site.address, 24986), 5) as plain:
        plain.settimeout(5)
        plain.sendall(b"POST /wsman HTTP/1.1\r\n\r\n")
        assert plain.recv(100) == b""


def test_a_binding_is_what_the_standard_says() -> None:
    packed = GssChannelBindings(application_data=b"tls-server-end-point:x").pack()
    assert packed.endswith(b"tls-server-end-point:x")
