"""Keep Python's search for garbage away from what is loaded for good.

An inventory of ten thousand nodes is a million objects that all stay. Looking through them again and again takes
time, and in a forked worker every look would copy what it looks at.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def what_is_here_stays() -> Iterator[None]:
    """Look for garbage only among what is made from now on."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
