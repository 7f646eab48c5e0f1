"""A session that mends itself: questions to a node that survive a broken connection.

Only questions go through `Link.ask`: it may put them twice. What must not happen twice (a push, a restart) is
called on `Link.api` by whoever knows how to find out whether it happened.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from provisioner.errors import ConnectError, NodeError, TransportError, TransportTimeout
from provisioner.events import Connected, Connecting, ConnectionLost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.engine.work import ApplyOptions, Clock, NodeWork, PollPolicy, Record
    from provisioner.node.base import BootState, MetaConfiguration, NodeApi

Answer = TypeVar("Answer")

#: What a broken connection looks like: worth a new try.
BROKEN = (ConnectError, TransportTimeout)
#: First contact is tried this often: nothing has begun yet, so a fast answer is worth more than patience.
_FIRST_TRIES = 2
#: A question that breaks the connection this often in a row is not asked again.
_TRIES = 5
#: Longest wait between two tries to connect again, in seconds.
_LONGEST_S = 10.0

#: How long one question of a check waits for a connection: the checks of all nodes of its batch wait along.
_CHECK_PATIENCE_S = 15.0


async def run_again(api: NodeApi, pipeline: Any, clock: Clock, poll: PollPolicy) -> Any:
    """Run a pipeline that only asks, over a connection that may have ended meanwhile.

    A session is open for minutes before the turn of its checks comes; the node removes an idle one.

    Raises:
        ConnectError, TransportTimeout: no answer within the time a check may wait.
    """
    deadline = clock.now() + _CHECK_PATIENCE_S
    for delay in poll.delays():
        try:
            await api.open()
            return await api.run(pipeline)
        except BROKEN:
            await api.close()
            if clock.now() + delay >= deadline:
                raise
        await clock.sleep(delay)
    raise AssertionError  # the delays have no end


class Link:
    """An open session to one node. ``boot`` and ``lcm_state`` are what the node told last."""

    def __init__(self, work: NodeWork, options: ApplyOptions, record: Record) -> None:
        self._api: NodeApi | None = None
        self.lcm_state = ""
        self.boot: BootState
        self._work = work
        self._options = options
        self._record = record

    @property
    def api(self) -> NodeApi:
        """The session; made when it is first needed."""
        if self._api is None:
            self._api = self._work.connect()
        return self._api

    async def first_contact(self, patience_s: float = 0.0) -> MetaConfiguration:
        """Connect and read boot and LCM state.

        Args:
            patience_s: Keep trying that long, for a node that is known to be restarting; 0 means one more try.

        Raises:
            TransportError, NodeError: as the session raises them, after the last try.
        """
        clock = self._options.clock
        deadline = clock.now() + patience_s
        attempt, reason = 1, ""
        for delay in self._delays():
            self._record(Connecting(self._work.name, attempt, reason))
            try:
                return await self._open()
            except BROKEN as error:
                reason = error.reason
                if attempt >= _FIRST_TRIES and clock.now() >= deadline:
                    raise
            await self.api.close()
            attempt += 1
            await clock.sleep(delay)
        raise AssertionError  # the delays have no end

    async def ask(self, question: Callable[[NodeApi], Awaitable[Answer]]) -> Answer:
        """Put a question that may be put twice; connect again as often as needed.

        Raises:
            ConnectError: no connection within the time allowed; says what the LCM did last.
        """
        tries = 1
        while True:
            try:
                return await question(self.api)
            except BROKEN as error:
                await self.reconnect(error)
                if tries >= _TRIES:
                    raise
                tries += 1

    async def meta_configuration(self) -> MetaConfiguration:
        """Read the LCM's state and settings."""
        meta = await self.ask(lambda api: api.meta_configuration())
        self.lcm_state = meta.state
        return meta

    async def reconnect(self, cause: TransportError) -> None:
        """Connect again after ``cause``; the work on the node goes on meanwhile.

        Raises:
            ConnectError: the time allowed is over.
        """
        clock = self._options.clock
        limit = self._work.limits.reconnect_timeout_s
        deadline = clock.now() + limit
        self._record(ConnectionLost(self._work.name, cause.reason, self.lcm_state))
        error: TransportError | NodeError = cause
        attempt = 1
        for delay in self._delays():
            await self.api.close()
            self._record(Connecting(self._work.name, attempt, error.reason))
            try:
                await self._open()
            except (TransportError, NodeError) as another:  # a node that is just starting answers all sorts
                error = another
            else:
                return
            if clock.now() + delay > deadline:
                break
            attempt += 1
            await clock.sleep(delay)
        raise ConnectError(
            self._work.name,
            cause.endpoint,
            f"the connection was lost and did not come back within {limit:g} s ({error.reason}); "
            f"the last known LCM state is {self.lcm_state or 'unknown'}",
            help="What the LCM has begun goes on without us. Run the same command again when the node answers.",
        )

    async def close(self) -> None:
        """End the session, if there is one."""
        if self._api is not None:
            await self._api.close()

    async def _open(self) -> MetaConfiguration:
        await self.api.open()
        self.boot = await self.api.boot_state()
        meta = await self.api.meta_configuration()
        self.lcm_state = meta.state
        self._record(Connected(self._work.name, self.boot.boot_time.isoformat(), meta.state))
        return meta

    def _delays(self) -> Iterator[float]:
        return (min(delay * 5, _LONGEST_S) for delay in self._options.poll.delays())
