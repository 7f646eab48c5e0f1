"""What an emitter asks of whoever knows the secrets: the text that stands for a password."""

from __future__ import annotations

from typing import Protocol

from provisioner.configuration.model import Credential


class Sealer(Protocol):
    """Turns the password of a credential into what the document of one node may hold.

    ``is_encrypted`` says whether the texts are encrypted to the certificate of the node, which a document has
    to state; otherwise the user allowed plain text.
    """

    @property
    def is_encrypted(self) -> bool:
        """Whether ``seal`` encrypts."""
        ...

    def seal(self, credential: Credential) -> str:
        """Return the value of ``Password``."""
        ...
