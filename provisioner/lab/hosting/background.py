"""Leave a lab running as one background process, and know when it answers.

The process is forked, so that nothing about the nodes (least of all their password hashes) passes through
arguments, the environment or a file. Fork happens before any thread or event loop exists.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from provisioner.lab.control import LabError, ask

#: Called by the lab once every node answers, with what ``status`` will say.
Ready = Callable[[dict[str, Any]], None]

_LOG = "lab.log"
_LOCK = "lab.lock"
_STOP_TIMEOUT_S = 15.0


def claim(folder: Path) -> int:
    """Take the state folder for this process; the lock goes with the process.

    Raises:
        LabError: another lab runs on it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise LabError(
            f"lab '{folder.name}' is already running",
            f"Take it down with 'provision lab down {folder.name}', or choose another --name.",
        ) from error
    return descriptor


def detach(folder: Path, main: Callable[[Ready], None]) -> dict[str, Any]:
    """Run ``main`` in a new background process; return what it passed to ``ready``.

    Raises:
        LabError: it ended before it was ready; the text is its last word, the log has the rest.
    """
    lock = claim(folder)
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(reader)
        _become_daemon(folder)
        _run_daemon(main, writer)
    os.close(writer)
    os.close(lock)  # the child holds it now
    with os.fdopen(reader, encoding="utf-8") as pipe:
        text = pipe.readline()  # not to the end: processes that ``main`` forks hold the pipe too
    reply: dict[str, Any] = json.loads(text) if text else {"error": "it ended without a word"}
    if "error" in reply:
        advice = [*filter(None, [reply.get("help")]), f"Its log is {folder / _LOG}."]
        raise LabError(f"the lab did not start: {reply['error']}", "\n".join(advice))
    return reply


def _become_daemon(folder: Path) -> None:
    os.setsid()
    log = os.open(folder / _LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)


def _run_daemon(main: Callable[[Ready], None], writer: int) -> None:
    """Run to the end and leave without the parent's clean-up handlers."""
    told = False

    def ready(status: dict[str, Any]) -> None:
        nonlocal told
        told = True
        os.write(writer, json.dumps(status).encode() + b"\n")
        os.close(writer)

    code = 0
    try:
        main(ready)
    except BaseException as error:  # noqa: BLE001 - the last frame of a process: everything is reported
        code = 1
        if not told:
            word = {"error": str(error) or type(error).__name__, "help": getattr(error, "help", "")}
            os.write(writer, json.dumps(word).encode() + b"\n")
        with contextlib.suppress(OSError):  # the disk of the log may be what is full
            traceback.print_exc()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def stop(folder: Path) -> bool:
    """End the lab of this folder; its state stays. Return False when none was running.

    Raises:
        LabError: it does not end.
    """
    try:
        pid = int(ask(folder, {"op": "down"})["pid"])
    except LabError:
        return False
    deadline = time.monotonic() + _STOP_TIMEOUT_S
    while time.monotonic() < deadline:
        if not _is_alive(pid):
            return True
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    raise LabError(f"lab '{folder.name}' (process {pid}) did not end and was killed")


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A lab started by this very process stays a zombie until it is waited for.
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return True
