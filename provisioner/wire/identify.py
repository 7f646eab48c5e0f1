"""The Identify operation: what kind of service answers here, told to anyone who asks.

Source: DSP0226 11, MS-WSMV 3.1.4.14.
"""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from provisioner.wire import namespaces as ns

#: The HTTP header that marks an Identify that needs no authentication.
UNAUTHENTICATED_HEADER: Final = "wsmanidentify"

_IDENTIFY: Final = f"{{{ns.SOAP}}}Body/{{{ns.IDENTITY}}}Identify"


def is_identify(document: ET.Element) -> bool:
    """Tell whether the document is an Identify request."""
    return document.tag == f"{{{ns.SOAP}}}Envelope" and document.find(_IDENTIFY) is not None


def identify_response(os_version: str, *, is_authenticated: bool) -> bytes:
    """Write the answer. ``os_version`` (``10.0.20348``) is hidden from strangers, as Windows does."""
    shown = os_version if is_authenticated else "0.0.0"
    return (
        f'<s:Envelope xml:lang="en-US" xmlns:s="{ns.SOAP}"><s:Header/><s:Body>'
        f'<wsmid:IdentifyResponse xmlns:wsmid="{ns.IDENTITY}">'
        f"<wsmid:ProtocolVersion>{ns.WSMAN}</wsmid:ProtocolVersion>"
        "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>"
        f"<wsmid:ProductVersion>OS: {escape(shown)} SP: 0.0 Stack: 3.0</wsmid:ProductVersion>"
        "</wsmid:IdentifyResponse></s:Body></s:Envelope>"
    ).encode()
