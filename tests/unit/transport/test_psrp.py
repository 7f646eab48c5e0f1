"""The async face: threads, cancellation and lost conversations, with the blocking half replaced."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from provisioner.addresses import Endpoint, NodeName
from provisioner.errors import ConnectError, RemoteProtocolError, TransportTimeout
from provisioner.secrets.model import Secret
from provisioner.transport import psrp
from provisioner.transport.base import Pipeline, Result
from provisioner.transport.psrp import PsrpTransport
from provisioner.transport.psrp_conversation import Limit, Stopped

PIPELINE = Pipeline.of("Get-Service")


class Scripted:
    """A conversation that does what the test says; one is made per connection."""

    made: list[Scripted]
    on_open: Callable[[Scripted], None]
    on_run: Callable[[Scripted, Limit], Result]

    def __init__(self, *_: object) -> None:
        self.is_open = False
        self.left_shell: str | None = None
        self.broken = threading.Event()
        self.said: list[Any] = []
        type(self).made.append(self)

    def open(self, limit: Limit, left_shells: Sequence[str]) -> None:
        self.left_shell = f"shell-{len(self.made)}"
        type(self).on_open(self)
        self.is_open = True
        self.said.append(("open", tuple(left_shells)))

    def run(self, pipeline: Pipeline, limit: Limit) -> Result:
        return type(self).on_run(self, limit)

    def close(self) -> None:
        self.said.append("close")

    def remove_shells(self, shells: Sequence[str]) -> None:
        self.said.append(("remove", tuple(shells)))

    def abort(self) -> None:
        self.broken.set()

    def discard(self) -> None:
        self.said.append("discard")

    def blocked(self) -> Result:
        """Be deaf like a read on a dead connection: only breaking it ends this."""
        self.broken.wait()
        raise ConnectionError

    @staticmethod
    def polling(limit: Limit) -> Result:
        """Look at the limit again and again, as the real one does."""
        while True:
            limit.check()
            threading.Event().wait(0.005)


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Scripted]]:
    class Fresh(Scripted):
        made: list[Scripted] = []  # noqa: RUF012 - one per test
        on_open = staticmethod(lambda _: None)
        on_run = staticmethod(lambda _conversation, _limit: Result(output=("done",)))

    monkeypatch.setattr(psrp, "Conversation", Fresh)
    monkeypatch.setattr(psrp, "_STOP_S", 0.2)
    monkeypatch.setattr(psrp, "_GRACE_S", 0.1)
    yield Fresh
    for conversation in Fresh.made:
        conversation.abort()


@pytest.fixture
def transport(scripted: type[Scripted]) -> Iterator[PsrpTransport]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        yield PsrpTransport(
            NodeName("n1"), Endpoint("127.0.0.1", port), "admin", Secret("canary"), connect_timeout_s=5
        )


def workers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("psrp")]


async def test_an_open_transport_has_one_thread_and_a_closed_one_none(
    transport: PsrpTransport, scripted: type[Scripted]
) -> None:
    await transport.open()
    await transport.open()
    assert (await transport.run(PIPELINE)).output == ("done",)
    assert workers() == ["psrp-n1_0"]
    await transport.close()
    await transport.close()
    assert workers() == []
    assert [conversation.said for conversation in scripted.made] == [[("open", ()), "close"]]


async def test_running_before_opening_is_refused_as_not_connected(transport: PsrpTransport) -> None:
    with pytest.raises(ConnectError, match="the connection is not open"):
        await transport.run(PIPELINE)


async def test_a_cancelled_run_waits_until_the_remote_pipeline_was_stopped(
    transport: PsrpTransport, scripted: type[Scripted]
) -> None:
    scripted.on_run = staticmethod(lambda _, limit: Scripted.polling(limit))
    await transport.open()
    task = asyncio.create_task(transport.run(PIPELINE))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not scripted.made[0].broken.is_set()
    scripted.on_run = staticmethod(lambda _conversation, _limit: Result())
    await transport.run(PIPELINE)
    await transport.close()
    assert len(scripted.made) == 1


async def test_a_cancelled_run_on_a_dead_connection_breaks_it_and_leaves_no_thread(
    transport: PsrpTransport, scripted: type[Scripted]
) -> None:
    scripted.on_run = staticmethod(lambda conversation, _: conversation.blocked())
    await transport.open()
    task = asyncio.create_task(transport.run(PIPELINE))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert workers() == []
    await transport.close()
    assert scripted.made[1].said == [("remove", ("shell-1",))]
    assert workers() == []


async def test_a_run_out_of_time_is_a_timeout_and_the_conversation_goes_on(
    transport: PsrpTransport, scripted: type[Scripted]
) -> None:
    scripted.on_run = staticmethod(lambda _, limit: Scripted.polling(limit))
    await transport.open()
    with pytest.raises(TransportTimeout, match=r"n1 .*not finished within 0.05 s"):
        await transport.run(PIPELINE, timeout_s=0.05)
    scripted.on_run = staticmethod(lambda _conversation, _limit: Result())
    await transport.run(PIPELINE)
    await transport.close()
    assert len(scripted.made) == 1


async def test_a_worker_that_ignores_its_limit_is_cut_off(
    transport: PsrpTransport, scripted: type[Scripted]
) -> None:
    scripted.on_run = staticmethod(lambda conversation, _: conversation.blocked())
    await transport.open()
    with pytest.raises(TransportTimeout, match="no answer within"):
        await transport.run(PIPELINE, timeout_s=0.05)
    assert workers() == []
    await transport.close()


async def test_after_a_broken_connection_the_next_open_removes_the_old_shell(
    transport: PsrpTransport, scripted: type[Scripted]
) -> None:
    def breaks(_conversation: Scripted, _limit: Limit) -> Result:
        raise ConnectionResetError

    scripted.on_run = staticmethod(breaks)
    await transport.open()
    with pytest.raises(ConnectError, match="the connection was broken"):
        await transport.run(PIPELINE)
    with pytest.raises(ConnectError, match="not open"):
        await transport.run(PIPELINE)
    await transport.open()
    assert [conversation.said for conversation in scripted.made] == [
        [("open", ()), "discard"],
        [("open", ("shell-1",))],
    ]
    await transport.close()


async def test_an_unexpected_exception_is_an_error_of_ours(
    transport: PsrpTransport, scripted: type[Scripted]
) -> None:
    def stumbles(_conversation: Scripted, _limit: Limit) -> Result:
        raise KeyError("canary")

    scripted.on_run = staticmethod(stumbles)
    await transport.open()
    with pytest.raises(RemoteProtocolError) as raised:
        await transport.run(PIPELINE)
    assert "canary" not in str(raised.value)
    await transport.close()


async def test_a_cancelled_open_leaves_no_thread(transport: PsrpTransport, scripted: type[Scripted]) -> None:
    def stopped(conversation: Scripted) -> None:
        conversation.broken.wait(0.1)
        raise Stopped

    scripted.on_open = staticmethod(stopped)
    task = asyncio.create_task(transport.open())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert workers() == []
    await transport.close()


async def test_closing_never_raises(
    transport: PsrpTransport, scripted: type[Scripted], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: Scripted) -> None:
        raise OSError

    monkeypatch.setattr(scripted, "close", fails)
    await transport.open()
    await transport.close()
    assert workers() == []


async def test_nothing_listening_is_told_without_a_conversation(scripted: type[Scripted]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    transport = PsrpTransport(NodeName("n1"), Endpoint("127.0.0.1", port), "admin", Secret("x"))
    with pytest.raises(ConnectError, match="nothing listens there"):
        await transport.open()
    assert scripted.made == []
    assert workers() == []


async def test_a_name_that_cannot_be_resolved_is_told(
    scripted: type[Scripted], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    transport = PsrpTransport(NodeName("n1"), Endpoint("nowhere", 5985), "admin", Secret("x"))
    with pytest.raises(ConnectError, match="the name cannot be resolved"):
        await transport.open()


async def test_a_node_that_does_not_answer_at_all_can_be_given_up_at_once(
    transport: PsrpTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silence(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", silence)
    task = asyncio.create_task(transport.open())
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert workers() == []
    transport._connect_timeout_s = 0.05
    with pytest.raises(ConnectError, match=r"no answer within 0.05 s"):
        await transport.open()


def test_the_password_is_not_in_the_representation(transport: PsrpTransport) -> None:
    assert "canary" not in repr(transport)
    assert "canary" not in str(vars(transport))
