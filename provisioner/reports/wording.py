"""The words for what happened. Pure: events in, plain text out, the same with and without a terminal.

Text that comes from nodes is not trusted: `clean` makes every control character visible, so that no message can
move the cursor, change the title of a window or hide behind a line break.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from provisioner.events import (
    VERIFY,
    CheckFinished,
    Compared,
    Connected,
    Connecting,
    ConnectionLost,
    Converged,
    FileUploaded,
    JobFinished,
    JobStarted,
    LcmBusy,
    MetaConfigurationApplied,
    NodeDone,
    NodeFailed,
    NodeSkipped,
    Pushing,
    RebootFinished,
    RebootStarted,
    ResourceProgress,
    Uploading,
    Waiting,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provisioner.events import NodeEvent, Problem

#: C0 and C1 controls, and what turns the direction of text.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_BREAKS = re.compile(r"[ \t]*(?:\r\n|\r|\n)[\s]*")

#: The phase of a `ResourceProgress` that is a warning.
WARNING = "Warning"

#: Names listed in one line; the rest is counted.
_LISTED = 3


def clean(text: str) -> str:
    r"""Return ``text`` on one line, with every control character written out as ``\x1b``."""
    line = _BREAKS.sub(" ", text.strip()).replace("\t", " ")
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), line)


def duration(seconds: float) -> str:
    """Return a duration as people read it: ``1.2 s``, ``41 s``, ``6 min 12 s``, ``2 h 05 min``."""
    if seconds < 10:  # noqa: PLR2004 - below that, tenths are worth reading
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004 - seconds
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004 - minutes
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def count(number: int, noun: str) -> str:
    """Return ``1 reboot``, ``2 reboots``, ``0 reboots``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def size(number: int) -> str:
    """Return a number of bytes as people read it: ``512 bytes``, ``1.5 MiB``."""
    if number < 1024:  # noqa: PLR2004 - below that, bytes are worth reading
        return count(number, "byte")
    amount = float(number)
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        amount /= 1024
        if amount < 1024 or unit == "TiB":  # noqa: PLR2004 - the next unit
            return f"{amount:.1f} {unit}"
    raise AssertionError  # the last unit takes everything


def listed(names: Sequence[str], limit: int = _LISTED) -> str:
    """Return the first names and the number of the others."""
    rest = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {rest} more" if rest > 0 else "")


def step(event: NodeEvent) -> str | None:  # noqa: C901, PLR0912 - one line per kind of event
    """Say what a node does now; None when the event does not change that."""
    match event:
        case Waiting():
            return f"waiting for {clean(listed(event.for_nodes))}: {clean(event.reason)}"
        case Connecting():
            again = f", attempt {event.attempt}: {clean(event.reason)}" if event.reason else ""
            return f"connecting{again}"
        case Connected():
            return f"connected, the LCM is {clean(event.lcm_state)}"
        case ConnectionLost():
            state = clean(event.last_lcm_state) or "not heard yet"
            return f"connection lost, the LCM was {state}: {clean(event.reason)}"
        case MetaConfigurationApplied():
            return f"LCM settings sent: {listed(event.settings, 8)}"
        case LcmBusy():
            return f"waiting for the LCM: {clean(event.detail) or 'busy'}"
        case Compared():
            return _compared(event)
        case Uploading():
            share = f", {event.sent * 100 // event.size} %" if event.sent and event.size else ""
            return f"copying {clean(event.destination)}, {size(event.size)}{share}"
        case FileUploaded():
            return f"copied {clean(event.destination)}, {size(event.size)}"
        case Pushing():
            return f"pushing, leg {event.leg}"
        case JobStarted():
            return f"{'found its job running' if event.attached else 'applying'}, leg {event.leg}"
        case ResourceProgress():
            if event.phase == WARNING:
                return f"warning: {f'{clean(event.resource)} {clean(event.text)}'.strip()}"
            return f"{clean(event.phase):<4} {clean(event.resource)}"
        case JobFinished():
            return _job_finished(event)
        case RebootStarted():
            return f"rebooting: {clean(event.because)}"
        case RebootFinished():
            return f"back after a reboot of {duration(event.duration_s)}"
        case Converged():
            return "in desired state"
        case CheckFinished():
            message = f": {clean(event.message)}" if event.message and event.outcome != "passed" else ""
            word = "check" if event.stage == VERIFY else f"{clean(event.stage)} check"
            return f"{word} {clean(event.check)} {event.outcome}{message}"
        case NodeDone():
            return "done"
        case NodeFailed():
            return f"failed: {first_line(event)}"
        case NodeSkipped():
            return f"skipped: {clean(event.because)}"
    return None


def is_important(event: NodeEvent) -> bool:
    """Whether the event is worth a line of its own where lines stay (no terminal)."""
    match event:
        case Connecting():
            return event.attempt > 1
        case CheckFinished():
            # Roles skip what their variables do not ask for, or what a node is past; the summary counts it.
            return event.outcome not in {"passed", "skipped"}
        case Uploading():
            return event.sent == 0
        case ResourceProgress():
            return event.phase != "Test"
        case Connected() | JobStarted() | Converged() | NodeDone():
            return False
    return True


def first_line(event: NodeFailed) -> str:
    """Say in one line why a node failed."""
    if not event.problems:
        return event.kind
    problem = event.problems[0]
    more = f" (and {len(event.problems) - 1} more)" if len(event.problems) > 1 else ""
    resource = f"{clean(problem.resource)}: " if problem.resource else ""
    return f"{resource}{clean(problem.message)}{more}"


def problem_lines(problem: Problem) -> list[str]:
    """Word one problem for the list of failures: what and where, the message with its id, what to do."""
    lines = []
    if problem.resource or problem.position:
        place = f"  {clean(problem.position)}" if problem.position else ""
        lines.append(f"{clean(problem.resource)}{place}".strip())
    ids = ", ".join(clean(part) for part in (problem.error_id, problem.category) if part)
    lines.append(f"{clean(problem.message)}{f' [{ids}]' if ids else ''}")
    if problem.help:
        lines.append(f"help: {clean(problem.help)}")
    return lines


def _gist(error: str) -> str:
    """Return the first sentence of what a resource said, without the LCM's wrapping; the journal has it all.

    A first comparison that breaks off is ordinary: cmdlets come with the features that the push installs.
    """
    inner = error.rpartition("error message: ")[2].removeprefix("System.Exception: ").strip()
    return re.split(r"\.\s", inner, maxsplit=1)[0].rstrip(".")


def _compared(event: Compared) -> str:
    if event.error:
        return f"cannot be compared yet ({clean(_gist(event.error))}), so everything is pushed"
    total = len(event.differing) + event.in_desired_state
    if not event.differing:
        return f"{'all ' if total > 1 else ''}{count(total, 'resource')} in desired state"
    return f"{len(event.differing)} of {count(total, 'resource')} differ: {clean(listed(event.differing))}"


def _job_finished(event: JobFinished) -> str:
    parts = [f"leg {event.leg} ended: {clean(event.status)}", f"{len(event.changed)} changed"]
    if event.failed:
        parts.append(f"{len(event.failed)} failed")
    if event.reboot_requested:
        parts.append("needs a reboot")
    return ", ".join(parts)
