"""ServiceRestart goes by times: of the service's process, of its files, and of the node's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provisioner.lab.machine.ground.services import Service
from provisioner.lab.machine.machine import Machine
from provisioner.lab.resources.base import ResourceError
from provisioner.lab.resources.basics.service_restart import ServiceRestart
from tests.unit.lab.machines import BOOTED, REBOOTED, context, machine

PATH = r"C:\svc.conf"
PROPERTIES: dict[str, Any] = {"ServiceName": "Svc", "Paths": [PATH]}


def running() -> Machine:
    made = machine()
    made.set_clock(BOOTED + timedelta(minutes=5))
    made.services.add(Service("Svc", "A service", r"C:\svc.exe", "Auto"))
    made.services.add(Service("Needs", "One that needs it", r"C:\n.exe", "Manual", dependencies=("Svc",)))
    made.services.start("Needs")
    return made


def later(made: Machine, minutes: float) -> None:
    made.set_clock(datetime.fromisoformat(made.files.clock) + timedelta(minutes=minutes))


async def is_right(made: Machine) -> bool:
    return await ServiceRestart().test(PROPERTIES, context(made))


async def test_a_file_written_after_the_start_has_the_service_restarted_once() -> None:
    made = running()
    later(made, 1)
    made.files.write(PATH, b"new")
    assert not await is_right(made)
    later(made, 1)
    await ServiceRestart().set(PROPERTIES, context(made))
    assert await is_right(made)
    found = made.services.find("Svc")
    assert found is not None
    assert found.started == made.files.clock


async def test_what_depends_on_the_service_and_ran_runs_again() -> None:
    made = running()
    later(made, 1)
    made.files.write(PATH, b"new")
    await ServiceRestart().set(PROPERTIES, context(made))
    assert [made.services.find(name).status for name in ("Svc", "Needs")] == ["Running", "Running"]  # type: ignore[union-attr]


async def test_a_file_written_before_the_start_or_the_boot_is_one_the_service_has_read() -> None:
    made = running()
    made.files.write(PATH, b"old")
    later(made, 1)
    made.services.stop("Svc", force=True)
    made.services.start("Svc")
    assert await is_right(made)
    made.on_boot(REBOOTED)
    assert await is_right(made)


async def test_a_start_is_remembered_over_a_save_and_forgotten_by_a_boot() -> None:
    made = running()
    other = machine()
    other.services.load(made.services.to_plain())
    assert [item for item in other.services if item.name == "Svc"] == [
        item for item in made.services if item.name == "Svc"
    ]
    made.on_boot(REBOOTED)
    found = made.services.find("Svc")
    assert found is not None
    assert (found.status, found.started) == ("Running", "")


async def test_a_file_from_the_future_is_an_error_and_no_restart_for_ever() -> None:
    made = running()
    later(made, 60)
    made.files.write(PATH, b"new")
    later(made, -30)
    with pytest.raises(ResourceError, match="the clock of the node says") as caught:
        await is_right(made)
    assert caught.value.error_id == "FileFromFuture"


async def test_times_of_other_zones_are_compared_as_moments() -> None:
    made = running()
    found = made.services.find("Svc")
    assert found is not None
    assert datetime.fromisoformat(found.started) == datetime(2024, 5, 1, 12, 5, tzinfo=UTC)


async def test_a_service_that_stopped_has_no_start() -> None:
    made = running()
    made.services.stop("Svc", force=True)
    assert {item.started for item in made.services} == {""}
