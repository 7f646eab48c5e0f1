"""Looking at one node of a running lab, for people: what it is, what changed, what a command on it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from typing import Any

from provisioner.lab.control import LabError
from provisioner.lab.foreign import powershell_exe
from provisioner.lab.looking.differences import differences
from provisioner.lab.machine.machine import Machine
from provisioner.lab.processes.base import UTF8_CODEPAGE, ProcessCall, split_arguments
from provisioner.lab.processes.run import run_process
from provisioner.lab.processes.table import find
from provisioner.lab.simulated_node import SimulatedNode


def show(node: SimulatedNode) -> dict[str, Any]:
    """Say what a node is: machine, LCM, and how each resource of its last document is simulated."""
    machine = node.machine
    simulation = node.lcm.simulation()
    return {
        "node": node.name,
        "computer_name": machine.computer_name,
        "address": node.address,
        "windows": machine.release,
        "version": machine.version,
        "boot_time": machine.boot_time.isoformat(timespec="seconds"),
        "boot_id": machine.boot_id,
        "needs_reboot": machine.needs_reboot,
        "lcm": node.lcm.state,
        "features": [
            item.name for item in machine.features.match("*") if machine.features.is_installed(item.name)
        ],
        "modules": {name: list(versions) for name, versions in sorted(node.spec.modules.items())},
        "resources": [
            {"resource": resource, "type": kind, "simulated": how} for resource, kind, how in simulation
        ],
        **counted_resources(node),
    }


def counted_resources(node: SimulatedNode) -> dict[str, int]:
    """Count the resources of a node's last document by how they are simulated; ``unsimulated`` ones cannot run."""
    kinds = Counter(kind for _, _, kind in node.lcm.simulation())
    return {"specific": kinds["specific"], "generic": kinds["generic"], "unsimulated": kinds["none"]}


def diff(node: SimulatedNode) -> dict[str, Any]:
    """Say what changed on a node since the lab came up."""
    before = node.state.read_before()
    fresh = Machine.create(node.spec, node.machine.boot_time).to_plain()
    found = []
    for name, make in node.machine.parts().items():
        if name in before:
            old = fresh[name] if before[name] is None else before[name]
            found += [asdict(item) for item in differences(old, make(), name)]
    if before.get("lcm") is not None or node.lcm.state != "Idle":
        found += [asdict(item) for item in differences(before.get("lcm") or {}, node.lcm.to_plain(), "lcm")]
    return {"node": node.name, "changes": found}


async def run_line(node: SimulatedNode, line: str) -> dict[str, Any]:
    """Run one line as the administrator at the console would: a program by its name, or PowerShell.

    Raises:
        LabError: the node is off.
    """
    if not node.is_up:
        raise LabError(
            f"{node.name} is restarting", "Its console is back when it is up: provision lab status."
        )
    output = _Console()
    user = f"{node.computer_name}\\Administrator"
    call = ProcessCall(line, (), uses_cmd=False, stdin=_nothing(), user=user, codepage=UTF8_CODEPAGE)
    words = split_arguments(line)
    if words and find(words[0]):
        code = await run_process(node, call, output)
    else:
        code = await powershell_exe.run(node, replace(call, arguments=("-Command", line)), output)
    out, err = (bytes(data).decode("utf-8", "replace") for data in (output.out, output.err))
    return {"out": out, "err": err, "code": code}


class _Console:
    def __init__(self) -> None:
        self.out = bytearray()
        self.err = bytearray()

    def stdout(self, data: bytes) -> None:
        self.out += data

    def stderr(self, data: bytes) -> None:
        self.err += data


async def _nothing() -> AsyncIterator[bytes]:
    empty: tuple[bytes, ...] = ()
    for data in empty:
        yield data
