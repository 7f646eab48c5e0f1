"""Running processes: those of the services that run, and those that somebody started."""

from __future__ import annotations

import ntpath
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from provisioner.lab.machine.area import Area

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

_FIRST_PID = 4000
_SERVICE_PIDS = 600
_STEP = 4
_SYSTEM = r"NT AUTHORITY\SYSTEM"
#: Processes of every Windows that are no services.
_OF_WINDOWS = (
    (0, "Idle", ""),
    (4, "System", ""),
    (88, "Registry", ""),
    (320, "smss", r"C:\Windows\System32\smss.exe"),
    (412, "csrss", r"C:\Windows\System32\csrss.exe"),
    (488, "wininit", r"C:\Windows\System32\wininit.exe"),
    (496, "services", r"C:\Windows\System32\services.exe"),
    (512, "lsass", r"C:\Windows\System32\lsass.exe"),
    (540, "winlogon", r"C:\Windows\System32\winlogon.exe"),
)
_PROVIDER_HOST = 588
#: What the ledger is told when the process that hosts WMI providers, the LCM among them, was ended.
PROVIDER_HOST_ENDED = "WmiPrvSE ended"
_PROGRAM = re.compile(r'"([^"]+)"\s*(.*)|(\S+)\s*(.*)')


@dataclass(frozen=True, slots=True)
class Process:
    """One process. ``arguments`` is its command line without the program."""

    pid: int
    name: str
    path: str
    arguments: str = ""
    user: str = _SYSTEM


class Processes(Area["Machine"]):
    """Processes by number. Those of services follow the services; a boot ends what was started by hand."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._started: dict[int, Process] = {}
        self._next = _FIRST_PID
        #: The process that hosts WMI providers; Windows starts another when it is ended.
        self.provider_host = _PROVIDER_HOST
        #: Programs, in lower case, whose processes end as soon as they start.
        self.short_lived: set[str] = set()

    def running(self) -> list[Process]:
        """All processes in the order of their names."""
        found = [Process(pid, name, path) for pid, name, path in _OF_WINDOWS]
        found.append(Process(self.provider_host, "WmiPrvSE", r"C:\Windows\System32\wbem\WmiPrvSE.exe"))
        for number, service in enumerate(self.owner.services):
            if service.status != "Running" or service.path.casefold().endswith("lsass.exe"):
                continue
            path, arguments = split_command_line(service.path)
            pid = _SERVICE_PIDS + _STEP * number
            user = service.running_as or service.start_name
            shown = _SYSTEM if user == "LocalSystem" else user.replace("LocalService", "LOCAL SERVICE")
            found.append(
                Process(pid, _name(path), path, arguments, shown.replace("NetworkService", "NETWORK SERVICE"))
            )
        found += self._started.values()
        return sorted(found, key=lambda item: (item.name.casefold(), item.pid))

    def start(self, path: str, arguments: str, user: str = _SYSTEM) -> Process:
        """Start a program; one that is short-lived is gone when this returns."""
        process = Process(self._next, _name(path), path, arguments, user)
        self._next += _STEP
        if path.casefold() not in self.short_lived:
            self._started[process.pid] = process
        self.owner.ledger.changed("processes", f"{process.name} started")
        return process

    def stop(self, pid: int) -> None:
        """End a process that was started by hand, or the provider host; others of Windows are not ended so."""
        if pid == self.provider_host:
            self.provider_host = self._next
            self._next += _STEP
            self.owner.ledger.changed("processes", PROVIDER_HOST_ENDED)
            return
        process = self._started.pop(pid, None)
        if process is not None:
            self.owner.ledger.changed("processes", f"{process.name} ended")

    def on_boot(self) -> None:
        """Nothing that was started by hand survives."""
        self._started.clear()

    def to_plain(self) -> dict[str, Any]:
        """Give what was started by hand."""
        return {
            "started": [asdict(item) for item in self._started.values()],
            "next": self._next,
            "short_lived": sorted(self.short_lived),
        }

    def load(self, plain: Mapping[str, Any]) -> None:
        """Take over what ``to_plain`` gave."""
        self._started = {item["pid"]: Process(**item) for item in plain.get("started", ())}
        self._next = plain.get("next", _FIRST_PID)
        self.short_lived = {item.casefold() for item in plain.get("short_lived", ())}


def split_command_line(line: str) -> tuple[str, str]:
    """Give the program and its arguments; a program in quotes comes without them."""
    found = _PROGRAM.fullmatch(line.strip())
    if found is None:
        return line, ""
    return found[1] or found[3], found[2] or found[4] or ""


def _name(path: str) -> str:
    return ntpath.splitext(ntpath.basename(path))[0]
