"""Ask for a certificate in a store of the computer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.transport.base import Pipeline
from provisioner.verify.question import AskedNode, named, only_row, table_of, text_of

if TYPE_CHECKING:
    from provisioner.transport.base import Record


class Certificate:
    """A certificate by its thumbprint and the store of the computer it is wanted in (``My``, ``Root``, ``CA``)."""

    def __init__(self, asked: AskedNode, thumbprint: str, store: str = "My") -> None:
        self._asked = asked
        self.thumbprint = thumbprint
        self.store = store

    def __repr__(self) -> str:
        return f"<certificate {self.thumbprint} in {self.store} on {self._asked.node}>"

    @property
    def exists(self) -> bool:
        """Whether the store has it.

        Raises:
            CommandError: the computer has no such store.
        """
        return bool(self._rows)

    @property
    def has_private_key(self) -> bool:
        """Whether its key is there too."""
        return bool(self._row["HasPrivateKey"])

    @property
    def subject(self) -> str:
        """Return whom it is for, as ``CN=hv01.example.com``."""
        return text_of(self._row["Subject"])

    @property
    def _rows(self) -> tuple[Record, ...]:
        pipeline = Pipeline.of("Get-ChildItem", LiteralPath=rf"Cert:\LocalMachine\{self.store}")
        return named(table_of(self._asked, pipeline), "Thumbprint", self.thumbprint)

    @property
    def _row(self) -> Record:
        return only_row(self._asked.node, self._rows, f"certificate {self.thumbprint} in {self.store}")
