"""Secure strings travel encrypted, both ways, with clients that are not ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psrpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psrpcore.types import PSSecureString
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.serializer import TaggedValue
from pypsrp.wsman import WSMan

from provisioner.lab.server import clixml
from provisioner.lab.server.session_key import AesSessionKey
from provisioner.lab.values import SecureString
from provisioner.wire.psrp import KeyOffered, PipelineRequested
from provisioner.wire.psrp import RunspacePool as Pool
from tests.lab.fake_node import PASSWORD, USER, RunningFleet, running_fleet

_SECRET = "Ma\u00dfkrug \U0001f511"


@pytest.fixture(scope="module")
def fleet() -> Iterator[RunningFleet]:
    with running_fleet() as running:
        yield running


@pytest.mark.filterwarnings("default")
def test_a_secret_goes_to_a_command_and_comes_back_over_the_network(fleet: RunningFleet) -> None:
    connection = WSMan(
        fleet.node.address,
        port=fleet.node.port,
        username=USER,
        password=PASSWORD,
        ssl=False,
        auth="ntlm",
        encryption="always",
    )
    with connection, RunspacePool(connection) as pool:
        pool.exchange_keys()
        secret = TaggedValue("SS", _SECRET)
        shell: Any = PowerShell(pool).add_cmdlet("Get-Echo").add_parameter("Value", secret)
        answer = shell.invoke()
    (call,), _ = fleet.node.seen[-1]
    ((_, value),) = call.parameters
    assert value == _SECRET
    assert isinstance(value, SecureString)
    assert _SECRET not in repr(fleet.node.seen[-1])
    assert [str(item) for item in answer] == [_SECRET]


def _exchange(client: psrpcore.ClientRunspacePool, server: Pool) -> None:
    client.exchange_key()
    payload = client.data_to_send()
    assert payload is not None
    for event in server.receive(None, payload.data):
        assert isinstance(event, KeyOffered)
        server.give_key(event.public_key)


def _fetch(client: psrpcore.ClientRunspacePool, server: Pool) -> list[Any]:
    for pipeline_id, chunk in server.outgoing():
        client.receive_data(
            psrpcore.PSRPPayload(chunk.take(1 << 20), psrpcore.StreamType.default, pipeline_id)
        )
    events = []
    while (event := client.next_event()) is not None:
        events.append(event)
    return events


def test_a_library_s_client_and_the_pool_read_each_other_s_secrets() -> None:
    client, server = psrpcore.ClientRunspacePool(), Pool("20348.1")
    server.session_key = AesSessionKey()
    client.open()
    opening = client.data_to_send()
    assert opening is not None
    server.create(opening.data)
    _fetch(client, server)
    _exchange(client, server)
    assert [type(event).__name__ for event in _fetch(client, server)] == ["EncryptedSessionKeyEvent"]
    shell = psrpcore.ClientPowerShell(client)
    shell.add_command("Get-Thing").add_parameter("Secret", PSSecureString(_SECRET))
    shell.start()
    payload = client.data_to_send()
    assert payload is not None
    assert _SECRET.encode() not in payload.data
    (request,) = server.command(shell.pipeline_id, payload.data)
    assert isinstance(request, PipelineRequested)
    ((_, secret),) = request.calls[0].parameters
    assert clixml.from_wire(secret) == _SECRET
    server.write_output(shell.pipeline_id, clixml.to_wire(SecureString(_SECRET)))
    _, output = _fetch(client, server)
    assert output.data.decrypt() == _SECRET


@pytest.mark.parametrize(
    "blob",
    [b"", bytes(400), b"\x06\x02\x00\x00\x00\xa4\x00\x00RSA1\x00\x08\x00\x00\x01\x00\x01\x00" + bytes(10)],
)
def test_what_is_no_public_key_is_refused(blob: bytes) -> None:
    with pytest.raises(ValueError, match="public key"):
        AesSessionKey().wrap(blob)


@given(st.binary(max_size=400), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_any_public_key_is_taken_or_refused(rest: bytes, bits: int, exponent: int) -> None:
    head = (
        b"\x06\x02\x00\x00\x00\xa4\x00\x00RSA1" + bits.to_bytes(4, "little") + exponent.to_bytes(4, "little")
    )
    pool = Pool("20348.1")
    pool.session_key = AesSessionKey()
    for blob in (rest, head + rest, head[:12] + (2048).to_bytes(4, "little") + head[16:] + rest[:1] * 256):
        pool.give_key(blob)


@given(st.binary(max_size=64))
def test_what_was_not_encrypted_with_the_key_is_refused(data: bytes) -> None:
    key = AesSessionKey()
    try:
        text = key.decrypt(data)
    except ValueError:
        return
    assert key.encrypt(text) == data


def test_two_pools_have_two_keys() -> None:
    assert AesSessionKey().encrypt("x") != AesSessionKey().encrypt("x")
