"""Our messages against OpenSSL, and against a message that a real Windows wrote."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from provisioner.secrets import cms
from provisioner.secrets.certificates import parse
from tests.shared_data import shared
from tests.unit.secrets.certificate_files import Made, make_certificate

PLAINTEXTS = [
    "x",
    "Password1!",
    "pässwörd €  ",
    "line\r\nline\n",
    "a" * 15,
    "b" * 16,
    "c" * 17,
    "d" * 5000,
    "\0nul",
]


@pytest.fixture(scope="module")
def made() -> Made:
    return make_certificate()


def tool(*arguments: object, given: bytes = b"") -> bytes:
    command: Sequence[str] = ["openssl", *map(str, arguments)]
    return subprocess.run(command, input=given, capture_output=True, check=True).stdout


def outline(message: bytes) -> list[str]:
    """Return the tree without values, offsets and lengths that follow from names and keys."""
    lines = tool("asn1parse", "-inform", "DER", given=message).decode().splitlines()
    kept = []
    for line in lines:
        depth, kind, what = re.fullmatch(r"\s*\d+:d=(\d+)\s+hl=\d+ l=\s*\d+ (\w+): (.*)", line).groups()  # type: ignore[union-attr]
        name, _, value = what.partition(":")
        is_named = name.strip() == "OBJECT" or (name.strip() == "INTEGER" and value == "00")
        kept.append(f"{depth} {kind} {name.strip()}" + (f" {value}" if is_named else ""))
    return kept


def dearmoured(text: str) -> bytes:
    lines = text.split("\n")
    assert (lines[0], lines[-1]) == ("-----BEGIN CMS-----", "-----END CMS-----")
    assert all(len(line) == 76 for line in lines[1:-2])
    assert 0 < len(lines[-2]) <= 76
    return base64.b64decode("".join(lines[1:-1]), validate=True)


def real_message() -> bytes:
    """Take the message out of the document Windows PowerShell wrote."""
    document = shared("mof-goldens/050.mof").read_bytes().decode("utf-16")
    (found,) = re.findall(r'"(-----BEGIN CMS-----[^"]*)"', document)
    return dearmoured(found.replace("\\n", "\n"))


@pytest.mark.parametrize("text", PLAINTEXTS)
def test_openssl_decrypts_what_we_encrypt(text: str, made: Made, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(made.key_pem)
    (tmp_path / "cert.pem").write_bytes(made.pem)
    message = dearmoured(cms.armoured(text, parse(made.encoded)))
    where = ("-inkey", tmp_path / "key.pem", "-recip", tmp_path / "cert.pem")
    assert tool("cms", "-decrypt", "-binary", "-inform", "DER", *where, given=message) == text.encode()


def test_the_tree_is_that_of_the_message_windows_wrote(made: Made) -> None:
    assert outline(cms.enveloped(b"Password1!", parse(made.encoded))) == _with_utf8_name(
        outline(real_message())
    )


def _with_utf8_name(lines: list[str]) -> list[str]:
    assert any("UTF8STRING" in line for line in lines), (
        "the name of the real certificate is UTF-8, as that of ours"
    )
    return lines


def test_the_tree_is_that_openssl_writes_with_oaep(made: Made, tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_bytes(made.pem)
    options = ("-encrypt", "-binary", "-aes-256-cbc", "-outform", "DER", "-recip", tmp_path / "cert.pem")
    theirs = tool("cms", *options, "-keyopt", "rsa_padding_mode:oaep", given=b"Password1!")
    ours = cms.enveloped(b"Password1!", parse(made.encoded))
    assert outline(ours) == outline(theirs)
    assert len(ours) == len(theirs)


def test_the_same_certificate_gives_the_bytes_of_the_library_of_windows_but_for_keys_and_content() -> None:
    """All the certificates of the goldens that are encrypted to: names, string types and serials of every kind."""
    folder = shared("dotnet-goldens/cms")
    cases = json.loads((folder / "powershell/cases.json").read_text("utf-8"))["cases"]
    compared = set()
    for case in cases:
        content = bytes.fromhex(case["plaintext_hex"])
        if case["form"] != "windows" or not content:
            continue
        certificate = parse((folder / "certs" / f"{case['cert']}.crt.pem").read_bytes())
        theirs, ours = bytes.fromhex(case["der_hex"]), cms.enveloped(content, certificate)
        assert len(ours) == len(theirs), case["id"]
        before_key = theirs.index(bytes.fromhex("06092a864886f70d0101073000")) + 13
        assert ours[:before_key] == theirs[:before_key], case["id"]
        assert outline(ours) == outline(theirs), case["id"]
        compared.add(case["cert"])
    assert len(compared) == 15


def test_no_two_messages_are_the_same(made: Made) -> None:
    certificate = parse(made.encoded)
    assert cms.armoured("x", certificate) != cms.armoured("x", certificate)


def test_an_empty_text_is_never_encrypted(made: Made) -> None:
    with pytest.raises(ValueError, match="empty"):
        cms.armoured("", parse(made.encoded))


@pytest.mark.parametrize(
    "text", ["-----BEGIN CMS-----\nMII", "  -----begin cms-----", "\n-----Begin CMS-----"]
)
def test_an_armoured_text_is_known_as_one(text: str) -> None:
    assert cms.is_armoured(text)
    assert not cms.is_armoured(f"x{text}")
