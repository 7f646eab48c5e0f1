"""A file goes to a simulated node by the script an unmodified client sends, and is read and sent in parts."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import resource
from pathlib import Path
from typing import Any

import pytest

from provisioner.addresses import Endpoint, NodeName
from provisioner.engine.link import Link
from provisioner.engine.uploads import upload
from provisioner.engine.work import ApplyOptions, NodeWork
from provisioner.errors import CommandError
from provisioner.events import Event, FileUploaded, Uploading
from provisioner.inventory.model import Framing
from provisioner.node.managed import ManagedNode
from provisioner.roles.model import Upload
from provisioner.secrets.model import Secret
from provisioner.transport import registry
from tests.lab.labs import LabRun, running_lab

pytestmark = pytest.mark.slow

INVENTORY = """\
site: lab
connection: {transport: psrp, port: 15985, user: provisioner, password: file:.secrets/hv01}
nodes:
  hv01: {address: 127.20.0.11, roles: [windows_base]}
lab: {windows: "2022"}
"""
PLACE = r"C:\Setup\deep\payload.bin"


def send(
    run: LabRun, source: Path, digest: str, configuration_name: str = "Microsoft.PowerShell"
) -> list[Event]:
    """Have the engine upload one file to the node, as it does before a push."""
    events: list[Event] = []
    status = run.status()["hv01"]

    def connect() -> ManagedNode:
        transport = registry.create(
            "psrp",
            NodeName("hv01"),
            Endpoint(status["address"], status["port"], configuration_name=configuration_name),
            "provisioner",
            Secret(run.password("hv01")),
            connect_timeout_s=10,
        )
        return ManagedNode(NodeName("hv01"), transport, Framing.AUTO)

    work = NodeWork(NodeName("hv01"), b"", "d", b"", {}, connect)
    work = dataclasses.replace(work, uploads=(Upload(source, PLACE, digest),))
    link = Link(work, ApplyOptions(), events.append)

    async def go() -> None:
        try:
            await link.api.open()
            await upload(link, work, events.append)
        finally:
            await link.close()

    asyncio.run(go())
    return events


def seen(run: LabRun) -> dict[str, Any]:
    """What the node itself says of the place."""
    [told] = run.output_of("hv01", "provisioner", "Get-FileHash", LiteralPath=PLACE)
    [item] = run.output_of("hv01", "provisioner", "Get-Item", LiteralPath=PLACE)
    names = run.output_of("hv01", "provisioner", "Get-ChildItem", LiteralPath=r"C:\Setup\deep")
    return {
        "hash": property_of(told, "Hash").lower(),
        "size": property_of(item, "Length"),
        "files": len(names),
    }


def property_of(shown: Any, name: str) -> Any:
    return {**shown.adapted_properties, **shown.extended_properties}[name]


def test_a_file_arrives_once_and_whole(tmp_path: Path) -> None:
    source = tmp_path / "payload.bin"
    source.write_bytes(bytes(range(256)) * 12_000)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    with running_lab(tmp_path, INVENTORY) as run:
        told = send(run, source, digest)
        assert [type(event) for event in told if not isinstance(event, Uploading)] == [FileUploaded]
        assert seen(run) == {"hash": digest, "size": source.stat().st_size, "files": 1}
        assert send(run, source, digest) == []

        source.write_bytes(b"another version")
        digest = hashlib.sha256(b"another version").hexdigest()
        assert [event for event in send(run, source, digest) if isinstance(event, FileUploaded)]
        assert seen(run) == {"hash": digest, "size": 15, "files": 1}


def test_a_large_file_is_never_held_in_memory(tmp_path: Path) -> None:
    source = tmp_path / "payload.bin"
    with source.open("wb") as opened:
        for number in range(60):
            opened.write(bytes([number]) * (1 << 20))
    with source.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    with running_lab(tmp_path, INVENTORY) as run:
        small = tmp_path / "small.bin"
        small.write_bytes(bytes(2 << 20))
        send(run, small, hashlib.sha256(small.read_bytes()).hexdigest())
        before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        send(run, source, digest)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 24 << 10
        assert seen(run) == {"hash": digest, "size": 60 << 20, "files": 1}


def test_an_endpoint_without_a_language_says_what_it_lacks(tmp_path: Path) -> None:
    source = tmp_path / "payload.bin"
    source.write_bytes(b"x")
    shown = "[Get-FileHash, New-Item, Move-Item, Remove-Item, Get-CimInstance, Invoke-CimMethod]"
    endpoint = f"  endpoints: {{Narrow: {{commands: {shown}, language: no_language}}}}\n"
    text = INVENTORY.replace('lab: {windows: "2022"}\n', 'lab:\n  windows: "2022"\n' + endpoint)
    with running_lab(tmp_path, text) as run:
        with pytest.raises(CommandError) as raised:
            send(run, source, hashlib.sha256(b"x").hexdigest(), "Narrow")
        assert "runs no scripts (no-language mode), and copying a file takes one" in str(raised.value)
        assert PLACE in str(raised.value)
        assert "'configuration_name'" in raised.value.help
