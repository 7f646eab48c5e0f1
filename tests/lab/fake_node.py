"""A node that knows a few made-up commands, and a fleet of them in a thread, for tests of the server."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from spnego._ntlm_raw.crypto import ntowfv1

from provisioner.lab import values
from provisioner.lab.authority import CertificateFiles
from provisioner.lab.commands.base import CommandSpec, Output, Parameter
from provisioner.lab.logon import LogonSpec
from provisioner.lab.server.fleet import Fleet
from provisioner.lab.server.http import Timeouts
from provisioner.lab.values import CommandCall, ErrorRecord, TerminatingError
from provisioner.wire.settings import Quotas, ServiceSettings
from tests.networks import own_network

PASSWORD = "Quiet-Harbour-7"
USER = "provisioner"
_PORTS = itertools.count(25985)


@dataclass(eq=False)
class FakeNode:
    """As much of a simulated node as the server asks for."""

    name: str
    address: str
    port: int
    computer_name: str
    user: str = USER
    nt_hash: bytes = field(default_factory=lambda: ntowfv1(PASSWORD))
    build: str = "20348.2227"
    quotas: Quotas = field(default_factory=Quotas)
    logon: LogonSpec = field(default_factory=LogonSpec)
    endpoints: Collection[str] = ()
    https_files: CertificateFiles | None = None
    is_up: bool = True
    seen: list[tuple[tuple[CommandCall, ...], str]] = field(default_factory=list)
    inputs: list[list[Any]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    callbacks: list[Callable[[bool], None]] = field(default_factory=list)
    ahead: timedelta = timedelta(0)

    @property
    def https_port(self) -> int | None:
        return self.logon.https.port if self.logon.https else None

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def local_account(self, _name: str) -> None:
        return None

    def has_folder(self, path: str) -> bool:
        """It has them all."""
        return bool(path)

    def on_power(self, callback: Callable[[bool], None]) -> None:
        self.callbacks.append(callback)

    def power(self, *, is_up: bool) -> None:
        self.is_up = is_up
        for callback in self.callbacks:
            callback(is_up)


EVERY_VALUE: list[Any] = [
    None,
    True,
    "text <&> \u00e4\u4e2d _x000A_ \t\r\n \U0001f600",
    "",
    42,
    -7,
    2**40,
    3.25,
    1e22,
    b"\x00\x01\xff",
    datetime(2026, 3, 4, 5, 6, 7, 89000, tzinfo=UTC),
    timedelta(days=1, hours=2, seconds=3.5),
    [1, "two", None, [3]],
    {"Name": "x", "Nested": {"a": [1, 2]}},
    values.UInt8(200),
    values.UInt16(65535),
    values.UInt32(4294967295),
    values.UInt64(2**64 - 1),
    values.Int64(-(2**63)),
    values.EnumValue("System.ServiceProcess.ServiceControllerStatus", "Running", 4),
    values.PsObject(
        ("System.ServiceProcess.ServiceController", "System.Object"),
        {"Name": "W32Time", "Status": values.EnumValue("S.Status", "Running", 4), "Depends": ["a", "b"]},
        {"PSComputerName": "localhost"},
        "System.ServiceProcess.ServiceController",
    ),
]


def not_found(name: str) -> ErrorRecord:
    return ErrorRecord(
        message=f"Cannot find any service with service name '{name}'.",
        error_id="NoServiceFoundForGivenName,Microsoft.PowerShell.Commands.GetServiceCommand",
        category="ObjectNotFound",
        exception_type="Microsoft.PowerShell.Commands.ServiceCommandException",
        activity="Get-Service",
        target=name,
    )


async def run_pipeline(  # noqa: C901, PLR0912, PLR0917 - one case per made-up command
    node: FakeNode,
    calls: Sequence[CommandCall],
    input: AsyncIterator[Any],
    output: Output,
    user: str,
    endpoint: str = "",
) -> None:
    """Run made-up commands; only the first one of a pipeline counts."""
    del endpoint
    node.seen.append((tuple(calls), user))
    call = calls[0]
    if call.is_script:
        raise TerminatingError(
            ErrorRecord(
                "The syntax is not supported by this runspace. This can occur if the runspace is in no-language mode.",
                "ScriptsNotAllowed",
                "ParserError",
                "System.Management.Automation.ParseException",
                target=call.name,
            )
        )
    given = dict(call.parameters)
    match call.name:
        case "Get-Everything":
            for value in EVERY_VALUE:
                output.write(value)
        case "Get-Echo":
            output.write(given.get("Value"))
        case "Get-Length":
            output.write(len(given["Data"]))
        case "Get-Big":
            output.write("x" * int(given["Size"]))
        case "Measure-Input":
            objects = [item async for item in input]
            node.inputs.append(objects)
            output.write(len(objects))
        case "Write-Streams":
            output.verbose("a verbose text")
            output.warning("a warning")
            output.debug("a detail")
            output.information(
                values.InformationRecord(
                    "a note", "Teller", datetime(2024, 5, 17, tzinfo=UTC), "HOST\\me", "HOST", ("one",)
                )
            )
            output.progress("Working", "half done", 50)
            output.error(not_found("nosuch"))
            output.write("after the error")
        case "Stop-Everything":
            output.write("before the end")
            raise TerminatingError(not_found("fatal"))
        case "Start-Sleep":
            try:
                await asyncio.sleep(float(given["Seconds"]))
            except asyncio.CancelledError:
                node.stopped.append(call.name)
                raise
            output.write("slept")
        case "Get-Trickle":
            for number in range(int(given["Count"])):
                output.write(number)
                await asyncio.sleep(float(given.get("Pause", 0.01)))
        case "Get-Bug":
            raise RuntimeError("a bug of ours")
        case "Get-Odd":
            output.write(object())
        case _:
            raise TerminatingError(
                ErrorRecord(
                    f"The term '{call.name}' is not recognized.",
                    "CommandNotFoundException",
                    "ObjectNotFound",
                    "System.Management.Automation.CommandNotFoundException",
                    target=call.name,
                )
            )


def list_commands(node: FakeNode, patterns: Sequence[str], endpoint: str = "") -> list[CommandSpec]:
    del node, endpoint
    known = [
        CommandSpec(
            "Get-Service",
            "x:run",
            "Microsoft.PowerShell.Management",
            (Parameter("Name", "array", 0, aliases=("ServiceName",)), Parameter("Required", "switch")),
            type_name="Microsoft.PowerShell.Commands.GetServiceCommand",
        )
    ]
    return [spec for spec in known if any(p in ("*", spec.name) for p in patterns)]


class RunningFleet:
    """A fleet on a loop in a thread of its own, driven from a blocking test."""

    def __init__(
        self, count: int = 1, settings: ServiceSettings | None = None, timeouts: Timeouts | None = None
    ) -> None:
        port = next(_PORTS)
        network = own_network()
        self.nodes = [FakeNode(f"node{n}", f"{network}.{n + 1}", port, f"NODE{n}") for n in range(count)]
        self.loop = asyncio.new_event_loop()
        self.fleet = Fleet(self.nodes, run_pipeline, list_commands, settings, timeouts)
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def node(self) -> FakeNode:
        return self.nodes[0]

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self.fleet.start(), self.loop).result(10)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        asyncio.run_coroutine_threadsafe(self.fleet.stop(), self.loop).result(10)
        self._end()

    def _end(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call something of the fleet in its own loop."""

        async def inside() -> Any:
            return function(*args, **kwargs)

        return asyncio.run_coroutine_threadsafe(inside(), self.loop).result(10)

    def counters(self, name: str = "node0") -> dict[str, Any]:
        counters: dict[str, Any] = self.call(self.fleet.counters, name)
        return counters


@contextlib.contextmanager
def running_fleet(
    count: int = 1, settings: ServiceSettings | None = None, timeouts: Timeouts | None = None
) -> Iterator[RunningFleet]:
    with RunningFleet(count, settings, timeouts) as fleet:
        yield fleet
