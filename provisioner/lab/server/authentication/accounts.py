"""The accounts of one node: whose password fits, and who is locked out, disabled or expired.

A wrong password counts against its account whichever scheme it came by.
"""

from __future__ import annotations

import dataclasses
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Protocol

from spnego._ntlm_raw.crypto import ntowfv1

from provisioner.lab.logon import ADMINISTRATORS, LogonSpec, UserSpec
from provisioner.lab.server.authentication.model import Identity, LogonFailure, NtStatus

_FOREVER: Final = timedelta.max


class Guarded(Protocol):
    """What the accounts ask of their node."""

    user: str
    nt_hash: bytes
    logon: LogonSpec

    @property
    def computer_name(self) -> str:
        """The name the node goes by since its last boot."""
        ...

    def now(self) -> datetime:
        """Give the node's time."""
        ...

    def local_account(self, name: str) -> UserSpec | None:
        """Give what the machine itself keeps of a local account; None while nobody made or changed accounts."""
        ...


def nt_hash(password: str) -> bytes:
    """Return what Windows keeps instead of a password: MD4 of its UTF-16LE form.

    Source: MS-NLMP 3.3.1, NTOWFv1.
    """
    hashed: bytes = ntowfv1(password)
    return hashed


class Accounts:
    """Local accounts by name, without regard to case; the account of the connection is one of them."""

    def __init__(self, node: Guarded) -> None:
        self._node = node
        self._policy = node.logon.authentication.lockout
        self._failures: dict[str, list[datetime]] = {}
        self._locked_at: dict[str, datetime] = {}

    @property
    def computer_name(self) -> str:
        """The authority of all local accounts."""
        return self._node.computer_name

    def find(self, name: str) -> UserSpec | None:
        """Return the account of this bare name: a configured one, with what the machine has made of it."""
        configured, local = self._configured(name), self._node.local_account(name)
        if configured is None or local is None:
            return configured or local
        return dataclasses.replace(
            configured,
            # Taking an account out of a group is no way to keep the lab's own client out.
            groups=tuple(dict.fromkeys((*configured.groups, *local.groups))),
            enabled=configured.enabled and local.enabled,
            expired=configured.expired or local.expired,
            nt_hash=local.nt_hash or configured.nt_hash,
        )

    def _configured(self, name: str) -> UserSpec | None:
        wanted = name.casefold()
        for user in self._node.logon.users:
            if user.name.casefold() == wanted:
                return user if user.nt_hash else _with_hash_of(self._node, user)
        bare = bare_name(self._node.user)
        if bare.casefold() == wanted:
            return UserSpec(bare, groups=(ADMINISTRATORS,), nt_hash=self._node.nt_hash)
        return None

    def log_on(self, name: str, fits: Callable[[bytes], bool]) -> Identity:
        """Let an account in whose NT hash ``fits`` what the client has sent.

        Raises:
            LogonFailure: The account is not there, locked, disabled or expired, or the password is wrong.
        """
        user = self.find(name)
        if user is None or not user.nt_hash:
            raise LogonFailure("no such account, or none with a password")
        self._require_unlocked(user.name)
        if not fits(user.nt_hash):
            self._count(user.name)
            raise LogonFailure("the password is wrong")
        self._failures.pop(user.name, None)
        return self.identify(user)

    def identify(self, user: UserSpec) -> Identity:
        """Let an account in that has proved itself without a password.

        Raises:
            LogonFailure: It is locked, disabled or expired.
        """
        self._require_unlocked(user.name)
        if not user.enabled:
            raise LogonFailure("the account is disabled", NtStatus.ACCOUNT_DISABLED)
        if user.expired:
            raise LogonFailure("the password has expired", NtStatus.PASSWORD_EXPIRED)
        return Identity(f"{self.computer_name}\\{user.name}", user)

    def log_on_with_password(self, name: str, password: str) -> Identity:
        r"""Let an account in by its password; ``name`` may be ``COMPUTER\name``, ``.\name`` or bare.

        Raises:
            LogonFailure: As of ``log_on``.
        """
        given = nt_hash(password)
        return self.log_on(bare_name(name), lambda kept: hmac.compare_digest(kept, given))

    def _require_unlocked(self, name: str) -> None:
        since = self._locked_at.get(name)
        if since is None:
            return
        lasts = timedelta(seconds=self._policy.duration_s) if self._policy.duration_s else _FOREVER
        if self._node.now() - since < lasts:
            raise LogonFailure("the account is locked", NtStatus.ACCOUNT_LOCKED_OUT)
        del self._locked_at[name]
        self._failures.pop(name, None)

    def _count(self, name: str) -> None:
        if not self._policy.threshold:
            return
        now = self._node.now()
        window = timedelta(seconds=self._policy.window_s)
        recent = [at for at in self._failures.get(name, []) if now - at < window]
        self._failures[name] = [*recent, now]
        if len(self._failures[name]) >= self._policy.threshold:
            self._locked_at[name] = now


def bare_name(name: str) -> str:
    r"""Return the account of ``COMPUTER\name``: a machine outside a domain takes every authority for its own."""
    return name.rpartition("\\")[2]


def _with_hash_of(node: Guarded, user: UserSpec) -> UserSpec:
    """Give the account of the connection its hash when ``users`` says something else of it."""
    is_owner = bare_name(node.user).casefold() == user.name.casefold()
    return dataclasses.replace(user, nt_hash=node.nt_hash) if is_owner else user
