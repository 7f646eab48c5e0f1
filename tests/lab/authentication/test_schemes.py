"""Unmodified clients prove who they are in every way WinRM knows, over HTTP and HTTPS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from pypsrp.exceptions import AuthenticationError, WinRMTransportError
from requests_credssp.exceptions import NTStatusException
from winrm.exceptions import InvalidCredentialsError

from provisioner.lab.control import LabError
from provisioner.lab.logon import ADMINISTRATORS, KerberosSpec, LogonSpec, UserSpec
from provisioner.lab.server.authentication import kerberos
from tests.kerberos import PASSWORD as REALM_PASSWORD
from tests.kerberos import REALM, USER, KerberosRealm, needs_kerberos, running_realm
from tests.lab.authentication.nodes import (
    HOST,
    HTTPS_PORT,
    OTHER,
    OTHER_PASSWORD,
    Site,
    client_certificate,
    everything,
    running_site,
    user,
)
from tests.lab.fake_node import PASSWORD
from tests.lab.fake_node import USER as OWNER

pytestmark = pytest.mark.filterwarnings("default")  # the clients warn about what they do not know

_SCHEMES = [
    ("ntlm", False),
    ("ntlm", True),
    ("negotiate", False),
    ("negotiate", True),
    ("credssp", False),
    ("credssp", True),
    ("basic", True),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    public, _ = client_certificate(folder)
    mapped = UserSpec("mapped", groups=(ADMINISTRATORS,), certificate_pem=Path(public).read_text())
    logon = everything(users=(user(groups=(ADMINISTRATORS,)), mapped))
    with running_site(folder, logon) as running:
        yield running


_GET_CONFIGURATION = """
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"
  xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"
  xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"><s:Header>
  <a:To>http://windows-host:5985/wsman</a:To>
  <a:ReplyTo><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>
  <w:ResourceURI>http://schemas.microsoft.com/wbem/wsman/1/config</w:ResourceURI>
  <a:Action>http://schemas.xmlsoap.org/ws/2004/09/transfer/Get</a:Action>
  <a:MessageID>uuid:11111111-1111-1111-1111-111111111111</a:MessageID>
  <w:MaxEnvelopeSize>153600</w:MaxEnvelopeSize><w:OperationTimeout>PT20S</w:OperationTimeout>
</s:Header><s:Body/></s:Envelope>"""


def configuration(protocol: Any) -> str:
    """Ask for winrm/config with pywinrm, which needs no command of a node."""
    return str(protocol.send_message(_GET_CONFIGURATION))


@pytest.mark.parametrize(("auth", "ssl"), _SCHEMES)
def test_pypsrp_logs_on(site: Site, auth: str, *, ssl: bool) -> None:
    assert site.echo(auth, ssl=ssl) == rf"NODE0\{OWNER}"
    assert site.echo(auth, ssl=ssl, username=OTHER, password=OTHER_PASSWORD) == rf"NODE0\{OTHER}"


@pytest.mark.parametrize(("auth", "ssl"), [*_SCHEMES[2:4], _SCHEMES[5]])
def test_pypsrp_may_seal_its_messages_over_https_too(site: Site, auth: str, *, ssl: bool) -> None:
    assert site.echo(auth, ssl=True, encryption="always") == rf"NODE0\{OWNER}"


@pytest.mark.parametrize(("auth", "ssl"), [scheme for scheme in _SCHEMES if scheme[0] != "negotiate"])
def test_pywinrm_logs_on(site: Site, auth: str, *, ssl: bool) -> None:
    assert "MaxEnvelopeSizekb" in configuration(site.protocol(auth, ssl=ssl))


def test_a_mapped_certificate_logs_on_with_pypsrp_and_pywinrm(site: Site) -> None:
    public, private = str(site.folder / "operator.pem"), str(site.folder / "operator.key")
    used = {"certificate_pem": public, "certificate_key_pem": private, "username": None, "password": None}
    assert site.echo("certificate", ssl=True, **used) == r"NODE0\mapped"
    asked = site.protocol("certificate", ssl=True, cert_pem=public, cert_key_pem=private)
    assert "MaxEnvelopeSizekb" in configuration(asked)


def test_requests_logs_on_with_basic_over_https(site: Site) -> None:
    done = requests.post(site.url(ssl=True), auth=(OWNER, PASSWORD), verify=site.ca, timeout=10)
    assert done.status_code == 200
    assert done.headers.get("WWW-Authenticate") is None


@pytest.mark.parametrize(("auth", "ssl"), _SCHEMES)
@pytest.mark.parametrize(
    "given", [{"password": "wrong"}, {"username": "stranger"}, {"username": OTHER, "password": PASSWORD}]
)
def test_a_wrong_password_or_user_is_refused(
    site: Site, auth: str, *, ssl: bool, given: dict[str, str]
) -> None:
    if auth == "credssp":
        # Windows tells CredSSP clients why, and they say so in their own words.
        with pytest.raises(NTStatusException, match="STATUS_LOGON_FAILURE"):
            site.echo(auth, ssl=ssl, **given)
        with pytest.raises(NTStatusException, match="STATUS_LOGON_FAILURE"):
            configuration(site.protocol(auth, ssl=ssl, **given))
        return
    with pytest.raises(AuthenticationError):
        site.echo(auth, ssl=ssl, **given)
    if auth != "negotiate":
        with pytest.raises(InvalidCredentialsError):
            configuration(site.protocol(auth, ssl=ssl, **given))


def test_a_certificate_that_is_mapped_to_nobody_is_refused(site: Site, tmp_path: Path) -> None:
    """The authority of the lab issued it, so TLS takes it; no account goes with it."""
    own = site.folder / "lab" / "nodes" / "node0" / "https-valid.pem"
    header = {"Authorization": "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"}
    done = requests.post(site.url(ssl=True), headers=header, verify=site.ca, timeout=10)
    assert done.status_code == 401
    with pytest.raises(requests.exceptions.ConnectionError):
        # Issued for servers, as Windows checks it.
        requests.post(site.url(ssl=True), headers=header, cert=str(own), verify=site.ca, timeout=10)


def test_a_certificate_of_a_stranger_does_not_get_through_tls(site: Site, tmp_path: Path) -> None:
    public, private = client_certificate(tmp_path, "stranger")
    header = {"Authorization": "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"}
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.post(site.url(ssl=True), headers=header, cert=(public, private), verify=site.ca, timeout=10)


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KerberosRealm]:
    with running_realm(tmp_path_factory.mktemp("realm")) as running:
        running.kinit()
        yield running


@pytest.fixture
def member(realm: KerberosRealm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    for name, value in realm.environment.items():
        monkeypatch.setenv(name, value)
    logon = everything(
        kerberos=KerberosSpec(str(realm.keytab)),
        users=(UserSpec(f"{USER}@{REALM}", groups=(ADMINISTRATORS,)),),
    )
    with running_site(tmp_path, logon) as running:
        yield running


_TICKET: dict[str, Any] = {"username": None, "password": None, "negotiate_hostname_override": HOST}


@needs_kerberos
@pytest.mark.parametrize("service", ["HTTP", "WSMAN", "host"])
@pytest.mark.parametrize("ssl", [False, True])
def test_pypsrp_logs_on_with_a_ticket(member: Site, *, ssl: bool, service: str) -> None:
    assert member.echo("kerberos", ssl=ssl, negotiate_service=service, **_TICKET) == rf"{REALM}\{USER}"


@needs_kerberos
@pytest.mark.parametrize("ssl", [False, True])
def test_pypsrp_chooses_kerberos_within_negotiate(member: Site, *, ssl: bool) -> None:
    assert member.echo("negotiate", ssl=ssl, **_TICKET) == rf"{REALM}\{USER}"


@needs_kerberos
@pytest.mark.parametrize("ssl", [False, True])
def test_a_member_of_a_realm_still_takes_ntlm(member: Site, *, ssl: bool) -> None:
    assert member.echo("ntlm", ssl=ssl) == rf"NODE0\{OWNER}"
    # An NTLM token in SPNEGO from a client that would rather have used Kerberos, but has no ticket for this name.
    other = {"negotiate_hostname_override": "unknown.lab.test"}
    assert member.echo("negotiate", ssl=ssl, **other) == rf"NODE0\{OWNER}"


@needs_kerberos
@pytest.mark.parametrize("ssl", [False, True])
def test_pywinrm_logs_on_with_a_ticket(member: Site, *, ssl: bool) -> None:
    options = {"username": None, "password": None, "kerberos_hostname_override": HOST, "service": "HTTP"}
    assert "MaxEnvelopeSizekb" in configuration(member.protocol("kerberos", ssl=ssl, **options))


@needs_kerberos
def test_somebody_without_a_ticket_for_this_host_is_refused(
    realm: KerberosRealm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in realm.environment.items():
        monkeypatch.setenv(name, value)
    logon = everything(kerberos=KerberosSpec(str(realm.keytab), hostname="other.lab.test"))
    with running_site(tmp_path, logon) as site, pytest.raises((AuthenticationError, WinRMTransportError)):
        site.echo("kerberos", ssl=False, **_TICKET)


def test_a_node_offers_what_is_switched_on(tmp_path: Path, site: Site) -> None:
    plain = requests.post(site.url(ssl=False), timeout=10)
    assert plain.status_code == 401
    assert plain.headers["WWW-Authenticate"] == "Negotiate, CredSSP"
    assert plain.content == b""
    secure = requests.post(site.url(ssl=True), verify=site.ca, timeout=10)
    assert secure.headers["WWW-Authenticate"] == 'Negotiate, Basic realm="WSMAN", CredSSP'
    with running_site(tmp_path, LogonSpec()) as bare:
        found = requests.post(bare.url(ssl=False), timeout=10)
        assert found.headers["WWW-Authenticate"] == "Negotiate"


def test_the_configuration_says_what_the_node_offers(site: Site) -> None:
    found = configuration(site.protocol("ntlm", ssl=True))
    for name in ("Basic", "Kerberos", "Negotiate", "Certificate", "CredSSP"):
        assert f"<cfg:{name}>true</cfg:{name}>" in found.partition("<cfg:Service>")[2]
    assert "<cfg:CbtHardeningLevel>Relaxed</cfg:CbtHardeningLevel>" in found
    assert f"<cfg:HTTPS>{HTTPS_PORT}</cfg:HTTPS>" in found.partition("<cfg:Service>")[2]


def test_the_configuration_of_a_plain_node_is_that_of_windows(tmp_path: Path) -> None:
    with running_site(tmp_path, LogonSpec()) as bare:
        found = configuration(bare.protocol("ntlm", ssl=False)).partition("<cfg:Service>")[2]
    for name, value in {
        "Basic": "false",
        "Kerberos": "true",
        "Negotiate": "true",
        "Certificate": "false",
    }.items():
        assert f"<cfg:{name}>{value}</cfg:{name}>" in found
    assert "<cfg:AllowUnencrypted>false</cfg:AllowUnencrypted>" in found


@needs_kerberos
@pytest.mark.parametrize("ssl", [False, True])
def test_a_node_outside_the_realm_falls_back_to_ntlm(
    realm: KerberosRealm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, ssl: bool
) -> None:
    """The client begins with a ticket; the node says that it will have NTLM, and the client goes on with that."""
    for name, value in realm.environment.items():
        monkeypatch.setenv(name, value)
    alice = user(USER, REALM_PASSWORD, groups=(ADMINISTRATORS,))
    with running_site(tmp_path, everything(users=(alice,))) as site:
        given = {"username": USER, "password": REALM_PASSWORD, "negotiate_hostname_override": HOST}
        assert site.echo("negotiate", ssl=ssl, **given) == rf"NODE0\{USER}"


@needs_kerberos
def test_a_keytab_that_is_not_there_is_told_before_anything_listens(tmp_path: Path) -> None:
    logon = LogonSpec(kerberos=KerberosSpec(str(tmp_path / "nowhere.keytab")))
    with (
        pytest.raises(LabError, match=r"the keytab .*nowhere.keytab cannot be used") as raised,
        running_site(tmp_path, logon),
    ):
        pass
    assert "ktadd" in raised.value.help


def test_missing_packages_for_kerberos_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(kerberos, "import_module", missing)
    with pytest.raises(LabError, match="gssapi") as raised:
        kerberos.credential(str(tmp_path / "any.keytab"))
    assert "provisioner[kerberos]" in raised.value.help


@needs_kerberos
@pytest.mark.parametrize("ssl", [False, True])
def test_the_scheme_kerberos_has_its_own_header_and_frame(
    realm: KerberosRealm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, ssl: bool
) -> None:
    for name, value in realm.environment.items():
        monkeypatch.setenv(name, value)
    logon = everything(
        kerberos=KerberosSpec(str(realm.keytab)),
        users=(UserSpec(f"{USER}@{REALM}", groups=(ADMINISTRATORS,)),),
        authentication={"schemes": ("Kerberos",)},
    )
    with running_site(tmp_path, logon) as site:
        offered = requests.post(site.url(ssl=False), timeout=10)
        assert offered.headers["WWW-Authenticate"] == "Kerberos"
        assert site.echo("kerberos", ssl=ssl, **_TICKET) == rf"{REALM}\{USER}"
        with pytest.raises((AuthenticationError, ValueError)):
            site.echo("ntlm", ssl=ssl)
