"""Ask what the service of WinRM lets in, and where it listens.

Values of WS-Management are text; each question names one resource of its configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.transport.base import SWITCH, Pipeline
from provisioner.verify.question import AskedNode, named, only_row, table_of, text_of

if TYPE_CHECKING:
    from provisioner.transport.base import Record

SERVICE = Pipeline.of("Get-WSManInstance", ResourceURI="winrm/config/service")
AUTHENTICATION = Pipeline.of("Get-WSManInstance", ResourceURI="winrm/config/service/auth")
LISTENERS = Pipeline.of("Get-WSManInstance", ResourceURI="winrm/config/listener", Enumerate=SWITCH)


class WinRM:
    """The service of WinRM on a node."""

    def __init__(self, asked: AskedNode) -> None:
        self._asked = asked

    def __repr__(self) -> str:
        return f"<winrm on {self._asked.node}>"

    @property
    def allows_basic(self) -> bool:
        """Whether basic authentication, which sends the password, is let in."""
        return _is_true(self._one(AUTHENTICATION, "Basic"))

    @property
    def allows_unencrypted(self) -> bool:
        """Whether messages that are not encrypted are let in."""
        return _is_true(self._one(SERVICE, "AllowUnencrypted"))

    @property
    def https_thumbprints(self) -> frozenset[str]:
        """Return the certificates of all listeners on https that are switched on, in capitals."""
        rows = named(table_of(self._asked, LISTENERS), "Transport", "HTTPS")
        return frozenset(
            text_of(row["CertificateThumbprint"]).replace(" ", "").upper()
            for row in rows
            if _is_true(row["Enabled"])
        )

    def _one(self, pipeline: Pipeline, name: str) -> object:
        row: Record = only_row(self._asked.node, table_of(self._asked, pipeline), "answer of WinRM")
        return row[name]


def _is_true(value: object) -> bool:
    return text_of(value).casefold() == "true"
