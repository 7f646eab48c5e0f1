"""CredSSP from within: versions, whose password is delegated, and who stands between."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import spnego
import spnego._credssp
from spnego._context import GSSMech
from spnego._credssp import CredSSPProxy
from spnego._credssp_structures import TSCredentials, TSPasswordCreds
from spnego.exceptions import BadBindingsError, InvalidTokenError, SpnegoError

from provisioner.lab.logon import ADMINISTRATORS, KerberosSpec, LogonSpec
from provisioner.lab.server.authentication.accounts import Accounts, nt_hash
from provisioner.lab.server.authentication.credssp import CredSspContext
from provisioner.lab.server.authentication.kerberos import NodeKerberos, Realm
from provisioner.lab.server.authentication.model import LogonFailure, NtStatus
from provisioner.lab.server.authentication.negotiate import NodeNegotiate
from provisioner.lab.server.authentication.ntlm import NodeNtlm
from provisioner.lab.server.tls import Channel
from tests.kerberos import PASSWORD as REALM_PASSWORD
from tests.kerberos import REALM, USER, needs_kerberos, running_realm
from tests.lab.authentication.nodes import HOST, OTHER, OTHER_PASSWORD, user

PASSWORD = "Quiet-Harbour-7"


_LOGON = LogonSpec(users=(user(groups=(ADMINISTRATORS,)),))


class _Node:
    computer_name = "NODE0"
    user = "provisioner"
    nt_hash = nt_hash(PASSWORD)
    logon = _LOGON

    def now(self) -> datetime:
        return datetime.now(UTC)

    def local_account(self, _name: str) -> None:
        return None


def accepting(accounts: Accounts | None = None, **mechanisms: Any) -> CredSspContext:
    accounts = accounts or Accounts(_Node())
    inner = {GSSMech.kerberos: mechanisms["kerberos"]} if mechanisms else {}
    return CredSspContext(
        NodeNegotiate({**inner, GSSMech.ntlm: NodeNtlm(accounts, Channel(), "Strict")}), accounts
    )


def shake_hands(client: Any, node: CredSspContext) -> None:
    token = client.step()
    while token:
        answer = node.step(token)
        token = client.step(answer) if answer or not client.complete else None


def initiating(name: str = "provisioner", password: str = PASSWORD, **more: Any) -> Any:
    return spnego.client(name, password, hostname=HOST, service="HTTP", protocol="credssp", **more)


@pytest.mark.parametrize("version", [2, 3, 4, 5, 6])
def test_every_version_logs_on_and_seals(monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    """Below 5 the public key itself is bound, from there on hashes with a nonce."""
    monkeypatch.setattr(spnego._credssp, "_CREDSSP_VERSION", version)
    client, node = initiating(), accepting()
    shake_hands(client, node)
    assert node.identity is not None
    assert node.identity.principal == r"NODE0\provisioner"
    sealed = client.wrap_winrm(b"<there/>")
    assert node.unwrap(sealed.header, sealed.data) == b"<there/>"
    assert client.unwrap_winrm(*node.wrap(b"<back/>")) == b"<back/>"


@pytest.mark.parametrize(
    ("name", "password"), [("provisioner", "wrong"), (OTHER, OTHER_PASSWORD), ("stranger", PASSWORD)]
)
def test_the_delegated_password_is_that_of_who_was_proved(name: str, password: str) -> None:
    client, node = initiating(), accepting()
    client._ts_credential = TSCredentials(credentials=TSPasswordCreds("", name, password))
    with pytest.raises(LogonFailure):
        shake_hands(client, node)
    assert node.identity is None


@pytest.mark.parametrize("version", [2, 6])
def test_who_stands_between_is_found_out(monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    """Somebody with another key passes the tokens on: the node sees that the client spoke to that key."""
    monkeypatch.setattr(spnego._credssp, "_CREDSSP_VERSION", version)
    monkeypatch.setattr(
        spnego._credssp, "get_certificate_public_key", lambda _certificate: b"0" * 270, raising=True
    )
    client, node = initiating(), accepting()
    with pytest.raises((LogonFailure, BadBindingsError, InvalidTokenError)):
        shake_hands(client, node)
    assert node.identity is None


@pytest.mark.parametrize("version", [2, 3, 4, 5, 6])
def test_the_reason_of_a_refusal_reaches_who_understands_it(
    monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    monkeypatch.setattr(spnego._credssp, "_CREDSSP_VERSION", version)
    client, node = initiating(password="wrong"), accepting()
    with pytest.raises(LogonFailure) as raised:
        shake_hands(client, node)
    assert raised.value.status is NtStatus.LOGON_FAILURE
    assert bool(raised.value.token) is (version in {3, 4, 6})
    if raised.value.token:
        with pytest.raises(SpnegoError):
            client.step(raised.value.token)


@needs_kerberos
@pytest.mark.parametrize("delegated", [f"{USER}@{REALM}", "somebody"])
def test_kerberos_inside_delegates_the_password_of_its_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, delegated: str
) -> None:
    with running_realm(tmp_path) as realm:
        for name, value in realm.environment.items():
            monkeypatch.setenv(name, value)
        accounts = Accounts(_Node())
        here = Realm(_Node.logon, "NODE0", "provisioner")
        kerberos = NodeKerberos(here, KerberosSpec(str(realm.keytab)), Channel(), "Strict")
        account = f"{USER}@{REALM}"
        inner = spnego.client(account, REALM_PASSWORD, hostname=HOST, service="HTTP", protocol="kerberos")
        client = initiating(account, REALM_PASSWORD, credssp_negotiate_context=inner)
        assert isinstance(client, CredSSPProxy)
        client._ts_credential = TSCredentials(credentials=TSPasswordCreds("", delegated, REALM_PASSWORD))
        node = accepting(accounts, kerberos=kerberos)
        if delegated == "somebody":
            with pytest.raises(LogonFailure):
                shake_hands(client, node)
            return
        shake_hands(client, node)
        assert node.identity is not None
        assert node.identity.principal == rf"{REALM}\{USER}"
