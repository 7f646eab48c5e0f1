"""Share work between processes that are forked from this one: what is loaded already is there in all of them.

Each worker has a pipe of its own, gets one portion at a time, and ends when its pipe does; so it never outlives
this process for longer than a portion takes, however this process ends.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from provisioner.errors import ProvisionerError, WorkerLost

P = TypeVar("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Failed:
    """What a worker says instead of a result."""

    error: BaseException


def can_fork() -> bool:
    """Whether this machine can share work so."""
    return "fork" in multiprocessing.get_all_start_methods()


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def share(work: Callable[[P], R], portions: Sequence[P], count: int) -> Generator[R, None, None]:
    """Yield the result of every portion, in the order in which they are done.

    Args:
        work: What to do with a portion; forked with everything it refers to. Results are sent back pickled.
        portions: The work. Each is sent to one worker.
        count: How many workers to start.

    Raises:
        WorkerLost: a worker ended without an answer.
        Exception: whatever ``work`` raised; the other workers are stopped.
    """
    left = iter(portions)
    workers: dict[Connection, BaseProcess] = {}
    try:
        for _ in range(count):
            connection, process = _start(work, list(workers))
            workers[connection] = process
        busy = [connection for connection in workers if _give(connection, left)]
        while busy:
            for ready in wait(busy):
                assert isinstance(ready, Connection)
                yield _answer(ready, workers[ready])
                if not _give(ready, left):
                    busy.remove(ready)
    finally:
        for connection in workers:
            connection.close()
        for process in workers.values():
            # A worker whose pipe has ended ends by itself; one that is busy need not finish.
            process.kill()
            process.join()
            process.close()


def _start(work: Callable[[Any], Any], others: list[Connection]) -> tuple[Connection, BaseProcess]:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(work, theirs, [ours, *others]), daemon=True)
    process.start()
    theirs.close()
    return ours, process


def _give(connection: Connection, left: Iterator[Any]) -> bool:
    """Send the next portion; whether there was one."""
    for portion in left:
        with contextlib.suppress(OSError):  # a worker that has gone is found when its answer is awaited
            connection.send(portion)
        return True
    return False


def _answer(connection: Connection, process: BaseProcess) -> Any:
    try:
        answer = connection.recv()
    except (EOFError, OSError):
        process.join()
        raise WorkerLost(process.exitcode or 0) from None
    if isinstance(answer, _Failed):
        raise answer.error
    return answer


def _run(work: Callable[[Any], Any], connection: Connection, not_ours: list[Connection]) -> None:
    """Work until the pipe ends. The terminal's interrupt is for the parent alone, which then ends the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for each in not_ours:
        each.close()
    while True:
        try:
            portion = connection.recv()
        except (EOFError, OSError):
            return
        try:
            answer = work(portion)
        except Exception as error:  # noqa: BLE001 - the parent decides
            answer = _Failed(_portable(error))
        try:
            connection.send(answer)
        except OSError:
            return


def _portable(error: Exception) -> BaseException:
    """Return an error as it can be sent: itself, or one that says the same."""
    try:
        if type(pickle.loads(pickle.dumps(error))) is type(error):  # noqa: S301 - made a moment ago
            return error
    except Exception:  # noqa: BLE001, S110 - then it cannot be sent
        pass
    if isinstance(error, ProvisionerError):
        plain = ProvisionerError(str(error))
        plain.help = error.help
        return plain
    return RuntimeError(f"{type(error).__name__}: {error}")
