from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.secrets import der
from provisioner.secrets.certificates import (
    DOCUMENT_ENCRYPTION,
    MAX_SIZE_BYTES,
    CertificateError,
    load,
    parse,
)
from tests.shared_data import shared
from tests.unit.secrets.certificate_files import (
    CLIENT,
    NOW,
    SERVER,
    make_certificate,
    rsa_key,
)


def test_a_fit_certificate_is_read_from_pem_and_from_der(tmp_path: Path) -> None:
    made = make_certificate()
    for name, content in [("a.pem", made.pem), ("a.cer", made.encoded)]:
        (tmp_path / name).write_bytes(content)
        read = load(tmp_path / name)
        assert read.unfit(NOW) == read.doubtful(NOW) == ()
        assert read.encoded == made.encoded
        assert read.thumbprint == hashlib.sha1(made.encoded).hexdigest().upper()
        assert read.subject == "CN=DscEncryptionCert"


@pytest.mark.parametrize(
    ("how", "clause"),
    [
        ({"names": ()}, "its key usage names neither key encipherment nor data encipherment"),
        (
            {"names": ("digital_signature",)},
            "its key usage names neither key encipherment nor data encipherment",
        ),
        (
            {"purposes": (SERVER,)},
            "its extended key usage does not name document encryption (1.3.6.1.4.1.311.80.1)",
        ),
        ({"purposes": ()}, "its extended key usage does not name document encryption (1.3.6.1.4.1.311.80.1)"),
        ({"ends": NOW - timedelta(seconds=1)}, "it expired on 2026-11-21"),
        ({"begins": NOW + timedelta(days=2)}, "it is not valid before 2026-11-23"),
        ({"key": rsa_key(1024)}, "its key has 1024 bits, fewer than 2048"),
    ],
)
def test_what_makes_a_certificate_unfit_is_said(how: dict[str, Any], clause: str) -> None:
    assert parse(make_certificate(**how).encoded).unfit(NOW) == (clause,)


def test_all_that_makes_a_certificate_unfit_is_said_at_once() -> None:
    made = make_certificate(names=(), purposes=(), key=rsa_key(1024), ends=NOW - timedelta(days=1))
    assert len(parse(made.encoded).unfit(NOW)) == 4


@pytest.mark.parametrize("names", [("key_encipherment",), ("data_encipherment",)])
def test_one_of_the_two_encipherments_is_enough(names: tuple[str, ...]) -> None:
    assert parse(make_certificate(names=names).encoded).unfit(NOW) == ()


@pytest.mark.parametrize(
    ("how", "caution"),
    [
        ({"names": ("key_encipherment", "digital_signature")}, "digital signature"),
        ({"purposes": (DOCUMENT_ENCRYPTION, CLIENT)}, "client authentication"),
        ({"purposes": (DOCUMENT_ENCRYPTION, SERVER)}, "server authentication"),
        ({"ends": NOW + timedelta(days=29)}, "it expires on 2026-12-20"),
    ],
)
def test_a_fit_certificate_may_be_doubtful(how: dict[str, Any], caution: str) -> None:
    read = parse(make_certificate(**how).encoded)
    assert read.unfit(NOW) == ()
    (told,) = read.doubtful(NOW)
    assert caution in told


@pytest.mark.parametrize(
    ("content", "clause"),
    [
        (b"", "neither PEM nor DER"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "neither PEM nor DER"),
        (b"-----BEGIN PRIVATE KEY-----\n", "holds a private key"),
        (make_certificate(key=ec.generate_private_key(ec.SECP256R1())).encoded, "its key is not RSA"),
        (b"x" * (MAX_SIZE_BYTES + 1), "more than 64 KiB"),
    ],
    # Workers of one run make keys of their own, and must name the tests alike.
    ids=["nothing", "broken PEM", "a private key", "no RSA", "too large"],
)
def test_what_is_no_certificate_to_encrypt_to_is_refused(tmp_path: Path, content: bytes, clause: str) -> None:
    (tmp_path / "a.cer").write_bytes(content)
    with pytest.raises(CertificateError, match=clause):
        load(tmp_path / "a.cer")


def test_nothing_waits_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.cer")
    with pytest.raises(CertificateError, match="it is a pipe"):
        load(tmp_path / "a.cer")


def test_every_golden_certificate_is_judged_as_windows_does_or_more_strictly() -> None:
    folder = shared("dotnet-goldens/cms/certs")
    stricter = set()
    for case in json.loads((folder / "certs.json").read_text("utf-8"))["certificates"]:
        file = folder / f"{case['id']}.crt.pem"
        try:
            read = load(file)
        except CertificateError:
            stricter.add(case["id"]) if case["powershell_accepts_for_encryption"] else None
            continue
        assert read.thumbprint == case["thumbprint_sha1"]
        _, body, _ = next(der.elements(read.issuer_and_serial))
        (_, _, issuer), (_, serial, _) = der.elements(body)
        assert issuer.hex() == case["issuer_der_hex"], case["id"]
        assert int.from_bytes(serial, "big", signed=True) == int(case["serial_decimal"]), case["id"]
        if not case["powershell_accepts_for_encryption"]:
            assert read.unfit(NOW), case["id"]
        elif read.unfit(NOW):
            stricter.add(case["id"])
        assert bool(read.doubtful(NOW)) == (
            case["kind"] == "discouraged" and case["id"] != "rsa1024"
        ) or read.unfit(NOW)
    assert stricter == {"rsa1024", "expired", "not-yet-valid", "ec-p256"}


@pytest.mark.parametrize("value", [0, 1, 127, 128, 255, 256, 65535, 65536, 70000])
def test_a_length_takes_as_few_bytes_as_it_can(value: int) -> None:
    whole = der.element(der.OCTET_STRING, bytes(value))
    ((tag, content, again),) = der.elements(whole)
    assert (tag, len(content), again) == (der.OCTET_STRING, value, whole)
    listed = subprocess.run(
        ["openssl", "asn1parse", "-inform", "DER"], input=whole, capture_output=True, check=True
    )
    assert f"l={value:4d} prim: OCTET STRING" in listed.stdout.decode()


@pytest.mark.parametrize(
    "content", [b"\x30", b"\x30\x80\0\0", b"\x30\x05ab", b"\x1f\x81\x01\x00", b"\x30\x82\x01"]
)
def test_bytes_that_are_no_der_are_refused(content: bytes) -> None:
    with pytest.raises(der.DerError):
        list(der.elements(content))


WHOLE = make_certificate()


@given(st.data())
@settings(max_examples=300)
def test_a_damaged_certificate_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from([WHOLE.encoded, WHOLE.pem])))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    with contextlib.suppress(CertificateError):
        parse(bytes(content))
