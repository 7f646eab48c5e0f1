"""Services start what they depend on, and refuse as the service control manager does."""

from __future__ import annotations

import pytest

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.services import IN_BOX, Service
from provisioner.lab.spec import ServiceSpec
from tests.unit.lab.machines import REBOOTED, machine


def status(made: object, *names: str) -> list[str]:
    return [item.status for name in names if (item := made.services.find(name))]  # type: ignore[attr-defined]


def test_starting_a_service_starts_its_dependencies_first() -> None:
    made = machine(
        services=(
            ServiceSpec("a", dependencies=("b",)),
            ServiceSpec("b", dependencies=("c",)),
            ServiceSpec("c"),
        )
    )
    heard: list[str] = []
    made.ledger.listeners.append(lambda _area, what: heard.append(what))
    made.services.start("A")
    assert heard == ["c started", "b started", "a started"]


@pytest.mark.parametrize(("dependency", "number"), [("none", "1075"), ("failing", "1068"), ("loop", "1068")])
def test_a_dependency_that_does_not_run_stops_the_start(dependency: str, number: str) -> None:
    made = machine(
        services=(
            ServiceSpec("a", dependencies=(dependency,)),
            ServiceSpec("failing", start_behaviour="fail"),
            ServiceSpec("loop", dependencies=("a",)),
        )
    )
    with pytest.raises(MachineError, match=number) as caught:
        made.services.start("a")
    assert caught.value.error_id == "CouldNotStartService"
    assert status(made, "a") == ["Stopped"]


def test_stopping_with_force_takes_the_dependants_along() -> None:
    made = machine(services=(ServiceSpec("a"), ServiceSpec("b", dependencies=("A",))))
    made.services.start("b")
    with pytest.raises(MachineError, match="has dependent services"):
        made.services.stop("a")
    made.services.stop("a", force=True)
    assert status(made, "a", "b") == ["Stopped", "Stopped"]


def test_the_account_of_a_running_service_changes_at_its_next_start() -> None:
    made = machine(services=(ServiceSpec("a"),))
    made.services.start("a")
    changed = made.services.change("a", start_name="NT AUTHORITY\\NetworkService")
    assert changed.running_as == "LocalSystem"
    made.services.stop("a")
    made.services.start("a")
    again = made.services.find("a")
    assert again
    assert again.running_as == "NT AUTHORITY\\NetworkService"


def test_a_running_service_is_only_marked_for_deletion() -> None:
    made = machine(services=(ServiceSpec("a"),))
    made.services.start("a")
    made.services.delete("a")
    marked = made.services.find("a")
    assert marked
    assert marked.is_marked_for_delete
    made.on_boot(REBOOTED)
    assert made.services.find("a") is None


def test_a_taken_name_is_refused() -> None:
    with pytest.raises(MachineError, match="already exists"):
        machine().services.add(Service("winrm", "x", "x"))


def test_every_dependency_of_the_in_box_services_is_there() -> None:
    names = {item.name for item in IN_BOX}
    assert {needed for item in IN_BOX for needed in item.dependencies} <= names
    assert {"WinRM", "Winmgmt", "RpcSs", "EventLog", "W32Time", "MSiSCSI", "LanmanServer", "Spooler"} <= names
