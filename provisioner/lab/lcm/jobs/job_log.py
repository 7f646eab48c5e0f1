r"""What a job wrote: the lines of its legs, as files on the node and as output to fetch with a bookmark.

Files: ``{jobid}-N.details.json``, a UTF-16 JSON array of time, type and message, where N counts the restarts; and
``joblogs\{jobid}.bmil``, the output with its progress, results and whole errors, whose form is the lab's own.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from provisioner.lab.lcm.errors import LcmMessage
from provisioner.lab.machine.area import MachineError

if TYPE_CHECKING:
    from provisioner.lab.lcm.host import LcmHost

STATUS_FOLDER = r"C:\Windows\System32\Configuration\ConfigurationStatus"
OUTPUT_FOLDER = r"C:\Windows\System32\Configuration\joblogs"
_MARGIN = " " * 28
#: What a details file holds; the rest is output only.
_DETAILS = frozenset({"verbose", "warning", "error"})


@dataclass(frozen=True, slots=True)
class JobLine:
    """One line. ``type``: verbose, warning, error, progress, reboot or result.

    ``error`` is the whole error of an error line. ``number`` is the percentage of progress, the MI result of a
    result, and 1 for a reboot that the LCM does itself.
    """

    time: str
    type: str
    message: str
    error: LcmMessage | None = None
    number: int = 0


@dataclass(slots=True)
class JobLog:
    """The log of one job. ``lines`` holds all legs in order; ``legs`` where in it each leg begins.

    A log that is not ``is_kept`` writes no files: consistency runs and mere tests leave none.
    """

    job_id: str
    host: LcmHost
    lines: list[JobLine] = field(default_factory=list)
    legs: list[int] = field(default_factory=list)
    saved: int = -1
    is_kept: bool = True

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

    def progress(self, operation: str, percent: int) -> None:
        """Write how far the pass is."""
        self._add("progress", operation, number=percent)

    def reboot(self, *, is_automatic: bool) -> None:
        """Write that a restart is wanted."""
        self._add("reboot", "", number=int(is_automatic))

    def result(self, mi_result: int) -> None:
        """Write how the job ended."""
        self._add("result", "", number=mi_result)

    def flush(self) -> None:
        """Bring the files up to date."""
        if self.is_kept and self.legs and self.saved != len(self.lines):
            keep(self.host, details_path(self.job_id, self.leg), _encode(self.lines[self.legs[-1] :]))
            content = {"legs": self.legs, "lines": [asdict(line) for line in self.lines]}
            keep(self.host, output_path(self.job_id), json.dumps(content).encode())
            self.saved = len(self.lines)

    def _add(self, kind: str, text: str, error: LcmMessage | None = None, number: int = 0) -> None:
        self.lines.append(JobLine(_stamp(self.host.now()), kind, text, error, number))


def keep(host: LcmHost, path: str, content: bytes) -> None:
    """Write a file of the LCM; a disk that fails does not stop an LCM."""
    with contextlib.suppress(MachineError):
        host.machine.files.make_folder(path.rpartition("\\")[0])
        host.machine.files.write(path, content)


def details_path(job_id: str, leg: int) -> str:
    """Give the path of the details file of one leg."""
    return rf"{STATUS_FOLDER}\{job_id}-{leg}.details.json"


def output_path(job_id: str) -> str:
    """Give the path of the output of a job."""
    return rf"{OUTPUT_FOLDER}\{job_id}.bmil"


def load(job_id: str, host: LcmHost) -> JobLog | None:
    """Read the log of an earlier job from its file; None when the node never began it."""
    if not host.machine.files.is_file(path := output_path(job_id)):
        return None
    content = json.loads(host.machine.files.read(path))
    lines = []
    for line in content["lines"]:
        error = LcmMessage(**line["error"]) if line["error"] else None
        lines.append(JobLine(**{**line, "error": error}))
    return JobLog(job_id, host, lines, content["legs"], len(lines))


def _encode(lines: Iterable[JobLine]) -> bytes:
    entries = [
        {"time": line.time, "type": line.type, "message": line.message}
        for line in lines
        if line.type in _DETAILS
    ]
    return b"\xff\xfe" + json.dumps(entries, indent=1, ensure_ascii=False).encode(
        "utf-16-le", "surrogatepass"
    )


def _stamp(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds")
