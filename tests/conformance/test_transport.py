"""One suite for every transport: what ``transport.base.Transport`` promises."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from provisioner.addresses import Endpoint, NodeName
from provisioner.errors import AuthenticationError, ConnectError, TransportError, TransportTimeout
from provisioner.secrets.model import Secret
from provisioner.transport import registry
from provisioner.transport.base import SWITCH, Command, ErrorRecord, Pipeline, Record, Result, Transport
from provisioner.transport.registry import BUILT_IN
from tests.conformance.lab_node import PASSWORD, STARTED, Bench, bench
from tests.conformance.memory_transport import MemoryTransport


async def until(condition: Callable[[], object]) -> None:
    """Wait for something the other end does on its own."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - a counter has no event
            await asyncio.sleep(0.01)


@dataclass
class Subject:
    """A transport under test; ``cut`` breaks its connection."""

    transport: Transport
    cut: Callable[[], None]
    stopped: Callable[[], int]
    files: dict[str, bytes]


async def answer_in_memory(pipeline: Pipeline, stopped: list[int], cut: asyncio.Event) -> Result:
    (command,) = pipeline.commands
    value = command.parameters.get("Value")
    match command.name:
        case "Write-Value":
            return Result((True if value is SWITCH else value,))
        case "Write-Null":
            return Result((None,))
        case "Measure-Value":
            assert isinstance(value, bytes)
            return Result((len(value),))
        case "Write-Object":
            properties = {"Name": "x", "Started": STARTED, "Note": [1]}
            return Result((Record(("A.B", "System.Object"), properties, "said"),))
        case "Write-Streams":
            error = ErrorRecord("not there", "Missing,Get-It", "ObjectNotFound", "", "System.IO.IOException")
            return Result(("after all",), (error,), ("careful",), ("verbosely",))
        case "Stop-All":
            return Result(("before",), terminated=ErrorRecord("the end", "End,Stop-All", "OperationStopped"))
        case "Copy-Input":
            return Result(tuple(pipeline.input))
        case "Start-Sleep":
            try:
                await asyncio.wait_for(cut.wait(), 60)
            except asyncio.CancelledError:
                stopped.append(1)
                raise
            raise ConnectError("hv01", "memory", "cut")
    raise AssertionError(command.name)


@pytest.fixture
async def psrp() -> AsyncIterator[Bench]:
    async with bench() as found:
        yield found


@pytest.fixture(params=["memory", "psrp"])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    if request.param == "memory":
        stopped: list[int] = []
        cut = asyncio.Event()
        memory = MemoryTransport(lambda pipeline: answer_in_memory(pipeline, stopped, cut))
        yield Subject(memory, cut.set, lambda: len(stopped), memory.files)
        await memory.close()
        return
    async with bench() as found:
        node = found.node
        transport = found.transport()
        yield Subject(transport, lambda: found.fleet.cut(node.name, 0.2), lambda: node.stopped, node.files)


def test_every_built_in_transport_is_in_this_suite() -> None:
    assert set(BUILT_IN) == {"psrp"}


async def run(subject: Subject, name: str, **parameters: Any) -> Result:
    await subject.transport.open()
    return await subject.transport.run(Pipeline.of(name, **parameters))


@pytest.mark.parametrize(
    "value",
    [
        "text",
        "\N{SNOWMAN} \N{GRINNING FACE} \x00\x1b _x0041_ ' \" <&> \r\n",
        "",
        True,
        False,
        7,
        -(2**31),
        2**40,
        0.1,
        b"",
        b"\x00\xff",
        [],
        ["a", 1, None, [True]],
        {"ConfigurationData": b"\x00\x01", "force": True, "jobId": "{A}"},
        datetime(2026, 1, 2, 3, 4, 5, 600000, UTC),
    ],
    ids=repr,
)
async def test_a_value_survives_the_way_there_and_back(subject: Subject, value: Any) -> None:
    (found,) = (await run(subject, "Write-Value", Value=value)).output
    assert found == value
    assert type(found) is type(value)


async def test_a_switch_is_set(subject: Subject) -> None:
    assert (await run(subject, "Write-Value", Value=SWITCH)).output == (True,)


async def test_null_is_an_object_too(subject: Subject) -> None:
    assert (await run(subject, "Write-Null")).output == (None,)


async def test_two_megabytes_arrive_whole(subject: Subject) -> None:
    assert (await run(subject, "Measure-Value", Value=bytes(2_000_000))).output == (2_000_000,)


async def test_an_object_has_type_names_properties_and_text(subject: Subject) -> None:
    (record,) = (await run(subject, "Write-Object")).output
    assert record.type_names == ("A.B", "System.Object")
    assert dict(record.properties) == {"Name": "x", "Started": STARTED, "Note": [1]}
    assert record.text == "said"


async def test_streams_come_back_apart(subject: Subject) -> None:
    result = await run(subject, "Write-Streams")
    assert result.output == ("after all",)
    assert result.warnings == ("careful",)
    assert result.verbose == ("verbosely",)
    assert result.terminated is None
    (error,) = result.errors
    assert (error.message, error.error_id, error.category) == (
        "not there",
        "Missing,Get-It",
        "ObjectNotFound",
    )
    assert error.exception_type == "System.IO.IOException"


async def test_a_terminating_error_keeps_what_came_before_it(subject: Subject) -> None:
    result = await run(subject, "Stop-All")
    assert result.output == ("before",)
    assert result.errors == ()
    assert result.terminated is not None
    assert (result.terminated.message, result.terminated.error_id) == ("the end", "End,Stop-All")


async def test_input_reaches_the_first_command_item_by_item(subject: Subject) -> None:
    await subject.transport.open()
    pipeline = Pipeline((Command("Copy-Input"),), input=["a", 2, ["b"]])
    assert (await subject.transport.run(pipeline)).output == ("a", 2, ["b"])


@pytest.mark.parametrize("size", [0, 1, 400_000, 3_000_000])
async def test_a_file_arrives_as_it_is(subject: Subject, tmp_path: Path, size: int) -> None:
    source = tmp_path / "file"
    source.write_bytes((bytes(range(256)) * (size // 256 + 1))[:size])
    sent: list[int] = []
    await subject.transport.open()
    result = await subject.transport.copy_file(source, r"C:\a b\ü.bin", timeout_s=60, sent=sent.append)
    assert result == Result()
    assert subject.files == {r"C:\a b\ü.bin": source.read_bytes()}
    assert sent == sorted(sent)
    assert abs((sent[-1] if sent else 0) - size) <= max(2000, size // 10)
    assert (await run(subject, "Write-Value", Value=1)).output == (1,), "the conversation goes on"


async def test_what_the_node_refuses_of_a_file_is_in_the_result(subject: Subject, tmp_path: Path) -> None:
    source = tmp_path / "file"
    source.write_bytes(b"x")
    await subject.transport.open()
    result = await subject.transport.copy_file(source, r"Z:\file", timeout_s=60)
    assert result.terminated is not None
    assert result.terminated.message == "There is no drive Z."
    assert (await run(subject, "Write-Value", Value=1)).output == (1,)


async def test_a_file_that_cannot_be_read_is_not_taken_for_a_broken_connection(
    subject: Subject, tmp_path: Path
) -> None:
    await subject.transport.open()
    with pytest.raises(FileNotFoundError):
        await subject.transport.copy_file(tmp_path / "none", r"C:\file", timeout_s=60)
    assert (await run(subject, "Write-Value", Value=1)).output == (1,)


async def test_copying_before_opening_is_a_connect_error(subject: Subject, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(ConnectError):
        await subject.transport.copy_file(tmp_path / "file", r"C:\file", timeout_s=60)


async def test_psrp_says_so_where_no_scripts_run(psrp: Bench, tmp_path: Path) -> None:
    psrp.node.runs_scripts = False
    source = tmp_path / "file"
    source.write_bytes(bytes(5_000_000))
    transport = psrp.transport()
    await transport.open()
    sent: list[int] = []
    result = await transport.copy_file(source, r"C:\file", timeout_s=60, sent=sent.append)
    assert sent == [], "five megabytes were not sent to be refused"
    assert result.terminated is not None
    assert "runs no scripts (no-language mode)" in result.terminated.message
    assert result.terminated.error_id == "ScriptsNotAllowed"


async def test_psrp_copies_in_a_shell_that_is_gone_afterwards(psrp: Bench, tmp_path: Path) -> None:
    source = tmp_path / "file"
    source.write_bytes(bytes(100_000))
    transport = psrp.transport()
    await transport.open()
    await transport.copy_file(source, r"C:\file", timeout_s=60)
    assert psrp.counters["shells_open"] == 1
    await transport.close()
    assert (psrp.counters["shells_open"], workers()) == (0, [])


async def test_psrp_stops_in_the_middle_of_a_file(psrp: Bench, tmp_path: Path) -> None:
    source = tmp_path / "file"
    source.write_bytes(bytes(40_000_000))
    transport = psrp.transport()
    await transport.open()
    begun = asyncio.Event()
    copying = transport.copy_file(source, r"C:\file", timeout_s=60, sent=lambda _: begun.set())
    task = asyncio.create_task(copying)
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert r"C:\file" not in psrp.node.files or psrp.node.files[r"C:\file"] == b""
    await transport.close()
    assert (psrp.counters["shells_open"], workers()) == (0, [])


async def test_open_and_close_may_be_repeated(subject: Subject) -> None:
    for _ in range(2):
        await subject.transport.open()
        assert (await run(subject, "Write-Value", Value=1)).output == (1,)
        await subject.transport.close()
        await subject.transport.close()


async def test_many_runs_share_one_conversation(subject: Subject) -> None:
    for number in range(20):
        assert (await run(subject, "Write-Value", Value=number)).output == (number,)


async def test_running_before_opening_is_a_connect_error(subject: Subject) -> None:
    with pytest.raises(ConnectError):
        await subject.transport.run(Pipeline.of("Write-Value", Value=1))


async def test_a_cancelled_run_stops_the_remote_pipeline_and_the_transport_goes_on(subject: Subject) -> None:
    await subject.transport.open()
    task = asyncio.create_task(subject.transport.run(Pipeline.of("Start-Sleep")))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(subject.stopped)
    assert (await run(subject, "Write-Value", Value=1)).output == (1,)


async def test_a_run_out_of_time_is_a_timeout_and_is_stopped_remotely(subject: Subject) -> None:
    await subject.transport.open()
    with pytest.raises(TransportTimeout):
        await subject.transport.run(Pipeline.of("Start-Sleep"), timeout_s=0.2)
    await until(subject.stopped)
    await subject.transport.open()
    assert (await run(subject, "Write-Value", Value=1)).output == (1,)


async def test_a_broken_connection_is_a_connect_error_and_open_connects_again(subject: Subject) -> None:
    await subject.transport.open()
    task = asyncio.create_task(subject.transport.run(Pipeline.of("Start-Sleep")))
    await asyncio.sleep(0.2)
    subject.cut()
    with pytest.raises(ConnectError):
        await task
    await asyncio.sleep(0.4)
    assert (await run(subject, "Write-Value", Value=1)).output == (1,)


def workers() -> list[str]:
    """Name the threads of transports: each has a worker of its own. Other tests may have threads too."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("psrp-")]


async def test_psrp_leaves_no_shell_and_no_thread(psrp: Bench) -> None:
    transport = psrp.transport()
    await transport.open()
    assert psrp.counters["shells_open"] == 1
    await transport.close()
    assert psrp.counters["shells_open"] == 0
    assert workers() == []


async def test_psrp_removes_the_shell_of_a_broken_connection_when_it_opens_again(psrp: Bench) -> None:
    transport = psrp.transport()
    await transport.open()
    psrp.fleet.cut("hv01")
    psrp.fleet.restore("hv01")
    await asyncio.sleep(0.05)
    with pytest.raises(ConnectError):
        await transport.run(Pipeline.of("Write-Value", Value=1))
    assert psrp.counters["shells_open"] == 1
    await transport.open()
    assert psrp.counters["shells_open"] == 1
    await transport.close()
    assert psrp.counters["shells_open"] == 0


async def test_psrp_removes_the_shell_of_a_broken_connection_when_it_closes(psrp: Bench) -> None:
    transport = psrp.transport()
    await transport.open()
    psrp.fleet.cut("hv01")
    with pytest.raises(ConnectError):
        await transport.run(Pipeline.of("Write-Value", Value=1))
    psrp.fleet.restore("hv01")
    await asyncio.sleep(0.05)
    await transport.close()
    assert psrp.counters["shells_open"] == 0
    assert workers() == []


async def test_psrp_closes_quietly_when_the_node_is_gone(psrp: Bench) -> None:
    transport = psrp.transport()
    await transport.open()
    psrp.fleet.cut("hv01")
    await transport.close()
    assert workers() == []


async def test_psrp_cancelled_in_mid_run_leaves_no_shell_after_close(psrp: Bench) -> None:
    transport = psrp.transport()
    await transport.open()
    task = asyncio.create_task(transport.run(Pipeline.of("Start-Sleep")))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await transport.close()
    assert (psrp.counters["shells_open"], psrp.node.stopped, workers()) == (0, 1, [])


async def test_psrp_tells_a_wrong_password(psrp: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    transport = psrp.transport("Wrong-canary")
    with pytest.raises(AuthenticationError, match="refuses the user name or the password") as raised:
        await transport.open()
    assert "(user '" in str(raised.value)
    assert "canary" not in f"{raised.value!r} {raised.value} {raised.value.help}"
    assert psrp.counters["shells_open"] == 0
    assert workers() == []


async def test_psrp_tells_that_nothing_listens(psrp: Bench) -> None:
    psrp.fleet.cut("hv01")
    with pytest.raises(ConnectError, match="nothing listens there") as raised:
        await psrp.transport().open()
    assert raised.value.help
    assert workers() == []


async def test_psrp_writes_no_secret_and_no_content_to_any_log(
    psrp: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    transport = psrp.transport()
    await transport.open()
    await transport.run(Pipeline.of("Write-Value", Value="canary-in-a-parameter"))
    psrp.fleet.cut("hv01")
    with pytest.raises(TransportError):
        await transport.run(Pipeline.of("Write-Value", Value=1))
    await transport.close()
    assert PASSWORD not in caplog.text
    assert "canary" not in caplog.text


async def test_psrp_asks_little_of_the_wire(psrp: Bench) -> None:
    """Three requests for NTLM, Create, two Receives until the pool is open, Command, Receive, Delete."""
    transport = psrp.transport()
    await transport.open()
    await transport.run(Pipeline.of("Write-Value", Value=1))
    await transport.close()
    assert psrp.counters["requests"] <= 9


async def test_psrp_gives_up_a_node_that_listens_and_says_nothing() -> None:
    with socket.create_server(("127.83.1.2", 0)) as mute:
        endpoint = Endpoint("127.83.1.2", mute.getsockname()[1])
        transport = registry.create(
            "psrp", NodeName("hv01"), endpoint, "admin", Secret("x"), connect_timeout_s=5
        )
        task = asyncio.create_task(transport.open())
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert workers() == []
        await transport.close()
        assert workers() == []


async def test_psrp_does_not_talk_to_a_node_whose_certificate_is_not_trusted(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path, "127.83.1.3"))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read())
        writer.close()

    received: list[bytes] = []
    server = await asyncio.start_server(serve, "127.83.1.3", 0, ssl=context)
    async with server:
        endpoint = Endpoint("127.83.1.3", server.sockets[0].getsockname()[1], tls=True)
        transport = registry.create(
            "psrp", NodeName("hv01"), endpoint, "admin", Secret("x"), connect_timeout_s=5
        )
        with pytest.raises(ConnectError, match="its certificate is not trusted: self-signed") as raised:
            await transport.open()
        await transport.close()
    assert "issuer is trusted" in raised.value.help
    assert b"".join(received) == b""


def self_signed(folder: Path, address: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, address)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "node.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path
