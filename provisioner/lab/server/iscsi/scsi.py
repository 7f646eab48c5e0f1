"""As much of SCSI as it takes to look at a disk (SPC-4, SBC-3)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

CHECK_CONDITION: Final = 0x02
_BLOCK: Final = 512
_INQUIRY, _REPORT_LUNS = 0x12, 0xA0
_READ_CAPACITY_16: Final = 0x10
_SERIAL_PAGE, _IDENTIFICATION_PAGE = 0x80, 0x83
_ILLEGAL_REQUEST: Final = 0x05
_INVALID_OPERATION, _INVALID_FIELD, _NO_UNIT = (0x20, 0), (0x24, 0), (0x25, 0)
_LARGEST: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Done:
    """What a command gives: data, or sense."""

    data: bytes = b""
    sense: bytes = b""


def lun_number(field: bytes) -> int:
    """Read the number of a logical unit, in the peripheral or the flat form."""
    return (field[0] & 0x3F) << 8 | field[1]


def execute(command: bytes, lun: int, sizes: Sequence[int]) -> Done:
    """Do what a command asks of a target with disks of these sizes."""
    operation = command[0]
    if operation == _REPORT_LUNS:
        units = b"".join(
            struct.pack(">BB6x", number >> 8 & 0x3F, number & 0xFF) for number in range(len(sizes))
        )
        return Done(struct.pack(">I4x", len(units)) + units)
    is_there = lun < len(sizes)
    if operation == _INQUIRY:
        return _inquiry(command, lun, is_there=is_there)
    if not is_there:
        return _refusal(_NO_UNIT)
    last = max(0, sizes[lun] // _BLOCK - 1)
    match operation:
        case 0x00:  # TEST UNIT READY
            return Done()
        case 0x25:  # READ CAPACITY (10)
            return Done(struct.pack(">II", min(last, _LARGEST), _BLOCK))
        case 0x9E if command[1] & 0x1F == _READ_CAPACITY_16:
            return Done(struct.pack(">QI20x", last, _BLOCK))
        case 0x1A:  # MODE SENSE (6)
            return Done(bytes([3, 0, 0, 0]))
        case _:
            return _refusal(_INVALID_OPERATION)


def _inquiry(command: bytes, lun: int, *, is_there: bool) -> Done:
    if command[1] & 1:
        page = command[2]
        if page == 0:
            return Done(bytes([0, 0, 0, 3, 0, _SERIAL_PAGE, _IDENTIFICATION_PAGE]))
        if page == _SERIAL_PAGE:
            serial = f"{lun:016X}".encode()
            return Done(bytes([0, page, 0, len(serial)]) + serial)
        if page == _IDENTIFICATION_PAGE:
            name = f"MSFT    Virtual HD {lun:08X}".encode()
            return Done(bytes([0, page, 0, len(name) + 4, 2, 1, 0, len(name)]) + name)
        return _refusal(_INVALID_FIELD)
    # No disk is there: qualifier 3, type unknown.
    kind = 0x00 if is_there else 0x7F
    return Done(bytes([kind, 0, 5, 0x12, 31, 0, 0, 2]) + b"MSFT    " + b"Virtual HD      " + b"6.3 ")


def _refusal(what: tuple[int, int]) -> Done:
    code, qualifier = what
    return Done(sense=struct.pack(">BxB4xB4xBB4x", 0x70, _ILLEGAL_REQUEST, 10, code, qualifier))
