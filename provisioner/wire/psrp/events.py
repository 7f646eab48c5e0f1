"""What a runspace pool wants to have done, and what it knows of a pipeline's client."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Call:
    """One command of a pipeline. Parameter values are neutral CLIXML values; a name of None is positional.

    ``merged`` names the streams that go into its output: error, warning, verbose, debug, information.
    """

    name: str
    parameters: tuple[tuple[str | None, Any], ...]
    is_script: bool
    ends_statement: bool
    merged: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class HostInfo:
    """What the client has of a host. Without a user interface nobody can be asked anything."""

    has_host: bool = False
    has_ui: bool = False
    has_raw_ui: bool = False
    uses_runspace_host: bool = True


@dataclass(frozen=True, slots=True)
class PipelineRequested:
    """Run this now. ``expects_input`` says that InputArrived and InputEnded follow.

    ``invocation_streams`` names the streams whose records shall tell which command wrote them.
    """

    pipeline_id: uuid.UUID
    calls: tuple[Call, ...]
    expects_input: bool
    host: HostInfo = HostInfo()
    is_nested: bool = False
    adds_to_history: bool = False
    invocation_streams: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class MetadataRequested:
    """Write the metadata of the commands that match one of the wildcard patterns."""

    pipeline_id: uuid.UUID
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InputArrived:
    """One object for a pipeline's first command."""

    pipeline_id: uuid.UUID
    value: Any


@dataclass(frozen=True, slots=True)
class InputEnded:
    """No more input comes."""

    pipeline_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class StopRequested:
    """Stop this pipeline and call ``stopped``."""

    pipeline_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class HostAnswered:
    """The client's host answered ``call_id``: with ``value``, or with ``error`` (an error record as it came)."""

    pipeline_id: uuid.UUID
    call_id: int
    value: Any
    error: Any = None


@dataclass(frozen=True, slots=True)
class KeyOffered:
    """The client wants the key of secure strings: see that the pool has one, and call ``give_key``."""

    public_key: bytes


Event: TypeAlias = (
    PipelineRequested
    | MetadataRequested
    | InputArrived
    | InputEnded
    | StopRequested
    | HostAnswered
    | KeyOffered
)
