from __future__ import annotations

import base64
import json
import re
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from provisioner.secrets.model import Secret
from provisioner.secrets.redact import MIN_LENGTH, Redactor

ODD = 'pä"ss\\w/o+r d&<1>'


def redactor(*secrets: str) -> Redactor:
    made = Redactor()
    for secret in secrets:
        made.add(Secret(secret))
    return made


@pytest.mark.parametrize(
    "form",
    [
        lambda s: s,
        json.dumps,
        lambda s: json.dumps(s, ensure_ascii=False),
        repr,
        escape,
        lambda s: escape(s, {'"': "&quot;"}),
        quote,
        lambda s: quote(s, safe=""),
        quote_plus,
        lambda s: s.encode().hex(),
        lambda s: s.encode("utf-16-le").hex().upper(),
        lambda s: base64.b64encode(s.encode()).decode(),
        lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
        lambda s: base64.b64encode(s.encode("utf-16-le")).decode(),
    ],
)
def test_every_form_of_a_secret_is_replaced(form: object) -> None:
    assert callable(form)
    shown = redactor(ODD)(f"before [{form(ODD)}] after")
    assert re.fullmatch(r"before \[.{0,4}<secret>.{0,4}\] after", shown)


@given(
    st.text(min_size=8),
    st.binary(max_size=12),
    st.binary(max_size=12),
    st.sampled_from(["utf-8", "utf-16-le"]),
)
def test_a_secret_inside_something_longer_in_base64_is_replaced(
    secret: str, before: bytes, after: bytes, encoding: str
) -> None:
    assume(not any("\ud800" <= char <= "\udfff" for char in secret))
    encoded = base64.b64encode(before + secret.encode(encoding) + after).decode()
    shown = redactor(secret)(encoded)
    assert "<secret>" in shown
    # What is left standing holds at most the bits that share a character with their neighbours.
    assert len(shown) <= len(encoded) - len(base64.b64encode(secret.encode(encoding)).rstrip(b"=")) + 5 + len(
        "<secret>"
    )


@given(st.text(min_size=MIN_LENGTH), st.text(), st.text())
def test_no_secret_survives(secret: str, before: str, after: str) -> None:
    assume(secret not in "<secret>" and secret not in before and secret not in after)
    shown = redactor(secret)(before + secret + after)
    assert "<secret>" in shown
    assert len(shown) <= len(before) + len(after) + len("<secret>")


def test_a_secret_that_contains_another_is_replaced_whole() -> None:
    assert redactor("pass", "password-long")("x password-long y pass") == "x <secret> y <secret>"


def test_secrets_below_four_characters_are_left_alone() -> None:
    assert redactor("abc", "")("abc") == "abc"
    assert redactor("abcd")("abcd") == "<secret>"


def test_without_secrets_a_text_is_unchanged() -> None:
    assert Redactor()("text") == "text"


def test_the_redactor_does_not_show_what_it_looks_for() -> None:
    assert "canary" not in repr(redactor("canary-7c1e"))


SHARP = "it's\"<w>&o`r\\d é$x+/="


@pytest.mark.parametrize(
    "form",
    [
        SHARP.replace("'", "''"),
        "it's`\"<w>&o``r\\d é`$x+/=",
        SHARP.replace('"', '""'),
        repr(SHARP + "'\"")[1:-4],
        r"it\u0027s\"\u003cw\u003e\u0026o`r\\d é$x+/=",
        r"it\u0027s\u0022\u003Cw\u003E\u0026o\u0060r\\d \u00E9$x\u002B/=",
        r"it's\"<w>&o`r\\d é$x+\/=",
        "it's&quot;&lt;w&gt;&amp;o`r\\d é$x+/=",
        "it&#39;s&quot;&lt;w&gt;&amp;o`r\\d é$x+/=",
        "it&#x27;s&quot;&lt;w&gt;&amp;o`r\\d é$x+/=",
        "it%27s%22%3cw%3e%26o%60r%5cd%20%c3%a9%24x%2b%2f%3d",
    ],
)
def test_what_windows_makes_of_a_secret_with_odd_characters_is_replaced(form: str) -> None:
    assert redactor(SHARP)(f"before [{form}] after") == "before [<secret>] after"


def test_a_secret_of_several_lines_is_replaced_however_its_lines_are_laid_out() -> None:
    made = redactor("-----BEGIN KEY-----\nMIIEpAIBAAKC\n}\n-----END KEY-----")
    assert made("-----BEGIN KEY-----\r\nMIIEpAIBAAKC\r\n}\r\n-----END KEY-----") == "<secret>"
    assert made("a }\n  MIIEpAIBAAKC\n") == "a }\n  <secret>\n"
