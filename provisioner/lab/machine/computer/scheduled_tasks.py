"""Scheduled tasks: by name and folder, with one action and one trigger each, as resources see them.

``settings`` holds what a task does and when under the names of the properties of the DSC resource; what is not
there has the default of the task scheduler.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area, MachineError

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

#: Result of a task that never ran (SCHED_S_TASK_HAS_NOT_RUN).
NEVER_RAN: Final = 0x41303


@dataclass(frozen=True, slots=True)
class Task:
    r"""One task. ``path`` begins and ends with a backslash; ``user`` is as Windows shows it."""

    name: str
    path: str = "\\"
    user: str = "NT AUTHORITY\\SYSTEM"
    is_enabled: bool = True
    is_running: bool = False
    description: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    last_result: int = NEVER_RAN

    @property
    def state(self) -> str:
        """Ready, Running or Disabled."""
        if self.is_running:
            return "Running"
        return "Ready" if self.is_enabled else "Disabled"


_IN_BOX: Final = (
    Task("ServerManager", "\\Microsoft\\Windows\\Server Manager\\", "BUILTIN\\Administrators"),
    Task("Consistency", "\\Microsoft\\Windows\\Desired State Configuration\\"),
    Task("DSCRestartBootTask", "\\Microsoft\\Windows\\Desired State Configuration\\", is_enabled=False),
    Task("SynchronizeTime", "\\Microsoft\\Windows\\Time Synchronization\\", "NT AUTHORITY\\LOCAL SERVICE"),
    Task("Scheduled Start", "\\Microsoft\\Windows\\WindowsUpdate\\"),
)


class ScheduledTasks(Area["Machine"]):
    """Tasks in the order in which they were registered."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._tasks: list[Task] = list(_IN_BOX)

    def tasks(self) -> tuple[Task, ...]:
        """Give all tasks."""
        return tuple(self._tasks)

    def find(self, name: str, path: str = "\\") -> Task | None:
        """Look a task up by its name and folder."""
        wanted = (name.casefold(), path.casefold())
        return next(
            (item for item in self._tasks if (item.name.casefold(), item.path.casefold()) == wanted), None
        )

    def register(self, task: Task) -> None:
        """Make a task.

        Raises:
            MachineError: there is one of that name in the folder.
        """
        self.owner.ledger.attempt("Register-ScheduledTask")
        if self.find(task.name, task.path):
            raise MachineError(
                "Cannot create a file when that file already exists.",
                "HRESULT 0x800700b7",
                "ResourceExists",
                "Microsoft.Management.Infrastructure.CimException",
            )
        self._tasks.append(task)
        self._changed(task, "registered")

    def change(self, task: Task, **changes: Any) -> None:
        """Change fields of a task; names are those of ``Task``."""
        self.owner.ledger.attempt("Set-ScheduledTask")
        changed = replace(task, **changes)
        self._tasks = [changed if item == task else item for item in self._tasks]
        self._changed(task, f"{', '.join(changes)} set")

    def unregister(self, task: Task) -> None:
        """Remove a task."""
        self.owner.ledger.attempt("Unregister-ScheduledTask")
        self._tasks = [item for item in self._tasks if item != task]
        self._changed(task, "removed")

    def _changed(self, task: Task, what: str) -> None:
        self.owner.ledger.changed("scheduled tasks", f"{task.path}{task.name} {what}")

    def to_plain(self) -> list[dict[str, Any]]:
        """Give all tasks."""
        return [asdict(item) for item in self._tasks]

    def load(self, plain: list[dict[str, Any]]) -> None:
        """Take over what ``to_plain`` gave."""
        self._tasks = [Task(**item) for item in plain]
