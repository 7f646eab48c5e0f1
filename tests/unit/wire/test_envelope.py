"""Envelopes are read strictly enough, and written as Windows orders them."""

from __future__ import annotations

import pytest

from provisioner.wire import envelope, faults, identify
from provisioner.wire.envelope import MalformedEnvelope, parse_document, parse_duration, parse_request

_NS = (
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"'
)


def _request(header: str = "<a:Action>urn:x/Get</a:Action>", body: str = "") -> bytes:
    return f"<s:Envelope {_NS}><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>".encode()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT20S", 20.0),
        ("PT1M", 60.0),
        ("PT1M0.5S", 60.5),
        ("PT60.000S", 60.0),
        ("P0DT0H0M9S", 9.0),
        ("P1DT2H", 93600.0),
        ("PT", None),
        ("P", None),
        ("20", None),
        ("", None),
        ("PT99999999999999999999S", None),
    ],
)
def test_durations_are_read(text: str, seconds: float | None) -> None:
    assert parse_duration(text) == seconds


def test_headers_are_read() -> None:
    header = (
        "<a:Action>urn:x/Get</a:Action><a:MessageID>uuid:1</a:MessageID><a:To>http://hv01:5985/wsman</a:To>"
        "<w:ResourceURI>urn:r</w:ResourceURI><w:OperationTimeout>PT5S</w:OperationTimeout>"
        "<w:MaxEnvelopeSize>9000</w:MaxEnvelopeSize>"
        '<w:SelectorSet><w:Selector Name="shellid">A</w:Selector></w:SelectorSet>'
        '<w:OptionSet><w:Option Name="o">v</w:Option></w:OptionSet>'
    )
    found = parse_request(_request(header))
    assert (found.action, found.verb, found.message_id) == ("urn:x/Get", "Get", "uuid:1")
    assert (found.resource_uri, found.machine) == ("urn:r", "hv01")
    assert (found.operation_timeout_s, found.max_envelope_bytes) == (5.0, 9000)
    assert found.selector("ShellId") == "A"
    assert found.selector("Other") is None
    assert found.options == {"o": "v"}


def test_headers_that_are_absent_have_the_defaults_of_the_protocol() -> None:
    found = parse_request(_request())
    assert (found.operation_timeout_s, found.max_envelope_bytes, found.message_id) == (60.0, 153600, "")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no xml",
        b"<a/>",
        b"<!DOCTYPE a>" + _request(),
        b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'>" + _request(),
        "<!DOCTYPE a><a/>".encode("utf-16"),
        "<a/>".encode("utf-16-le"),
        b"\xff\xfe<",
        b'<?xml version="1.0" encoding="ebcdic-cp-us"?><s:Envelope/>',
        b"<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Header/><s:Body/></s:Envelope>",
        f"<s:Envelope {_NS}><s:Body/></s:Envelope>".encode(),
    ],
)
def test_what_is_no_envelope_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedEnvelope):
        parse_request(data)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8", "utf-8-sig"])
def test_what_windows_writes_is_read(encoding: str) -> None:
    assert parse_document("<a>ä</a>".encode(encoding)).text == "ä"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", 2150858817),
        ("<a:Action>x</a:Action><w:OperationTimeout>soon</w:OperationTimeout>", 2150858767),
        ("<a:Action>x</a:Action><w:OperationTimeout>PT-1S</w:OperationTimeout>", 2150858767),
        ("<a:Action>x</a:Action><w:MaxEnvelopeSize>big</w:MaxEnvelopeSize>", 2150858817),
        ("<a:Action>x</a:Action><w:MaxEnvelopeSize>100</w:MaxEnvelopeSize>", 2150858878),
    ],
)
def test_a_header_that_cannot_be_used_is_a_fault(header: str, code: int) -> None:
    with pytest.raises(faults.WSManFault) as caught:
        parse_request(_request(header))
    assert caught.value.code == code


def test_a_missing_body_element_is_a_schema_fault() -> None:
    with pytest.raises(faults.WSManFault) as caught:
        parse_request(_request()).payload("Shell")
    assert caught.value.code == 2150858817


def test_ids_are_found_without_reading_the_whole() -> None:
    data = _request(
        "<a:Action>x</a:Action><a:To>http://hv01:5985/wsman</a:To><a:MessageID>uuid:7</a:MessageID>"
    )
    assert (envelope.find_message_id(data), envelope.find_host(data)) == ("uuid:7", "hv01")
    assert (envelope.find_message_id(b"x"), envelope.find_host(b"x")) == ("", "")


def test_user_text_in_a_response_is_escaped() -> None:
    data = envelope.build_response("urn:x/fault", "", relates_to="<&>", message_id="1", activity_id=None)
    assert b"&lt;&amp;&gt;" in data
    assert b"ActivityId" not in data


def test_fault_reasons_are_escaped() -> None:
    body = faults.no_such_resource("<evil>").body("<m>")
    assert "<evil>" not in body
    assert "<m>" not in body


def test_the_version_is_told_only_to_those_who_logged_on() -> None:
    assert b"10.0.1" in identify.identify_response("10.0.1", is_authenticated=True)
    assert b"10.0.1" not in identify.identify_response("10.0.1", is_authenticated=False)
