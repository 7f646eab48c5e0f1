from __future__ import annotations

import os
import string
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.addresses import SecretRef
from provisioner.errors import SecretError
from provisioner.secrets.encodings import ENCODINGS
from provisioner.secrets.redact import Redactor
from provisioner.secrets.stores import resolve

PASSWORD = "p@ss/w:rd?100% $ök#"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ((), PASSWORD),
        (("url",), "p%40ss%2Fw%3Ard%3F100%25%20%24%C3%B6k%23"),
        (("oslo",), "p@ss/w:rd?100% $$ök#"),
        (("url", "oslo"), "p%40ss%2Fw%3Ard%3F100%25%20%24%C3%B6k%23"),
        (("oslo", "oslo"), "p@ss/w:rd?100% $$$$ök#"),
        (("oslo", "url"), "p%40ss%2Fw%3Ard%3F100%25%20%24%24%C3%B6k%23"),
    ],
)
def test_encodings_are_applied_in_the_order_of_the_reference(
    asked: tuple[str, ...], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_PASSWORD", PASSWORD)
    assert resolve(SecretRef("env", "SOME_PASSWORD", asked), tmp_path).reveal() == expected


def test_what_nothing_reserves_stays_as_it_is_in_a_url() -> None:
    plain = "ABCxyz0189-._~"
    assert ENCODINGS["url"](plain) == plain


def read_by_oslo(value: str) -> str:
    """What oslo.config makes of a value behind the equals sign: its parser of files, then its substitution."""
    value = value.strip()
    if value[:1] in {'"', "'"} and value[0] == value[-1]:
        value = value[1:-1]
    return string.Template(value.replace(r"\$", "$$")).safe_substitute()


@given(st.text(st.characters(codec="utf-8")))
def test_a_reader_of_the_format_gets_the_secret_back(text: str) -> None:
    assert unquote(ENCODINGS["url"](text), errors="strict") == text


@given(
    st.text(st.sampled_from("ab$\\{}\"' \t\xa0") | st.characters(codec="utf-8", exclude_characters="\r\n"))
)
def test_oslo_reads_the_secret_back_or_it_is_refused(text: str) -> None:
    if "\\$" in text:
        with pytest.raises(ValueError, match="backslash before a dollar sign"):
            ENCODINGS["oslo"](text)
    else:
        assert read_by_oslo(ENCODINGS["oslo"](text)) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [("  a ", '"  a "'), ('"a"', '""a""'), ("'", '"\'"'), ("it's", "it's"), ('"a', '"a'), ("", "")],
)
def test_what_oslo_would_take_from_the_ends_of_a_value_is_put_in_quotes(text: str, expected: str) -> None:
    assert ENCODINGS["oslo"](text) == expected


def test_a_secret_no_encoding_can_say_is_refused_without_showing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_PASSWORD", "canary\\$x")
    with pytest.raises(SecretError, match="a backslash before a dollar sign") as caught:
        resolve(SecretRef("env", "SOME_PASSWORD", ("oslo",)), tmp_path)
    assert "canary" not in str(caught.value) + caught.value.help
    assert resolve(SecretRef("env", "SOME_PASSWORD", ("url", "oslo")), tmp_path).reveal() == "canary%5C%24x"


@pytest.mark.parametrize("text", ["twelve-chars", "sixteen-chars$\\!"])
def test_a_secret_of_chap_is_left_as_it_is(text: str) -> None:
    assert ENCODINGS["chap"](text) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("eleven-char", "has not 12 to 16 characters"),
        ("seventeen-letters", "has not 12 to 16 characters"),
        ("with a blank!", "a blank or what is not ASCII"),
        ("twelve-tab\tx", "a blank or what is not ASCII"),
        ("zwölf-zeichen", "a blank or what is not ASCII"),
    ],
)
def test_what_windows_or_cinder_takes_for_no_secret_of_chap_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        ENCODINGS["chap"](text)


def test_what_would_end_an_option_of_a_share_is_refused() -> None:
    assert ENCODINGS["cifs"](r"p@ss/w:rd?$=\#") == r"p@ss/w:rd?$=\#"
    for text in ("a,b", "a b", "a\tb", "a\xa0b"):
        with pytest.raises(ValueError, match="a comma or white space"):
            ENCODINGS["cifs"](text)


def test_bytes_of_an_environment_that_is_no_utf_8_survive_in_a_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_PASSWORD", os.fsdecode(b"a\xffb"))
    encoded = resolve(SecretRef("env", "SOME_PASSWORD", ("url",)), tmp_path).reveal()
    assert unquote_to_bytes(encoded) == b"a\xffb"


def test_an_unknown_encoding_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(SecretError) as caught:
        resolve(SecretRef("env", "NO_SUCH_VARIABLE", ("url", "osol")), tmp_path)
    assert str(caught.value) == "secret env:NO_SUCH_VARIABLE|url|osol: there is no encoding 'osol'"
    assert caught.value.help == "Did you mean 'oslo'?"


def test_the_redactor_knows_the_secret_before_and_after_every_encoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_PASSWORD", PASSWORD)
    redactor = Redactor()
    redactor.add(resolve(SecretRef("env", "SOME_PASSWORD", ("oslo", "url")), tmp_path))
    oslo = ENCODINGS["oslo"](PASSWORD)
    for form in [PASSWORD, oslo, ENCODINGS["url"](oslo)]:
        assert redactor(f"<{form}>") == "<<secret>>"
