"""What an LCM leaves in the event log Microsoft-Windows-DSC/Operational.

The first inserted text of every event is the job's id, so that a log can be filtered by job. Source of the ids and
their meaning: LCM behaviour facts 2.11; where the wording is not known the text says the same in our own words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from provisioner.lab.machine.computer.event_log import DSC_OPERATIONAL, EventLog

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

SOURCE: Final = "Microsoft-Windows-DSC"

FAILED: Final = 4097
ARRIVED: Final = 4102
CONSISTENT: Final = 4115
CANCELLED: Final = 4121
STOPPED: Final = 4130
ENGINE_ERROR: Final = 4131
RESTARTING: Final = 4161
RESTARTED: Final = 4195
NOTHING_THERE: Final = 4198
COMPLETED: Final = 4251
REFUSED: Final = 4252
WARNED: Final = 4253
SETTINGS: Final = 4257
META_CORRUPT: Final = 4269
APPLIED: Final = 4286
CRASHED: Final = 4287
REMOVED: Final = 4288
RUN_AS: Final = 4321

_EVENTS: Final = {
    FAILED: ("Error", "The LCM failed: {text}"),
    ARRIVED: ("Information", "Operation {text}"),
    CONSISTENT: ("Information", "Consistency check completed successfully."),
    CANCELLED: ("Warning", "The current configuration was cancelled."),
    STOPPED: ("Warning", "The running configuration was forcibly stopped."),
    ENGINE_ERROR: ("Error", "{text}"),
    RESTARTING: ("Information", "DSC is restarting the computer."),
    RESTARTED: ("Information", "The machine was restarted. {text}"),
    NOTHING_THERE: ("Information", "There is no pending or current configuration."),
    COMPLETED: ("Information", "Operation completed: {text}"),
    REFUSED: ("Error", "{text}"),
    WARNED: ("Warning", "{text}"),
    SETTINGS: ("Information", "LCM settings: {text}"),
    META_CORRUPT: (
        "Warning",
        "Falling back to system defaults because the meta configuration mof has either been corrupted. {text}",
    ),
    APPLIED: ("Information", "The configuration was applied successfully."),
    CRASHED: ("Error", "The LCM process ended unexpectedly. {text}"),
    REMOVED: ("Information", "Documents removed: {text}"),
    RUN_AS: ("Information", "The resource runs as {text}."),
}


def write(machine: Machine, event_id: int, job_id: str, text: str = "") -> None:
    """Write one event. ``text`` must hold no secret: whoever may read the log reads it."""
    level, template = _EVENTS[event_id]
    machine.area(EventLog).write(
        DSC_OPERATIONAL,
        SOURCE,
        event_id,
        level,
        f"Job {job_id} :\n{template.format(text=text)}",
        properties=(job_id, text),
    )
