"""Our transport proves who we are in every way it offers, to a node that judges it; and says what went wrong."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioner.addresses import Endpoint, Logon, NodeName, Scheme
from provisioner.errors import AuthenticationError, ConnectError, TransportError
from provisioner.lab.logon import ADMINISTRATORS, KerberosSpec, UserSpec
from provisioner.secrets.model import Secret
from provisioner.transport import registry
from provisioner.transport.base import Pipeline
from provisioner.transport.psrp_errors import KERBEROS, translate
from tests.kerberos import PASSWORD as REALM_PASSWORD
from tests.kerberos import REALM, USER, KerberosRealm, needs_kerberos, running_realm
from tests.lab.authentication.nodes import (
    HOST,
    HTTPS_PORT,
    Site,
    client_certificate,
    everything,
    running_site,
)
from tests.lab.fake_node import PASSWORD
from tests.lab.fake_node import USER as OWNER

_PRINCIPAL = f"WSMAN/{HOST}"


async def log_on(
    site: Site,
    scheme: Scheme = Scheme.AUTO,
    *,
    tls: bool = False,
    user: str = OWNER,
    password: str | None = PASSWORD,
    **logon: str,
) -> str:
    """Run a command with our transport; returns the account under which the node ran it."""
    endpoint = Endpoint(site.address, HTTPS_PORT if tls else site.fleet.node.port, tls)
    if tls:
        logon.setdefault("ca_certificates", site.ca)
    transport = registry.create(
        "psrp",
        NodeName("hv01"),
        endpoint,
        user,
        Secret(password) if password is not None else None,
        connect_timeout_s=5,
        logon=Logon(scheme, **logon),
    )
    try:
        await transport.open()
        for value in ("x" * 40_000, "again"):
            assert (await transport.run(Pipeline.of("Get-Echo", Value=value))).output == (value,)
    finally:
        await transport.close()
    return str(site.fleet.node.seen[-1][1])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    public, _ = client_certificate(folder)
    mapped = UserSpec("mapped", groups=(ADMINISTRATORS,), certificate_pem=Path(public).read_text())
    with running_site(
        folder, everything(users=(mapped,), authentication={"channel_binding": "Strict"})
    ) as running:
        yield running


@pytest.mark.parametrize(
    ("scheme", "tls"),
    [
        (Scheme.AUTO, False),
        (Scheme.AUTO, True),
        (Scheme.NTLM, False),
        (Scheme.NTLM, True),
        (Scheme.NEGOTIATE, False),
        (Scheme.NEGOTIATE, True),
        (Scheme.CREDSSP, False),
        (Scheme.CREDSSP, True),
        (Scheme.BASIC, True),
    ],
)
async def test_a_password_opens_a_node(site: Site, scheme: Scheme, *, tls: bool) -> None:
    assert await log_on(site, scheme, tls=tls) == rf"NODE0\{OWNER}"


@pytest.mark.parametrize("scheme", [Scheme.AUTO, Scheme.CERTIFICATE])
@pytest.mark.parametrize("is_one_file", [False, True])
async def test_a_certificate_opens_a_node_without_a_password(
    site: Site, tmp_path: Path, scheme: Scheme, *, is_one_file: bool
) -> None:
    public, private = site.folder / "operator.pem", site.folder / "operator.key"
    files = {"client_certificate": str(public), "client_key": str(private)}
    if is_one_file:
        both = tmp_path / "both.pem"
        both.write_bytes(private.read_bytes() + public.read_bytes())
        files = {"client_certificate": str(both)}
    assert await log_on(site, scheme, tls=True, user="", password=None, **files) == r"NODE0\mapped"


async def test_auto_never_hands_the_password_over(tmp_path: Path) -> None:
    """A node that takes nothing but Basic is not logged on to unless the inventory says so."""
    logon = everything(authentication={"schemes": ("Basic",)})
    with running_site(tmp_path, logon) as site:
        with pytest.raises(TransportError):
            await log_on(site, tls=True)
        assert await log_on(site, Scheme.BASIC, tls=True) == rf"NODE0\{OWNER}"


@pytest.mark.parametrize("scheme", [Scheme.NTLM, Scheme.NEGOTIATE, Scheme.CREDSSP, Scheme.BASIC])
async def test_a_refusal_names_everything_but_the_password(
    site: Site, scheme: Scheme, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    def wrong() -> int:
        return sum("the password is wrong" in record.getMessage() for record in caplog.records)

    before = wrong()
    with pytest.raises(AuthenticationError) as raised:
        await log_on(site, scheme, tls=True, password="Canary-Wrong-5")
    assert wrong() - before == 1  # each attempt may be the one that locks the account
    said = str(raised.value)
    assert f"hv01 (https://{site.address}:{HTTPS_PORT}/wsman): the node refuses the user name" in said
    assert f"(user '{OWNER}', {scheme.value})" in said
    assert raised.value.help == "Check the user and the password reference in the inventory."
    assert "Canary" not in said + caplog.text
    assert raised.value.__cause__ is None


@pytest.mark.parametrize(
    ("certificate", "text"),
    [
        ("expired", "its certificate is not trusted: certificate has expired"),
        ("wrong-name", "its certificate is not trusted: IP address mismatch"),
        ("self-signed", "its certificate is not trusted: self-signed certificate"),
    ],
)
async def test_a_certificate_that_is_wrong_is_told(tmp_path: Path, certificate: str, text: str) -> None:
    with running_site(tmp_path, everything(https={"certificate": certificate})) as site:
        with pytest.raises(ConnectError, match=text) as raised:
            await log_on(site, tls=True)
        assert raised.value.help
        own = str(tmp_path / "lab" / "certificates" / "node0.pem")
        if certificate == "self-signed":
            assert await log_on(site, tls=True, ca_certificates=own)
        # The system's authorities do not know the lab's.
        with pytest.raises(ConnectError, match="its certificate is not trusted"):
            await log_on(site, tls=True, ca_certificates="")


async def test_a_missing_file_of_certificates_is_named(site: Site, tmp_path: Path) -> None:
    with pytest.raises(ConnectError, match=r"the certificates in .*nowhere.pem cannot be read") as raised:
        await log_on(site, tls=True, ca_certificates=str(tmp_path / "nowhere.pem"))
    assert "paths" in raised.value.help


# -- Kerberos --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KerberosRealm]:
    if not needs_kerberos.args[0]:
        with running_realm(tmp_path_factory.mktemp("realm")) as running:
            yield running


@pytest.fixture
def member(realm: KerberosRealm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    for name, value in realm.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/ccache")
    logon = everything(
        kerberos=KerberosSpec(str(realm.keytab)),
        users=(UserSpec(f"{USER}@{REALM}", groups=(ADMINISTRATORS,)),),
        authentication={"channel_binding": "Strict"},
    )
    with running_site(tmp_path, logon) as running:
        yield running


def kinit(realm: KerberosRealm, tmp_path: Path, *more: str) -> None:
    realm.kinit(USER, *more, "-c", f"FILE:{tmp_path}/ccache")


_ME = rf"{REALM}\{USER}"
_TICKET: dict[str, Any] = {"user": "", "password": None, "service_principal": _PRINCIPAL}


@needs_kerberos
@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("scheme", [Scheme.KERBEROS, Scheme.AUTO, Scheme.NEGOTIATE])
async def test_a_ticket_opens_a_node_without_a_password(
    realm: KerberosRealm, member: Site, tmp_path: Path, scheme: Scheme, *, tls: bool
) -> None:
    kinit(realm, tmp_path)
    assert await log_on(member, scheme, tls=tls, **_TICKET) == _ME


@needs_kerberos
@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("scheme", [Scheme.KERBEROS, Scheme.AUTO, Scheme.NEGOTIATE])
async def test_a_user_of_a_realm_logs_on_with_a_password(member: Site, scheme: Scheme, *, tls: bool) -> None:
    given: dict[str, Any] = {
        "user": f"{USER}@{REALM}",
        "password": REALM_PASSWORD,
        "service_principal": _PRINCIPAL,
    }
    assert await log_on(member, scheme, tls=tls, **given) == _ME


@needs_kerberos
async def test_a_local_user_is_not_taken_for_whose_ticket_is_here(
    realm: KerberosRealm, member: Site, tmp_path: Path
) -> None:
    kinit(realm, tmp_path)
    assert await log_on(member, service_principal=_PRINCIPAL) == rf"NODE0\{OWNER}"


@needs_kerberos
@pytest.mark.parametrize(
    ("given", "reason", "help"),
    [
        ({**_TICKET}, "there is no Kerberos ticket", "kinit"),
        (
            {"user": f"{USER}@{REALM}", "password": "Canary-Wrong-5"},
            "the password does not fit",
            "password",
        ),
        ({"user": f"nobody@{REALM}", "password": "Canary-Wrong-5"}, "does not know this user", "realm"),
        ({"user": "alice@NOWHERE.TEST", "password": "Canary-Wrong-5"}, "realm", "KDC"),
        (
            {
                "user": f"{USER}@{REALM}",
                "password": REALM_PASSWORD,
                "service_principal": "WSMAN/other.lab.test",
            },
            "does not know this node by this name",
            "service_principal",
        ),
    ],
)
async def test_what_kerberos_complains_of_is_told(
    member: Site, caplog: pytest.LogCaptureFixture, given: dict[str, Any], reason: str, help: str
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(AuthenticationError) as raised:
        await log_on(member, Scheme.KERBEROS, **{"service_principal": _PRINCIPAL, **given})
    assert reason in raised.value.reason
    assert help in raised.value.help
    assert str(raised.value).startswith(f"hv01 (http://{member.address}:")
    assert "Canary" not in str(raised.value) + caplog.text
    assert REALM_PASSWORD not in str(raised.value) + caplog.text


@needs_kerberos
async def test_a_locked_account_is_told_by_the_kdc(realm: KerberosRealm, member: Site) -> None:
    realm.admin(f"addprinc -pw {REALM_PASSWORD} -allow_tix locked")
    given: dict[str, Any] = {
        "user": f"locked@{REALM}",
        "password": REALM_PASSWORD,
        "service_principal": _PRINCIPAL,
    }
    with pytest.raises(AuthenticationError, match="the account is locked or disabled, says the KDC"):
        await log_on(member, Scheme.KERBEROS, **given)


@needs_kerberos
async def test_an_expired_ticket_is_as_good_as_none(
    realm: KerberosRealm, member: Site, tmp_path: Path
) -> None:
    kinit(realm, tmp_path, "-l", "1")
    time.sleep(1.2)  # noqa: ASYNC251 - the life of a ticket has whole seconds
    with pytest.raises(AuthenticationError, match="Kerberos ticket") as raised:
        await log_on(member, Scheme.KERBEROS, **_TICKET)
    assert "kinit" in raised.value.help


@needs_kerberos
async def test_a_kdc_that_is_away_is_told(
    realm: KerberosRealm, member: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = tmp_path / "away.conf"
    away.write_text((realm.folder / "krb5.conf").read_text().replace(":10088", ":10089"))
    monkeypatch.setenv("KRB5_CONFIG", str(away))
    given: dict[str, Any] = {
        "user": f"{USER}@{REALM}",
        "password": REALM_PASSWORD,
        "service_principal": _PRINCIPAL,
    }
    with pytest.raises(AuthenticationError, match="no KDC of the realm can be reached"):
        await log_on(member, Scheme.KERBEROS, **given)


def test_every_number_of_kerberos_has_its_words() -> None:
    """The number comes as the library has it, signed or not, somewhere below what is raised."""
    for number, (reason, help_) in KERBEROS.items():
        for given in (number, number + 2**32):
            below = ValueError("of a library")
            below.min_code = given  # type: ignore[attr-defined]
            above = RuntimeError("above")
            above.__cause__ = below
            found = translate(above, "hv01", "http://x", was_open=False)
            assert (type(found), found.reason, found.help) == (AuthenticationError, reason, help_)
    assert "clocks" in KERBEROS[-1765328347][0]
