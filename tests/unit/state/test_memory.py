from __future__ import annotations

from provisioner.state.memory import MemoryStateStore


def test_two_stores_know_nothing_of_each_other() -> None:
    one, other = MemoryStateStore(), MemoryStateStore()
    with one.lock("a", "b"), other.lock("a", "b"):
        assert one.runs() == other.runs() == ()
