"""WindowsFeatures of ProvisionerDsc (class PROV_WindowsFeatures): several features in one servicing call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from provisioner.lab.machine.cim import edition
from provisioner.lab.machine.ground.features import FeatureChange, Features, FeatureState
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, calling, resource_error

_RULES: Final = (
    Rule("IsSingleInstance", allowed=("Yes",), is_mandatory=True),
    Rule("Present", "strings"),
    Rule("Absent", "strings"),
    Rule("IncludeManagementTools", "boolean"),
    Rule("Source"),
)
_CMDLETS: Final = "Microsoft.Windows.ServerManager.Commands."
_PENDING: Final = (FeatureState.INSTALL_PENDING, FeatureState.UNINSTALL_PENDING)
_GONE: Final = (FeatureState.AVAILABLE, FeatureState.REMOVED)
#: How many near names the error about an unknown feature gives. A third of the letters may differ, at most four.
_NEAR_COUNT: Final = 3
_NEAR_DISTANCE: Final = 4


@dataclass(slots=True)
class _Plan:
    """What Set does: names to hand to the cmdlets, and those only a restart can finish."""

    install: list[str] = field(default_factory=list)
    uninstall: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    without_files: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.install or self.uninstall or self.pending)


class WindowsFeatures:
    """Stateless. Empty lists ask Windows nothing."""

    class_name = "PROV_WindowsFeatures"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource: all features that are installed, in the order of their listing."""
        bind("Get-TargetResource", _RULES[:1], properties)
        features = _listed(context)
        installed = [
            item.name for item in features.table.features.values() if features.is_installed(item.name)
        ]
        unknown = {"Absent": None, "IncludeManagementTools": None, "Source": None}
        return {"IsSingleInstance": "Yes", "Present": installed, **unknown}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: nothing to install, to remove or to wait for."""
        bound = bind("Test-TargetResource", _RULES, properties)
        return _plan(bound, context).is_empty

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: one call that installs, one that removes, one restart for both."""
        bound = bind("Set-TargetResource", _RULES, properties)
        plan = _plan(bound, context)
        restarts = ["Yes"] if plan.pending else []
        if plan.install or plan.uninstall:
            await context.sleep(context.machine.durations.feature_s)
        try:
            if plan.install:
                restarts.append(_install(plan, bound, context).restart_needed)
            if plan.uninstall:
                restarts.append(_uninstall(plan, context).restart_needed)
        except ResourceError as error:
            if "Yes" not in restarts:
                raise
            context.verbose(f"What is left waits for the run after the restart: {error.message}")
        if "Yes" in restarts:
            context.verbose("The node has to be restarted.")
            context.reboot_requested = True


def _install(plan: _Plan, bound: Mapping[str, Any], context: ResourceContext) -> FeatureChange:
    features = context.machine.features
    if bound.get("Source"):
        for name in plan.without_files:
            features.restore_payload(name)
    try:
        with calling(f"{_CMDLETS}AddWindowsFeatureCommand"):
            change = features.install(plan.install, with_tools=bool(bound.get("IncludeManagementTools")))
        _demand_success(change, "FeatureInstallFailed", "install", plan.install)
    except ResourceError as error:
        if not plan.without_files or bound.get("Source"):
            raise
        raise resource_error(
            f"The files of {', '.join(plan.without_files)} were removed from this node, and Windows found them "
            f"nowhere else. Give their folder as Source. {error.message}",
            "FeatureSourceNeeded",
            "ObjectNotFound",
        ) from None
    return change


def _uninstall(plan: _Plan, context: ResourceContext) -> FeatureChange:
    with calling(f"{_CMDLETS}RemoveWindowsFeatureCommand"):
        change = context.machine.features.uninstall(plan.uninstall)
    _demand_success(change, "FeatureRemovalFailed", "remove", plan.uninstall)
    return change


def _demand_success(change: FeatureChange, error_id: str, verb: str, names: Iterable[str]) -> None:
    if not change.is_success:
        raise resource_error(f"Windows did not {verb} {', '.join(names)}.", error_id, "InvalidResult")


def _listed(context: ResourceContext) -> Features:
    with calling(f"{_CMDLETS}GetWindowsFeatureCommand"):
        context.machine.ledger.attempt("Get-WindowsFeature")
    return context.machine.features


def _plan(bound: Mapping[str, Any], context: ResourceContext) -> _Plan:
    present = _distinct(bound.get("Present") or ())
    absent = _distinct(bound.get("Absent") or ())
    plan = _Plan()
    if not present and not absent:
        return plan
    _demand_apart(present, absent)
    features = _listed(context)
    _demand_known([*present, *absent], context)
    _demand_unneeded(present, absent, features)
    for name in present:
        state = features.state(name)
        if state in _PENDING:
            plan.pending.append(name)
        elif state is not FeatureState.INSTALLED:
            plan.install.append(name)
            if state is FeatureState.REMOVED:
                plan.without_files.append(name)
    for name in absent:
        state = features.state(name)
        if state is FeatureState.UNINSTALL_PENDING:
            plan.pending.append(name)
        elif state not in _GONE:
            plan.uninstall.append(name)
    return plan


def _distinct(names: Iterable[str]) -> list[str]:
    """Leave out names that came before, upper and lower case alike."""
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(name.casefold(), name)
    return list(first.values())


def _demand_apart(present: list[str], absent: list[str]) -> None:
    folded = {name.casefold() for name in absent}
    both = ", ".join(name for name in present if name.casefold() in folded)
    if both:
        raise resource_error(f"Present and Absent both name {both}.", "FeatureInBothLists", "InvalidArgument")


def _demand_known(names: list[str], context: ResourceContext) -> None:
    features = context.machine.features
    unknown = [name for name in _distinct(names) if features.find(name) is None]
    if not unknown:
        return
    parts = []
    for name in unknown:
        near = _near(name, (item.name for item in features.table.features.values()))
        parts.append(f"'{name}' (near: {', '.join(near)})" if near else f"'{name}'")
    raise resource_error(
        f"This Windows ({_windows(context)}) has no feature named {', '.join(parts)}.",
        "FeatureUnknown",
        "ObjectNotFound",
    )


def _windows(context: ResourceContext) -> str:
    with calling("Get-CimInstance"):
        context.machine.ledger.attempt("Get-CimInstance")
    return edition(context.machine)


def _demand_unneeded(present: list[str], absent: list[str], features: Features) -> None:
    folded = {name.casefold() for name in absent}
    for name in present:
        for needed in _needed(name, features):
            if needed.casefold() in folded:
                raise resource_error(
                    f"Absent names '{needed}', which '{name}' of Present needs.",
                    "FeatureNeeded",
                    "InvalidArgument",
                )


def _needed(name: str, features: Features) -> list[str]:
    """Names of all features that one depends on or is a part of, theirs too, the nearest first."""
    seen = {name.casefold(): name}
    waiting = [name]
    for current in waiting:
        feature = features.find(current)
        if feature is None:
            continue
        for needed in (*feature.depends_on, *((feature.parent,) if feature.parent else ())):
            if features.find(needed) and needed.casefold() not in seen:
                seen[needed.casefold()] = needed
                waiting.append(needed)
    return waiting[1:]


def _near(name: str, known: Iterable[str]) -> list[str]:
    limit = min(_NEAR_DISTANCE, max(1, len(name) // 3))
    distances = sorted((_distance(name.upper(), item.upper()), item.casefold(), item) for item in known)
    return [item for distance, _, item in distances if distance <= limit][:_NEAR_COUNT]


def _distance(first: str, second: str) -> int:
    """Count the letters to change, add or take away (Levenshtein)."""
    previous = list(range(len(second) + 1))
    for row, letter in enumerate(first, 1):
        current = [row]
        for column, other in enumerate(second, 1):
            change = min(previous[column], current[column - 1]) + 1
            current.append(min(change, previous[column - 1] + (letter != other)))
        previous = current
    return previous[-1]
