"""Event logs of a machine: what stands in each, how each is set up, which sources may write to the classic ones.

Whoever simulates a part of Windows that leaves events (the LCM, the service controller) writes them with
``EventLog.write``; the newest ones are kept.
"""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area, MachineError

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

DSC_OPERATIONAL: Final = "Microsoft-Windows-DSC/Operational"
#: Numbers of the levels as event consumers see them (winmeta.xml).
LEVELS: Final = {"Critical": 1, "Error": 2, "Warning": 3, "Information": 4, "Verbose": 5}
#: Events kept per log. Windows bounds a log by bytes; a simulated machine has to stay small.
_KEPT: Final = 500
_MB: Final = 2**20
_CLASSIC_SIZE: Final = 20 * _MB
_OPERATIONAL_SIZE: Final = 1052672
_FOLDER: Final = "%SystemRoot%\\System32\\Winevt\\Logs\\"
_SDDL: Final = (
    "O:BAG:SYD:(A;;0xf0007;;;SY)(A;;0x7;;;BA)(A;;0x7;;;SO)(A;;0x3;;;IU)(A;;0x3;;;SU)(A;;0x3;;;S-1-5-3)"
    "(A;;0x3;;;S-1-5-33)(A;;0x1;;;S-1-5-32-573)"
)


@dataclass(frozen=True, slots=True)
class Event:
    """One event. ``level`` is a name of ``LEVELS``; ``properties`` are the inserted texts, in their order."""

    record_id: int
    time: datetime
    source: str
    event_id: int
    level: str
    text: str
    properties: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogSettings:
    """How one log is set up. ``mode``: Circular, AutoBackup or Retain; ``size`` is the maximum, in bytes.

    ``retention_days`` and ``sources`` (name to message, category and parameter file) are those of classic logs.
    """

    name: str
    is_enabled: bool = True
    size: int = _OPERATIONAL_SIZE
    mode: str = "Circular"
    path: str = ""
    security: str = _SDDL
    is_classic: bool = False
    kind: str = "Operational"
    retention_days: int = 7
    restricts_guests: bool = True
    sources: dict[str, tuple[str, str, str]] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """Path of the log file, with its variables not expanded."""
        return self.path or f"{_FOLDER}{self.name.replace('/', '%4')}.evtx"


def _classic(name: str, *sources: str) -> LogSettings:
    return LogSettings(
        name,
        size=_CLASSIC_SIZE,
        is_classic=True,
        kind="Administrative",
        sources=dict.fromkeys(sources, ("", "", "")),
    )


_FRESH: Final = (
    _classic("Application", "Application", "MsiInstaller", "Application Error", "ESENT"),
    _classic("Security", "Security", "Microsoft-Windows-Security-Auditing"),
    _classic("System", "EventLog", "Service Control Manager", "User32", "Microsoft-Windows-Kernel-General"),
    LogSettings("Setup", kind="Operational"),
    LogSettings("Windows PowerShell", size=15 * _MB, is_classic=True, kind="Administrative"),
    LogSettings(DSC_OPERATIONAL),
    LogSettings("Microsoft-Windows-DSC/Admin", kind="Administrative"),
    LogSettings("Microsoft-Windows-DSC/Analytic", is_enabled=False, mode="Retain", kind="Analytical"),
    LogSettings("Microsoft-Windows-DSC/Debug", is_enabled=False, mode="Retain", kind="Debug"),
    LogSettings("Microsoft-Windows-WinRM/Operational"),
    LogSettings("Microsoft-Windows-PowerShell/Operational", size=15 * _MB),
    LogSettings("Microsoft-Windows-TaskScheduler/Operational", is_enabled=False, size=10 * _MB),
)


class EventLog(Area["Machine"]):
    """The logs, by name without regard to case."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._settings: dict[str, LogSettings] = {item.name.casefold(): item for item in _FRESH}
        self._events: dict[str, deque[Event]] = {}
        self._written: dict[str, int] = {}

    def write(  # noqa: PLR0913 - the fields of an event
        self,
        log: str,
        source: str,
        event_id: int,
        level: str,
        text: str,
        *,
        properties: tuple[str, ...] = (),
    ) -> None:
        """Add an event at the machine's time; a log that is switched off takes none.

        Raises:
            MachineError: there is no such log.
        """
        settings = self.settings(log)
        if not settings.is_enabled:
            return
        key = settings.name.casefold()
        number = self._written[key] = self._written.get(key, 0) + 1
        now = datetime.fromisoformat(self.owner.files.clock)
        events = self._events.setdefault(key, deque(maxlen=_KEPT))
        events.append(Event(number, now, source, event_id, level, text, properties))
        self.owner.ledger.changed("event log", f"{settings.name}: {source} {event_id}")

    def events(self, log: str) -> tuple[Event, ...]:
        """Give the events of a log, oldest first.

        Raises:
            MachineError: there is no such log.
        """
        return tuple(self._events.get(self.settings(log).name.casefold(), ()))

    def logs(self) -> tuple[LogSettings, ...]:
        """Give all logs."""
        return tuple(self._settings.values())

    def settings(self, log: str) -> LogSettings:
        """Give the settings of a log.

        Raises:
            MachineError: there is no such log.
        """
        found = self._settings.get(log.casefold())
        if found is None:
            raise MachineError(
                f'There is not an event log on the localhost computer that matches "{log}".',
                "NoMatchingLogsFound",
                "ObjectNotFound",
            )
        return found

    def change(self, log: str, **changes: Any) -> None:
        """Change settings of a log; the names are those of ``LogSettings``."""
        changed = replace(self.settings(log), **changes)
        self._settings[changed.name.casefold()] = changed
        self.owner.ledger.changed("event log", f"{changed.name}: {', '.join(changes)} set")

    def clear(self, log: str) -> None:
        """Remove all events of a log; their numbers begin anew."""
        key = self.settings(log).name.casefold()
        self._events.pop(key, None)
        self._written.pop(key, None)
        self.owner.ledger.changed("event log", f"{log} cleared")

    def to_plain(self) -> dict[str, Any]:
        """Give the events, and the settings that are not those of a fresh Windows."""
        fresh = {item.name.casefold(): item for item in _FRESH}
        return {
            "settings": [asdict(item) for name, item in self._settings.items() if fresh.get(name) != item],
            "written": dict(self._written),
            "events": {
                name: [
                    [
                        e.record_id,
                        e.time.isoformat(),
                        e.source,
                        e.event_id,
                        e.level,
                        e.text,
                        list(e.properties),
                    ]
                    for e in events
                ]
                for name, events in self._events.items()
            },
        }

    def load(self, plain: dict[str, Any]) -> None:
        """Take over what ``to_plain`` gave; parts may be left out."""
        for item in plain.get("settings", ()):
            sources = {name: tuple(files) for name, files in item.get("sources", {}).items()}
            name = item["name"].casefold()
            known = self._settings.get(name) or LogSettings(item["name"])
            given = {**item, "sources": sources} if "sources" in item else dict(item)
            self._settings[name] = replace(known, **given)
        self._written = dict(plain.get("written", {}))
        for name, events in plain.get("events", {}).items():
            self._events[name] = deque(
                (
                    Event(
                        number, datetime.fromisoformat(time), source, event_id, level, text, tuple(inserted)
                    )
                    for number, time, source, event_id, level, text, inserted in events
                ),
                maxlen=_KEPT,
            )
