"""Delays between attempts."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from provisioner.transport.retry import Backoff


def test_delays_grow_by_the_factor_up_to_the_longest() -> None:
    backoff = Backoff(first_s=1, factor=2, longest_s=5, total_s=20)
    assert list(backoff.delays()) == [1, 2, 4, 5, 5, 3]


def test_no_time_means_no_further_attempt() -> None:
    assert list(Backoff(total_s=0).delays()) == []


@given(st.floats(0.1, 10), st.floats(1, 4), st.floats(0.1, 60), st.floats(0.5, 500))
def test_delays_fill_the_total_and_never_shrink_before_the_last(
    first: float, factor: float, longest: float, total: float
) -> None:
    delays = list(Backoff(first, factor, longest, total).delays())
    assert abs(sum(delays) - total) < 1e-6
    assert max(delays) <= longest
    assert all(before <= after for before, after in pairwise(delays[:-1]))
