"""One whole simulated node whose resources do as they are told, and unmodified pypsrp that talks to its LCM."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from pypsrp.exceptions import WinRMTransportError, WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from provisioner.lab.resources import registry
from provisioner.lab.resources.base import SimulatedResource
from provisioner.lab.server.authentication.accounts import nt_hash
from provisioner.lab.server.fleet import Fleet
from provisioner.lab.simulated_node import SimulatedNode
from provisioner.lab.spec import read_node_spec
from tests.networks import own_network
from tests.unit.lab.lcm.building import FakeResource

T = TypeVar("T")
ADDRESS = f"{own_network()}.7"
USER, PASSWORD = "admin", "Sill-and-Frame-3"
NAMESPACE = "root/Microsoft/Windows/DesiredStateConfiguration"
CLASS_NAME = "MSFT_DSCLocalConfigurationManager"


class Answer(Exception):
    """The errors a method gave: (text, error id) each."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        self.errors = errors
        super().__init__(errors)

    @property
    def last(self) -> tuple[str, str]:
        return self.errors[-1]


@dataclass
class Bench:
    """A node that runs in a thread of its own."""

    node: SimulatedNode
    resource: FakeResource
    loop: asyncio.AbstractEventLoop
    pools: list[RunspacePool] = field(default_factory=list)

    def inside(self, function: Callable[[], Awaitable[T]]) -> T:
        """Run something where the node lives."""

        async def run() -> T:
            return await function()

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(20)

    def invoke(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Call a method as anybody's client does; gives its out parameters."""
        shell = self.shell(method, arguments)
        output = shell.output
        if shell.streams.error:
            raise Answer([(str(each), str(each.fq_error).partition(",")[0]) for each in shell.streams.error])
        found: dict[str, Any] = output[0].extended_properties
        return found

    def shell(self, method: str, arguments: dict[str, Any], **more: Any) -> PowerShell:
        """Call a method; gives the pipeline with all its streams."""
        shell = PowerShell(self.pool())
        shell.add_cmdlet("Invoke-CimMethod").add_parameters(
            {
                "Namespace": NAMESPACE,
                "ClassName": CLASS_NAME,
                "MethodName": method,
                "Arguments": arguments,
                **more,
            }
        )
        shell.invoke()
        return shell

    def command(self, name: str, **parameters: Any) -> list[Any]:
        """Run another command."""
        shell = PowerShell(self.pool())
        shell.add_cmdlet(name).add_parameters(parameters)
        return list(shell.invoke())

    def meta(self) -> dict[str, Any]:
        """Give the settings and the state."""
        found: dict[str, Any] = self.invoke("GetMetaConfiguration")["MetaConfiguration"].adapted_properties
        return found

    def idle(self) -> str:
        """Wait until the LCM is not busy; gives the state it rests in."""
        deadline = time.monotonic() + 20
        while (state := str(self.meta()["LCMState"])) == "Busy":
            assert time.monotonic() < deadline, "the LCM stays busy"
            time.sleep(0.02)
        return state

    def statuses(self) -> list[dict[str, Any]]:
        """Give all status records, newest first."""
        found = self.invoke("GetConfigurationStatus", All=True)["configurationStatus"]
        return [each.adapted_properties for each in found]

    def restart(self) -> None:
        """Restart the node and wait until it answers again."""
        boot = self.node.machine.boot_id
        self.command("Restart-Computer", Force=True)
        deadline = time.monotonic() + 20
        while True:
            try:
                if self.node.machine.boot_id != boot:
                    self.pools.clear()  # their shells went with the boot
                    self.meta()
                    return
            except (OSError, WSManFaultError, WinRMTransportError):
                assert time.monotonic() < deadline, "the node does not come back"
            time.sleep(0.02)

    def pool(self) -> RunspacePool:
        """Give an open session, the same one as long as it lasts."""
        if not self.pools:
            connection = WSMan(
                ADDRESS, port=self.node.port, ssl=False, auth="ntlm", username=USER, password=PASSWORD
            )
            pool = RunspacePool(connection)
            pool.open()
            self.pools.append(pool)
        return self.pools[-1]

    def forget(self) -> None:
        """Remove all documents and what the resources remember."""
        self.invoke("RemoveConfiguration", Stage=7, Force=True)
        self.resource.calls.clear()
        self.resource.settled.clear()


@contextlib.contextmanager
def running_bench(folder: Path, **more: Any) -> Iterator[Bench]:
    """Give a node; ``more`` are fields of its specification."""
    with socket.create_server((ADDRESS, 0)) as free:
        port = free.getsockname()[1]
    spec, problems = read_node_spec(
        name="hv01", address=ADDRESS, port=port, user=USER, nt_hash=nt_hash(PASSWORD), lab_trees=[]
    )
    assert not problems.has_errors
    modules = {**spec.modules, "Fake": ("1.0",)}
    resource = FakeResource()

    def find(class_name: str, module: str) -> SimulatedResource | None:
        return resource if class_name == "Fake" else registry.find(class_name, module)

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="lcm bench")
    thread.start()
    node, fleet = asyncio.run_coroutine_threadsafe(
        _started(replace(spec, modules=modules, **more), folder, find), loop
    ).result(20)
    bench = Bench(node, resource, loop)
    try:
        yield bench
    finally:
        for each in bench.pools:
            with contextlib.suppress(Exception):
                each.close()
            each.connection.close()
        asyncio.run_coroutine_threadsafe(_stopped(node, fleet), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _started(spec: Any, folder: Path, find: Any) -> tuple[SimulatedNode, Fleet]:
    node = SimulatedNode(spec, folder, time_scale=0.0, find_resource=find)
    await node.start()
    fleet = Fleet([node])
    await fleet.start()
    return node, fleet


async def _stopped(node: SimulatedNode, fleet: Fleet) -> None:
    await fleet.stop()
    await node.stop()
