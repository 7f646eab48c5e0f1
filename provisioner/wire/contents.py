"""What stands between shells and what they contain: values of requests, effects, and the contract of contents.

Values and protocols only.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from provisioner.wire import faults
from provisioner.wire import namespaces as ns


class Chunk(Protocol):
    """Output on its way, cut as envelopes allow.

    ``ends_response``: nothing after it goes into the same response. ``awaits_answer``: its command goes on when
    the client has answered it.
    """

    ends_response: bool
    awaits_answer: bool

    @property
    def is_sent(self) -> bool:
        """Whether nothing is left of it."""
        ...

    def next_size(self) -> int:
        """Bytes of the next piece if nothing but the usual limit cuts it."""
        ...

    def take(self, limit: int) -> bytes:
        """Cut the next piece, of at most ``limit`` bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Opening:
    """What a Create asks for. ``creation`` is the decoded ``creationXml``; options by their names as sent."""

    input_streams: tuple[str, ...] = ()
    output_streams: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    working_directory: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    creation: bytes = b""


@dataclass(frozen=True, slots=True)
class CommandStart:
    """What a Command asks for. ``arguments`` are the texts of its Arguments elements."""

    text: str
    arguments: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)


class Contents(Protocol):
    """What a shell contains. Command ids are the pipelines' ids; None is the shell's own stream.

    ``is_classic`` contents have no stream of their own, tell the state of a command in every answer, and mark the
    ends of its streams.
    """

    input_streams: str
    output_streams: str
    is_classic: bool

    @property
    def is_closed(self) -> bool:
        """Whether it ended by itself; its last words can still be fetched."""
        ...

    def create(self, opening: Opening) -> None:
        """Begin; raises WSManFault."""
        ...

    def connect(self, data: bytes) -> bytes:
        """Take ``connectXml`` and return ``connectResponseXml``; raises WSManFault."""
        ...

    def command(self, command_id: uuid.UUID, start: CommandStart) -> Sequence[Any]:
        """Begin a command; returns what the caller has to do. Raises WSManFault."""
        ...

    def receive(
        self, command_id: uuid.UUID | None, data: bytes, *, stream: str, is_last: bool
    ) -> Sequence[Any]:
        """Take input; returns what the caller has to do. Raises WSManFault."""
        ...

    def signal(self, command_id: uuid.UUID, code: str) -> Sequence[Any]:
        """Stop a command (``code`` is one of ``namespaces.SIGNAL_*``); returns what the caller has to do."""
        ...

    def forget(self, command_id: uuid.UUID) -> Sequence[Any]:
        """Remove a command, ending it if it still runs; returns what the caller has to do."""
        ...

    def outgoing(self) -> Iterable[tuple[uuid.UUID | None, str, Chunk]]:
        """Hand over new output: command, stream, chunk."""
        ...

    def exit_code(self, command_id: uuid.UUID) -> int | None:
        """Return the exit code of a command from which nothing more comes; None while it runs."""
        ...


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the account as Windows shows it, and the client's address.

    ``may_remote`` lets it open PowerShell sessions and use classes; the rest is for administrators.
    """

    user: str
    address: str
    is_administrator: bool = True
    may_remote: bool = True

    def may_use(self, resource_uri: str) -> bool:
        """Tell whether the account has access to a resource at all."""
        is_for_many = not resource_uri.startswith((ns.SHELLS_URI, ns.CONFIG_URI))
        return self.is_administrator or (self.may_remote and is_for_many)

    def is_same_user(self, other: Caller) -> bool:
        """Tell whether both are one account."""
        return self.user.casefold() == other.user.casefold()


@dataclass(frozen=True, slots=True)
class Respond:
    """Answer the request ``ticket``: the full action, and the body."""

    ticket: int
    action: str
    body: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer the request ``ticket`` with a fault."""

    ticket: int
    fault: faults.WSManFault


@dataclass(frozen=True, slots=True)
class Await:
    """Nothing to say yet: call ``expire`` after ``timeout_s``, or ``abandon`` when the connection is gone."""

    ticket: int
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Happened:
    """The contents of a shell want something done."""

    shell_id: uuid.UUID
    event: Any


@dataclass(frozen=True, slots=True)
class Ended:
    """A shell is gone; whatever runs in it is to be stopped."""

    shell_id: uuid.UUID


Effect: TypeAlias = Respond | Refuse | Await | Happened | Ended
