"""A shell that its client leaves can be found, taken up and ended from elsewhere, by the same user only."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.shell import Process, WinRS
from pypsrp.wsman import NAMESPACES, WSMan
from spnego._ntlm_raw.crypto import ntowfv1

from provisioner.lab.logon import LogonSpec, UserSpec
from tests.lab.real_node import PASSWORD, RealNode, running_node


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealNode]:
    other = UserSpec(name="second", nt_hash=ntowfv1(PASSWORD), groups=("Administrators",))
    with running_node(tmp_path_factory.mktemp("node"), logon=LogonSpec(users=(other,))) as node:
        yield node


def _service(pool: RunspacePool, name: str) -> Any:
    shell = PowerShell(pool)
    shell.add_cmdlet("Get-Service").add_parameter("Name", name)
    (service,) = shell.invoke()
    return service.adapted_properties["ServiceName"]


def test_another_client_of_the_same_user_takes_a_session_up(real: RealNode) -> None:
    with real.wsman() as here, real.wsman() as there:
        pool = RunspacePool(here)
        pool.open()
        assert _service(pool, "WinRM") == "WinRM"
        pool.disconnect()
        (found,) = RunspacePool.get_runspace_pools(there)
        assert found.id.casefold() == pool.id.casefold()
        found.connect()
        assert _service(found, "W32Time") == "W32Time"
        found.close()
        assert RunspacePool.get_runspace_pools(here) == []


def test_another_user_does_not_even_with_the_right_id(real: RealNode) -> None:
    with real.wsman() as here, real.wsman(user="second") as there:
        pool = RunspacePool(here)
        pool.open()
        pool.disconnect()
        for found in RunspacePool.get_runspace_pools(there):
            with pytest.raises(WSManFaultError) as refused:
                found.connect()
            assert refused.value.code == 5
        pool.connect()
        pool.close()


def test_a_client_comes_back_to_its_own_session(real: RealNode) -> None:
    with real.wsman() as here:
        pool = RunspacePool(here)
        pool.open()
        pool.disconnect()
        with pytest.raises(WSManFaultError) as refused:
            pool.shell.command("x", [])
        assert refused.value.code == 2150859230
        pool.connect()
        assert _service(pool, "WinRM") == "WinRM"
        pool.close()


def test_shells_of_all_kinds_are_listed_with_their_owner(real: RealNode) -> None:

    with real.wsman() as here, WinRS(here) as shell:
        Process(shell, "ver").invoke()
        element = ET.Element("{http://schemas.xmlsoap.org/ws/2004/09/enumeration}Enumerate")
        body = here.enumerate("http://schemas.microsoft.com/wbem/wsman/1/windows/shell", element)
        (listed,) = body.iter(f"{{{NAMESPACES['rsp']}}}Shell")
        assert listed.findtext("rsp:ShellId", namespaces=NAMESPACES) == shell.id
        assert listed.findtext("rsp:Owner", namespaces=NAMESPACES) == "HV01\\provisioner"
        assert (listed.findtext("rsp:ResourceUri", namespaces=NAMESPACES) or "").endswith("/cmd")


def _taken_up(wsman: WSMan, shell: WinRS) -> WinRS:
    """Give the shell of another connection's client by its selector."""
    other = WinRS(wsman)
    other._selector_set = shell._selector_set
    return other


def test_a_process_outlives_the_connection_and_its_output_waits(real: RealNode) -> None:
    with real.wsman() as first, real.wsman() as second:
        shell = WinRS(first)
        shell.open()
        process = Process(shell, "echo one & ping -n 2 localhost & echo two")
        process.begin_invoke()
        real.call(lambda: real.fleet.cut(real.node.name))
        real.call(lambda: real.fleet.restore(real.node.name))
        again = Process(_taken_up(second, shell), "", id=process.id)
        again.end_invoke()
        assert again.stdout.startswith(b"one \r\n")
        assert again.stdout.endswith(b"two\r\n")
        assert again.rc == 0
        second.delete(shell.resource_uri, selector_set=shell._selector_set)


def test_a_reboot_ends_shells_and_what_runs_in_them(tmp_path: Path) -> None:
    with running_node(tmp_path) as node, node.wsman() as wsman:
        shell = WinRS(wsman)
        shell.open()
        back = threading.Event()
        node.call(lambda: node.node.on_power(lambda is_up: back.set() if is_up else None))
        Process(shell, "shutdown /r /t 0").invoke()
        assert back.wait(10)
        node.wait(_settled(node))
        with node.wsman() as later, pytest.raises(WSManFaultError) as gone:
            _taken_up(later, shell).command("ver", [])
        assert gone.value.code == 2150858843


async def _settled(node: RealNode) -> None:
    """Wait until the listener is open again."""
    for _ in range(100):
        try:
            _, writer = await asyncio.open_connection(node.node.address, node.node.port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
