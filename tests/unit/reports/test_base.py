from __future__ import annotations

from provisioner.events import Recorded
from provisioner.reports.base import FanOut
from tests.unit.reports.stream import STREAM


class Collecting:
    def __init__(self) -> None:
        self.seen: list[Recorded] = []
        self.closed = 0

    def handle(self, recorded: Recorded) -> None:
        self.seen.append(recorded)

    def close(self) -> None:
        self.closed += 1


class Breaking(Collecting):
    def __init__(self, at: int, error: Exception | None = None) -> None:
        super().__init__()
        self.at = at
        self.error = error or ValueError("odd")

    def handle(self, recorded: Recorded) -> None:
        super().handle(recorded)
        if len(self.seen) == self.at:
            raise self.error


class BreakingAtTheEnd(Collecting):
    def close(self) -> None:
        raise OSError("disk full")


def test_a_reporter_that_breaks_is_dropped_and_the_others_see_everything() -> None:
    good, bad = Collecting(), Breaking(at=3)
    fan = FanOut([bad, good])
    for recorded in STREAM:
        fan.handle(recorded)
    fan.close()
    assert good.seen == STREAM
    assert (good.closed, len(bad.seen), bad.closed) == (1, 3, 0)
    assert fan.dropped == ["warning: Breaking stopped reporting: ValueError: odd"]


def test_a_reporter_whose_reader_has_gone_is_dropped_without_a_word() -> None:
    good, bad = Collecting(), Breaking(at=3, error=BrokenPipeError(32, "Broken pipe"))
    fan = FanOut([bad, good])
    for recorded in STREAM:
        fan.handle(recorded)
    assert (len(bad.seen), len(good.seen)) == (3, len(STREAM))
    assert fan.dropped == []


def test_a_reporter_that_breaks_at_the_end_is_named_too() -> None:
    good = Collecting()
    fan = FanOut([BreakingAtTheEnd(), good])
    fan.close()
    assert good.closed == 1
    assert fan.dropped == ["warning: BreakingAtTheEnd stopped reporting: OSError: disk full"]
