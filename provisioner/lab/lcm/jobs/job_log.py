"""What a job wrote: the lines of its legs, as files on the node and as output to fetch with a bookmark.

Files: ``{jobid}-N.details.json``, a UTF-16 JSON array of time, type and message; N counts the restarts.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from provisioner.lab.lcm.errors import LcmMessage
from provisioner.lab.machine.area import MachineError

if TYPE_CHECKING:
    from provisioner.lab.lcm.host import LcmHost

STATUS_FOLDER = r"C:\Windows\System32\Configuration\ConfigurationStatus"
_MARGIN = " " * 28


@dataclass(frozen=True, slots=True)
class JobLine:
    """One line. ``type`` is verbose, warning or error; ``error`` is the whole error of an error line."""

    time: str
    type: str
    message: str
    error: LcmMessage | None = None


@dataclass(slots=True)
class JobLog:
    """The log of one job. ``lines`` holds all legs in order; ``legs`` where in it each leg begins."""

    job_id: str
    host: LcmHost
    lines: list[JobLine] = field(default_factory=list)
    legs: list[int] = field(default_factory=list)
    saved: int = -1

    @property
    def leg(self) -> int:
        """Number of the leg being written, from 0."""
        return len(self.legs) - 1

    def begin_leg(self) -> None:
        """Start the next leg."""
        self.legs.append(len(self.lines))
        self.flush()

    def engine(self, action: str, operation: str, rest: str = "") -> None:
        """Write a line of the engine: ``[ Start  Test     ]  [[Type]Name]``."""
        self.verbose(f"[{self.host.computer_name}]: LCM:  [ {action:<6} {operation:<8} ]{rest}")

    def of_resource(self, resource_id: str, text: str) -> None:
        """Write verbose text of a resource, line by line under the margin."""
        for line in text.splitlines() or [""]:
            self.verbose(f"[{self.host.computer_name}]:{_MARGIN}[{resource_id}] {line}")

    def verbose(self, text: str) -> None:
        """Write a verbose line as it is."""
        self._add("verbose", text)

    def warning(self, text: str) -> None:
        """Write a warning."""
        self._add("warning", text)

    def error(self, error: LcmMessage) -> None:
        """Write an error."""
        self._add("error", error.text, error)

    def flush(self) -> None:
        """Bring the file of the present leg up to date."""
        if self.legs and self.saved != len(self.lines):
            keep(self.host, details_path(self.job_id, self.leg), _encode(self.lines[self.legs[-1] :]))
            self.saved = len(self.lines)

    def _add(self, kind: str, text: str, error: LcmMessage | None = None) -> None:
        self.lines.append(JobLine(_stamp(self.host.now()), kind, text, error))


def keep(host: LcmHost, path: str, content: bytes) -> None:
    """Write a file of the LCM; a disk that fails does not stop an LCM."""
    with contextlib.suppress(MachineError):
        host.machine.files.make_folder(STATUS_FOLDER)
        host.machine.files.write(path, content)


def details_path(job_id: str, leg: int) -> str:
    """Give the path of the details file of one leg."""
    return rf"{STATUS_FOLDER}\{job_id}-{leg}.details.json"


def load(job_id: str, host: LcmHost) -> JobLog | None:
    """Read the log of an earlier job from its files; None when the node never began it."""
    log = JobLog(job_id, host)
    while host.machine.files.is_file(path := details_path(job_id, len(log.legs))):
        entries = json.loads(host.machine.files.read(path).decode("utf-16"))
        log.legs.append(len(log.lines))
        for entry in entries:
            error = None
            if entry["type"] == "error":
                # The file keeps the text alone; what the engine itself says at the end has the general id.
                is_final = entry["message"].endswith("function did not succeed.")
                error = LcmMessage(
                    entry["message"],
                    "MI RESULT 1" if is_final else "ProviderOperationExecutionFailure",
                    "NotSpecified" if is_final else "InvalidOperation",
                )
            log.lines.append(JobLine(entry["time"], entry["type"], entry["message"], error))
    log.saved = len(log.lines)
    return log if log.legs else None


def _encode(lines: Iterable[JobLine]) -> bytes:
    entries = [{"time": line.time, "type": line.type, "message": line.message} for line in lines]
    return b"\xff\xfe" + json.dumps(entries, indent=1, ensure_ascii=False).encode(
        "utf-16-le", "surrogatepass"
    )


def _stamp(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds")
