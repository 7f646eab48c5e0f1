"""CLIXML is written as real PowerShell writes it, and read back as the same values."""

from __future__ import annotations

import contextlib
import uuid
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import psrpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psrpcore.types import deserialize

from provisioner.wire import clixml
from provisioner.wire.clixml import Primitive, Structure


def _by_a_library(text: bytes) -> Any:
    """Read with psrpcore, which shares nothing with the writer."""
    return deserialize(ET.fromstring(text), psrpcore.ServerRunspacePool()._cipher)


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


def _plain(value: Any) -> Any:
    """Strip what neutral values know more than Python's, on either side."""
    match value:
        case Structure() if isinstance(value.value, list | dict):
            return _plain(value.value)
        case dict():
            return {_plain(key): _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
    return value


@given(_VALUES)
def test_what_is_written_reads_back_as_the_same_value(value: Any) -> None:
    if value is not None:
        assert _plain(clixml.read(clixml.write(value))) == value
    if not isinstance(value, dict):  # psrpcore makes objects of keys
        assert clixml.write(value)
    if isinstance(value, str | bytes | int | uuid.UUID):
        assert _by_a_library(clixml.write(value)) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"<U32>5</U32>", Primitive("U32", 5)),
        (b"<C>65</C>", Primitive("C", 65)),
        (b"<I64>-5</I64>", Primitive("I64", -5)),
        (b"<D>1.10</D>", Primitive("D", Decimal("1.10"))),
        (b"<Version>1.2.3</Version>", Primitive("Version", "1.2.3")),
        (b"<SBK>1+1</SBK>", Primitive("SBK", "1+1")),
        (b"<DT>2020-01-02T03:04:05.12Z</DT>", datetime(2020, 1, 2, 3, 4, 5, 120000, tzinfo=UTC)),
        (b"<TS>P1DT2H</TS>", timedelta(days=1, hours=2)),
        (b"<URI>http://x/</URI>", Primitive("URI", "http://x/")),
        (b"<S>_xD83D__xDE00_</S>", "\U0001f600"),
        (b"<S>&#x1;&#xFFFF;&#65;</S>", "\x01\uffffA"),
    ],
)
def test_primitives_keep_their_kind_when_read(text: bytes, expected: Any) -> None:
    assert clixml.read(text) == expected


def test_objects_are_read_with_their_members() -> None:
    text = (
        b'<Obj RefId="0"><TN RefId="0"><T>Some.Type</T><T>System.Object</T></TN><ToString>x</ToString>'
        b'<Props><I32 N="A">1</I32></Props><MS><S N="B">two</S></MS></Obj>'
    )
    found = clixml.read(text)
    assert found == Structure(("Some.Type", "System.Object"), {"A": 1}, {"B": "two"}, "x")


def test_an_object_met_twice_is_one() -> None:
    shared = Structure(("A",), extended={"n": 1})
    written = clixml.write([shared, shared])
    assert written.count(b"<Ref RefId=") == 1
    first, second = clixml.read(written).value
    assert first is second


def test_a_secure_string_needs_a_key_both_ways() -> None:
    with pytest.raises(clixml.UnserializableError):
        clixml.write(Primitive("SS", "secret"))
    with pytest.raises(clixml.UnreadableError):
        clixml.read(b"<SS>AAAA</SS>")
    assert clixml.write(Primitive("SS", "secret"), str.upper) == b"<SS>SECRET</SS>"
    assert clixml.read(b"<SS>AAAA</SS>", str.lower) == Primitive("SS", "aaaa")
    assert "secret" not in repr(Primitive("SS", "secret"))


_DEEP = b'<Obj RefId="0"><LST>' * 5000 + b"</LST></Obj>" * 5000
_BOMB = (
    b'<Obj RefId="a"><LST>'
    + b"".join(
        b'<Obj RefId="%d"><LST>' % level
        + b'<Ref RefId="%d"/>' % (level - 1) * (10 if level else 0)
        + b"</LST></Obj>"
        for level in range(12)
    )
    + b"</LST></Obj>"
)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<",
        b"\xff\xfe",
        b"<S>" + b"\xc3\x28" + b"</S>",
        b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><S>&d;</S>',
        "<!DOCTYPE a []><S/>".encode("utf-16"),
        b"<?xml version='1.0'?><S/>",
        b"<I32>" + b"9" * 1_000_000 + b"</I32>",
        b"<D>" + b"9" * 100_000 + b"</D>",
        b"<TS>P" + b"9" * 5000 + b"D</TS>",
        b"<G>{00112233-4455-6677-8899-aabbccddeeff)</G>",
        b"<G>00112233-4455-6677-8899-aabbccddeeff}</G>",
        b'<Obj RefId="0"><Ref RefId="0"/></Obj>',
        b'<Obj RefId="0"><MS><Ref N="x"/></MS></Obj>',
        b'<Obj RefId="0"><TNRef/></Obj>',
        b'<Obj RefId="0"><DCT><En/></DCT></Obj>',
        b'<Obj RefId="0"><DCT><En><Nil N="Key"/><Nil N="Value"/></En></DCT></Obj>',
        _DEEP,
        _BOMB,
    ],
)
def test_what_is_no_clixml_is_refused_and_nothing_else_happens(data: bytes) -> None:
    with pytest.raises(clixml.UnreadableError):
        clixml.read(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for payload in (data, b"<Obj RefId='0'><MS>" + data + b"</MS></Obj>", b"<S>" + data + b"</S>"):
        with contextlib.suppress(clixml.UnreadableError):
            clixml.read(payload)


_TAGS = st.sampled_from(
    [
        "Obj",
        "LST",
        "DCT",
        "En",
        "MS",
        "Props",
        "TN",
        "TNRef",
        "T",
        "Ref",
        "Nil",
        "S",
        "I32",
        "B",
        "DT",
        "TS",
        "G",
        "BA",
        "D",
        "Db",
        "C",
        "SS",
        "XD",
        "Version",
        "IE",
    ]
)


@given(
    st.recursive(
        st.tuples(_TAGS, st.sampled_from(["", "0", "-1", "x", "true", "_x0041_", "P1D", "2020-01-02"])),
        lambda inner: st.tuples(_TAGS, st.lists(inner, max_size=4)),
        max_leaves=20,
    ),
    st.sampled_from(["", ' RefId="0"', ' N="Key"', ' N="Value"', ' N="a" RefId="1"']),
)
def test_any_tree_of_its_elements_is_read_or_refused(tree: Any, attributes: str) -> None:
    def render(node: Any) -> str:
        tag, inner = node
        text = inner if isinstance(inner, str) else "".join(map(render, inner))
        return f"<{tag}{attributes}>{text}</{tag}>"

    with contextlib.suppress(clixml.UnreadableError):
        clixml.read(render(tree).encode(), str)
