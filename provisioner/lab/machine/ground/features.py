"""Windows roles and features: the table of a release and the states of one machine.

The table (``data/features.json``: 276 names with parents, releases, dependencies, services) is read once per
process and shared. A machine stores only states that differ from its release's defaults.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from importlib import resources
from typing import Any, Literal

from provisioner.lab.machine.area import Ledger, MachineError
from provisioner.lab.machine.ground.services import Service, Services

Restart = Literal["Yes", "No", "Maybe"]


class FeatureState(Enum):
    """InstallState of Get-WindowsFeature, and two states that only DISM has names for."""

    AVAILABLE = "Available"
    INSTALLED = "Installed"
    INSTALL_PENDING = "InstallPending"
    UNINSTALL_PENDING = "UninstallPending"
    REMOVED = "Removed"
    PARTIALLY_INSTALLED = "PartiallyInstalled"
    SUPERSEDED = "Superseded"


@dataclass(frozen=True, slots=True)
class Feature:
    """What is fixed about a feature. ``subs`` are direct ones; ``restart`` is what installing it answers.

    ``optional_name`` is the name that DISM knows it by; ``custom`` its custom properties, as DISM shows them.
    """

    name: str
    display_name: str
    kind: str = "Feature"
    parent: str | None = None
    subs: tuple[str, ...] = ()
    is_default: bool = False
    depends_on: tuple[str, ...] = ()
    restart: Restart = "No"
    restart_removal: Restart = "No"
    services: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    optional_name: str = ""
    description: str = ""
    custom: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """All features of a release by folded name, in the order of the listing, and the services they bring."""

    features: Mapping[str, Feature]
    services: Mapping[str, Service]

    def find(self, name: str) -> Feature | None:
        """Look a feature up without regard to case."""
        return self.features.get(name.casefold())


@dataclass(frozen=True, slots=True)
class FeatureChange:
    """Answer of Install- and Uninstall-WindowsFeature. ``changed`` are feature names."""

    is_success: bool
    restart_needed: Restart
    changed: tuple[str, ...]

    @property
    def exit_code(self) -> str:
        """ExitCode of the answer."""
        if not self.changed:
            return "NoChangeNeeded"
        return "SuccessRestartRequired" if self.restart_needed == "Yes" else "Success"


#: Features that the edition Standard does not have (documentation of guarded hosts and network controllers).
_DATACENTER_ONLY = frozenset({"HostGuardian", "NetworkController"})


@lru_cache(maxsize=8)
def table_of(release: str, edition: str = "Datacenter") -> FeatureTable:
    """Read the table for "2016", "2019", "2022" or "2025", as Standard or Datacenter has it."""
    text = resources.files("provisioner.lab.machine").joinpath("data/features.json").read_text("utf-8")
    raw = json.loads(text)
    missing = _DATACENTER_ONLY if edition == "Standard" else frozenset[str]()
    rows = [row for row in raw["features"] if release in row["releases"] and row["name"] not in missing]
    names = {row["name"] for row in rows}
    for row in rows:
        # The parent that a feature had in another release is none here.
        row["parent"] = row["parent"] if row["parent"] in names else None
    subs: dict[str, list[str]] = {}
    for row in rows:
        subs.setdefault(row["parent"] or "", []).append(row["name"])
    features = {
        row["name"].casefold(): Feature(
            row["name"],
            row["display"],
            row["type"],
            row["parent"],
            tuple(subs.get(row["name"], ())),
            release in row["default"],
            tuple(row["depends_on"]),
            row["restart"],
            row.get("restart_removal", row["restart"]),
            tuple(row["services"]),
            tuple(row["tools"]),
            row.get("optional", ""),
        )
        for row in rows
    }
    services = {
        name: Service(name, display, rf"C:\Windows\system32\{name}.exe", mode, account)
        for name, (display, mode, account) in raw["services"].items()
    }
    return FeatureTable(features, services)


class Features:
    """Feature states of one machine. Installing pulls in parents and dependencies, as the cmdlets do."""

    def __init__(self, ledger: Ledger, table: FeatureTable, services: Services) -> None:
        self._ledger = ledger
        self._services = services
        self.table = table
        self._states: dict[str, FeatureState] = {}
        #: Whether installing and removing answer Success False and change nothing.
        self.is_stuck = False

    def find(self, name: str) -> Feature | None:
        """Look a feature up by its exact name, without regard to case."""
        return self.table.find(name)

    def attempt(self, cmdlet: str) -> None:
        """Raise the injected error of ``cmdlet``, if there is one."""
        self._ledger.attempt(cmdlet)

    def match(self, pattern: str) -> list[Feature]:
        """Features whose name matches a wildcard pattern, in listing order."""
        folded = pattern.casefold()
        return [item for key, item in self.table.features.items() if fnmatch.fnmatchcase(key, folded)]

    def state(self, name: str) -> FeatureState:
        """State of a known feature."""
        feature = self.table.features[name.casefold()]
        default = FeatureState.INSTALLED if feature.is_default else FeatureState.AVAILABLE
        return self._states.get(name.casefold(), default)

    def is_installed(self, name: str) -> bool:
        """Whether the feature exists here and is installed, not merely pending."""
        return self.find(name) is not None and self.state(name) is FeatureState.INSTALLED

    @property
    def needs_restart(self) -> bool:
        """Whether some feature waits for the next boot (ServerFeature.RequiresReboot)."""
        pending = {FeatureState.INSTALL_PENDING, FeatureState.UNINSTALL_PENDING}
        return any(state in pending for state in self._states.values())

    def install(
        self, names: Iterable[str], *, with_subs: bool = False, with_tools: bool = False
    ) -> FeatureChange:
        """Install features with their parents and dependencies.

        Raises:
            MachineError: unknown name (id NameDoesNotExist) or payload removed (0x800f081f).
        """
        self._ledger.attempt("Add-WindowsFeature")
        if self.is_stuck:
            return FeatureChange(is_success=False, restart_needed="No", changed=())
        wanted: dict[str, Feature] = {}
        for name in names:
            self._collect(self._known(name), wanted, with_subs=with_subs, with_tools=with_tools)
        removed = [item.name for item in wanted.values() if self.state(item.name) is FeatureState.REMOVED]
        if removed:
            raise MachineError(
                "The request to add or remove features on the specified server failed. Installation of one or "
                "more roles, role services, or features failed. The source files could not be found. "
                f"Feature: {removed[0]}. Error: 0x800f081f",
                "DISMAPI_Error__Cbs_Download_Failure",
                "InvalidOperation",
            )
        done = {FeatureState.INSTALLED, FeatureState.INSTALL_PENDING}
        changed = [item for item in wanted.values() if self.state(item.name) not in done]
        for item in changed:
            self.switch_on(item)
        return _answer(changed, {item.restart for item in changed})

    def uninstall(self, names: Iterable[str]) -> FeatureChange:
        """Remove features with their sub-features and everything that depends on them.

        Raises:
            MachineError: unknown name.
        """
        self._ledger.attempt("Remove-WindowsFeature")
        if self.is_stuck:
            return FeatureChange(is_success=False, restart_needed="No", changed=())
        wanted: dict[str, Feature] = {}
        for name in names:
            self._collect_dependants(self._known(name), wanted)
        there = {FeatureState.INSTALLED, FeatureState.INSTALL_PENDING}
        changed = [item for item in wanted.values() if self.state(item.name) in there]
        for item in changed:
            self.switch_off(item)
        return _answer(changed, {item.restart_removal for item in changed})

    def switch_on(self, feature: Feature) -> None:
        """Install one feature and nothing else, at once or with the next boot."""
        if feature.restart == "Yes" and self.state(feature.name) is not FeatureState.UNINSTALL_PENDING:
            self._put(feature, FeatureState.INSTALL_PENDING)
        else:
            self._put(feature, FeatureState.INSTALLED)
            self._bring_services(feature)

    def switch_off(self, feature: Feature) -> None:
        """Remove one feature and nothing else, at once or with the next boot."""
        if feature.restart_removal == "Yes" and self.state(feature.name) is FeatureState.INSTALLED:
            self._put(feature, FeatureState.UNINSTALL_PENDING)
        else:
            self._put(feature, FeatureState.AVAILABLE)
            self._drop_services(feature)

    def remove_payload(self, name: str) -> None:
        """Take the feature's files off the image: it can no longer be installed."""
        self._put(self._known(name), FeatureState.REMOVED)

    def restore_payload(self, name: str) -> None:
        """Bring the files of a feature back, from a source that somebody named."""
        if self.find(name) and self.state(name) is FeatureState.REMOVED:
            self._put(self._known(name), FeatureState.AVAILABLE)

    def on_boot(self) -> None:
        """Make pending states final. Services of new features are registered, not started."""
        for key, state in list(self._states.items()):
            feature = self.table.features[key]
            if state is FeatureState.INSTALL_PENDING:
                self._put(feature, FeatureState.INSTALLED)
                self._bring_services(feature, start=False)
            elif state is FeatureState.UNINSTALL_PENDING:
                self._put(feature, FeatureState.AVAILABLE)
                self._drop_services(feature)

    def _known(self, name: str) -> Feature:
        feature = self.find(name)
        if feature is None:
            raise MachineError(
                f"ArgumentNotValid: The role, role service, or feature name is not valid: '{name}'. "
                "The name was not found.",
                "NameDoesNotExist",
                "InvalidArgument",
            )
        return feature

    def _collect(
        self, feature: Feature, wanted: dict[str, Feature], *, with_subs: bool, with_tools: bool
    ) -> None:
        if feature.name.casefold() in wanted:
            return
        if feature.parent:
            self._collect(self._known(feature.parent), wanted, with_subs=False, with_tools=False)
        wanted[feature.name.casefold()] = feature
        below = feature.subs if with_subs else ()
        for name in (*feature.depends_on, *below, *(feature.tools if with_tools else ())):
            if self.find(name):
                self._collect(
                    self._known(name), wanted, with_subs=with_subs and name in below, with_tools=False
                )

    def _collect_dependants(self, feature: Feature, wanted: dict[str, Feature]) -> None:
        if feature.name.casefold() in wanted:
            return
        wanted[feature.name.casefold()] = feature
        for other in self.table.features.values():
            if other.parent == feature.name or feature.name in other.depends_on:
                self._collect_dependants(other, wanted)

    def _put(self, feature: Feature, state: FeatureState) -> None:
        default = FeatureState.INSTALLED if feature.is_default else FeatureState.AVAILABLE
        if state is default:
            self._states.pop(feature.name.casefold(), None)
        else:
            self._states[feature.name.casefold()] = state
        self._ledger.changed("features", f"{feature.name} {state.value}")

    def _bring_services(self, feature: Feature, *, start: bool = True) -> None:
        for name in feature.services:
            service = self.table.services.get(name)
            if service is None or self._services.find(name):
                continue
            self._services.add(service)
            if start and service.start_mode == "Auto":
                self._services.start(name)

    def _drop_services(self, feature: Feature) -> None:
        shared = {
            name
            for other in self.table.features.values()
            if other is not feature and self.is_installed(other.name)
            for name in other.services
        }
        for name in feature.services:
            if name not in shared and self._services.find(name):
                self._services.stop(name, force=True)
                self._services.delete(name)

    def to_plain(self) -> dict[str, Any]:
        """Give the states that differ from the defaults."""
        return {key: state.value for key, state in self._states.items()}

    def load(self, plain: Mapping[str, Any]) -> None:
        """Take over what ``to_plain`` gave."""
        self._states = {
            key: FeatureState(value) for key, value in plain.items() if key in self.table.features
        }


def _answer(changed: list[Feature], restarts: set[Restart]) -> FeatureChange:
    if "Yes" in restarts:
        needed: Restart = "Yes"
    else:
        needed = "Maybe" if "Maybe" in restarts else "No"
    return FeatureChange(is_success=True, restart_needed=needed, changed=tuple(item.name for item in changed))
