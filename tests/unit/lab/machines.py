"""Small builders for machines and resource contexts in tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from provisioner.lab.machine.machine import Machine
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.spec import Durations, NodeSpec

BOOTED = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
REBOOTED = datetime(2024, 5, 1, 13, 0, tzinfo=UTC)
INSTANT = Durations(0, 0, 0, 0, 0, 0, 0, 0)


def node_spec(**fields: Any) -> NodeSpec:
    known: dict[str, Any] = {
        "name": "node1",
        "address": "127.0.0.2",
        "port": 5985,
        "user": "provisioner",
        "nt_hash": b"\0" * 16,
        "durations": INSTANT,
    }
    return NodeSpec(**{**known, **fields})


def machine(**fields: Any) -> Machine:
    return Machine.create(node_spec(**fields), BOOTED)


def hyperv_machine(**fields: Any) -> Machine:
    made = machine(**fields)
    made.features.install(["Hyper-V"], with_tools=True)
    made.on_boot(REBOOTED)
    return made


def iscsi_machine(**fields: Any) -> Machine:
    made = machine(**fields)
    made.features.install(["FS-iSCSITarget-Server"])
    made.files.make_folder(r"D:\iSCSI")
    return made


class Clock:
    """Collects the simulated seconds that were waited."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)


def context(of: Machine, clock: Clock | None = None) -> ResourceContext:
    return ResourceContext(of, (clock or Clock()).sleep)
