"""Every exception this package raises on purpose, as one tree.

    ProvisionerError
    ├ InputError(diagnostics)      what the user wrote is wrong; always all problems at once
    ├ UsageError                   a request that cannot be carried out as asked (unknown node in --limit)
    ├ SecretError                  a secret reference that cannot be resolved
    ├ TransportError(node, endpoint)
    │ ├ ConnectError               nothing answers, or the connection broke
    │ ├ AuthenticationError        the node answers and refuses the credentials
    │ ├ TransportTimeout           no answer in time
    │ ├ LocalProtocolError         we broke the protocol: a bug here
    │ └ RemoteProtocolError        the node broke the protocol or refused the request
    ├ NodeError(node)
    │ ├ CommandError(record)       a command ended with a terminating error
    │ ├ LcmError(code, resources)  the LCM refused or failed
    │ ├ RebootRefused              a reboot is needed and nobody allowed it
    │ └ RebootTimeout              the node did not come back in time
    ├ StateError
    │ ├ LockHeld(holder, since)    another run is at work
    │ └ SchemaTooNew               the state file was written by a newer version
    ├ CloudError(reason)           the controller of the cloud cannot be asked, or its answer makes no sense
    │ └ CloudRefused(status)       it answers, and refuses what was asked
    └ WorkerLost(exit_code)        a process that shared the work ended without an answer

Constructors take fields; the class writes the sentence. Nothing here does I/O.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class ProvisionerError(Exception):
    """Base of all errors of this package."""

    #: What the reader can do about it, as one full sentence; empty when there is nothing to say.
    help: str = ""


class InputError(ProvisionerError):
    """What the user wrote is wrong.

    ``problems`` are the rendered diagnostics, errors first; ``diagnostics`` is the collection itself
    (a ``provisioner.diagnostics.Diagnostics``; typed as object because that floor lies above this one).
    """

    def __init__(self, diagnostics: object, problems: Sequence[str]) -> None:
        self.diagnostics = diagnostics
        self.problems = tuple(problems)
        super().__init__("\n\n".join(self.problems))


class UsageError(ProvisionerError):
    """The request itself cannot be carried out."""

    def __init__(self, message: str, help: str = "") -> None:
        self.help = help
        super().__init__(message)


class SecretError(ProvisionerError):
    """A secret reference cannot be resolved. Never carries the secret."""

    def __init__(self, reference: str, reason: str, help: str = "") -> None:
        self.reference = reference
        self.reason = reason
        self.help = help
        super().__init__(f"secret {reference}: {reason}")


class TransportError(ProvisionerError):
    """Talking to a node failed. ``node`` and ``endpoint`` are plain text."""

    def __init__(self, node: str, endpoint: str, reason: str, help: str = "") -> None:
        self.node = node
        self.endpoint = endpoint
        self.reason = reason
        self.help = help
        super().__init__(f"{node} ({endpoint}): {reason}")


class ConnectError(TransportError):
    """Nothing answers, or the connection broke. Safe to try again."""


class AuthenticationError(TransportError):
    """The node answers and refuses the credentials."""


class TransportTimeout(TransportError):
    """No answer in time."""


class LocalProtocolError(TransportError):
    """We broke the protocol; this is a bug in provisioner."""


class RemoteProtocolError(TransportError):
    """The node broke the protocol, or answered with a fault that is none of the above.

    ``code`` is the WSMan fault code when there was one.
    """

    def __init__(
        self, node: str, endpoint: str, reason: str, help: str = "", code: int | None = None
    ) -> None:
        self.code = code
        super().__init__(node, endpoint, reason, help)


class NodeError(ProvisionerError):
    """A node was reached and something on it failed."""

    def __init__(self, node: str, reason: str, help: str = "") -> None:
        self.node = node
        self.reason = reason
        self.help = help
        super().__init__(f"{node}: {reason}")


class CommandError(NodeError):
    """A command ended with a terminating error.

    ``error_id`` is the FullyQualifiedErrorId, ``category`` the name of the ErrorCategory.
    """

    def __init__(self, node: str, command: str, message: str, error_id: str, category: str) -> None:
        self.command = command
        self.message = message
        self.error_id = error_id
        self.category = category
        super().__init__(node, f"{command} failed: {message} [{error_id}, {category}]")


class LcmError(NodeError):
    """The LCM refused a document or a resource failed.

    ``code`` is the FullyQualifiedErrorId ("MI RESULT 1"); ``last_state`` the last known LCMState.
    """

    def __init__(self, node: str, reason: str, code: str = "", last_state: str = "", help: str = "") -> None:
        self.code = code
        self.last_state = last_state
        super().__init__(node, reason, help)


class RebootRefused(NodeError):
    """A reboot is needed and nobody allowed it."""


class RebootTimeout(NodeError):
    """The node did not come back in time."""


class StateError(ProvisionerError):
    """The state store cannot be used."""


class LockHeld(StateError):
    """Another run holds the lock of this state folder."""

    def __init__(self, holder: str, since: str) -> None:
        self.holder = holder
        self.since = since
        self.help = "Wait for it to end, or stop that process."
        super().__init__(f"another run is at work here: {holder}, since {since}")


class SchemaTooNew(StateError):
    """The state file was written by a newer version of provisioner."""


class CloudError(ProvisionerError):
    """The controller of the cloud cannot be asked, or its answer makes no sense."""

    def __init__(self, reason: str, help: str = "") -> None:
        self.reason = reason
        self.help = help
        super().__init__(reason)


class CloudRefused(CloudError):
    """The controller answers and refuses. ``status`` is that of HTTP, ``said`` its own sentence."""

    def __init__(self, asked: str, status: int, said: str, help: str = "") -> None:
        self.status = status
        self.said = said
        super().__init__(f"{asked} was refused ({status}): {said}", help)

    @property
    def is_gone(self) -> bool:
        """Whether what was asked about is not there, or not there any more."""
        return self.status == 404  # noqa: PLR2004 - RFC 9110, 15.5.5

    @property
    def is_conflict(self) -> bool:
        """Whether it does not fit what is there: often somebody else was faster."""
        return self.status == 409  # noqa: PLR2004 - RFC 9110, 15.5.10


class WorkerLost(ProvisionerError):
    """A process that shared the work ended without an answer. ``exit_code`` is negative for a signal."""

    def __init__(self, exit_code: int) -> None:
        self.exit_code = exit_code
        self.help = "It may have run out of memory: try again with fewer processes (--jobs 1)."
        how = f"was ended by signal {-exit_code}" if exit_code < 0 else f"ended with code {exit_code}"
        super().__init__(f"a worker process {how}; nothing was written")
