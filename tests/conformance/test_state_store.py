"""One suite for every state store: add a new one to `STORES`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provisioner.addresses import NodeName
from provisioner.errors import LockHeld, StateError
from provisioner.events import (
    Compared,
    Event,
    NodeDone,
    NodeFailed,
    Problem,
    Recorded,
    ResourceProgress,
    RunFinished,
    RunStarted,
)
from provisioner.state.base import StateStore
from provisioner.state.memory import MemoryStateStore
from provisioner.state.sqlite import SqliteStateStore

STORES: dict[str, Callable[[Path], StateStore]] = {
    "memory": lambda _: MemoryStateStore(),
    "sqlite": lambda folder: SqliteStateStore(folder / "state" / "journal.db"),
}
HV = NodeName("hv01")


@pytest.fixture(params=sorted(STORES))
def store(request: Any, tmp_path: Any) -> Any:
    opened = STORES[request.param](tmp_path)
    yield opened
    opened.close()


def started(
    run_id: str, inventory: str = "inv", operation: str = "apply", *, resumed: bool = False
) -> RunStarted:
    return RunStarted(run_id, inventory, operation, ("hv01",), 1, {"hv01": "d1"}, resumed)


def finished(run_id: str, *, interrupted: bool = False) -> RunFinished:
    return RunFinished(run_id, 0, 1, 0, 0, 0, interrupted)


def add(store: StateStore, run_id: str, *events: Event) -> None:
    first = len(store.events(run_id)) + 1
    for number, event in enumerate(events, first):
        store.append(Recorded(run_id, number, f"2026-01-01T00:00:{number:02}+00:00", event))


def test_events_come_back_equal_and_in_order(store: Any) -> None:
    failed = NodeFailed(HV, "LcmError", (Problem("grüße \x1b[0m", "[a]b", "f:1:2"),), "Idle", 1, 2)
    events: list[Event] = [
        started("r"),
        ResourceProgress(HV, "[a]b", "Set"),
        Compared(HV, ("[a]b", "[c]d"), 3),
        failed,
    ]
    add(store, "r", *events)
    assert [recorded.event for recorded in store.events("r")] == events
    assert [recorded.sequence for recorded in store.events("r")] == [1, 2, 3, 4]


def test_an_unknown_run_has_no_events(store: Any) -> None:
    assert store.events("nothing") == ()


def test_runs_are_listed_newest_first_with_their_end(store: Any) -> None:
    add(store, "r1", started("r1"), finished("r1"))
    add(store, "r2", started("r2", operation="verify"))
    newest, oldest = store.runs()
    assert (newest.run_id, newest.operation, newest.is_finished) == ("r2", "verify", False)
    assert (oldest.run_id, oldest.started, oldest.finished) == (
        "r1",
        "2026-01-01T00:00:01+00:00",
        "2026-01-01T00:00:02+00:00",
    )
    assert oldest.is_finished


def test_a_number_is_given_once(store: Any) -> None:
    add(store, "r", started("r"))
    with pytest.raises(StateError, match="already"):
        store.append(Recorded("r", 1, "t", finished("r")))


def test_a_store_goes_on_after_a_refused_number(store: Any) -> None:
    add(store, "r", started("r"))
    with pytest.raises(StateError):
        store.append(Recorded("r", 1, "t", finished("r")))
    add(store, "r", finished("r"))
    assert len(store.events("r")) == 2


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([], None),
        ([("r", [started("r")])], "r"),
        ([("r", [started("r"), finished("r")])], None),
        ([("r", [started("r"), finished("r", interrupted=True)])], "r"),
        ([("r", [started("r"), finished("r", interrupted=True), started("r", resumed=True)])], "r"),
        (
            [
                (
                    "r",
                    [
                        started("r"),
                        finished("r", interrupted=True),
                        started("r", resumed=True),
                        finished("r"),
                    ],
                )
            ],
            None,
        ),
        ([("r", [started("r", "other")])], None),
        ([("r", [started("r", operation="verify")])], None),
        ([("r", [started("r")]), ("v", [started("v", operation="verify")])], "r"),
        ([("r", [started("r")]), ("s", [started("s"), finished("s")])], None),
        ([("r", [started("r")]), ("s", [started("s", "other"), finished("s")])], "r"),
    ],
)
def test_only_the_newest_apply_of_an_inventory_is_resumed_and_only_when_it_did_not_end_by_itself(
    store: Any, history: Any, expected: Any
) -> None:
    for run_id, events in history:
        add(store, run_id, *events)
    assert store.unfinished("inv") == expected


def test_the_lock_admits_one_and_names_who_has_it(store: Any) -> None:
    with store.lock("provision apply, process 7", "2026-01-01T00:00:00"):
        with pytest.raises(LockHeld) as held, store.lock("another", "later"):
            pass
        assert held.value.holder == "provision apply, process 7"
        assert held.value.since == "2026-01-01T00:00:00"
    with store.lock("another", "later"):
        pass


def test_the_lock_is_free_after_an_error_inside(store: Any) -> None:
    with pytest.raises(ValueError), store.lock("a", "b"):
        raise ValueError
    with store.lock("c", "d"):
        pass


def test_closing_twice_does_no_harm(store: Any) -> None:
    store.close()
    store.close()


def test_the_roles_of_a_node_are_those_it_was_last_done_with(store: Any) -> None:
    assert store.roles("inv") == {}
    add(store, "r1", started("r1"), NodeDone(HV, 1, 0, 0, ("base", "storage")))
    add(store, "r2", started("r2"), NodeFailed(HV, "LcmError", ()), NodeDone(NodeName("hv02"), 0, 0, 0, ()))
    assert store.roles("inv") == {"hv01": ("base", "storage"), "hv02": ()}
    add(store, "r3", started("r3"), NodeDone(HV, 1, 0, 0, ("base",)))
    assert store.roles("inv")["hv01"] == ("base",)


def test_roles_are_known_by_inventory_and_only_an_apply_tells_them(store: Any) -> None:
    add(store, "r1", started("r1"), NodeDone(HV, 1, 0, 0, ("base",)))
    add(store, "r2", started("r2", "other"), NodeDone(HV, 1, 0, 0, ("web",)))
    add(store, "r3", started("r3", operation="verify"), NodeDone(HV, 0, 0, 1, ()))
    assert store.roles("inv") == {"hv01": ("base",)}
    assert store.roles("other") == {"hv01": ("web",)}
