"""From errors to the problems a person can act on: resource, line in the YAML, error id, what to do. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from provisioner.errors import (
    CommandError,
    LcmError,
    LocalProtocolError,
    NodeError,
    ProvisionerError,
    TransportError,
)
from provisioner.events import CheckFinished, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from provisioner.node.base import ResourceState

BUG = "This is a bug in provisioner"

#: The LCM names the type, not the resource, when the module of a resource is absent (behaviour facts, 2.5).
_TYPE = re.compile(r"DSC resource (?:MSFT_)?(?P<type>\w+) ", re.IGNORECASE)


#: Kind of failure of a node whose checks did not pass.
CHECK_FAILED = "CheckFailed"
#: Kind of failure of a node that was left as it is, and what is said about that.
PREFLIGHT_FAILED = "PreflightFailed"
NOTHING_CHANGED = "Nothing was changed on the node. Mend this and run the same command again."


class NodeFailure(Exception):
    """The node failed, with problems that are sorted out already. ``kind`` names the class of error."""

    def __init__(self, problems: Iterable[Problem], kind: str = LcmError.__name__) -> None:
        self.kind = kind
        self.problems = tuple(problems)
        super().__init__("; ".join(problem.message for problem in self.problems))


def of_checks(outcomes: Iterable[CheckFinished]) -> tuple[Problem, ...]:
    """Return a problem for each check that did not pass."""
    return tuple(
        Problem(check.message or f"the check ended as {check.outcome}", f"{check.role}: {check.check}")
        for check in outcomes
        if check.outcome in {"failed", "error"}
    )


class Failures:
    """Words the failures of one node, with the positions and the spelling of its resources where there are any."""

    def __init__(self, positions: Mapping[str, str] | None = None, resources: Sequence[str] = ()) -> None:
        self._positions = positions or {}
        self._spelling = {name.casefold(): name for name in (*self._positions, *resources)}

    def of_resource(self, state: ResourceState, fallback: str, help: str = "") -> Problem:
        """Word the failure of one resource; ``fallback`` is used when the node gave no message."""
        return Problem(
            message=state.error or fallback,
            resource=self.spelled(state.resource_id),
            position=self._position(state.resource_id) or _from_source_info(state.source_info),
            error_id=state.error_id,
            category=state.category,
            help=help,
        )

    def of_error(self, error: BaseException) -> tuple[str, tuple[Problem, ...]]:
        """Return the kind and the problems of any exception."""
        match error:
            case NodeFailure():
                return error.kind, error.problems
            case LocalProtocolError():
                return type(error).__name__, (Problem(f"{BUG}: {error.reason}", help=error.help),)
            case TransportError():
                return type(error).__name__, (Problem(f"{error.endpoint}: {error.reason}", help=error.help),)
            case CommandError():
                text = f"{error.command} failed: {error.message}"
                return type(error).__name__, self._about(text, error.error_id, error.category, error.help)
            case LcmError():
                return type(error).__name__, self._about(error.reason, error.code, "", error.help)
            case NodeError():
                return type(error).__name__, (Problem(error.reason, help=error.help),)
            case ProvisionerError():
                return type(error).__name__, (Problem(str(error), help=error.help),)
        kind = type(error).__name__
        return kind, (
            Problem(f"{BUG}: {kind}: {error}", help="Run again with --debug and report what it prints."),
        )

    def mentioned(self, text: str) -> tuple[str, ...]:
        """Name the declared resources a message of the LCM is about: by id, else by type."""
        folded = text.casefold()
        named: list[str] = []
        for name in sorted(
            self._spelling, key=len, reverse=True
        ):  # [Service]nova-compute before [Service]nova
            if name in folded:
                named.append(self._spelling[name])
                folded = folded.replace(name, "")
        if not named and (found := _TYPE.search(text)):
            start = f"[{found['type']}]".casefold()
            named = [spelled for name, spelled in self._spelling.items() if name.startswith(start)]
        return tuple(named)

    def spelled(self, resource: str) -> str:
        """Return a resource id as the user spells it."""
        return self._spelling.get(resource.casefold(), resource)

    def _about(self, message: str, error_id: str, category: str, help: str) -> tuple[Problem, ...]:
        return tuple(
            Problem(message, resource, self._position(resource), error_id, category, help)
            for resource in self.mentioned(message) or ("",)
        )

    def _position(self, resource: str) -> str:
        return self._positions.get(resource.casefold(), "")


def _from_source_info(text: str) -> str:
    """Turn ``path::line::column::Type`` into ``path:line:column``; empty when it is something else."""
    path, *rest = text.split("::")
    return ":".join((path, *rest[:2])) if len(rest) >= 2 else ""  # noqa: PLR2004 - line and column
