"""Builders for LCM tests: documents as text, fake resources that do as they are told, a node to run them on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from provisioner.lab.lcm.host import Behaved, LcmOptions, Misbehaviour
from provisioner.lab.lcm.lcm import Lcm
from provisioner.lab.lcm.store import Store
from provisioner.lab.machine.machine import Machine
from provisioner.lab.machine.powershell import modules
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.spec import NodeSpec
from tests.unit.lab.waiting import until

HEADER = 'instance of OMI_ConfigurationDocument { Version = "2.0.0"; MinimumCompatibleVersion = "1.0.0"; Name = "n"; };\n'
JOB = "{11111111-2222-3333-4444-5555555555AA}"
MODULE = 'ModuleName = "PSDscResources"; ModuleVersion = "2.12.0.0";'
#: Fake is a module the catalogue has no facts about: its classes take any property.
MODULES = (("PSDscResources", "2.12.0.0"), ("Fake", "1.0"))


def service(name: str, more: str = "", resource_id: str | None = None) -> str:
    return (
        f'instance of MSFT_ServiceResource {{ ResourceID = "{resource_id or "[Service]" + name}"; {MODULE} '
        f'Name = "{name}"; {more} }};\n'
    )


def fake(name: str, more: str = "") -> str:
    """A resource whose first letters say what it does, see ``FakeResource``."""
    return (
        f'instance of Fake {{ ResourceID = "[Fake]{name}"; ModuleName = "Fake"; ModuleVersion = "1.0"; '
        f'SourceInfo = "f.yaml::1::2::Fake"; ConfigurationName = "n"; Name = "{name}"; {more} }};\n'
    )


def depends_on(*names: str) -> str:
    return "DependsOn = {" + ", ".join(f'"[Fake]{name}"' for name in names) + "};"


def document(*instances: str) -> bytes:
    return ("".join(instances) + HEADER).encode("utf-16")


def meta(body: str) -> bytes:
    return ("instance of MSFT_DSCMetaConfiguration { " + body + " };\n" + HEADER).encode()


class FakeResource:
    """Does what its name begins with.

    S: Test is false, Set works. ok: in its desired state. F: Set throws. T: Test throws. r: Set asks for a restart;
    after it, or after one boot, the resource is in its desired state. Fr: asks for a restart and throws. N: writes a
    non-terminating error. flag: Test asks for a restart. odd: Test gives no Boolean. bug: Set fails in the lab itself. slow: Set waits.
    """

    class_name = "Fake"
    module = "Fake"

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.settled: set[str] = set()
        self.gate = asyncio.Event()

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        return {"Name": properties["Name"], "IsThere": properties["Name"] in self.settled}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        name = properties["Name"]
        self.calls.append(f"test {name}")
        context.verbose(f"testing {name}")
        if name.startswith("T"):
            raise ResourceError("no test today", "BadTest", "InvalidOperation")
        if name.startswith("odd"):
            return "True"  # type: ignore[return-value]  # what a careless module gives
        if "flag" in name:
            context.reboot_requested = True
        return name in self.settled or name.startswith("ok")

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        name = properties["Name"]
        self.calls.append(f"set {name}")
        if name.startswith("slow"):
            await self.gate.wait()
        if name.startswith("bug"):
            raise ZeroDivisionError("oh")
        if name.startswith(("r", "Fr")):
            context.reboot_requested = True
        if name.startswith("F"):
            raise ResourceError(f"{name} went wrong", "SetFailed", "InvalidResult")
        if name.startswith("N"):
            context.nonterminating.append(ResourceError("meh", "Meh", "NotSpecified"))
        if not name.startswith("never"):
            self.settled.add(name)


class FakeNode:
    """The node around an LCM, without files or a clock that runs."""

    computer_name = "HV01"
    has_http_listener = True

    def __init__(self, options: LcmOptions | None = None, machine: Machine | None = None) -> None:
        spec = NodeSpec("hv01", "127.0.0.1", 5985, "u", b"")
        self.machine = machine or Machine.create(spec, datetime(2026, 1, 1, tzinfo=UTC))
        self.time = datetime(2026, 1, 1, tzinfo=UTC)
        self.journal: list[tuple[str, dict[str, Any]]] = []
        self.saves = 0
        self.restarts = 0
        self.resource = FakeResource()
        self.misbehaviour: Misbehaviour = Behaved()
        self.timers: list[tuple[float, Callable[[], None]]] = []
        modules.seed(self.machine.files, {name: [version] for name, version in MODULES})
        self.machine.files.settle()
        self.lcm = Lcm(self, self.find, options)
        self.lcm.on_start()

    def find(self, class_name: str, module: str) -> FakeResource | None:
        return self.resource if class_name == "Fake" else None

    def now(self) -> datetime:
        self.time += timedelta(milliseconds=10)
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    def after(self, seconds: float, callback: Callable[[], None]) -> Callable[[], None]:
        timer = (seconds, callback)
        self.timers.append(timer)
        return lambda: self.timers.remove(timer) if timer in self.timers else None

    def record(self, kind: str, **details: Any) -> None:
        self.journal.append((kind, details))

    def save(self) -> None:
        self.saves += 1

    def restart(self) -> None:
        self.restarts += 1

    def entries(self, kind: str) -> list[dict[str, Any]]:
        return [details for found, details in self.journal if found == kind]

    def boot(self) -> None:
        self.lcm.on_shutdown()
        self.machine.on_boot(self.now())
        self.lcm.on_boot()

    def stages(self) -> dict[str, bytes | None]:
        """The documents the LCM has, each by the first letter of its stage."""
        store = Store(self.machine.files)
        return {"P": store.pending, "C": store.current, "p": store.previous}

    async def push(self, data: bytes, *, force: bool = True, job_id: str = JOB) -> None:
        await self.lcm.invoke(
            "SendConfigurationApplyAsync", {"ConfigurationData": data, "force": force, "jobId": job_id}
        )

    async def idle(self) -> None:
        await until(lambda: self.lcm.state != "Busy")

    async def apply(self, data: bytes) -> None:
        await self.push(data)
        await self.idle()

    async def statuses(self) -> list[dict[str, Any]]:
        out = await self.lcm.invoke("GetConfigurationStatus", {"All": True})
        return [each.properties for each in out["configurationStatus"]]

    async def lines(self, bookmark: bytes = b"", job_id: str = JOB) -> list[dict[str, Any]]:
        out = await self.lcm.invoke(
            "GetConfigurationResultOutput", {"jobId": job_id, "resumeOutputBookmark": bookmark}
        )
        return [each.properties for each in out["output"] or ()]

    async def texts(self) -> list[str]:
        return [line["Message"] for line in await self.lines() if "Message" in line]


UNKNOWN = 'instance of Unknown { ResourceID = "[Unknown]a"; ModuleName = "Fake"; ModuleVersion = "1.0"; Name = "a"; };\n'


def names(instances: Any) -> list[str]:
    return [each.properties["InstanceName"] for each in instances or ()]
