"""What the process says when it ends. Documented in README and ``provision --help``."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every verb."""

    DONE = 0
    FAILED = 1  #: a node, check or run failed
    USAGE = 2  #: bad usage or invalid input; nothing was done
    INTERRUPTED = 130
