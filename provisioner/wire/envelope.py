"""SOAP envelopes of WS-Management: requests read, responses written.

Text in, values out, and back. A document with a DOCTYPE is refused before the parser sees it, so there are no
entities to expand. Nothing here keeps state.

Source: DSP0226 5, MS-WSMV 2.2.4; header order and prefixes as in recordings of real servers.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.etree import ElementTree as ET

from provisioner.wire import faults
from provisioner.wire import namespaces as ns
from provisioner.wire.xml_text import escaped

#: The smallest MaxEnvelopeSize a client may ask for, in bytes (MS-WSMV 2.2.1).
MINIMUM_ENVELOPE_BYTES: Final = 8192
_DEFAULT_ENVELOPE_BYTES: Final = 153600
_DEFAULT_TIMEOUT_S: Final = 60.0

_DURATION: Final = re.compile(
    r"P(?:(?P<d>\d{1,6})D)?(?:T(?:(?P<h>\d{1,8})H)?(?:(?P<m>\d{1,8})M)?(?:(?P<s>\d{1,10}(?:\.\d{1,9})?)S)?)?"
)
_UTF16_BEGINS: Final = "<".encode("utf-16-le")
_A: Final = f"{{{ns.ADDRESSING}}}"
_W: Final = f"{{{ns.WSMAN}}}"
_P: Final = f"{{{ns.PREFIXES['p']}}}"
_S: Final = f"{{{ns.SOAP}}}"

#: Prefixes the root element declares, by the last word of the response's action.
_DECLARED: Final[Mapping[str, tuple[str, ...]]] = {
    "CreateResponse": ("s", "a", "x", "w", "rsp", "p"),
    "CommandResponse": ("s", "a", "x", "w", "rsp", "p"),
    "ConnectResponse": ("s", "a", "x", "w", "rsp", "p"),
    "SendResponse": ("s", "a", "x", "w", "rsp", "p"),
    "SignalResponse": ("s", "a", "x", "w", "rsp", "p"),
    "ReceiveResponse": ("s", "a", "w", "rsp", "p"),
    "DeleteResponse": ("s", "a", "w", "p"),
    "DisconnectResponse": ("s", "a", "w", "p"),
    "ReconnectResponse": ("s", "a", "w", "p"),
    "EnumerateResponse": ("s", "a", "n", "w", "p"),
    "PullResponse": ("s", "a", "n", "w", "p"),
    "ReleaseResponse": ("s", "a", "n", "w", "p"),
    "GetResponse": ("s", "a", "x", "w", "p"),
    "method": ("s", "a", "x", "w", "p"),
    "fault": ("s", "a", "x", "e", "n", "w", "p"),
}


class MalformedEnvelope(Exception):
    """The bytes are no SOAP envelope at all; HTTP answers 400."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    ``operation_timeout_s`` and ``max_envelope_bytes`` have the defaults of the protocol when absent.
    ``body`` is the ``s:Body`` element. Selector names are compared without regard to case by ``selector``.
    """

    action: str
    resource_uri: str
    message_id: str
    to: str
    body: ET.Element
    selectors: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    operation_timeout_s: float = _DEFAULT_TIMEOUT_S
    max_envelope_bytes: int = _DEFAULT_ENVELOPE_BYTES
    session_id: str = ""

    @property
    def verb(self) -> str:
        """Last word of the action: ``Receive``."""
        return self.action.rpartition("/")[2]

    @property
    def machine(self) -> str:
        """Name by which the client addressed the node, for faults."""
        host = self.to.partition("://")[2].partition("/")[0]
        return host.rpartition(":")[0] or host

    def selector(self, name: str) -> str | None:
        """Value of one selector."""
        wanted = name.casefold()
        return next((value for key, value in self.selectors.items() if key.casefold() == wanted), None)

    def payload(self, tag: str, namespace: str = ns.SHELL) -> ET.Element:
        """Return the body's element ``tag``, or raise the schema fault."""
        element = self.body.find(f"{{{namespace}}}{tag}")
        if element is None:
            raise faults.schema_violation(f"The body has no element {tag}.")
        return element


def parse_duration(text: str) -> float | None:
    """Read ``PT20.5S`` and the like as seconds; None when the text is no duration."""
    found = _DURATION.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        return None
    days, hours, minutes, seconds = (float(found[part] or 0) for part in "dhms")
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def parse_document(data: bytes) -> ET.Element:
    """Read an XML document that comes from outside.

    UTF-8, UTF-16 with a byte order mark and UTF-16 as Windows writes it without one are taken.

    Raises:
        MalformedEnvelope: It is not XML, or has a document type declaration.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, _UTF16_BEGINS)):
        try:
            data = data.decode("utf-16").encode()  # little-endian where nothing says so
        except UnicodeError:
            raise MalformedEnvelope("not UTF-16 text") from None
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data or b"\0" in data:
        raise MalformedEnvelope("a document type declaration or a NUL byte")
    parser = ET.XMLParser(encoding="utf-8")  # noqa: S314 - without a DOCTYPE there are no entities
    try:
        parser.feed(data)
        return parser.close()
    except (ET.ParseError, ValueError, LookupError) as problem:
        raise MalformedEnvelope(str(problem)) from None


def parse_request(data: bytes) -> Request:
    """Read a request envelope.

    Raises:
        MalformedEnvelope: The bytes are no SOAP 1.2 envelope.
        WSManFault: It is one, but a header cannot be used.
    """
    root = parse_document(data)
    header, body = root.find(f"{_S}Header"), root.find(f"{_S}Body")
    if root.tag != f"{_S}Envelope" or header is None or body is None:
        raise MalformedEnvelope("not a SOAP 1.2 envelope with header and body")
    values = {element.tag: (element.text or "").strip() for element in header}
    action = values.get(f"{_A}Action", "")
    if not action:
        raise faults.schema_violation("The header has no Action.")
    return Request(
        action=action,
        resource_uri=values.get(f"{_W}ResourceURI", ""),
        message_id=values.get(f"{_A}MessageID", ""),
        to=values.get(f"{_A}To", ""),
        body=body,
        selectors=_named(header.find(f"{_W}SelectorSet")),
        options=_named(header.find(f"{_W}OptionSet")),
        operation_timeout_s=_timeout(values.get(f"{_W}OperationTimeout")),
        max_envelope_bytes=_envelope_size(values.get(f"{_W}MaxEnvelopeSize")),
        session_id=values.get(f"{_P}SessionId") or values.get(f"{_W}SessionId", ""),
    )


def find_message_id(data: bytes) -> str:
    """Return the message id of a request that is not read as a whole (it is too large)."""
    found = re.search(rb"MessageID[^<>]{0,200}>\s*([\x21-\x7e]{1,100}?)\s*</", data[:8192])
    return found[1].decode("ascii") if found else ""


def find_host(data: bytes) -> str:
    """Return the host of the To header of a request that is not read as a whole."""
    found = re.search(rb":To[^<>]{0,200}>\s*https?://([\w.-]{1,255})", data[:8192])
    return found[1].decode("ascii") if found else ""


def _named(element: ET.Element | None) -> Mapping[str, str]:
    if element is None:
        return {}
    return {child.get("Name") or "": (child.text or "").strip() for child in element}


def _timeout(text: str | None) -> float:
    if text is None:
        return _DEFAULT_TIMEOUT_S
    seconds = parse_duration(text)
    if seconds is None:
        raise faults.invalid_timeout(text)
    return seconds


def _envelope_size(text: str | None) -> int:
    if text is None:
        return _DEFAULT_ENVELOPE_BYTES
    if not re.fullmatch(r"[0-9]{1,10}", text):
        raise faults.schema_violation("MaxEnvelopeSize is no number.")
    size = int(text)
    if size < MINIMUM_ENVELOPE_BYTES:
        raise faults.envelope_too_small()
    return size


def _root(prefixes: tuple[str, ...]) -> str:
    declared = " ".join(f'xmlns:{prefix}="{ns.PREFIXES[prefix]}"' for prefix in prefixes)
    return f'<s:Envelope xml:lang="en-US" {declared}><s:Header><a:Action>'


_ROOTS: Final = {verb: _root(prefixes) for verb, prefixes in _DECLARED.items()}


def build_response(
    action: str, body: str, *, relates_to: str, message_id: str, activity_id: str | None
) -> bytes:
    """Write a response envelope.

    Args:
        action: Full action URI of the response.
        body: XML inside ``s:Body``; only prefixes of ``namespaces.PREFIXES`` and its own declarations.
        relates_to: Message id of the request; left out when the request had none.
        message_id: Upper-case GUID without ``uuid:``.
        activity_id: Upper-case GUID, or None for the responses Windows sends without it.
    """
    root = _ROOTS.get(action.rpartition("/")[2]) or _ROOTS["method"]
    activity = f"<p:ActivityId>{activity_id}</p:ActivityId>" if activity_id else ""
    relates = f"<a:RelatesTo>{escaped(relates_to)}</a:RelatesTo>" if relates_to else ""
    return (
        f"{root}{action}</a:Action><a:MessageID>uuid:{message_id}</a:MessageID>{activity}"
        f"<a:To>{ns.ANONYMOUS}</a:To>{relates}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode("utf-8", "xmlcharrefreplace")
