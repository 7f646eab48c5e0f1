"""Which boot a node is in, what a reboot would stop, and the reboot itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from provisioner.errors import CommandError, ConnectError, NodeError
from provisioner.node.base import BootState
from provisioner.node.lcm_answers import as_time
from provisioner.transport.base import SWITCH, Pipeline, Record

if TYPE_CHECKING:
    from provisioner.node.session import Session

_OPERATING_SYSTEM = Pipeline.of(
    "Get-CimInstance", Query="SELECT CSName, LastBootUpTime FROM Win32_OperatingSystem"
)
_BOOT_ID = Pipeline.of(
    "Get-ItemProperty",
    Path=r"HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters",
    Name="BootId",
)
_VIRTUAL_MACHINES = Pipeline.of(
    "Get-CimInstance",
    Namespace="root/virtualization/v2",
    Query="SELECT ElementName, Name, EnabledState FROM Msvm_ComputerSystem",
)
_RESTART = Pipeline.of("Restart-Computer", Force=SWITCH)

#: Error ids of a node without Hyper-V: the namespace or the class is not there.
_NO_HYPERV = ("0x8004100e", "0x80041010")
#: EnabledState of a machine that a reboot of its node does not stop: off, saved.
_AT_REST = frozenset({3, 32769})
#: A virtual machine is named by a GUID; the node itself is in the list too, by its own name.
_GUID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", re.IGNORECASE)


async def read_boot_state(session: Session) -> BootState:
    """Ask which boot the node is in.

    Raises:
        NodeError: The node does not tell when it started.
    """
    for answer in _records(await session.ask(_OPERATING_SYSTEM)):
        started = as_time(answer.get("LastBootUpTime"))
        if started is not None:
            return BootState(started, await _read_boot_id(session), str(answer.get("CSName") or ""))
    raise NodeError(session.node, "Win32_OperatingSystem does not tell when the node started")


async def _read_boot_id(session: Session) -> int | None:
    """Return the boot counter; it is not kept where prefetching is off."""
    try:
        answers = await session.ask(_BOOT_ID)
    except CommandError:
        return None
    for answer in _records(answers):
        if isinstance(number := answer.get("BootId"), int):
            return number
    return None


async def read_running_virtual_machines(session: Session) -> tuple[str, ...]:
    """Name the virtual machines that are neither off nor saved, in order of their names; none without Hyper-V.

    Raises:
        CommandError: Any other reason why they cannot be listed: it must never pass for "there are none".
    """
    try:
        machines = await session.ask(_VIRTUAL_MACHINES)
    except CommandError as error:
        if any(code in error.error_id.casefold() for code in _NO_HYPERV):
            return ()
        raise
    running = [
        str(machine.get("ElementName") or machine.get("Name"))
        for machine in _records(machines)
        if _GUID.fullmatch(str(machine.get("Name"))) and machine.get("EnabledState") not in _AT_REST
    ]
    return tuple(sorted(running))


async def restart(session: Session) -> None:
    """Restart the node now; returns as soon as it accepted that.

    The node is asked something first: an idle connection may have been closed while someone thought about the
    reboot.

    Raises:
        ConnectError, TransportTimeout: Nobody knows whether the node has the order: the answer may have been lost
            because it went down, or the order on its way.
    """
    try:
        await session.open()
        await session.ask(_OPERATING_SYSTEM)
    except ConnectError:
        await session.open()
    await session.ask(_RESTART)


def _records(values: tuple[Any, ...]) -> list[Record]:
    return [value for value in values if isinstance(value, Record)]
