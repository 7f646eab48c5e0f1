r"""What a job wrote: the lines of its legs, as files on the node and as output to fetch with a bookmark.

Files: ``{jobid}-N.details.json``, a UTF-16 JSON array of time, type and message, where N counts the restarts; and
``joblogs\{jobid}.bmil``, the output with its progress, results and whole errors, whose form is the lab's own.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from contextvars import ContextVar
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
#: Around the entries of a details file, with its byte order mark.
_BEGIN, _END = b"\xff\xfe" + "[".encode("utf-16-le"), "\n]".encode("utf-16-le")
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


class Follower:
    """Whoever waits for a method and hears its lines as they are written, until it waits no more."""

    __slots__ = ("_hear",)

    def __init__(self, hear: Callable[[JobLine], None]) -> None:
        self._hear: Callable[[JobLine], None] | None = hear

    def tell(self, line: JobLine) -> None:
        """Pass a line on."""
        if self._hear is not None:
            self._hear(line)

    def leave(self) -> None:
        """Stop listening; the job goes on."""
        self._hear = None


#: The follower of the call that is being served; logs made in its course know it from here.
FOLLOWER: ContextVar[Follower | None] = ContextVar("FOLLOWER", default=None)


@dataclass(slots=True)
class JobLog:
    """The log of one job. ``lines`` holds all legs in order; ``legs`` where in it each leg begins.

    A log that is not ``is_kept`` writes no files: consistency runs and mere tests leave none. Lines are encoded
    once, so that a long job does not spend its time on its log.
    """

    job_id: str
    host: LcmHost
    lines: list[JobLine] = field(default_factory=list)
    legs: list[int] = field(default_factory=list)
    is_kept: bool = True
    follower: Follower | None = field(default_factory=FOLLOWER.get, repr=False)
    #: Lines that are in the files; the output so far, and the details of this leg, as they stand there.
    saved: int = 0
    output: bytearray = field(default_factory=bytearray, repr=False)
    details: bytearray = field(default_factory=bytearray, repr=False)

    @property
    def leg(self) -> int:
        """Number of the leg being written, from 0."""
        return len(self.legs) - 1

    def begin_leg(self) -> None:
        """Start the next leg."""
        self.legs.append(len(self.lines))
        self.output += b"{}\n"
        self.details.clear()
        self._write()

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
        if self.legs and self.saved != len(self.lines):
            self._write()

    def _write(self) -> None:
        if not self.is_kept:
            return
        for line in self.lines[self.saved :]:
            self.output += json.dumps(asdict(line), separators=(",", ":")).encode() + b"\n"
            if line.type in _DETAILS:
                self.details += _encoded(line, is_first=not self.details)
        self.saved = len(self.lines)
        keep(self.host, details_path(self.job_id, self.leg), _BEGIN + bytes(self.details) + _END)
        keep(self.host, output_path(self.job_id), bytes(self.output))

    def _add(self, kind: str, text: str, error: LcmMessage | None = None, number: int = 0) -> None:
        line = JobLine(_stamp(self.host.now()), kind, text, error, number)
        self.lines.append(line)
        if self.follower:
            self.follower.tell(line)


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
    log = JobLog(job_id, host)
    content = host.machine.files.read(path)
    for text in content.splitlines():
        entry = json.loads(text)
        if entry:
            error = LcmMessage(**entry["error"]) if entry["error"] else None
            log.lines.append(JobLine(**{**entry, "error": error}))
        else:
            log.legs.append(len(log.lines))  # an empty object stands where a leg begins
    log.saved = len(log.lines)
    log.output += content
    return log


def _encoded(line: JobLine, *, is_first: bool) -> bytes:
    entry = json.dumps({"time": line.time, "type": line.type, "message": line.message}, ensure_ascii=False)
    return f"{'' if is_first else ','}\n {entry}".encode("utf-16-le", "surrogatepass")


def _stamp(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds")
