"""What happened, as frozen values. The engine makes them; terminal, JSON lines and the journal listen.

An event never carries a secret and never says how it looks. ``Recorded`` adds what the maker cannot know
by itself: the place in the run and the time. No clock here; whoever records passes the time in.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from provisioner.addresses import NodeName
from provisioner.roles.model import Leftover

#: Stages of a node in which checks are asked: before anything is changed, and when all is done.
PREFLIGHT = "preflight"
VERIFY = "verify"


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run began. ``digests`` maps node to the digest of its configuration; ``total`` counts the inventory."""

    run_id: str
    inventory: str
    operation: str
    nodes: tuple[str, ...]
    total: int
    digests: dict[str, str]
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A run ended by itself or was interrupted; without this event in the journal it was killed."""

    run_id: str
    changed: int
    unchanged: int
    failed: int
    skipped: int
    reboots: int
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class NodeEvent:
    """Base of everything that happens to one node."""

    node: NodeName


@dataclass(frozen=True, slots=True)
class Waiting(NodeEvent):
    """Others have to be done first. ``for_nodes`` are those that were not when the wait for this reason began."""

    for_nodes: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Connecting(NodeEvent):
    """The node is being contacted. ``attempt`` counts from 1; ``reason`` says why again."""

    attempt: int = 1
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Connected(NodeEvent):
    """The node answered. ``boot_time`` is ISO 8601; ``lcm_state`` as the LCM spells it."""

    boot_time: str
    lcm_state: str


@dataclass(frozen=True, slots=True)
class ConnectionLost(NodeEvent):
    """The connection broke; the job on the node goes on."""

    reason: str
    last_lcm_state: str = ""


@dataclass(frozen=True, slots=True)
class MetaConfigurationApplied(NodeEvent):
    """LCM settings differed and were sent. ``settings`` names the ones that differed."""

    settings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compared(NodeEvent):
    """TestConfiguration answered. Resource ids as ``[Type]Name``; ``in_desired_state`` is a count.

    With ``error`` the test itself broke off, as it does where cmdlets arrive only with the push: ``differing``
    are then the resources the message names, and nothing is known of the others.
    """

    differing: tuple[str, ...]
    in_desired_state: int
    final: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class LcmBusy(NodeEvent):
    """The LCM is doing something else, so we wait. ``detail`` as the LCM words it."""

    detail: str


@dataclass(frozen=True, slots=True)
class Uploading(NodeEvent):
    """A file is on its way to the node; about ``sent`` of its ``size`` in bytes."""

    destination: str
    size: int
    sent: int = 0


@dataclass(frozen=True, slots=True)
class FileUploaded(NodeEvent):
    """A file the node did not have is in its place there. ``size`` is in bytes."""

    destination: str
    size: int


@dataclass(frozen=True, slots=True)
class Pushing(NodeEvent):
    """A document is about to be handed to the LCM under this job id: written down before it is sent.

    Whether it arrived is for the node to say; a resumed run asks it.
    """

    job_id: str
    leg: int


@dataclass(frozen=True, slots=True)
class JobStarted(NodeEvent):
    """A document was handed to the LCM. ``leg`` counts from 1; ``attached`` means the job was found running."""

    job_id: str
    leg: int
    attached: bool = False


@dataclass(frozen=True, slots=True)
class ResourceProgress(NodeEvent):
    """The LCM works on a resource. ``phase`` is Test, Set or the like, as the LCM prints it."""

    resource: str
    phase: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class JobFinished(NodeEvent):
    """The LCM ended a job. ``changed`` are the resources whose Set ran without an error."""

    job_id: str
    leg: int
    status: str
    lcm_state: str
    reboot_requested: bool
    changed: tuple[str, ...]
    failed: tuple[str, ...]
    duration_s: float


@dataclass(frozen=True, slots=True)
class RebootStarted(NodeEvent):
    """The node was told to restart. ``because`` names the resource or state that asked."""

    because: str
    boot_time: str


@dataclass(frozen=True, slots=True)
class RebootFinished(NodeEvent):
    """The node is back with a new boot time."""

    boot_time: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class Converged(NodeEvent):
    """The final test found every resource in desired state."""

    changed: tuple[str, ...]
    reboots: int


@dataclass(frozen=True, slots=True)
class CheckFinished(NodeEvent):
    """One check ended. ``outcome`` is passed, failed, error or skipped.

    ``stage`` is one of the stages above.
    """

    role: str
    check: str
    outcome: str
    message: str = ""
    duration_s: float = 0.0
    stage: str = VERIFY


@dataclass(frozen=True, slots=True)
class NodeDone(NodeEvent):
    """The node ended well. ``roles`` are those the inventory gave it; what it was rid of is not among them.

    ``leaves`` is what stays of the roles that were undone.
    """

    changed: int
    reboots: int
    checks: int = 0
    roles: tuple[str, ...] = ()
    leaves: tuple[Leftover, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason of a failure. ``resource`` and ``position`` (file:line:col) are empty when unknown."""

    message: str
    resource: str = ""
    position: str = ""
    error_id: str = ""
    category: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class NodeFailed(NodeEvent):
    """The node ended badly. ``kind`` is the class name of the error."""

    kind: str
    problems: tuple[Problem, ...]
    last_lcm_state: str = ""
    changed: int = 0
    reboots: int = 0


@dataclass(frozen=True, slots=True)
class NodeSkipped(NodeEvent):
    """Nothing was done to the node."""

    because: str


Event = (
    RunStarted
    | RunFinished
    | Waiting
    | Connecting
    | Connected
    | ConnectionLost
    | MetaConfigurationApplied
    | Compared
    | LcmBusy
    | Uploading
    | FileUploaded
    | Pushing
    | JobStarted
    | ResourceProgress
    | JobFinished
    | RebootStarted
    | RebootFinished
    | Converged
    | CheckFinished
    | NodeDone
    | NodeFailed
    | NodeSkipped
)

_TYPES: dict[str, type[Any]] = {kind.__name__: kind for kind in Event.__args__}
#: Fields that hold more than plain values.
_PARTS: dict[str, type[Any]] = {"problems": Problem, "leaves": Leftover}


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event in its place: run, number in the run (from 1) and time (ISO 8601, UTC)."""

    run_id: str
    sequence: int
    time: str
    event: Event


def to_plain(recorded: Recorded) -> dict[str, Any]:
    """Return a JSON-ready mapping: ``run``, ``seq``, ``time``, ``type`` and the event's own fields."""
    event = recorded.event
    head = {
        "run": recorded.run_id,
        "seq": recorded.sequence,
        "time": recorded.time,
        "type": type(event).__name__,
    }
    return head | asdict(event)


def from_plain(data: dict[str, Any]) -> Recorded:
    """Rebuild what ``to_plain`` wrote, also after JSON turned tuples into lists.

    Unknown fields are ignored (a newer minor version may add some).

    Raises:
        KeyError: unknown event type.
    """
    kind = _TYPES[data["type"]]
    values = {field.name: _tuples(data[field.name]) for field in fields(kind) if field.name in data}
    for name, part in _PARTS.items():
        if name in values:
            values[name] = tuple(part(**each) for each in values[name])
    return Recorded(data["run"], data["seq"], data["time"], kind(**values))


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
