"""Which layout of ConfigurationData a node takes: as the inventory says, else settled by asking the node once.

The question is TestConfiguration of a document with one Log resource, which is part of Windows, needs no module
and does nothing while it is tested: a node that gives any verdict has read the document. It must be a call that
reads a document without keeping it, and Test is one. Source: LCM class facts 1.3.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from provisioner.errors import LcmError
from provisioner.inventory.model import Framing

_PREFIX_BYTES: Final = 4
#: Most likely first: the CIM convention, what the field does in local calls, what remote sessions are known for.
_CANDIDATES: Final = (Framing.BIG_ENDIAN, Framing.RAW, Framing.LITTLE_ENDIAN)
#: ASCII, so that no encoding matters; a node that drops the first four bytes unread finds no document in the rest.
PROBE: Final = b"""\
instance of MSFT_LogResource
{
 ResourceID = "[Log]probe";
 Message = "probe";
 SourceInfo = "::1::1::Log";
 ModuleName = "PSDesiredStateConfiguration";
 ModuleVersion = "1.0";
 ConfigurationName = "probe";
};
instance of OMI_ConfigurationDocument
{
 Version = "2.0.0";
 MinimumCompatibleVersion = "1.0.0";
 CompatibleVersionAdditionalProperties = {"Omi_BaseResource:ConfigurationName"};
 Name = "probe";
};
"""
#: What the LCM itself says of a document it cannot read. Errors of a resource have other ids: it was read then.
_REFUSAL: Final = "MI RESULT"
_DENIED: Final = "MI RESULT 2"
_BUSY_STATE: Final = "Busy"
_BUSY_TEXT: Final = "is in progress and must return before"


def frame(document: bytes, framing: Framing) -> bytes:
    """Lay out ConfigurationData; the length in the prefix includes the prefix itself.

    ``framing`` is a settled one.
    """
    total = len(document) + _PREFIX_BYTES
    match framing:
        case Framing.BIG_ENDIAN:
            return total.to_bytes(_PREFIX_BYTES, "big") + document
        case Framing.LITTLE_ENDIAN:
            return total.to_bytes(_PREFIX_BYTES, "little") + document
        case _:
            return document


async def settle(node: str, test: Callable[[bytes], Awaitable[object]]) -> Framing:
    """Find the layout a node takes; ``test`` calls TestConfiguration with ConfigurationData.

    Raises:
        LcmError: the node refuses every layout, or it cannot be asked now: busy, denied, no such class.
    """
    refusals: list[str] = []
    for framing in _CANDIDATES:
        try:
            await test(frame(PROBE, framing))
        except LcmError as error:
            if _says_nothing(error):
                raise
            if error.code.startswith(_REFUSAL):
                refusals.append(f"{framing.value}: {_first_line(error)}")
                continue
        return framing
    raise LcmError(
        node,
        f"the LCM can read a document in none of the known layouts ({'; '.join(refusals)})",
        help="Every layout was tried with a small document. If the node takes one of them nevertheless, say which "
        "with 'framing' in the section 'connection'.",
    )


def _says_nothing(error: LcmError) -> bool:
    """Whether a failure has nothing to do with how the document was laid out."""
    is_busy = error.last_state == _BUSY_STATE or _BUSY_TEXT in str(error)
    return is_busy or error.code in {"", _DENIED} or error.code.startswith("HRESULT")


def _first_line(error: LcmError) -> str:
    lines = error.reason.strip().splitlines()
    return lines[0] if lines else error.code
