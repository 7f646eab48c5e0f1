"""What the end of a job means: what changed, what failed, who wants a reboot. Pure.

Status=Success alone says little: a job that stopped at the first resource asking for a reboot is a Success too,
and the resources behind it are in no list at all.

Source: LCM behaviour facts, 2.5 (Microsoft's table of results).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from provisioner.engine.lcm import PENDING_REBOOT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from provisioner.engine.lcm import JobEnd
    from provisioner.node.base import ConfigurationStatus, ResourceState

#: The status of a job the LCM kept no record of.
LOST = "Unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A job's end, judged. ``asking`` are the resources that asked for a reboot; ``error`` is the job's own."""

    status: str
    needs_reboot: bool
    changed: tuple[str, ...] = ()
    failed: tuple[ResourceState, ...] = ()
    asking: tuple[str, ...] = ()
    error: str = ""

    @property
    def is_lost(self) -> bool:
        """Whether the LCM kept no record of the job."""
        return self.status == LOST

    @property
    def has_failed(self) -> bool:
        """Whether anything in the job failed."""
        return self.status == "Failure" or bool(self.failed)


def judge(end: JobEnd, differing: Collection[str]) -> Outcome:
    """Judge the end of a job.

    ``changed`` comes from the node where its LCM tells it; where it does not (2016), it is what ``differing``
    named before the job and the job found or brought into desired state.
    """
    status = end.status
    pending = end.meta.state == PENDING_REBOOT
    if status is None:
        return Outcome(LOST, pending, failed=end.errors)
    failed = _failed(status, end.errors)
    bad = {state.resource_id.casefold() for state in failed}
    asking = tuple(
        state.resource_id
        for state in (*status.not_in_desired_state, *status.in_desired_state)
        if state.reboot_requested and state.resource_id.casefold() not in bad
    )
    return Outcome(
        status=status.status,
        needs_reboot=pending or status.reboot_requested,
        changed=tuple(name for name in _changed(status, differing, asking) if name.casefold() not in bad),
        failed=failed,
        asking=asking,
        error=status.error,
    )


def _failed(status: ConfigurationStatus, errors: Iterable[ResourceState]) -> tuple[ResourceState, ...]:
    """Return the failed resources with all that is known about each, then what is about the job alone."""
    out = status.not_in_desired_state
    known, rest = _by_resource(errors, out)
    if status.status != "Failure":
        return (*known.values(), *rest)
    failed = [state for state in out if state.error or state.resource_id.casefold() in known]
    failed = failed or [state for state in out if not state.reboot_requested] or list(out)
    merged = [_merge(state, known.pop(state.resource_id.casefold(), None)) for state in failed]
    return (*merged, *known.values(), *rest)


def _by_resource(
    errors: Iterable[ResourceState], out: Iterable[ResourceState]
) -> tuple[dict[str, ResourceState], list[ResourceState]]:
    """Give each resource the errors about it; the second part is what is about none.

    Errors do not name their resource, but the last one about it has the text that stands in its record; those
    before it are what the resource wrote and survived.
    """
    names = {state.error: state.resource_id for state in out if state.error}
    known: dict[str, ResourceState] = {}
    unclaimed: list[ResourceState] = []
    for error in errors:
        name = error.resource_id or names.get(error.error, "")
        if not name:
            unclaimed.append(error)
            continue
        texts = dict.fromkeys([*(item.error for item in unclaimed), error.error])
        known[name.casefold()] = replace(error, resource_id=name, error="\n".join(texts))
        unclaimed.clear()
    return known, unclaimed


def _merge(state: ResourceState, error: ResourceState | None) -> ResourceState:
    if error is None:
        return state
    return replace(
        state,
        error=error.error or state.error,
        error_id=error.error_id or state.error_id,
        category=error.category or state.category,
    )


def _changed(status: ConfigurationStatus, differing: Collection[str], asking: Iterable[str]) -> list[str]:
    if status.changed:
        return list(status.changed)
    states = (*status.in_desired_state, *status.not_in_desired_state)
    if any(state.changed is not None for state in states):
        return [state.resource_id for state in states if state.changed]
    before = {name.casefold() for name in differing}
    done = [state.resource_id for state in status.in_desired_state if state.resource_id.casefold() in before]
    return list(dict.fromkeys([*done, *asking]))


def differing_settings(wanted: Mapping[str, object], actual: Mapping[str, object]) -> tuple[str, ...]:
    """Name the LCM settings whose actual value is not the wanted one, sorted. Text is compared without case."""
    found = {name.casefold(): value for name, value in actual.items()}
    return tuple(
        sorted(name for name, value in wanted.items() if not _same(value, found.get(name.casefold())))
    )


def _same(wanted: object, actual: object) -> bool:
    if isinstance(wanted, str) and isinstance(actual, str):
        return wanted.casefold() == actual.casefold()
    if isinstance(wanted, bool) or isinstance(actual, bool):
        return wanted is actual
    if isinstance(wanted, (list, tuple)) and isinstance(actual, (list, tuple)):
        return len(wanted) == len(actual) and all(_same(*pair) for pair in zip(wanted, actual, strict=True))
    return wanted == actual
