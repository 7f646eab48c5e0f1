"""How a running lab is asked and steered: JSON lines over a Unix socket in its state folder.

One request, one answer, then the connection closes. The socket's folder is readable by its owner only.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from provisioner.errors import ProvisionerError

Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]

_LOG: Final = logging.getLogger("provisioner.lab")
_SOCKET = "control.sock"
_LONGEST_REQUEST = 1 << 16


class LabError(ProvisionerError):
    """A lab cannot be started, found or asked."""

    def __init__(self, message: str, help: str = "") -> None:
        self.help = help
        super().__init__(message)


@contextmanager
def _short_path(folder: Path) -> Iterator[str]:
    """Give the socket's path through an open folder: a Unix socket path may have only 107 bytes."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{_SOCKET}"
    finally:
        os.close(descriptor)


async def serve(folder: Path, handler: Handler) -> asyncio.Server:
    """Answer requests with ``handler`` until the server is closed."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = json.loads(await reader.readline())
            reply = await handler(request)
        except LabError as error:
            reply = {"error": str(error), "help": error.help}
        except Exception as error:  # noqa: BLE001 - whatever is asked, the lab goes on
            _LOG.exception("a request to the lab failed")
            reply = {"error": f"{type(error).__name__}: {error}"}
        writer.write(json.dumps(reply).encode() + b"\n")
        await writer.drain()
        writer.close()

    (folder / _SOCKET).unlink(missing_ok=True)
    with _short_path(folder) as path:
        return await asyncio.start_unix_server(answer, path, limit=_LONGEST_REQUEST)


def ask(folder: Path, request: dict[str, Any], timeout_s: float = 10.0) -> dict[str, Any]:
    """Send one request to the lab whose state lies in ``folder``.

    Raises:
        LabError: nothing answers there, or the lab refused.
    """
    try:
        with _short_path(folder) as path, socket.socket(socket.AF_UNIX) as line:
            line.settimeout(timeout_s)
            line.connect(path)
            line.sendall(json.dumps(request).encode() + b"\n")
            text = b"".join(iter(lambda: line.recv(_LONGEST_REQUEST), b""))
        reply: dict[str, Any] = json.loads(text)
    except (ConnectionRefusedError, FileNotFoundError) as error:
        advice = "What its nodes are is kept: 'provision lab up' goes on with it."
        raise LabError(f"lab '{folder.name}' is not running", advice) from error
    except (OSError, ValueError) as error:
        raise LabError(f"no lab answers in {folder}: {error}") from error
    if "error" in reply:
        raise LabError(reply["error"], reply.get("help", ""))
    return reply
