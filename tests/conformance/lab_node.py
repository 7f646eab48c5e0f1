"""A node of the lab's own server for transports: real protocol on loopback, commands of this suite behind it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from provisioner.addresses import Endpoint, NodeName
from provisioner.lab.authority import CertificateFiles
from provisioner.lab.commands.base import Output
from provisioner.lab.logon import LogonSpec
from provisioner.lab.server.authentication.accounts import nt_hash
from provisioner.lab.server.fleet import Fleet
from provisioner.lab.values import CommandCall, ErrorRecord, PsObject, TerminatingError
from provisioner.secrets.model import Secret
from provisioner.transport import registry
from provisioner.transport.base import Transport
from provisioner.wire.settings import Quotas
from tests.networks import own_network

PASSWORD = "Canary-7f3a"
STARTED = datetime(2026, 1, 2, 3, 4, 5, 678900, UTC)


@dataclass
class LabNode:
    """What the lab's server asks of a node, and what the suite's commands do."""

    name: str
    address: str
    port: int
    computer_name: str = "HV01"
    user: str = "admin"
    nt_hash: bytes = field(default_factory=lambda: nt_hash(PASSWORD))
    build: str = "20348.2227"
    quotas: Quotas = field(default_factory=Quotas)
    logon: LogonSpec = field(default_factory=LogonSpec)
    https_files: CertificateFiles | None = None
    https_port: int | None = None
    endpoints: frozenset[str] = frozenset()
    is_up: bool = True
    stopped: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    runs_scripts: bool = True
    copies: int = 0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def local_account(self, _name: str) -> None:
        """Nobody makes or changes accounts here."""

    def has_folder(self, path: str) -> bool:
        """It has them all."""
        return bool(path)

    def on_power(self, callback: Callable[[bool], None]) -> None:
        """This one never reboots."""


async def run_commands(  # noqa: C901, PLR0917 - one case for each command; the form is the lab's
    node: LabNode,
    calls: Sequence[CommandCall],
    input: AsyncIterator[Any],
    output: Output,
    user: str,
    endpoint: str = "",
) -> None:
    (call,) = calls
    if call.is_script:
        await take_file(node, call, input, output)
        return
    parameters = {str(name): value for name, value in call.parameters}
    match call.name:
        case "Write-Value":
            # A switch travels as a parameter without a value; what it means is the command's affair.
            output.write(True if parameters["Value"] is None else parameters["Value"])
        case "Write-Null":
            output.write(None)
        case "Measure-Value":
            output.write(len(parameters["Value"]))
        case "Write-Object":
            output.write(
                PsObject(("A.B", "System.Object"), {"Name": "x", "Started": STARTED}, {"Note": [1]}, "said")
            )
        case "Write-Streams":
            output.verbose("verbosely")
            output.warning("careful")
            output.error(
                ErrorRecord("not there", "Missing,Get-It", "ObjectNotFound", "System.IO.IOException")
            )
            output.write("after all")
        case "Stop-All":
            output.write("before")
            raise TerminatingError(ErrorRecord("the end", "End,Stop-All", "OperationStopped"))
        case "Copy-Input":
            async for value in input:
                output.write(value)
        case "Start-Sleep":
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                node.stopped += 1
                raise


async def take_file(node: LabNode, call: CommandCall, input: AsyncIterator[Any], output: Output) -> None:
    """The one script this node knows, pypsrp's ``copy``: parts in base64, the last of them the SHA-1."""
    if not node.runs_scripts:
        text = "The syntax is not supported by this runspace. This can occur if the runspace is in no-language mode."
        raise TerminatingError(ErrorRecord(text, "ScriptsNotAllowed", "ParserError"))
    assert "GetTempFileName" in call.name
    node.copies += 1
    (_, path), _ = call.parameters
    *parts, digest = [base64.b64decode(item) async for item in input]
    content = b"".join(parts)
    assert hashlib.sha1(content).hexdigest() == digest.decode()
    if path.startswith("Z:"):
        raise TerminatingError(ErrorRecord("There is no drive Z.", "RuntimeException", "OperationStopped"))
    node.files[path] = content
    output.write(path)


class Bench:
    """One node, its server, and transports to it."""

    def __init__(self, node: LabNode, fleet: Fleet) -> None:
        self.node = node
        self.fleet = fleet
        self.transports: list[Transport] = []

    def transport(self, password: str = PASSWORD, *, connect_timeout_s: float = 5.0) -> Transport:
        endpoint = Endpoint(self.node.address, self.node.port)
        made = registry.create(
            "psrp", NodeName("hv01"), endpoint, "admin", Secret(password), connect_timeout_s=connect_timeout_s
        )
        self.transports.append(made)
        return made

    @property
    def counters(self) -> dict[str, Any]:
        return self.fleet.counters(self.node.name)


@asynccontextmanager
async def bench() -> AsyncIterator[Bench]:
    address = f"{own_network()}.1"
    with socket.create_server((address, 0)) as free:
        port = free.getsockname()[1]
    node = LabNode("hv01", address, port)
    fleet = Fleet([node], run_commands, lambda *_: [])
    await fleet.start()
    found = Bench(node, fleet)
    try:
        yield found
    finally:
        for transport in found.transports:
            await transport.close()
        await fleet.stop()
