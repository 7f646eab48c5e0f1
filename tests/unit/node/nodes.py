"""Builders: a session or a managed node whose commands are answered by a function."""

from __future__ import annotations

from collections.abc import Callable

from provisioner.addresses import NodeName
from provisioner.node.session import Session
from provisioner.transport.base import ErrorRecord, Pipeline, Record, Result
from tests.conformance.memory_transport import MemoryTransport

NAME = NodeName("hv01")


def transport(answer: Callable[[Pipeline], Result]) -> MemoryTransport:
    async def answers(pipeline: Pipeline) -> Result:
        return answer(pipeline)

    found = MemoryTransport(answers)
    found.is_open = True
    return found


def session(answer: Callable[[Pipeline], Result]) -> Session:
    return Session(NAME, transport(answer))


def record(**properties: object) -> Record:
    return Record((), properties)


def gives(*output: object) -> Result:
    return Result(output=output)


def error(message: str = "no", error_id: str = "Id,Cmd", category: str = "NotSpecified") -> ErrorRecord:
    return ErrorRecord(message, error_id, category)


def fails(message: str = "no", error_id: str = "Id,Cmd", category: str = "NotSpecified") -> Result:
    """A non-terminating error, as cmdlets write by default."""
    return Result(errors=(error(message, error_id, category),))
