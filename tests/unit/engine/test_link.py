"""Questions of checks, over a connection that ends."""

from __future__ import annotations

import pytest

from provisioner.engine.link import run_again
from provisioner.engine.work import PollPolicy
from provisioner.errors import AuthenticationError, ConnectError, TransportError
from tests.unit.engine.model_node import FakeClock

CUT = ConnectError("hv01", "http://node", "the connection was broken")
REFUSED = AuthenticationError("hv01", "http://node", "refused")


class Session:
    """Open or not, as the transport is; ``endings`` are what the next runs end with."""

    def __init__(self, *endings: TransportError | str) -> None:
        self.endings = list(endings)
        self.is_open = True

    async def open(self) -> None:
        self.is_open = True

    async def close(self) -> None:
        self.is_open = False

    async def run(self, pipeline: str) -> str:
        assert self.is_open
        ending = self.endings.pop(0) if len(self.endings) > 1 else self.endings[0]
        if isinstance(ending, TransportError):
            raise ending
        return f"{pipeline}: {ending}"


async def _ask(session: Session, clock: FakeClock) -> object:
    return await run_again(session, "Get-Service", clock, PollPolicy())  # type: ignore[arg-type]  # a node's part


async def test_a_check_asks_again_over_a_new_connection() -> None:
    assert await _ask(Session(CUT, CUT, "Running"), FakeClock()) == "Get-Service: Running"


async def test_a_check_gives_up_on_a_node_that_stays_away() -> None:
    clock = FakeClock()
    with pytest.raises(ConnectError):
        await _ask(Session(CUT), clock)
    assert 5 < clock.now() < 20


async def test_a_refusal_is_not_repeated() -> None:
    session = Session(REFUSED, "never asked")
    with pytest.raises(AuthenticationError):
        await _ask(session, FakeClock())
    assert session.endings == ["never asked"]
