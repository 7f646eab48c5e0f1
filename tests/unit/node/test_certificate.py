"""The certificate a node offers for its documents."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from provisioner.errors import CommandError, NodeError
from provisioner.node.certificate import read_certificate
from provisioner.transport.base import SWITCH, Pipeline, Result
from tests.unit.node.nodes import fails, gives, record, session
from tests.unit.secrets.certificate_files import NOW, make_certificate, rsa_key

LONG = make_certificate(ends=NOW + timedelta(days=900))
SHORT = make_certificate(ends=NOW + timedelta(days=90))
EXPIRED = make_certificate(ends=NOW - timedelta(days=9))


def answers(*output: object) -> Callable[[Pipeline], Result]:
    return lambda _pipeline: gives(*output)


async def test_the_fit_certificate_that_ends_last_is_taken() -> None:
    offered = [record(RawData=each.encoded, HasPrivateKey=True) for each in (SHORT, LONG, EXPIRED)]
    found, count = await read_certificate(session(answers(*offered)), NOW)
    assert (found.encoded, count) == (LONG.encoded, 2)


async def test_a_certificate_whose_key_is_elsewhere_is_left_out() -> None:
    offered = [
        record(RawData=SHORT.encoded, HasPrivateKey=True),
        record(RawData=LONG.encoded, HasPrivateKey=False),
    ]
    found, _ = await read_certificate(session(answers(*offered)), NOW)
    assert found.encoded == SHORT.encoded


@pytest.mark.parametrize(
    ("offered", "reason"),
    [
        ([], "there is none"),
        ([record(RawData=EXPIRED.encoded)], "it expired on 2026-11-12"),
        ([record(RawData=LONG.encoded, HasPrivateKey=False)], "its private key is not on the node"),
        ([record(RawData=make_certificate(key=rsa_key(1024)).encoded)], "its key has 1024 bits"),
        ([record(RawData=b"x")], "neither PEM nor DER"),
        ([record(RawData=None), "text"], "the node gave no bytes for it"),
    ],
)
async def test_a_node_without_a_fit_certificate_is_told_why_and_how_to_make_one(
    offered: list[object], reason: str
) -> None:
    with pytest.raises(NodeError) as caught:
        await read_certificate(session(answers(*offered)), NOW)
    assert reason in str(caught.value)
    assert "New-SelfSignedCertificate" in caught.value.help


async def test_an_error_of_the_node_is_never_taken_for_no_certificate() -> None:
    with pytest.raises(CommandError):
        await read_certificate(session(lambda _pipeline: fails("Cannot find drive.")), NOW)


async def test_the_node_is_asked_by_named_commands_alone() -> None:
    asked: list[Pipeline] = []

    def answer(pipeline: Pipeline) -> Result:
        asked.append(pipeline)
        return gives(record(RawData=LONG.encoded))

    await read_certificate(session(answer), NOW)
    (pipeline,) = asked
    assert str(pipeline) == "Get-ChildItem | Select-Object"
    assert pipeline.commands[0].parameters == {
        "Path": r"Cert:\LocalMachine\My",
        "DocumentEncryptionCert": SWITCH,
    }
