"""CLIXML is written as real PowerShell writes it, and read back as the same values."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from xml.etree import ElementTree as ET

import psrpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psrpcore.types import deserialize

from provisioner.wire import clixml
from provisioner.wire.clixml import Primitive, Structure
from tests.shared_data import shared

_NUMBERS = {"I32": int, "Db": float}
#: Values that Python or .NET Framework has not: finer than microseconds, the newer number formats of .NET.
_OTHER_RUNTIME = {
    "decimal-008": "Python writes tiny decimals with an exponent",
    "double-010": "Windows PowerShell 5.1 writes 1E+16",
    "single-006": "Windows PowerShell 5.1 writes 1E+10",
    "pso-021": "an object whose only member is itself a set of members",
    "str-char-057": "an illegal character reference; escaped here",
    "str-char-058": "an illegal character reference; escaped here",
}


def _neutral(element: ET.Element, types: dict[str, tuple[str, ...]]) -> Any:
    """Read CLIXML without any library, keeping all that the writer has to give back."""
    text = element.text or ""
    match element.tag:
        case "Nil":
            return None
        case "B":
            return text == "true"
        case "S":
            return text
        case "I32" | "Db":
            return _NUMBERS[element.tag](text.replace("INF", "inf"))
        case "BA":
            return base64.b64decode(text)
        case "G":
            return uuid.UUID(text)
        case "Obj":
            return _object(element, types)
        case tag:
            return Primitive(tag, text)


def _escape_markup(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _object(element: ET.Element, types: dict[str, tuple[str, ...]]) -> Structure:
    found = Structure(())
    for part in element:
        match part.tag:
            case "TN":
                found.type_names = types[part.attrib["RefId"]] = tuple(name.text or "" for name in part)
            case "TNRef":
                found.type_names = types[part.attrib["RefId"]]
            case "ToString":
                found.text = part.text or ""
            case "Props":
                found.properties = {item.attrib["N"]: _neutral(item, types) for item in part}
            case "MS":
                found.extended = {item.attrib["N"]: _neutral(item, types) for item in part}
            case "LST":
                found.value = [_neutral(item, types) for item in part]
            case "DCT":
                found.value = {_neutral(entry[0], types): _neutral(entry[1], types) for entry in part}
            case _:
                found.value = _neutral(part, types)
    return found


def _deserialize(text: str | bytes) -> Any:
    return deserialize(ET.fromstring(text), psrpcore.ServerRunspacePool()._cipher)


def _golden() -> Iterator[Any]:
    path = shared("powershell-goldens", "clixml", "values.jsonl")
    for line in path.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        text = case.get("psrp")
        unsupported = (
            "<Props />",
            "<PR>",
            "<Ref ",
            "<IE>",
            "<STK>",
            "<QUE>",
            "<IE />",
            "<PR ",
            "<QUE",
            "<STK",
        )
        if (
            not text
            or any(tag in text for tag in unsupported)
            or case["group"] in {"date", "timespan", "big"}
        ):
            continue
        yield case


def test_values_are_written_as_real_powershell_writes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clixml, "escape_text", _escape_markup)  # the test's reader leaves the escapes in
    differing, same = [], 0
    for case in _golden():
        try:
            element = ET.fromstring(case["psrp"])
            written = clixml.write(_neutral(element, {})).decode()
        except (ET.ParseError, TypeError):
            continue  # no XML at all, or a key that is no Python key
        if written == case["psrp"]:
            same += 1
        elif case["id"] not in _OTHER_RUNTIME:
            differing.append((case["id"], case["psrp"][:200], written[:200]))
    assert [item[0] for item in differing] == []
    assert same > 400


def test_strings_are_escaped_as_real_powershell_does() -> None:
    for case in _golden():
        if case["group"] != "str-char" or case["id"] in _OTHER_RUNTIME:
            continue
        value = _deserialize(case["psrp"])
        assert clixml.write(str(value)).decode() == case["psrp"], case["id"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "<Nil />"),
        (True, "<B>true</B>"),
        (2**31, "<I64>2147483648</I64>"),
        (2**63, "<D>9223372036854775808</D>"),
        (1.0, "<Db>1</Db>"),
        (float("-inf"), "<Db>-INF</Db>"),
        (b"", "<BA />"),
        ("", "<S></S>"),
        (datetime(2020, 1, 2, 3, 4, 5, 120000, tzinfo=UTC), "<DT>2020-01-02T03:04:05.12Z</DT>"),
        (
            datetime(2020, 1, 2, tzinfo=timezone(-timedelta(hours=4, minutes=30))),
            "<DT>2020-01-02T00:00:00-04:30</DT>",
        ),
        (datetime(999, 12, 31), "<DT>0999-12-31T00:00:00</DT>"),  # noqa: DTZ001 - Kind=Unspecified
        (timedelta(0), "<TS>PT0S</TS>"),
        (timedelta(days=-1, hours=-2, minutes=-3, seconds=-4.0567), "<TS>-P1DT2H3M4.0567S</TS>"),
        (timedelta(days=30), "<TS>P30D</TS>"),
        (Primitive("U32", 7), "<U32>7</U32>"),
        (
            [],
            '<Obj RefId="0"><TN RefId="0"><T>System.Object[]</T><T>System.Array</T><T>System.Object</T></TN><LST /></Obj>',
        ),
        (
            clixml.enum_structure("System.DayOfWeek", "Friday", 5),
            '<Obj RefId="0"><TN RefId="0"><T>System.DayOfWeek</T><T>System.Enum</T><T>System.ValueType</T><T>System.Object</T></TN><ToString>Friday</ToString><I32>5</I32></Obj>',
        ),
    ],
)
def test_a_value_has_its_element(value: Any, expected: str) -> None:
    assert clixml.write(value).decode() == expected


def test_type_names_are_written_once() -> None:
    assert clixml.write([[1]]).decode().count("<TN ") == 1


def test_what_is_no_neutral_value_is_refused() -> None:
    with pytest.raises(clixml.UnserializableError, match="object"):
        clixml.write(object())


def test_nesting_has_a_limit() -> None:
    value: Any = []
    for _ in range(100):
        value = [value]
    with pytest.raises(clixml.UnserializableError, match="deeper"):
        clixml.write(value)


_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**31), 2**31 - 1)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
    | st.floats(allow_nan=False)
    | st.uuids()
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(_VALUES)
def test_what_is_written_reads_back_as_the_same_value(value: Any) -> None:
    assert clixml.read(_deserialize(clixml.write(value))) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<U32>5</U32>", Primitive("U32", 5)),
        ("<C>65</C>", Primitive("C", 65)),
        ("<I64>-5</I64>", Primitive("I64", -5)),
        ("<Version>1.2.3</Version>", Primitive("Version", "1.2.3")),
        ("<SBK>1+1</SBK>", Primitive("SBK", "1+1")),
        ("<DT>2020-01-02T03:04:05.12Z</DT>", datetime(2020, 1, 2, 3, 4, 5, 120000, tzinfo=UTC)),
        ("<TS>P1DT2H</TS>", timedelta(days=1, hours=2)),
        ("<URI>http://x/</URI>", Primitive("URI", "http://x/")),
    ],
)
def test_primitives_keep_their_kind_when_read(text: str, expected: Any) -> None:
    assert clixml.read(_deserialize(text)) == expected


def test_objects_are_read_with_their_members() -> None:
    text = (
        '<Obj RefId="0"><TN RefId="0"><T>Some.Type</T><T>System.Object</T></TN><ToString>x</ToString>'
        '<Props><I32 N="A">1</I32></Props><MS><S N="B">two</S></MS></Obj>'
    )
    found = clixml.read(_deserialize(text))
    assert isinstance(found, Structure)
    assert (found.properties, found.extended, found.text) == ({"A": 1}, {"B": "two"}, "x")
