"""Time of a node: work may be made shorter, rest too, but rest never vanishes."""

from __future__ import annotations

import asyncio
import time

import pytest

from provisioner.lab.clock import Clock


@pytest.mark.parametrize(("scale", "seconds"), [(1.0, 0.1), (0.01, 10.0), (2.0, 0.05)])
async def test_rest_takes_its_scaled_time_and_moves_the_clock_by_all_of_it(
    scale: float, seconds: float
) -> None:
    clock = Clock(scale)
    begun, at = clock.now(), time.monotonic()
    over = asyncio.Event()
    clock.after(seconds, over.set)
    await over.wait()

    assert seconds * scale - 0.01 <= time.monotonic() - at < seconds * scale + 1
    assert seconds - 0.1 <= (clock.now() - begun).total_seconds() < seconds + 1


async def test_rest_takes_its_time_where_all_work_is_instant() -> None:
    """Or a node would run from one consistency check into the next."""
    clock = Clock(0.0)
    fired: list[float] = []
    clock.after(0.2, lambda: fired.append(time.monotonic()))
    at = time.monotonic()
    await clock.sleep(3600)
    assert time.monotonic() - at < 0.1
    await asyncio.sleep(0.05)
    assert fired == []
    await asyncio.sleep(0.25)
    assert len(fired) == 1


async def test_rest_that_is_taken_back_moves_nothing() -> None:
    clock = Clock(1.0)
    fired: list[int] = []
    clock.after(0.01, lambda: fired.append(1))()
    await asyncio.sleep(0.05)

    assert fired == []
    assert clock.ahead_s == 0.0
