"""The text of single values is read and written as .NET's XmlConvert was recorded to do."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from provisioner.wire.clixml import Primitive
from provisioner.wire.clixml.scalars import READERS, write_duration, write_instant, write_number, write_single
from tests.shared_data import shared

_TAGS = {
    "ToBoolean": "B",
    "ToSingle": "Sg",
    "ToDouble": "Db",
    "ToDecimal": "D",
    "ToInt16": "I16",
    "ToInt32": "I32",
    "ToInt64": "I64",
    "ToUInt16": "U16",
    "ToUInt32": "U32",
    "ToUInt64": "U64",
    "ToByte": "By",
    "ToSByte": "SB",
    "ToGuid": "G",
    "ToTimeSpan": "TS",
    "ToDateTime": "DT",
    "Convert.FromBase64String": "BA",
    "Version.Parse": "Version",
}
_EPOCH = datetime(1, 1, 1)  # noqa: DTZ001 - times of no known kind are counted from it


def _rows(name: str) -> Iterator[dict[str, Any]]:
    text = shared("dotnet-goldens", "xmlconvert", name).read_text(encoding="utf-8")
    return map(json.loads, text.splitlines())


def _bits(value: Any) -> str:
    """Show a value as the recordings show one; empty for what they show in too many ways."""
    match value:
        case Primitive("Sg", number):
            return "" if math.isnan(number) else struct.pack(">f", number).hex()
        case float():
            return "" if math.isnan(value) else struct.pack(">d", value).hex()
        case Primitive("D", Decimal() as number):
            return format(number, "f")
        case Primitive(_, number):
            return str(number)
        case int() if not isinstance(value, bool):
            return str(value)
        case datetime():
            whole = (value.replace(tzinfo=None) - _EPOCH) // timedelta(microseconds=1) * 10
            return str(whole + getattr(value, "tick", 0)) if value.tzinfo is None else ""
    return ""


def _recorded(value: Any) -> set[str]:
    if not isinstance(value, dict):
        return {str(value)}
    return {str(value.get(key, "")).lower() for key in ("bits", "text", "ticks")}


@pytest.mark.parametrize("name", ["parse.jsonl", "parse-berlin.jsonl"])
def test_a_text_is_taken_for_what_it_was_taken_for(name: str) -> None:
    different, same = [], 0
    for row in _rows(name):
        tag = _TAGS.get(row["api"])
        # CLIXML asks for times with their kind; a time without a year is one of the day of the recording.
        if tag is None or row.get("mode", "RoundtripKind") != "RoundtripKind":
            continue
        try:
            value = READERS[tag](row["text"])
        except (ValueError, ArithmeticError, LookupError):
            value = None
        if (value is not None) != row["accepted"]:
            different.append(row)
            continue
        same += 1
        if value is None or row["text"].startswith("--") or ":" in row["text"][:3]:
            continue
        shown = _bits(value)
        if shown and shown not in _recorded(row["value"]):
            different.append(row)
    assert different == []
    assert same > 60


def test_a_number_is_written_as_it_was_written() -> None:
    different, same = [], 0
    for row in _rows("tostring.jsonl"):
        if row["type"] not in {"System.Double", "System.Single"} or "result" not in row:
            continue
        data = bytes.fromhex(row["input"]["bits"])
        is_double = len(data) == struct.calcsize(">d")
        (value,) = struct.unpack(">d" if is_double else ">f", data)
        written = write_number(value) if is_double else write_single(value)
        if row["api"].startswith("XmlConvert"):
            different += [] if written == row["result"] else [(row, written)]
            same += 1
    assert different == []
    assert same > 300


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("DT", "2024-05-17T08:09:10.1234567Z"),
        ("DT", "2024-05-17T08:09:10.0000001"),
        ("DT", "2024-05-17T08:09:10.0000001-03:30"),
        ("TS", "-PT0.0000001S"),
        ("TS", "P10675199DT2H48M5.4775807S"),
        ("TS", "-P10675199DT2H48M5.4775808S"),
    ],
)
def test_the_last_tick_is_kept(tag: str, text: str) -> None:
    value = READERS[tag](text)
    assert (write_instant(value) if tag == "DT" else write_duration(value)) == text
