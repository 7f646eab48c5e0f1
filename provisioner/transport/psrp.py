"""PowerShell remoting over WSMan: the async face of one blocking conversation.

Each open transport owns one worker thread and no other; ``close`` ends it. The event loop makes the first
connection attempt itself, so that waiting for a dead node can be cancelled at once.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from provisioner.addresses import Logon
from provisioner.errors import AuthenticationError, ConnectError, TransportError, TransportTimeout
from provisioner.transport.base import Capability, Pipeline, Result
from provisioner.transport.logon import Way, choose
from provisioner.transport.psrp_conversation import Conversation, Expired, Limit, Stopped
from provisioner.transport.psrp_errors import translate, unusable_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from provisioner.addresses import Endpoint, NodeName
    from provisioner.secrets.model import Secret
    from provisioner.transport.base import Sent

T = TypeVar("T")

#: Longest time for authentication and the runspace pool together; a cold node needs a few seconds.
_OPEN_LIMIT_S = 60.0
#: How long the worker may take beyond its own limit, then its connection is broken from outside.
_GRACE_S = 5.0
#: Longest wait for a remote pipeline to stop when the caller cancels, and for the farewell.
_STOP_S = 3.0
#: Longest wait for a worker to notice that its connection was broken from outside.
_ABORT_S = 1.0


class PsrpTransport:
    """``transport.base.Transport`` on pypsrp. The password is revealed once per ``open``."""

    capabilities: frozenset[Capability] = frozenset(
        {Capability.COMMANDS, Capability.STREAMS, Capability.FILES}
    )

    def __init__(  # noqa: PLR0913 - one parameter per connection setting of the inventory
        self,
        node: NodeName,
        endpoint: Endpoint,
        user: str,
        password: Secret | None,
        *,
        connect_timeout_s: float = 10.0,
        logon: Logon | None = None,
    ) -> None:
        self._node = node
        self._endpoint = endpoint
        self._user = user
        self._password = password
        self._connect_timeout_s = connect_timeout_s
        self._logon = logon or Logon()
        self._way: Way | None = None
        self._conversation: Conversation | None = None
        self._worker: ThreadPoolExecutor | None = None
        self._work: asyncio.Future[Any] | None = None
        self._left_shells: list[str] = []

    def __repr__(self) -> str:
        return f"PsrpTransport({self._node!r}, {str(self._endpoint)!r})"

    async def open(self) -> None:
        """See ``Transport.open``."""
        if self._conversation is not None:
            return
        try:
            await self._reach()
            conversation = await self._new_conversation()
            left = tuple(self._left_shells)
            await self._call(
                conversation, lambda limit: conversation.open(limit, left), timeout_s=_OPEN_LIMIT_S
            )
        except BaseException:
            self._end_worker()
            raise
        self._left_shells.clear()
        self._conversation = conversation

    async def run(self, pipeline: Pipeline, *, timeout_s: float = 60.0) -> Result:
        """See ``Transport.run``. A pipeline that is out of time is stopped on the node."""
        conversation = self._conversation
        if conversation is None:
            raise self._error(ConnectError, "the connection is not open")
        return await self._call(conversation, partial(conversation.run, pipeline), timeout_s=timeout_s)

    async def copy_file(
        self, source: Path, destination: str, *, timeout_s: float, sent: Sent | None = None
    ) -> Result:
        """See ``Transport.copy_file``. It goes through a shell of its own, over the same connection."""
        conversation = self._conversation
        if conversation is None:
            raise self._error(ConnectError, "the connection is not open")
        # From the library an OSError means a broken connection; this one has to be told before.
        source.open("rb").close()
        loop = asyncio.get_running_loop()

        def tell(size: int) -> None:
            if sent is not None:
                loop.call_soon_threadsafe(sent, size)

        copy = partial(conversation.copy_file, str(source), destination, tell)
        return await self._call(conversation, copy, timeout_s=timeout_s)

    async def close(self) -> None:
        """See ``Transport.close``. Shells of lost connections are removed too, where the node answers."""
        conversation, self._conversation = self._conversation, None
        left, self._left_shells = self._left_shells, []
        try:
            if conversation is not None:
                await self._farewell(conversation, conversation.close)
            if left:
                await self._reach()
                cleaner = await self._new_conversation()
                await self._farewell(cleaner, partial(cleaner.remove_shells, left))
        except TransportError:
            pass  # the node removes an idle shell by itself
        finally:
            self._end_worker()

    async def _new_conversation(self) -> Conversation:
        """Choose how to log on, in the worker: a cache of tickets may be slow. Raises errors of ours."""
        password = self._password
        make = partial(choose, self._node, self._endpoint, self._user, password, self._logon)
        way = self._way = await asyncio.get_running_loop().run_in_executor(self._hired(), make)
        revealed = password.reveal() if password is not None else None
        try:
            return Conversation(self._endpoint, way, revealed, self._logon, self._connect_timeout_s)
        except OSError as error:
            raise unusable_file(error, self._node, str(self._endpoint)) from None

    async def _reach(self) -> None:
        """Find out whether anything listens, without a thread that could hang on a dead node."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                look_up = partial(
                    socket.getaddrinfo, self._endpoint.host, self._endpoint.port, type=socket.SOCK_STREAM
                )
                addresses = await loop.run_in_executor(self._hired(), look_up)
                for position, (family, kind, protocol, _, address) in enumerate(addresses, start=1):
                    with socket.socket(family, kind, protocol) as probe:
                        probe.setblocking(False)
                        try:
                            await loop.sock_connect(probe, address)
                        except OSError:
                            if position == len(addresses):
                                raise
                        else:
                            return
        except TimeoutError:
            raise self._error(ConnectError, f"no answer within {self._connect_timeout_s:g} s") from None
        except OSError as error:
            raise translate(error, self._node, str(self._endpoint), was_open=False) from None

    async def _call(self, conversation: Conversation, work: Callable[[Limit], T], *, timeout_s: float) -> T:
        """Run ``work`` in the worker; whatever happens, the worker is free or gone afterwards."""
        stop = threading.Event()
        was_open = conversation.is_open
        future = self._submit(lambda: work(Limit(stop, timeout_s)))
        try:
            await asyncio.wait({future}, timeout=timeout_s + _GRACE_S)
        except asyncio.CancelledError:
            stop.set()
            await self._settle(conversation, future)
            raise
        if not future.done():
            stop.set()
            await self._settle(conversation, future)
            raise self._error(TransportTimeout, f"no answer within {timeout_s:g} s")
        try:
            return future.result()
        except Expired:
            raise self._error(TransportTimeout, f"not finished within {timeout_s:g} s") from None
        except Exception as error:  # noqa: BLE001 - the contract: nothing but errors of ours
            ours = translate(error, self._node, str(self._endpoint), was_open=was_open)
            # Who was refused has left nothing on the node; looking for it would count as one more wrong password.
            self._lose(conversation, may_have_shell=not isinstance(ours, AuthenticationError))
            raise self._named(ours) from None

    def _named(self, error: TransportError) -> TransportError:
        """Say which user was refused, and how it was tried; the inventory may give both far from the node."""
        if not isinstance(error, AuthenticationError):
            return error
        tried = f", {self._way.auth}" if self._way else ""
        who = f"user '{self._user}'" if self._user else "whose ticket or certificate this is"
        reason = f"{error.reason} ({who}{tried})"
        return AuthenticationError(error.node, error.endpoint, reason, error.help)

    async def _settle(self, conversation: Conversation, future: asyncio.Future[T]) -> None:
        """Wait for a worker that was asked to stop; break its connection when it does not.

        Who is cancelled once more while waiting has no patience left: the connection is broken at once, and so is
        that of anybody who would say goodbye over it.
        """
        try:
            # While opening there is no pipeline to stop; a shell made meanwhile is removed later.
            await asyncio.wait({future}, timeout=_STOP_S if conversation.is_open else _ABORT_S)
        except asyncio.CancelledError:
            conversation.abort()
            self._lose(conversation)
            raise
        if not future.done():
            conversation.abort()
        if not future.done():
            await asyncio.wait({future}, timeout=_ABORT_S)
        kept = future.done() and isinstance(future.exception(), Stopped | Expired | None)
        if not kept or self._conversation is None:
            self._lose(conversation)

    async def _farewell(self, conversation: Conversation, work: Callable[[], None]) -> None:
        future = self._submit(work)
        try:
            await asyncio.wait({future}, timeout=_STOP_S * 2)
        finally:
            if not future.done():
                conversation.abort()

    def _submit(self, work: Callable[[], T]) -> asyncio.Future[T]:
        future = asyncio.get_running_loop().run_in_executor(self._hired(), work)
        # Nobody may be left to ask for the outcome; asyncio would complain about that.
        future.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        self._work = future
        return future

    def _hired(self) -> ThreadPoolExecutor:
        if self._worker is None:
            self._worker = ThreadPoolExecutor(1, thread_name_prefix=f"psrp-{self._node}")
        return self._worker

    def _lose(self, conversation: Conversation, *, may_have_shell: bool = True) -> None:
        if conversation.left_shell and may_have_shell:
            self._left_shells.append(conversation.left_shell)
        conversation.discard()
        if self._conversation is conversation:
            self._conversation = None
        self._end_worker()

    def _end_worker(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            # A worker that still hangs is not waited for: its connection is broken or about to time out.
            is_idle = self._work is None or self._work.done()
            worker.shutdown(wait=is_idle, cancel_futures=True)

    def _error(self, kind: type[TransportError], reason: str) -> TransportError:
        return kind(self._node, str(self._endpoint), reason)
