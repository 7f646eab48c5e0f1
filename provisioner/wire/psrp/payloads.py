"""Payloads that are the same whenever they are sent."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from provisioner.wire import clixml, records

_STATE_OPENED: Final = 2
_STATE_CLOSED: Final = 3
_STATE_CLOSING: Final = 4

OPENED: Final = clixml.write(records.pool_state(_STATE_OPENED))
CLOSING: Final = clixml.write(records.pool_state(_STATE_CLOSING))
CLOSED: Final = clixml.write(records.pool_state(_STATE_CLOSED))
COMPLETED: Final = clixml.write(records.pipeline_state(records.STATE_COMPLETED))
STOPPED: Final = clixml.write(records.pipeline_state(records.STATE_STOPPED, records.STOPPED))
PREPARING: Final = clixml.write(
    records.progress("Preparing modules for first use.", " ", -1, is_completed=True)
)


@lru_cache(maxsize=32)
def private_data(build: str, protocol: str) -> bytes:
    """APPLICATION_PRIVATE_DATA of a build of Windows, in a protocol version."""
    return clixml.write(records.application_private_data(build, protocol))


@lru_cache(maxsize=8)
def capability(version: str) -> bytes:
    """SESSION_CAPABILITY in a protocol version."""
    return clixml.write(records.session_capability(version))
