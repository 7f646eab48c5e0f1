"""Ask for an SMB share and who may use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.transport.base import Pipeline, Record
from provisioner.verify.question import named, only_row, table_of, text_of

if TYPE_CHECKING:
    from provisioner.verify.question import AskedNode

TABLE = Pipeline.of("Get-SmbShare")


class SmbShare:
    """A share by its name. Questions about a missing one raise NodeError, except exists."""

    def __init__(self, asked: AskedNode, name: str) -> None:
        self._asked = asked
        self.name = name

    def __repr__(self) -> str:
        return f"<smb share {self.name} on {self._asked.node}>"

    @property
    def exists(self) -> bool:
        """Whether there is such a share."""
        return bool(self._rows)

    @property
    def path(self) -> str:
        """Return the folder that is shared."""
        return text_of(self._row["Path"])

    @property
    def encrypts(self) -> bool:
        """Whether clients have to encrypt."""
        return self._row["EncryptData"] is True

    @property
    def caching(self) -> str:
        """Return what clients may keep offline: ``None``, ``Manual``, ``Programs`` and so on."""
        return text_of(self._row["CachingMode"])

    @property
    def access(self) -> dict[str, str]:
        r"""Return who may do what, ``Full`` and so on by account in small letters; denials are left out."""
        return {
            text_of(row["AccountName"]).casefold(): text_of(row["AccessRight"])
            for row in self._entries
            if text_of(row["AccessControlType"]) == "Allow"
        }

    @property
    def denied(self) -> frozenset[str]:
        """Return the accounts that something is denied, in small letters: a denial counts more than a right."""
        return frozenset(
            text_of(row["AccountName"]).casefold()
            for row in self._entries
            if text_of(row["AccessControlType"]) != "Allow"
        )

    @property
    def _entries(self) -> tuple[Record, ...]:
        return table_of(self._asked, Pipeline.of("Get-SmbShareAccess", Name=self.name))

    @property
    def _rows(self) -> tuple[Record, ...]:
        return named(table_of(self._asked, TABLE), "Name", self.name)

    @property
    def _row(self) -> Record:
        return only_row(self._asked.node, self._rows, f"share named {self.name}")
