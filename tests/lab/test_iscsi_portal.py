"""Initiators that are not ours meet the target servers of simulated nodes: libiscsi, as Debian ships it.

open-iscsi needs a kernel module that a machine of a CI does not have; libiscsi logs on from user space.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from provisioner.lab.machine.ground.iscsi import InitiatorId, Target, VirtualDisk
from provisioner.lab.machine.iscsi.portals import PORT
from provisioner.lab.machine.machine import Machine
from provisioner.lab.server.iscsi.portals import Portals
from tests.networks import own_network
from tests.unit.lab.machines import iscsi_machine

_GIB = 2**30
_INITIATOR = "iqn.2007-10.com.github:sahlberg:libiscsi:iscsi-ls"
needs_libiscsi = pytest.mark.skipif(shutil.which("iscsi-ls") is None, reason="libiscsi-bin is not installed")


class _Node:
    """As much of a node as a portal wants."""

    def __init__(self, machine: Machine) -> None:
        self.name = machine.name
        self.address = machine.address
        self.machine = machine
        self.is_up = True
        self._callbacks: list[Callable[[bool], None]] = []

    def on_power(self, callback: Callable[[bool], None]) -> None:
        self._callbacks.append(callback)

    def power(self, *, is_up: bool) -> None:
        self.is_up = is_up
        for callback in self._callbacks:
            callback(is_up)


def _target_server(*targets: Target) -> _Node:
    machine = iscsi_machine(address=f"{own_network()}.77")
    machine.iscsi.adopt(
        [
            VirtualDisk(rf"D:\iSCSI\{name}.vhdx", size * _GIB, "Dynamic")
            for name, size in (("a", 5), ("b", 7))
        ],
        list(targets),
    )
    return _Node(machine)


def _target(name: str, admits: str = "*", **fields: str) -> Target:
    luns = (r"D:\iSCSI\a.vhdx", r"D:\iSCSI\b.vhdx")
    iqn = f"iqn.1991-05.com.microsoft:node1-{name}-target"
    return Target(name, iqn, (InitiatorId("IQN", admits),), luns, **fields)  # type: ignore[arg-type]


@asynccontextmanager
async def _serving(*nodes: _Node) -> AsyncIterator[Portals]:
    portals = Portals(nodes)
    await portals.start()
    try:
        yield portals
    finally:
        await portals.stop()


async def _iscsi_ls(*arguments: str) -> tuple[int, str]:
    return await _run("iscsi-ls", *arguments)


async def _run(*command: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode or 0, output.decode()


async def _answers(node: _Node) -> bool:
    try:
        _, writer = await asyncio.open_connection(node.address, PORT)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True


@needs_libiscsi
async def test_libiscsi_discovers_the_targets_that_admit_it() -> None:
    node = _target_server(_target("t1"), _target("t2", _INITIATOR), _target("hidden", "iqn.other"))
    async with _serving(node):
        code, output = await _iscsi_ls(f"iscsi://{node.address}")
    assert code == 0, output
    portal = f"Portal:{node.address}:{PORT},1"
    assert sorted(output.splitlines()) == [
        f"Target:iqn.1991-05.com.microsoft:node1-t1-target {portal}",
        f"Target:iqn.1991-05.com.microsoft:node1-t2-target {portal}",
    ]


@needs_libiscsi
async def test_libiscsi_sees_more_targets_than_fit_into_one_answer() -> None:
    node = _target_server(*(_target(f"target-{number:03}") for number in range(200)))
    async with _serving(node):
        code, output = await _iscsi_ls(f"iscsi://{node.address}")
    assert code == 0, output
    assert len(output.splitlines()) == 200


@needs_libiscsi
async def test_libiscsi_logs_on_and_sees_the_disks() -> None:
    node = _target_server(_target("t1"))
    async with _serving(node):
        code, output = await _iscsi_ls("-s", f"iscsi://{node.address}")
    assert code == 0, output
    # It shows the place of the last block, which is a little less than the size, and drops the fraction.
    sizes = [line.split("Size:")[1].rstrip(")") for line in output.splitlines() if "Size:" in line]
    assert sizes == ["4G", "6G"], output


@needs_libiscsi
@pytest.mark.parametrize(("secret", "may_log_on"), [("secret-of-12", True), ("secret-of-13", False)])
async def test_libiscsi_needs_the_secret_of_a_target_with_chap(
    secret: str,
    may_log_on: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    node = _target_server(_target("t1", chap_user="someone", chap_secret="secret-of-12"))
    async with _serving(node):
        code, output = await _iscsi_ls("-s", f"iscsi://someone%{secret}@{node.address}")
    assert ("Size:4G" in output) is may_log_on, output
    assert (code == 0) is may_log_on, output


_BOTH_WAYS = {"chap_user": "someone", "chap_secret": "secret-of-12"}
_PROVES = {"reverse_user": "storage", "reverse_secret": "proof-of-1234"}


@needs_libiscsi
@pytest.mark.parametrize(
    ("fields", "user", "secret", "may_log_on"),
    [
        (_PROVES, "storage", "proof-of-1234", True),
        (_PROVES, "storage", "proof-of-1235", False),
        (_PROVES, "somebody", "proof-of-1234", False),
        ({}, "storage", "proof-of-1234", False),
    ],
)
async def test_libiscsi_takes_a_target_that_proves_itself_and_no_other(
    fields: dict[str, str],
    user: str,
    secret: str,
    may_log_on: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    node = _target_server(_target("t1", **_BOTH_WAYS, **fields))
    asked = f"iscsi://someone%secret-of-12@{node.address}/iqn.1991-05.com.microsoft:node1-t1-target/0"
    async with _serving(node):
        code, output = await _run("iscsi-inq", f"{asked}?target_user={user}&target_password={secret}")
    assert ("Peripheral Qualifier" in output) is may_log_on, output
    assert (code == 0) is may_log_on, output


async def test_a_portal_is_there_only_while_the_target_server_runs() -> None:
    node = _target_server(_target("t1"))
    async with _serving(node):
        assert await _answers(node)
        node.machine.services.stop("WinTarget")
        await asyncio.sleep(0.05)
        assert not await _answers(node)
        node.machine.services.start("WinTarget")
        await asyncio.sleep(0.05)
        assert await _answers(node)
        node.power(is_up=False)
        assert not await _answers(node)
        node.power(is_up=True)
        await asyncio.sleep(0.05)
        assert await _answers(node)
    assert not await _answers(node)


async def test_what_is_no_iscsi_is_hung_up_on() -> None:
    node = _target_server(_target("t1"))
    async with _serving(node):
        reader, writer = await asyncio.open_connection(node.address, PORT)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 4)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
