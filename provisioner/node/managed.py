"""One managed node behind ``NodeApi``: its LCM, its power and its session put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.node import power
from provisioner.node.lcm import LocalConfigurationManager
from provisioner.node.session import PROMPT_S, Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from provisioner.addresses import NodeName
    from provisioner.inventory.model import Framing
    from provisioner.node.base import (
        BootState,
        ConfigurationStatus,
        JobOutput,
        MetaConfiguration,
        TestOutcome,
    )
    from provisioner.transport.base import Pipeline, Result, Transport


class ManagedNode:
    """See ``NodeApi``. ``framing`` says how documents are laid out for the LCM, or that the node is asked."""

    def __init__(self, name: NodeName, transport: Transport, framing: Framing) -> None:
        self.name = name
        self._session = Session(name, transport)
        self._lcm = LocalConfigurationManager(self._session, framing)

    async def open(self) -> None:
        """See ``NodeApi.open``."""
        await self._session.open()

    async def close(self) -> None:
        """See ``NodeApi.close``."""
        await self._session.close()

    async def boot_state(self) -> BootState:
        """See ``NodeApi.boot_state``."""
        return await power.read_boot_state(self._session)

    async def meta_configuration(self) -> MetaConfiguration:
        """See ``NodeApi.meta_configuration``."""
        return await self._lcm.meta_configuration()

    async def send_meta_configuration(self, document: bytes) -> None:
        """See ``NodeApi.send_meta_configuration``."""
        await self._lcm.send_meta_configuration(document)

    async def test(self, document: bytes) -> TestOutcome:
        """See ``NodeApi.test``."""
        return await self._lcm.test(document)

    async def start(self, document: bytes, job_id: str) -> None:
        """See ``NodeApi.start``."""
        await self._lcm.start(document, job_id)

    async def statuses(self) -> tuple[ConfigurationStatus, ...]:
        """See ``NodeApi.statuses``."""
        return await self._lcm.statuses()

    async def job_exists(self, job_id: str) -> bool:
        """See ``NodeApi.job_exists``."""
        return await self._lcm.job_exists(job_id)

    async def output(self, job_id: str, bookmark: bytes | None) -> JobOutput:
        """See ``NodeApi.output``."""
        return await self._lcm.output(job_id, bookmark)

    async def running_virtual_machines(self) -> tuple[str, ...]:
        """See ``NodeApi.running_virtual_machines``."""
        return await power.read_running_virtual_machines(self._session)

    async def restart(self) -> None:
        """See ``NodeApi.restart``."""
        await power.restart(self._session)

    async def copy_file(
        self, source: Path, destination: str, *, timeout_s: float, sent: Callable[[int], None]
    ) -> None:
        """See ``NodeApi.copy_file``."""
        await self._session.copy_file(source, destination, timeout_s=timeout_s, sent=sent)

    async def run(self, pipeline: Pipeline, *, timeout_s: float = PROMPT_S) -> Result:
        """See ``NodeApi.run``."""
        return await self._session.run(pipeline, timeout_s=timeout_s)
