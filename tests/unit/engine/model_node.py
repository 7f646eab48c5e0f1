"""A node small enough to kill its controller at every point: an LCM of a few rules, and time that tests own."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from provisioner.addresses import NodeName
from provisioner.engine.work import Limits, NodeWork
from provisioner.errors import ConnectError, LcmError, RemoteProtocolError
from provisioner.node.base import (
    BootState,
    ConfigurationStatus,
    JobMessage,
    JobOutput,
    MetaConfiguration,
    ResourceState,
    TestOutcome,
)
from provisioner.transport.base import ErrorRecord, Record, Result

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = {
    "ActionAfterReboot": "StopConfiguration",
    "RebootNodeIfNeeded": False,
    "ConfigurationMode": "ApplyOnly",
}


class KilledError(BaseException):
    """The controller is gone, in the middle of whatever it did."""


class FakeClock:
    """Seconds that pass only when somebody sleeps."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        until = self.time + seconds
        await asyncio.sleep(0)
        self.time = max(self.time, until)


class Trap:
    """Counts the points a controller passes and kills it at one of them."""

    def __init__(self, kill_at: int | None = None) -> None:
        self.kill_at = kill_at
        self.passed = 0

    def __call__(self) -> None:
        if self.passed == self.kill_at:
            raise KilledError
        self.passed += 1


@dataclass
class ModelResource:
    name: str
    is_done: bool = False
    asks_reboot: bool = False  #: done only after the next boot
    never_settles: bool = False  #: asks for a reboot again and again
    lies: bool = False  #: Set reports success, Test keeps saying no
    error: str = ""
    error_id: str = "ProviderOperationExecutionFailure"
    seconds: float = 3.0


@dataclass
class ModelJob:
    job_id: str
    ends: float
    status: ConfigurationStatus | None = None
    outcome: Callable[[], ConfigurationStatus] | None = None


@dataclass
class World:
    """Everything that outlives a controller."""

    clock: FakeClock = field(default_factory=FakeClock)
    resources: list[ModelResource] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=lambda: dict(SETTINGS))
    machines: tuple[str, ...] = ()
    boots: int = 1
    state: str = "Idle"
    jobs: list[ModelJob] = field(default_factory=list)
    pushes: int = 0
    meta_pushes: int = 0
    tests: int = 0
    restarts: int = 0
    down_until: float = -1.0
    goes_down_at: float | None = None
    cuts: list[tuple[float, float]] = field(default_factory=list)
    foreign_busy_until: float = -1.0
    settings_stick: bool = True
    tells_changes: bool = True
    open_sessions: int = 0
    files: dict[str, bytes] = field(default_factory=dict)  #: by folded path
    copies: int = 0
    spoils_copies: bool = False

    def tick(self) -> None:
        now = self.clock.time
        if self.goes_down_at is not None and now >= self.goes_down_at:
            self.down_until = self.goes_down_at + 30
            self.goes_down_at = None
            self._boot()
        for job in self.jobs:
            if job.outcome and now >= job.ends:
                job.status, job.outcome = job.outcome(), None

    def _boot(self) -> None:
        self.boots += 1
        for job in self.jobs:
            if job.outcome:  # the restart takes the job with it, and no record is kept
                job.outcome = None
                self.state = "PendingConfiguration"
        if self.state == "PendingReboot":
            self.state = "PendingConfiguration"
            for resource in self.resources:
                if resource.asks_reboot and not resource.never_settles and resource.error == "waits for boot":
                    resource.is_done, resource.error = True, ""

    @property
    def is_busy(self) -> bool:
        return self.clock.time < self.foreign_busy_until or any(job.outcome for job in self.jobs)

    def start(self, job_id: str) -> None:
        self.pushes += 1
        assert not any(job.job_id == job_id for job in self.jobs), "the same job was started twice"
        content = list(self.resources)
        seconds = sum(resource.seconds for resource in self.resources if not resource.is_done)
        self.jobs.append(
            ModelJob(job_id, self.clock.time + seconds, outcome=lambda: self._work(job_id, seconds, content))
        )

    def _work(self, job_id: str, seconds: float, content: list[ModelResource]) -> ConfigurationStatus:
        good: list[ResourceState] = []
        bad: list[ResourceState] = []
        asked = False
        for resource in content:
            was_done = resource.is_done
            changed = not was_done if self.tells_changes else None
            if resource.error and resource.error != "waits for boot":
                bad.append(
                    ResourceState(resource.name, False, resource.error, resource.error_id, "InvalidOperation")
                )
            elif resource.asks_reboot and not was_done:
                resource.error = "waits for boot"
                bad.append(ResourceState(resource.name, False, reboot_requested=True, changed=changed))
                asked = True
                break
            else:
                resource.is_done = not resource.lies
                good.append(ResourceState(resource.name, True, changed=changed))
        failed = any(state.error for state in bad)
        self.state = "PendingReboot" if asked else "PendingConfiguration" if failed else "Idle"
        return ConfigurationStatus(
            job_id,
            "Initial",
            "Failure" if failed else "Success",
            asked,
            None,
            seconds,
            len(content),
            tuple(good),
            tuple(bad),
        )


class ModelNode:
    """A session to a `World`; its trap springs before and after everything that reaches the node."""

    def __init__(self, name: str, world: World, trap: Trap | None = None) -> None:
        self.name = NodeName(name)
        self.world = world
        self.trap = trap or Trap()
        self.is_open = False

    async def _reach(self) -> None:
        self.trap()
        await asyncio.sleep(0)
        self.world.clock.time += 0.01
        self.world.tick()
        now = self.world.clock.time
        cut = any(start <= now < end for start, end in self.world.cuts)
        if now < self.world.down_until or cut or not self.is_open:
            self.is_open = False
            raise ConnectError(self.name, "http://node", "the connection broke")

    async def open(self) -> None:
        if not self.is_open:
            self.is_open = True
            self.world.open_sessions += 1
        await self._reach()

    async def close(self) -> None:
        if self.is_open:
            self.world.open_sessions -= 1
        self.is_open = False

    async def boot_state(self) -> BootState:
        await self._reach()
        return BootState(EPOCH + timedelta(hours=self.world.boots), self.world.boots, self.name.upper())

    async def meta_configuration(self) -> MetaConfiguration:
        await self._reach()
        state = "Busy" if self.world.is_busy else self.world.state
        return MetaConfiguration(state, "LCM is busy." if state == "Busy" else "", dict(self.world.settings))

    def _refuse_when_busy(self) -> None:
        if self.world.is_busy:
            raise LcmError(self.name, "Die Methode wird ausgeführt.", "MI RESULT 1")

    async def send_meta_configuration(self, document: bytes) -> None:
        await self._reach()
        self._refuse_when_busy()
        self.world.meta_pushes += 1
        if self.world.settings_stick:
            self.world.settings.update(SETTINGS)
        self.trap()

    async def test(self, document: bytes) -> TestOutcome:
        await self._reach()
        self._refuse_when_busy()
        self.world.tests += 1
        states = tuple(ResourceState(item.name, item.is_done) for item in self.world.resources)
        return TestOutcome(all(state.in_desired_state for state in states), states)

    async def start(self, document: bytes, job_id: str) -> None:
        await self._reach()
        self._refuse_when_busy()
        self.world.start(job_id)
        self.trap()

    async def statuses(self) -> tuple[ConfigurationStatus, ...]:
        await self._reach()
        return tuple(job.status for job in reversed(self.world.jobs) if job.status)

    async def job_exists(self, job_id: str) -> bool:
        await self._reach()
        if any(job.job_id == job_id for job in self.world.jobs):
            return True
        self._refuse_when_busy()
        return False

    async def output(self, job_id: str, bookmark: bytes | None) -> JobOutput:
        await self._reach()
        if bookmark or not self.world.resources:
            return JobOutput(bookmark=bookmark)
        name = self.world.resources[0].name
        return JobOutput((JobMessage("verbose", f"[N]: LCM:  [ Start  Set      ]  [{name}]"),), b"1")

    async def running_virtual_machines(self) -> tuple[str, ...]:
        await self._reach()
        return self.world.machines

    async def restart(self) -> None:
        await self._reach()
        self.world.restarts += 1
        if self.world.goes_down_at is None:
            self.world.goes_down_at = self.world.clock.time + 2
        self.trap()

    async def copy_file(
        self, source: Path, destination: str, *, timeout_s: float, sent: Callable[[int], None]
    ) -> None:
        await self._reach()
        content = source.read_bytes()  # noqa: ASYNC240 - a model's file is small
        sent(len(content) // 2)
        await self._reach()
        sent(len(content))
        self.world.copies += 1
        self.world.files[destination.casefold()] = b"spoilt" if self.world.spoils_copies else content
        self.trap()

    async def _join(self, read: Any, write: Any) -> Result:
        await self._reach()
        pieces = [self.world.files[path.casefold()] for path in read["LiteralPath"]]
        self.world.files[write["LiteralPath"].casefold()] = b"".join(pieces)
        self.trap()
        return Result()

    async def run(self, pipeline: Any, *, timeout_s: float = 60.0) -> Any:
        if str(pipeline) == "Get-Content | Set-Content":
            return await self._join(*(command.parameters for command in pipeline.commands))
        (command,) = pipeline.commands
        path = str(command.parameters.get("LiteralPath", "")).casefold()
        files = self.world.files
        match command.name:
            case "Get-FileHash":
                await self._reach()
                if path not in files:
                    missing = ErrorRecord("Cannot find path.", "PathNotFound", "ObjectNotFound")
                    return Result(errors=(missing,))
                digest = hashlib.sha256(files[path]).hexdigest().upper()
                return Result((Record(("FileHash",), {"Algorithm": "SHA256", "Hash": digest}),))
            case "Move-Item":
                await self._reach()
                if path not in files:
                    return Result(errors=(ErrorRecord("Cannot find path.", "PathNotFound", ""),))
                files[str(command.parameters["Destination"]).casefold()] = files.pop(path)
                self.trap()
                return Result()
            case "Remove-Item":
                await self._reach()
                named = command.parameters["LiteralPath"]
                for each in [named] if isinstance(named, str) else named:
                    files.pop(each.casefold(), None)
                return Result()
            case "New-Item":
                await self._reach()
                return Result()
        raise RemoteProtocolError(self.name, "http://node", "no pipelines here")


def work_for(node: ModelNode, *, digest: str = "d1", limits: Limits | None = None) -> NodeWork:
    names = tuple(resource.name for resource in node.world.resources)
    return NodeWork(
        node.name,
        b"document",
        digest,
        b"meta",
        SETTINGS,
        lambda: node,
        names,
        {name.casefold(): f"roles/r/role.yaml:{number}:3" for number, name in enumerate(names, 10)},
        limits or Limits(),
    )


def resources(*names: str, **changes: Any) -> list[ModelResource]:
    return [replace(ModelResource(name), **changes) for name in names]
