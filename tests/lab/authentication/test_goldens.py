"""Handshakes of the real .NET client: the node accepts what it sent, and derives the keys it derived.

The client answered challenges of its recorder, so the node is given those instead of its own.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from spnego._context import GSSMech
from spnego._ntlm_raw.messages import Challenge, Negotiate
from spnego._spnego import NegTokenResp, unpack_token

from provisioner.lab.logon import AuthenticationSpec, LogonSpec
from provisioner.lab.server.authentication.accounts import Accounts, nt_hash
from provisioner.lab.server.authentication.model import LogonFailure
from provisioner.lab.server.authentication.negotiate import NegotiateContext, NodeNegotiate
from provisioner.lab.server.authentication.ntlm import NodeNtlm, make_challenge, upper
from provisioner.lab.server.tls import Channel
from tests.shared_data import shared


class _Node:
    def __init__(self, recorded: dict[str, Any]) -> None:
        self.computer_name = "SRV01"
        self.user = recorded["verification"]["type3_user"]
        self.nt_hash = nt_hash(recorded["password"])
        self.logon = LogonSpec(authentication=AuthenticationSpec())

    def now(self) -> datetime:
        return datetime.now(UTC)

    def local_account(self, _name: str) -> None:
        return None


def _recordings() -> list[Any]:
    found = json.loads((shared("dotnet-goldens") / "auth" / "handshakes.json").read_text())["handshakes"]
    return [item for item in found if "type3_hex" in item]


@pytest.fixture(scope="module")
def recordings() -> dict[str, dict[str, Any]]:
    return {item["id"]: item for item in _recordings()}


_COMPLETE = [
    "ntlm-seal",
    "ntlm-sign",
    "ntlm-none",
    "ntlm-no-timestamp",
    "ntlm-unicode",
    "ntlm-emoji",
    "ntlm-no-domain",
    "ntlm-upn",
    "ntlm-cbt",
    "ntlm-no-target",
    "ntlm-target-info-no-dns-names",
    "ntlm-target-info-flags",
    "ntlm-lower-user",
    "ntlm-sharp-s",
    "negotiate-seal",
    "negotiate-sign",
    "negotiate-none",
    "negotiate-cbt",
    "negotiate-unicode",
]


def _channel(recorded: dict[str, Any], *, data: bytes | None = None) -> Channel:
    given = recorded.get("channel_binding_application_data_hex")
    if given is None:
        return Channel()
    return Channel(is_tls=True, binding=bytes.fromhex(given) if data is None else data)


def _context(
    recorded: dict[str, Any], channel: Channel, hardening: str = "Strict"
) -> tuple[NegotiateContext, NodeNtlm]:
    challenge = bytes.fromhex(recorded["type2_hex"])
    ntlm = NodeNtlm(Accounts(_Node(recorded)), channel, hardening, lambda _negotiate, _name: challenge)
    return NegotiateContext(NodeNegotiate({GSSMech.ntlm: ntlm})), ntlm


def _tokens(recorded: dict[str, Any], side: str) -> list[bytes]:
    return [
        bytes.fromhex(item["hex"])
        for item in recorded["messages"]
        if item["from"] == side and item.get("hex")
    ]


def test_all_complete_handshakes_are_here(recordings: dict[str, Any]) -> None:
    assert sorted(recordings) == sorted(_COMPLETE)


@pytest.mark.parametrize("name", _COMPLETE)
def test_a_recorded_client_is_let_in_with_its_own_keys(recordings: dict[str, Any], name: str) -> None:
    recorded = recordings[name]
    context, ntlm = _context(recorded, _channel(recorded))
    answers = [context.step(token) for token in _tokens(recorded, "client")]
    assert context.identity is not None
    assert ntlm.session_key.hex() == recorded["verification"]["exported_session_key_hex"]
    if name.startswith("negotiate"):
        _same_shape(answers, _tokens(recorded, "server"))


def _same_shape(ours: list[bytes], recorded: list[bytes]) -> None:
    """The fields of SPNEGO are those of the recorder, which the client took; states and MICs included."""
    sent = [unpack_token(token) for token in ours if token]
    for mine, theirs in zip(sent, (unpack_token(token) for token in recorded), strict=True):
        assert isinstance(mine, NegTokenResp)
        assert isinstance(theirs, NegTokenResp)
        assert mine.supported_mech == theirs.supported_mech
        assert bool(mine.response_token) == bool(theirs.response_token)
        assert mine.mech_list_mic == theirs.mech_list_mic


@pytest.mark.parametrize("name", _COMPLETE)
def test_what_a_recorded_client_sealed_is_opened(recordings: dict[str, Any], name: str) -> None:
    recorded = recordings[name]
    context, _ = _context(recorded, _channel(recorded))
    for token in _tokens(recorded, "client"):
        context.step(token)
    samples = [
        item
        for item in recorded["wrapped"]
        if item["direction"] == "client-to-server" and item.get("wrapped_hex")
    ]
    assert samples
    for sample in samples:
        wrapped = bytes.fromhex(sample["wrapped_hex"])
        if sample["server_verifies"]:
            assert context.unwrap(wrapped[:16], wrapped[16:]).hex() == sample["plain_hex"]


@pytest.mark.parametrize("name", _COMPLETE)
def test_what_the_node_seals_is_what_the_recorded_client_opened(
    recordings: dict[str, Any], name: str
) -> None:
    recorded = recordings[name]
    context, _ = _context(recorded, _channel(recorded))
    for token in _tokens(recorded, "client"):
        context.step(token)
    samples = [
        item
        for item in recorded["wrapped"]
        if item["direction"] == "server-to-client" and item.get("client_status") == "Completed"
    ]
    for sample in samples:
        header, data = context.wrap(bytes.fromhex(sample["plain_hex"]))
        assert (header + data).hex() == sample["wrapped_hex"]


@pytest.mark.parametrize("name", ["ntlm-cbt", "negotiate-cbt"])
def test_a_recorded_client_bound_elsewhere_is_refused(recordings: dict[str, Any], name: str) -> None:
    recorded = recordings[name]
    context, _ = _context(recorded, _channel(recorded, data=b"tls-server-end-point:other"), "Relaxed")
    *first, last = _tokens(recorded, "client")
    for token in first:
        context.step(token)
    with pytest.raises(LogonFailure):
        context.step(last)


@pytest.mark.parametrize("name", ["ntlm-seal", "ntlm-unicode", "negotiate-seal"])
def test_a_recorded_client_with_another_password_is_refused(recordings: dict[str, Any], name: str) -> None:
    recorded = {**recordings[name], "password": "another"}
    context, _ = _context(recorded, Channel())
    *first, last = _tokens(recorded, "client")
    for token in first:
        context.step(token)
    with pytest.raises(LogonFailure):
        context.step(last)


@pytest.mark.parametrize("name", _COMPLETE)
def test_the_challenge_of_the_node_has_the_form_the_recorded_client_took(
    recordings: dict[str, Any], name: str
) -> None:
    """All that a .NET client insists on: names, 128 bit, key exchange, extended session security."""
    recorded = recordings[name]
    first = bytes.fromhex(recorded["type1_hex"])
    ours = Challenge.unpack(make_challenge(Negotiate.unpack(first), "SRV01"))
    theirs = Challenge.unpack(bytes.fromhex(recorded["type2_hex"]))
    if name in {"ntlm-seal", "negotiate-seal"}:
        assert ours.flags & ~0x02000000 & ~0x30000 == theirs.flags & ~0x02000000 & ~0x30000
        assert set(theirs.target_info or ()) - set(ours.target_info or ()) <= {5}
    assert len(ours.server_challenge) == 8


def test_names_are_raised_letter_by_letter() -> None:
    assert upper("stra\u00dfe \u0131 \u00e4") == "STRA\u00dfE \u0131 \u00c4"
