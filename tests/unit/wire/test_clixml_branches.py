"""Each branch of the reader: what may stand where, and what is refused.

Source of what is expected: InternalDeserializer of PowerShell (serialization.cs) and its settings of XmlReader.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from provisioner.wire import clixml
from provisioner.wire.clixml import Primitive, Structure, UnreadableError


@pytest.mark.parametrize(
    "text",
    [
        " <I32>1</I32>",  # blanks are a node before the element
        "<!-- a --> <I32>1</I32>",
        "<?xml version='1.0'?><I32>1</I32>",
        "<!DOCTYPE a><I32>1</I32>",
        "<I32>1</I32><I32>2</I32>",
        "<I32>1</I32>x",
        "<Obj>\u00a0<I32>1</I32></Obj>",  # blanks are those of XML
        "<Obj><![CDATA[ ]]><I32>1</I32></Obj>",
        "<Obj><LST><![CDATA[]]></LST></Obj>",
        "<Obj><TN>a<T>b</T></TN></Obj>",
        "<Obj><TN><T>a<T>b</T></T></TN></Obj>",
        "<Obj><ToString>a<B/>b</ToString></Obj>",
        '<Obj><DCT><En>x<S N="Key">a</S><S N="Value">b</S></En></DCT></Obj>',
        '<S xmlns="u">5</S>',
        '<Obj xmlns="u"><MS><S N="a">5</S></MS></Obj>',
        "<I32><I32>1</I32></I32>",
        "<U32>+1</U32>",
        "<C>-0</C>",
        "<Version>1</Version>",
        "<Version>1.-2</Version>",
        "<BA>AAAA=</BA>",
        "<PR><AV>a</AV></PR>",
    ],
)
def test_it_is_refused(text: str) -> None:
    with pytest.raises(UnreadableError):
        clixml.read(text.encode())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<!-- a --><I32>1</I32>", 1),
        ("<?pi a?><I32>1</I32>", 1),
        ("<I32>1</I32><!-- a --> \n", 1),
        ("<I32> 1<!-- a -->2<?pi?> </I32>", 12),
        ("<S><![CDATA[<!DOCTYPE]]></S>", "<!DOCTYPE"),
        ("<Obj><LST><Nil>x<y/><![CDATA[z]]></Nil></LST></Obj>", [None]),
        ('<I32 xmlns="u">5</I32>', 5),
        ("<Version> 1 .\t+2 . -0</Version>", Primitive("Version", "1.2.0")),
        ("<Sg>0.123456789</Sg>", Primitive("Sg", 0.12345679104328156)),
        ("<Db>+Infinity</Db>", float("inf")),
        ("<D>0.00000000000000000000000000005</D>", Primitive("D", Decimal("0E-28"))),
        ("<G>+2345678-9abc-def0-1234-56789abcdef0</G>", "02345678-9abc-def0-1234-56789abcdef0"),
    ],
)
def test_it_is_taken(text: str, expected: Any) -> None:
    value = clixml.read(text.encode())
    if isinstance(value, Structure):
        value = value.value
    assert value == expected or str(getattr(value, "value", value)) == expected


def test_members_come_together_and_adapted_ones_are_replaced() -> None:
    """ReadMemberSet adds to what is there; ReadProperties begins a new collection."""
    value = clixml.read(
        b'<Obj><MS><S N="a">1</S></MS><Props><S N="p">1</S></Props><MS><S N="b">2</S></MS><Props><S N="q">2</S></Props></Obj>'
    )
    assert value.extended == {"a": "1", "b": "2"}
    assert value.properties == {"q": "2"}


@pytest.mark.parametrize(
    ("containers", "inner", "is_read"), [(48, "<I32>1</I32>", True), (49, "", True), (49, "<Nil/>", False)]
)
def test_a_value_is_refused_from_the_fiftieth_level_on(containers: int, inner: str, is_read: bool) -> None:  # noqa: FBT001
    """MaxDepthBelowTopLevel is 50, and every value counts: an empty list has none in it."""
    text = "<Obj><LST>" * containers + inner + "</LST></Obj>" * containers
    if is_read:
        clixml.read(text.encode())
        return
    with pytest.raises(UnreadableError):
        clixml.read(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        '<Obj RefId="0"><MS><MS N="m"><I32 N="a">1</I32><MS N="n" /></MS></MS></Obj>',
        "<PR><AV>act</AV><AI>1</AI><S>op</S><PI>-1</PI><PC>50</PC><T>Processing</T><SR>-1</SR><SD>st</SD></PR>",
        "<PR><AV>a_x000A_</AV><AI>0</AI><Nil /><PI>3</PI><PC>-1</PC><T>Completed</T><SR>9</SR><SD>st</SD></PR>",
        "<Sg>2.1474836E+09</Sg>",
        "<Sg>123456790</Sg>",
        "<Db>10000000000000000</Db>",
        "<TS>-PT0.0000001S</TS>",
        "<DT>2024-05-17T08:09:10.1234567+02:00</DT>",
    ],
)
def test_what_was_read_is_written_the_same(text: str) -> None:
    assert clixml.write(clixml.read(text.encode())).decode() == text


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("<AV>act</AV>", "<AV></AV>"),
        ("<AI>1</AI>", "<AI>-1</AI>"),
        ("<PC>50</PC>", "<PC>101</PC>"),
        ("<PI>-1</PI>", "<PI>1</PI>"),
        ("<T>Processing</T>", "<T>Running</T>"),
        ("<SD>st</SD>", ""),
        ("<PI>-1</PI><PC>50</PC>", "<PC>50</PC><PI>-1</PI>"),
    ],
)
def test_a_progress_record_that_cannot_be_made_is_refused(part: str, other: str) -> None:
    good = "<PR><AV>act</AV><AI>1</AI><S>op</S><PI>-1</PI><PC>50</PC><T>Processing</T><SR>-1</SR><SD>st</SD></PR>"
    with pytest.raises(UnreadableError):
        clixml.read(good.replace(part, other).encode())


@pytest.mark.parametrize(
    ("text", "is_read"),
    [
        (b"<!-- a -->" * 20_000 + b"<I32>1</I32>", True),
        (b"<?a ?>" * 20_000 + b" <I32>1</I32>", False),
        (b"<!--" * 200_000, False),
        (b"<!-- --><?" * 100_000, False),
        (b'<I32 xmlns="u"><![CDATA[' + b"<" * 200_000 + b"]]></I32>", False),
        (b"<D>0." + b"0" * 200_000 + b"1</D>", True),
    ],
)
def test_long_texts_take_no_time(text: bytes, is_read: bool) -> None:  # noqa: FBT001
    """What tries again from every place would never end here."""
    if is_read:
        clixml.read(text)
        return
    with pytest.raises(UnreadableError):
        clixml.read(text)
