"""An open conversation with one node: a transport, a name, and errors that say which node and command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.errors import CommandError, NodeError
from provisioner.transport.base import Capability

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from provisioner.addresses import NodeName
    from provisioner.transport.base import ErrorRecord, Pipeline, Result, Transport

#: Enough for a command that answers at once, on a busy node.
PROMPT_S = 60.0

_NO_SCRIPTS = (
    "Give the connection a session configuration with a language ('configuration_name'), or put the file there in "
    "another way: one that is there already is not copied."
)


class Session:
    """Runs pipelines on one node. After a ``ConnectError`` the next ``open`` connects again."""

    def __init__(self, node: NodeName, transport: Transport) -> None:
        self.node = node
        self._transport = transport

    async def open(self) -> None:
        """Connect; does nothing when connected."""
        await self._transport.open()

    async def close(self) -> None:
        """End the conversation; never raises."""
        await self._transport.close()

    async def run(self, pipeline: Pipeline, *, timeout_s: float = PROMPT_S) -> Result:
        """Run a pipeline; non-terminating errors are in the result.

        Raises:
            CommandError: A terminating error ended it.
        """
        result = await self._transport.run(pipeline, timeout_s=timeout_s)
        if result.terminated:
            raise self._failed(pipeline, result.terminated)
        return result

    async def ask(self, pipeline: Pipeline, *, timeout_s: float = PROMPT_S) -> tuple[Any, ...]:
        """Run a pipeline whose every error counts, and return its output.

        Raises:
            CommandError: It wrote an error, terminating or not; the first one is told.
        """
        result = await self.run(pipeline, timeout_s=timeout_s)
        if result.errors:
            raise self._failed(pipeline, result.errors[0])
        return result.output

    async def copy_file(
        self, source: Path, destination: str, *, timeout_s: float, sent: Callable[[int], None]
    ) -> None:
        """Copy a file to a full path on the node; see ``Transport.copy_file``.

        Raises:
            CommandError: The node refused it.
            NodeError: This way of talking to a node copies no files.
        """
        if Capability.FILES not in self._transport.capabilities:
            raise NodeError(self.node, f"'{destination}' cannot be copied: its transport copies no files")
        result = await self._transport.copy_file(source, destination, timeout_s=timeout_s, sent=sent)
        if error := result.terminated:
            what = f"Copying a file to '{destination}'"
            refused = CommandError(self.node, what, error.message, error.error_id, error.category)
            if error.error_id == "ScriptsNotAllowed":
                refused.help = _NO_SCRIPTS
            raise refused

    def _failed(self, pipeline: Pipeline, error: ErrorRecord) -> CommandError:
        return CommandError(self.node, str(pipeline), error.message, error.error_id, error.category)
