"""shutdown.exe: restarts the node after a while, or takes that back.

Exit codes are the Win32 errors a client acts upon: 1190 a shutdown is scheduled already, 1115 one is in
progress, 1116 there is none to abort.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from provisioner.lab.processes.base import ProcessCall, ProcessOutput
    from provisioner.lab.simulated_node import SimulatedNode

_DEFAULT_DELAY_S: Final = 30
_LONGEST_DELAY_S: Final = 315360000
_INVALID: Final = 87
_MESSAGES: Final = {
    1115: "A system shutdown is in progress.(1115)\r\n",
    1116: "Unable to abort the system shutdown because no shutdown was in progress.(1116)\r\n",
    1190: "A system shutdown has already been scheduled.(1190)\r\n",
}
_WITH_VALUE: Final = frozenset({"t", "c", "d"})


@dataclass(frozen=True, slots=True)
class _Scheduled:
    """A restart to come. It is over when the node has booted since."""

    boot_id: int
    timer: asyncio.Task[None]


_SCHEDULED: Final[WeakKeyDictionary[SimulatedNode, _Scheduled]] = WeakKeyDictionary()


async def run(node: SimulatedNode, call: ProcessCall, output: ProcessOutput) -> int:
    """Schedule a restart (``/r``) or abort it (``/a``); switching off for good is not simulated."""
    options = _options(call.arguments)
    if options is None:
        output.stdout(call.encode("The lab simulates shutdown with /r, /a, /t, /c, /d and /f only.\r\n"))
        return 1
    delay = options.get("t", str(_DEFAULT_DELAY_S))
    if not delay.isascii() or not delay.isdigit() or int(delay[:10]) > _LONGEST_DELAY_S:
        output.stderr(call.encode("The parameter is incorrect.(87)\r\n"))
        return _INVALID
    code = _abort(node) if "a" in options else _schedule(node, float(delay))
    if code:
        output.stderr(call.encode(_MESSAGES[code]))
    return code


def _options(arguments: tuple[str, ...]) -> dict[str, str] | None:
    """Read the options; None when there is one that is not simulated, or neither /r nor /a."""
    found: dict[str, str] = {}
    words = list(arguments)
    while words:
        word = words.pop(0)
        name = word[1:].casefold()
        if word[:1] not in {"/", "-"} or name not in {"r", "a", "f", *_WITH_VALUE}:
            return None
        found[name] = words.pop(0) if name in _WITH_VALUE and words else ""
    return found if ("r" in found) != ("a" in found) else None


def _current(node: SimulatedNode) -> _Scheduled | None:
    scheduled = _SCHEDULED.get(node)
    return scheduled if scheduled and scheduled.boot_id == node.machine.boot_id else None


def _schedule(node: SimulatedNode, delay_s: float) -> int:
    current = _current(node)
    if current is not None and not current.timer.cancelled():
        return 1115 if current.timer.done() else 1190
    boot_id = node.machine.boot_id
    timer = asyncio.get_running_loop().create_task(_restart(node, boot_id, delay_s))
    _SCHEDULED[node] = _Scheduled(boot_id, timer)
    node.journal.write("shutdown-scheduled", delay_s=delay_s)
    return 0


def _abort(node: SimulatedNode) -> int:
    current = _current(node)
    if current is None or current.timer.done():
        return 1116
    current.timer.cancel()
    del _SCHEDULED[node]
    node.journal.write("shutdown-aborted")
    return 0


async def _restart(node: SimulatedNode, boot_id: int, delay_s: float) -> None:
    await node.sleep(delay_s)
    if node.is_up and node.machine.boot_id == boot_id:
        node.restart()
