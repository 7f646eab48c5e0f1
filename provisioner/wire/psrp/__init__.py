"""The server's side of PSRP: one runspace pool as the contents of a shell.

Bytes of the client go in; events for whoever runs pipelines, and chunks for the shell's streams, come out. It
runs nothing itself.
"""

from provisioner.wire.psrp.events import (
    Call,
    Event,
    HostAnswered,
    HostInfo,
    InputArrived,
    InputEnded,
    KeyOffered,
    MetadataRequested,
    PipelineRequested,
    StopRequested,
)
from provisioner.wire.psrp.pool import RunspacePool
from provisioner.wire.psrp.session_key import SessionKey

__all__ = [
    "Call",
    "Event",
    "HostAnswered",
    "HostInfo",
    "InputArrived",
    "InputEnded",
    "KeyOffered",
    "MetadataRequested",
    "PipelineRequested",
    "RunspacePool",
    "SessionKey",
    "StopRequested",
]
