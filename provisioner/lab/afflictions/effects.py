"""What happens on a node when a fault begins and when it ends, for all faults that are switched on and off.

What the node asks for in the middle of things is in ``connections`` and ``configuration``.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from provisioner.lab.afflictions.active import Active
from provisioner.lab.control import LabError
from provisioner.lab.faults.base import Fault
from provisioner.lab.faults.http import BadCertificate
from provisioner.lab.faults.lcm import LcmKilled
from provisioner.lab.faults.machine import ClockJump, DiskFull, ModuleCorrupt
from provisioner.lab.faults.network import Cut, HalfOpen
from provisioner.lab.faults.power import NewAddress, Restart
from provisioner.lab.faults.resources import matches
from provisioner.lab.faults.shells import ShellKilled, WinRmRestart
from provisioner.lab.machine.ground.packages import ERROR_INSTALL_FAILURE
from provisioner.lab.machine.machine import Machine
from provisioner.lab.machine.powershell import modules
from provisioner.lab.server.fleet import Fleet
from provisioner.lab.simulated_node import SimulatedNode

#: No PowerShell reads this as a manifest.
_DAMAGED: Final = b"@{ ModuleVersion = \x00\x00"


class Effects:
    """Begins and ends the faults of one node. ``stretch`` turns the node's seconds of rest into real ones."""

    def __init__(self, node: SimulatedNode, fleet: Fleet, stretch: float) -> None:
        self._node = node
        self._fleet = fleet
        self._stretch = stretch

    def demand(self, fault: Fault) -> None:
        """Refuse a fault that the node cannot have.

        Raises:
            LabError: it has no HTTPS, no such volume, or no such module.
        """
        node = self._node
        match fault:
            case BadCertificate() if node.https_files is None:
                raise LabError(
                    f"'{node.name}' has no HTTPS, so there is no certificate to be wrong.",
                    "Give it one with 'https' in the lab settings, or 'tls: true' in its connection.",
                )
            case DiskFull(volume=volume) if volume not in node.machine.files.volumes:
                letters = ", ".join(sorted(node.machine.files.volumes))
                raise LabError(f"'{node.name}' has no volume {volume}.", f"It has {letters}.")
            case ModuleCorrupt(module=module) if not _manifests(node.machine, module):
                raise LabError(f"'{node.name}' has no module '{module}'.")

    def begin(self, active: Active) -> None:
        """Let a fault take hold, as far as nobody asks for it."""
        node, fleet = self._node, self._fleet
        match active.fault:
            case Cut():
                fleet.cut(node.name)
            case HalfOpen(connections="ignored"):
                fleet.swallow(node.name, is_hole=True)
            case BadCertificate(state=state):
                assert node.https_files is not None
                fleet.listener(node.name).show(node.https_files.like(state))
            case ShellKilled():
                fleet.listener(node.name).end_shells()
            case WinRmRestart(away_s=away_s):
                fleet.listener(node.name).restart_service()
                fleet.shut(node.name)
                seconds = away_s * self._stretch
                asyncio.get_running_loop().call_later(seconds, fleet.reopen, node.name)
            case Restart():
                node.restart()
            case LcmKilled():
                node.lcm.on_provider_killed()
            case _:
                self._begin_in_machine(active)

    def _begin_in_machine(self, active: Active) -> None:
        machine = self._node.machine
        match active.fault:
            case DiskFull(volume=volume, msi_exit_code=code):
                machine.files.full.add(volume)
                machine.packages.code_without_room = code
            case ClockJump(seconds=seconds):
                self._move_clock(seconds)
            case ModuleCorrupt(module=module):
                active.kept = _manifests(machine, module)
                for path in active.kept:
                    machine.files.write(path, _DAMAGED)

    def end(self, active: Active, left: set[Any]) -> None:
        """Put back what a fault changed; ``left`` are equal parts of other faults that go on."""
        node, fleet = self._node, self._fleet
        match active.fault:
            case Cut():
                fleet.restore(node.name)
            case HalfOpen(connections=connections):
                fleet.listener(node.name).abort_connections()
                if connections == "ignored":
                    fleet.swallow(node.name, is_hole=False)
            case BadCertificate():
                assert node.https_files is not None
                fleet.listener(node.name).show(node.https_files)
            case DiskFull(volume=volume) if volume not in left:
                node.machine.files.full.discard(volume)
                node.machine.packages.code_without_room = ERROR_INSTALL_FAILURE
            case ClockJump(seconds=seconds):
                self._move_clock(-seconds)
            case ModuleCorrupt():
                for path, content in active.kept.items():
                    node.machine.files.write(path, content)
            case NewAddress() if active.kept is not None:
                self.move(active.kept)
                fleet.reopen(node.name)

    def move(self, address: str) -> None:
        """Give the node another address; who listens there does so from the next time on."""
        self._node.address = self._node.machine.address = address

    def _move_clock(self, seconds: float) -> None:
        self._node.clock.ahead_s += seconds
        self._node.lcm.on_clock_moved()


def _manifests(machine: Machine, pattern: str) -> dict[str, bytes]:
    """Find the manifests of a module, by path."""
    files = machine.files
    found: dict[str, bytes] = {}
    for path in list(files.paths()):
        folder, _, rest = path[len(modules.FOLDER) + 1 :].partition("\\")
        is_below = path.casefold().startswith(modules.FOLDER.casefold() + "\\")
        if is_below and rest.casefold().endswith(f"{folder}.psd1".casefold()) and matches(pattern, folder):
            found[path] = files.read(path)
    return found
