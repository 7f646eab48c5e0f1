"""Values to and from CLIXML, judged by what real PowerShell writes."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypsrp.complex_objects import (
    ApartmentState,
    Command,
    CommandParameter,
    HostInfo,
    RemoteStreamOptions,
)
from pypsrp.complex_objects import Pipeline as PypsrpPipeline
from pypsrp.messages import CreatePipeline
from pypsrp.serializer import Serializer

from provisioner.transport.base import SWITCH, Pipeline, Record
from provisioner.transport.psrp_values import NotClixmlError, ValueSerializer, read_error, to_wire
from tests.shared_data import shared
from tests.yaml_files import read_yaml


def read(text: str) -> Any:
    return ValueSerializer().deserialize(text)


def write(value: Any) -> str:
    element = ValueSerializer().serialize(to_wire(value))
    assert element is not None
    return ET.tostring(element, encoding="unicode")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("<S>a_x000A_b_xD83D__xDE00_</S>", "a\nb\N{GRINNING FACE}"),
        ("<S>_x005F_x0041_</S>", "_x0041_"),
        ("<S>_xD83D_ _xZZZZ_</S>", "\N{REPLACEMENT CHARACTER} _xZZZZ_"),
        ("<S>a&#xFFFE;b&#xA;</S>", "a\N{REPLACEMENT CHARACTER}b\n"),
        ("<S />", ""),
        ("<Nil />", None),
        ("", None),
        ("<B>true</B>", True),
        ("<B>false</B>", False),
        ("<I32>-5</I32>", -5),
        ("<U64>18446744073709551615</U64>", 2**64 - 1),
        ("<Db>1.5</Db>", 1.5),
        ("<Db>-INF</Db>", float("-inf")),
        ("<D>1.10</D>", 1.1),
        ("<C>65</C>", "A"),
        ("<BA>AAEC</BA>", b"\x00\x01\x02"),
        ("<BA />", b""),
        ("<DT>2018-02-14T10:12:13.1234567Z</DT>", datetime(2018, 2, 14, 10, 12, 13, 123456, UTC)),
        (
            "<DT>2018-02-14T10:12:13.5-08:00</DT>",
            datetime(2018, 2, 14, 10, 12, 13, 500000, timezone(timedelta(hours=-8))),
        ),
        ("<TS>PT1S</TS>", "PT1S"),
        ("<G>4f1a3c2e-0000-0000-0000-000000000001</G>", "4f1a3c2e-0000-0000-0000-000000000001"),
        ("<Version>5.1.14393.0</Version>", "5.1.14393.0"),
        ('<Obj RefId="0"><I32>5</I32><MS><S N="PSComputerName">n1</S></MS></Obj>', 5),
        (
            (
                '<Obj RefId="0"><TN RefId="0"><T>System.DayOfWeek</T><T>System.Enum</T></TN>'
                "<ToString>Friday</ToString><I32>5</I32></Obj>"
            ),
            "Friday",
        ),
        ('<Obj RefId="0"><LST><S>a</S><Nil /></LST></Obj>', ["a", None]),
        ('<Obj RefId="0"><IE><I32>1</I32></IE></Obj>', [1]),
        (
            '<Obj RefId="0"><DCT><En><I32 N="Key">1</I32><S N="Value">x</S></En></DCT></Obj>',
            {"1": "x"},
        ),
        ("<SS>AAAA</SS>", None),
    ],
)
def test_an_element_becomes_a_value(text: str, value: Any) -> None:
    found = read(text)
    assert found == value
    assert type(found) is type(value)


def test_an_object_becomes_a_record_with_adapted_and_extended_properties() -> None:
    text = (
        '<Obj RefId="0"><TN RefId="0"><T>A.B</T><T>System.Object</T></TN><ToString>said</ToString>'
        '<Props><S N="Name">x</S><Obj N="Inner" RefId="1"><TNRef RefId="0" /><Props /></Obj></Props>'
        '<MS><Ref N="Same" RefId="1" /></MS></Obj>'
    )
    record = read(text)
    assert record.type_names == ("A.B", "System.Object")
    assert record.text == "said"
    assert record["name"] == "x"
    assert record["Inner"].type_names == ("A.B", "System.Object")
    assert record["Same"] is record["Inner"]


def test_an_object_may_refer_to_itself() -> None:
    record = read('<Obj RefId="0"><MS><Ref N="Me" RefId="0" /></MS></Obj>')
    assert record["Me"] is record


@pytest.mark.parametrize("text", ["<S>", "text", "<Odd>1</Odd>"])
def test_what_is_not_clixml_is_refused(text: str) -> None:
    with pytest.raises(NotClixmlError):
        read(text)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
    | st.datetimes(timezones=st.just(UTC)),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_what_is_sent_reads_back_the_same(value: Any) -> None:
    assert read(write(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2**31, "<I64>2147483648</I64>"),
        (2**31 - 1, "<I32>2147483647</I32>"),
        (True, "<B>true</B>"),
        (0.1, "<Db>0.1</Db>"),
        (bytearray(b"\x01"), "<BA>AQ==</BA>"),
    ],
)
def test_values_are_sent_with_a_type_that_holds_them(value: Any, text: str) -> None:
    assert write(value) == text


def test_a_tuple_is_sent_as_a_list_and_a_record_as_an_object() -> None:
    assert read(write(("a", 1))) == ["a", 1]
    sent = Record(("A.B",), {"Name": ("x",)}, "said")
    assert read(write(sent)) == Record(("A.B",), {"Name": ["x"]}, "said")


def test_a_value_without_a_place_in_the_contract_is_refused() -> None:
    with pytest.raises(TypeError, match="type set cannot be sent"):
        to_wire({"a": {1}})


def test_a_terminating_error_reads_like_one_in_the_error_stream() -> None:
    record = read(
        '<Obj RefId="0"><TN RefId="0"><T>System.Management.Automation.ErrorRecord</T></TN><ToString>said</ToString>'
        '<MS><Obj N="Exception" RefId="1"><TN RefId="1"><T>System.IO.IOException</T></TN>'
        '<Props><S N="Message">no disk</S></Props></Obj><S N="FullyQualifiedErrorId">Id,Cmd</S>'
        '<I32 N="ErrorCategory_Category">13</I32><S N="ErrorCategory_TargetName">x</S></MS></Obj>'
    )
    error = read_error(record)
    assert (error.message, error.error_id, error.category) == ("no disk", "Id,Cmd", "ObjectNotFound")
    assert (error.target, error.exception_type) == ("x", "System.IO.IOException")


def test_an_unknown_category_number_is_not_specified() -> None:
    record = Record((), {"ErrorCategory_Category": 99, "ErrorDetails_Message": "details win"}, "said")
    assert read_error(record).category == "NotSpecified"
    assert read_error(record).message == "details win"


def golden_values() -> Iterator[dict[str, Any]]:
    for line in (shared("powershell-goldens") / "clixml" / "values.jsonl").read_text().splitlines():
        case = json.loads(line)
        if case.get("psrp") and "roundtrip_string" in case:
            yield case


WHOLE = {
    f"System.{name}" for name in ("Byte", "SByte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64")
}


def test_every_value_that_real_powershell_writes_is_read() -> None:
    compared = 0
    for case in golden_values():
        value = read(case["psrp"])
        kind = case["value_type"]
        if "System.Enum" in (case["value_type_names"] or ()):
            assert isinstance(value, str), case["id"]
        elif kind == "System.String":
            whole = (
                case["roundtrip_string"].encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
            )
            assert value == whole, case["id"]
        elif kind in WHOLE:
            assert value == int(case["roundtrip_string"]), case["id"]
        elif kind == "System.DateTime":
            assert isinstance(value, datetime), case["id"]
        else:
            continue
        compared += 1
    assert compared > 100


def test_messages_of_recorded_windows_conversations_are_read() -> None:
    """Every stream of a recorded real server is defragmented and read with our reader in place."""
    import base64  # noqa: PLC0415 - of this one test

    from pypsrp.powershell import Fragmenter  # noqa: PLC0415

    messages = 0
    for path in sorted(shared("wire-traces").glob("psrp_*.yml")):
        recorded = read_yaml(path)
        fragmenter = Fragmenter(32768, ValueSerializer())
        for exchange in recorded["messages"]:
            if "<rsp:Stream" not in exchange["response"]:
                continue
            body = ET.fromstring(exchange["response"])
            for stream in body.iter("{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}Stream"):
                messages += len(fragmenter.defragment(base64.b64decode(stream.text or "")))
    assert messages > 100


def create_pipeline(pipeline: Pipeline, protocol: str, *, no_input: bool) -> CreatePipeline:
    commands = []
    for command in pipeline.commands:
        written = Command(command.name, protocol, is_script=False, use_local_scope=None)
        written.args = [
            CommandParameter(name=name, value=None if value is SWITCH else to_wire(value))
            for name, value in command.parameters.items()
        ]
        commands.append(written)
    return CreatePipeline(
        no_input,
        ApartmentState(value=ApartmentState.UNKNOWN),
        RemoteStreamOptions(value=0),
        False,
        HostInfo(host=None),
        PypsrpPipeline(is_nested=False, cmds=commands, history="", redirect_err_to_out=False),
        False,
    )


@pytest.mark.parametrize("protocol", ["2.1", "2.2", "2.3"])
@pytest.mark.parametrize("no_input", [True, False])
@pytest.mark.parametrize(
    "pipeline",
    [
        Pipeline.of("Get-WindowsFeature"),
        Pipeline.of("Restart-Computer", Force=SWITCH),
        Pipeline.of("Get-Item", Path="a<&>\"'\nb\N{GRINNING FACE}_x0041_", Empty="", Missing=None),
        Pipeline.of("C", A=[1, "two", None, 2**40], B={"k": b"\x00\x01", "l": [True]}, C=1.5, D=False),
        Pipeline.of(
            "C",
            A=Record(("Enum", "System.Object"), {"a": 1, "b": "x"}, "text"),
            B=Record(("Enum", "System.Object"), {"c": datetime(2026, 1, 2, tzinfo=UTC)}),
        ),
        Pipeline(
            (
                *Pipeline.of("Get-WindowsFeature", Name=["a"]).commands,
                *Pipeline.of("Select-Object", Property=["Name"], First=2).commands,
            )
        ),
    ],
    ids=str,
)
def test_a_pipeline_is_written_byte_for_byte_as_pypsrp_writes_it(
    pipeline: Pipeline, protocol: str, *, no_input: bool
) -> None:
    expected = Serializer().serialize(create_pipeline(pipeline, protocol, no_input=no_input))
    assert expected is not None
    written = ValueSerializer().serialize(create_pipeline(pipeline, protocol, no_input=no_input))
    assert written == ET.tostring(expected, encoding="utf-8")


def test_a_pipeline_that_asks_for_more_than_its_commands_is_left_to_pypsrp() -> None:
    message = create_pipeline(Pipeline.of("Get-Item"), "2.3", no_input=True)
    message.add_to_history = True
    written = ValueSerializer().serialize(message)
    assert '<B N="AddToHistory">true</B>' in ET.tostring(written, encoding="unicode")
