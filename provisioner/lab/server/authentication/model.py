"""What all schemes share: the failure and the proof.

A refusal never tells the client more than that it was refused; the status is for CredSSP, which passes it on, as
Windows does, and for the node's own records.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from provisioner.lab.logon import UserSpec


class NtStatus(IntEnum):
    """Why Windows refused a logon. Source: MS-ERREF 2.3.1."""

    LOGON_FAILURE = 0xC000006D
    PASSWORD_EXPIRED = 0xC0000071
    ACCOUNT_DISABLED = 0xC0000072
    BAD_BINDINGS = 0xC000035B
    ACCOUNT_LOCKED_OUT = 0xC0000234
    INVALID_TOKEN = 0xC0000465


class LogonFailure(Exception):
    """A token is broken, or an account or its password is not right, or a message is not this client's.

    The text is for the log of the lab. ``token`` is the scheme's own last word to the client, mostly empty.
    """

    def __init__(self, reason: str, status: NtStatus = NtStatus.LOGON_FAILURE, token: bytes = b"") -> None:
        self.status = status
        self.token = token
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Identity:
    r"""Who has logged on. ``principal`` is the account as Windows shows it, ``HV01\provisioner``."""

    principal: str
    user: UserSpec


class Context(Protocol):
    """A proof that belongs to a connection: a handshake of several tokens, then the sealing of messages."""

    @property
    def identity(self) -> Identity | None:
        """Who it is, once the handshake is complete."""
        ...

    def step(self, token: bytes) -> bytes:
        """Take a token; return the one to send back, empty when there is none.

        Raises:
            LogonFailure: The handshake is over.
        """
        ...

    def wrap(self, message: bytes) -> tuple[bytes, bytes]:
        """Seal a message; returns signature and ciphertext."""
        ...

    def unwrap(self, signature: bytes, ciphertext: bytes) -> bytes:
        """Open a sealed message.

        Raises:
            LogonFailure: It was not sealed with this connection's key, or not in this order.
        """
        ...
