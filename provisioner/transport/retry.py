"""How long to wait between attempts, as a value. No clock and no dice here: the caller sleeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays that grow by a factor up to a limit, and end once their sum would exceed ``total_s``."""

    first_s: float = 0.5
    factor: float = 2.0
    longest_s: float = 12.0
    total_s: float = 600.0

    def delays(self) -> Iterator[float]:
        """Yield the delay before each further attempt; the last one is shortened to meet ``total_s``."""
        left = self.total_s
        delay = self.first_s
        while left > 0:
            step = min(delay, self.longest_s, left)
            yield step
            left -= step
            delay = min(delay * self.factor, self.longest_s)
