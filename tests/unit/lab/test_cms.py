"""The lab opens what the class library of Windows opens, and refuses what that refuses."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from provisioner.lab.cms import CmsError, KeyPair, dearmoured, decrypt
from tests.shared_data import shared

#: A damaged key wrapped with PKCS#1 v1.5 gives a random one here and an error there; both end in no password but by
#: chance (one in 256).
BY_CHANCE = {"key-pkcs1-flip", "key-pkcs1-zero", "rsa-oid-oaep-key"}


@cache
def pair(name: str) -> KeyPair | None:
    read = load_pkcs12(shared("dotnet-goldens/cms/certs", f"{name}.p12").read_bytes(), b"test")
    assert read.cert is not None
    return KeyPair(read.cert.certificate, read.key) if isinstance(read.key, RSAPrivateKey) else None


def cases(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(shared("dotnet-goldens/cms", name).read_text("utf-8"))["cases"]
    return found


def outcome(message: bytes, names: list[str]) -> tuple[str, str | None]:
    try:
        return "ok", decrypt(message, [each for each in map(pair, names) if each]).hex()
    except CmsError:
        return "exception", None


def test_every_message_powershell_wrote_is_opened() -> None:
    read = cases("powershell/cases.json")
    assert len(read) >= 108
    for case in read:
        assert outcome(bytes.fromhex(case["der_hex"]), [case["cert"]]) == ("ok", case["plaintext_hex"]), case[
            "id"
        ]
        if "mof_string" in case:
            text = case["mof_string"].replace("\\r\\n", "\r\n").replace("\\n", "\n")
            assert dearmoured(text) == bytes.fromhex(case["der_hex"]), case["id"]


def test_every_odd_or_damaged_message_gets_the_verdict_of_the_library() -> None:
    compared = 0
    for case in cases("verdicts.json"):
        if "decode" not in case or case["id"] in BY_CHANCE:
            continue  # no message came into being
        wanted = "ok" if case["decrypt"] == "ok" else "exception"
        found = outcome(bytes.fromhex(case["der_hex"]), case["decrypt_with"])
        assert found == (wanted, case["content_hex"] if wanted == "ok" else None), case["id"]
        compared += 1
    assert compared == 245


def test_armour_is_read_by_the_rule_of_powershell() -> None:
    verdicts = {"no armour found": None, "exception": "exception"}
    for case in cases("armour.json"):
        verdict = case["verdict"]["result"]
        try:
            found: object = dearmoured(case["text"])
        except CmsError:
            found = "exception"
        if verdict == "bytes":
            assert isinstance(found, bytes), case["id"]
            assert len(found) == case["verdict"]["length"], case["id"]
        else:
            assert found == verdicts[verdict], case["id"]


@pytest.mark.parametrize("message", [b"", b"\x30", b"\x30\x80" * 100, b"\x30\x80\0\0", b"\xff" * 40])
def test_what_is_no_message_is_refused(message: bytes) -> None:
    with pytest.raises(CmsError):
        decrypt(message, [])
