"""The SSH server of one node, as OpenSSH for Windows: passwords and keys of its accounts, commands by cmd.exe.

paramiko has a thread for each connection; accounts and programs belong to the loop, so what they are asked for
goes there. Each running command has two threads more, one for each direction. Only ``exec`` is there: no terminal,
no interactive shell, no subsystem.

Source: RFC 4252, RFC 4254; the default shell of OpenSSH for Windows.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import socket
import struct
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
)

from provisioner.lab.logon import LogonSpec
from provisioner.lab.processes.base import UTF8_CODEPAGE, NoSuchProgramError, ProcessCall
from provisioner.lab.server.authentication.accounts import Accounts, bare_name
from provisioner.lab.server.authentication.model import Identity, LogonFailure
from provisioner.lab.server.processes import RunProcess

_LOG: Final = logging.getLogger("provisioner.lab")
_VERSION: Final = "SSH-2.0-OpenSSH_for_Windows_8.1"
_RESET: Final = struct.pack("ii", 1, 0)
_BACKLOG: Final = 32
_CHUNK_BYTES: Final = 32768
#: How long the loop may take to answer a thread.
_ANSWER_S: Final = 10.0
#: The client must hear that its command was taken before it hears that it has ended.
_REPLY_FIRST_S: Final = 0.02
_EXIT_NOT_FOUND: Final = 1

T = TypeVar("T")

logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


class SshNode(Protocol):
    """What the server asks of its node. ``ssh_host_key`` is a file, made when it is not there."""

    name: str
    address: str
    logon: LogonSpec
    ssh_host_key: Path


class SshServer:
    """One node's server. To be used from the loop; ``listen`` and ``close`` as the node comes and goes."""

    def __init__(self, node: SshNode, accounts: Accounts, run_process: RunProcess) -> None:
        self._node = node
        self._accounts = accounts
        self._run_process = run_process
        self._connections: set[_Connection] = set()
        self._listening: socket.socket | None = None
        self._key: paramiko.PKey | None = None

    def listen(self, port: int) -> None:
        """Begin to take connections.

        Raises:
            OSError: The port is taken.
        """
        raw = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            raw.setblocking(False)
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            raw.bind((self._node.address, port))
            raw.listen(_BACKLOG)
        except OSError:
            raw.close()
            raise
        self._listening = raw
        asyncio.get_running_loop().add_reader(raw, self._accept, raw)

    def close(self) -> None:
        """Take no more connections and reset those there are."""
        if self._listening is not None:
            asyncio.get_running_loop().remove_reader(self._listening)
            self._listening.close()
            self._listening = None
        for connection in list(self._connections):
            connection.abort()
        self._connections.clear()

    def _accept(self, raw: socket.socket) -> None:
        try:
            client, _ = raw.accept()
        except OSError:
            return
        client.setblocking(True)
        connection = _Connection(client, self, asyncio.get_running_loop())
        self._connections.add(connection)
        connection.start(self._host_key())

    def _host_key(self) -> paramiko.PKey:
        if self._key is None:
            path = self._node.ssh_host_key
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                made = paramiko.ECDSAKey.generate()
                made.write_private_key_file(str(path))
                public = f"{made.get_name()} {made.get_base64()} {self._node.name}\n"
                path.with_suffix(".pub").write_text(public, encoding="ascii")
            self._key = paramiko.ECDSAKey.from_private_key_file(str(path))
        return self._key

    async def log_on(self, name: str, password: str) -> Identity:
        """Check a password; see ``Accounts``."""
        return self._accounts.log_on_with_password(name, password)

    async def log_on_with_key(self, name: str, key: str) -> Identity:
        """Check whether a key, type and base64, is one of an account.

        Raises:
            LogonFailure: It is not, or the account may not log on.
        """
        user = self._accounts.find(bare_name(name))
        lines = user.ssh_keys.splitlines() if user else ()
        if user is None or key not in {" ".join(line.split()[:2]) for line in lines}:
            raise LogonFailure("no such key")
        return self._accounts.identify(user)

    async def run(self, connection: _Connection, channel: paramiko.Channel, line: str) -> None:
        """Run a command line through cmd.exe, to its end or that of the connection."""
        pipes = _Pipes(channel, asyncio.get_running_loop())
        await asyncio.sleep(_REPLY_FIRST_S)
        task = asyncio.current_task()
        assert task is not None
        pipes.start(task.cancel)
        call = ProcessCall(line, (), True, pipes.stdin(), user=connection.principal, codepage=UTF8_CODEPAGE)
        exit_code = _EXIT_NOT_FOUND
        try:
            exit_code = await self._run_process(self._node, call, pipes)
        except NoSuchProgramError:
            pass
        except asyncio.CancelledError:
            return
        except Exception:  # noqa: BLE001 - logged; the node lives on
            _LOG.exception("a process on %s failed: this is a bug in the lab", self._node.name)
        finally:
            pipes.finish(exit_code)


class _Connection(paramiko.ServerInterface):
    """One connection. Its methods are called in a thread of paramiko's."""

    def __init__(self, raw: socket.socket, server: SshServer, loop: asyncio.AbstractEventLoop) -> None:
        self._raw = raw
        self._server = server
        self._loop = loop
        self._transport: paramiko.Transport | None = None
        self.principal = ""

    def start(self, key: paramiko.PKey) -> None:
        """Begin to speak; returns at once."""
        self._transport = paramiko.Transport(self._raw)
        self._transport.daemon = True
        self._transport.local_version = _VERSION
        self._transport.add_server_key(key)
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
            self._transport.start_server(threading.Event(), server=self)

    def abort(self) -> None:
        """Reset the connection."""
        with contextlib.suppress(OSError):
            self._raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        if self._transport is not None:
            self._transport.close()

    def _ask(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_ANSWER_S)

    def get_allowed_auths(self, username: str) -> str:
        """See paramiko."""
        del username
        return "publickey,password"

    def check_auth_password(self, username: str, password: str) -> int:
        """See paramiko."""
        return self._admit(self._server.log_on(username, password))

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        """See paramiko, which checks the signature itself."""
        return self._admit(self._server.log_on_with_key(username, f"{key.get_name()} {key.get_base64()}"))

    def _admit(self, work: Coroutine[Any, Any, Identity]) -> int:
        try:
            self.principal = self._ask(work).principal
        except LogonFailure as failure:
            _LOG.info("SSH refused a logon: %s", failure)
            return AUTH_FAILED
        return AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        """See paramiko."""
        del chanid
        allowed = kind == "session"
        return OPEN_SUCCEEDED if allowed else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        """See paramiko."""
        work = self._server.run(self, channel, command.decode("utf-8", "replace"))
        asyncio.run_coroutine_threadsafe(work, self._loop)
        return True

    def check_channel_env_request(self, channel: paramiko.Channel, name: bytes, value: bytes) -> bool:
        """See paramiko. OpenSSH for Windows takes none either, unless told to."""
        del channel, name, value
        return False


class _Pipes:
    """What a command reads and writes, between the loop and a channel that blocks. Sees the end of either."""

    def __init__(self, channel: paramiko.Channel, loop: asyncio.AbstractEventLoop) -> None:
        self._channel = channel
        self._loop = loop
        self._given: asyncio.Queue[bytes] = asyncio.Queue()
        self._written: queue.SimpleQueue[tuple[str, bytes] | int] = queue.SimpleQueue()

    def start(self, broken: Callable[[], object]) -> None:
        """Begin to carry; ``broken`` is called in the loop when nobody is there any more to write to."""
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._write, args=(broken,), daemon=True).start()

    def stdout(self, data: bytes) -> None:
        """Write to standard output."""
        self._written.put(("stdout", data))

    def stderr(self, data: bytes) -> None:
        """Write to standard error."""
        self._written.put(("stderr", data))

    def finish(self, exit_code: int) -> None:
        """Say the exit code after all that was written, and close."""
        self._written.put(exit_code)

    async def stdin(self) -> AsyncIterator[bytes]:
        """Yield what the client sends until it ends it."""
        while data := await self._given.get():
            yield data

    def _read(self) -> None:
        data = b"-"
        while data:
            try:
                data = self._channel.recv(_CHUNK_BYTES)
            except OSError:
                data = b""
            with contextlib.suppress(RuntimeError):  # the loop may be over
                self._loop.call_soon_threadsafe(self._given.put_nowait, data)

    def _write(self, broken: Callable[[], object]) -> None:
        try:
            while not isinstance(item := self._written.get(), int):
                stream, data = item
                (self._channel.sendall if stream == "stdout" else self._channel.sendall_stderr)(data)
            self._channel.send_exit_status(item & 0xFFFFFFFF)
            self._channel.shutdown_write()
            self._channel.close()
        except (OSError, EOFError, paramiko.SSHException):
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(broken)
