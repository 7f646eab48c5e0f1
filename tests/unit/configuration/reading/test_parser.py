"""The MOF reader: what it understands, what it refuses, where, and in which words."""

from __future__ import annotations

import time
from typing import Any

import pytest

from provisioner.configuration.instances import Alias, MofInstance
from provisioner.configuration.reading.parser import Reading, read_mof
from provisioner.configuration.reading.text import LARGEST_BYTES
from provisioner.diagnostics import Diagnostic, Severity

DOCUMENT = """/*
@TargetNode='hv01'
@GeneratedBy=someone
*/

instance of MSFT_Credential as $MSFT_Credential1ref
{
Password = "hunter2";
 UserName = "DOM\\\\svc";

};

instance of A as $A1ref
{
ResourceID = "[A]one";
 Credential = $MSFT_Credential1ref;
 Flags = {
    "a",
    "b"
};
 Count = -5;
 IsOn = True;
 Gone = NULL;
};
"""


def read(text: str | bytes) -> Reading:
    reading, problems = read_mof(text if isinstance(text, bytes) else text.encode(), "x.mof")
    assert reading is not None, [each.render() for each in problems]
    return reading


def value(written: str) -> Any:
    return read(f"instance of X {{ V = {written}; }};").document.instances[0].get("v")


def refused(text: str | bytes) -> list[Diagnostic]:
    reading, problems = read_mof(text if isinstance(text, bytes) else text.encode(), "x.mof")
    assert reading is None
    return [each for each in problems if each.severity is Severity.ERROR]


def without_places(instances: tuple[MofInstance, ...]) -> list[Any]:
    return [
        (each.class_name, each.alias, [(prop.name, prop.value) for prop in each.properties])
        for each in instances
    ]


def test_instances_come_in_file_order_with_names_as_written() -> None:
    credential, resource = read(DOCUMENT).document.instances

    assert credential.alias == "$MSFT_Credential1ref"
    assert [(each.name, each.value) for each in credential.properties] == [
        ("Password", "hunter2"),
        ("UserName", "DOM\\svc"),
    ]
    assert [(each.name, each.value) for each in resource.properties] == [
        ("ResourceID", "[A]one"),
        ("Credential", Alias("$MSFT_Credential1ref")),
        ("Flags", ("a", "b")),
        ("Count", -5),
        ("IsOn", True),
        ("Gone", None),
    ]


def test_a_value_and_an_instance_know_where_they_stand() -> None:
    resource = read(DOCUMENT).document.instances[1]

    assert str(resource.where) == "x.mof:13:1"
    assert str(resource.properties[2].where) == "x.mof:17:10"


def test_the_node_is_taken_from_the_comment_at_the_top() -> None:
    assert read(DOCUMENT).target_node == "hv01"
    assert not read("instance of A { };").target_node
    assert not read("instance of A { V = \"\n@TargetNode='evil'\n\"; };").target_node


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: b"\xff\xfe" + text.encode("utf-16-le"),
        lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
        lambda text: text.encode("utf-8"),
        lambda text: b"\xef\xbb\xbf" + text.encode("utf-8"),
    ],
    ids=["utf-16le", "utf-16be", "utf-8", "utf-8 with mark"],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r\r\n"], ids=["lf", "crlf", "crcrlf"])
def test_every_encoding_and_line_end_gives_the_same_instances(encode: Any, line_end: str) -> None:
    reading = read(encode(DOCUMENT.replace("hunter2", "hüntér€").replace("\n", line_end)))

    expected = read(DOCUMENT.replace("hunter2", "hüntér€")).document
    assert without_places(reading.document.instances) == without_places(expected.instances)
    assert str(reading.document.instances[1].where) == "x.mof:13:1"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('""', ""),
        (r'"a\\b\"c\nd"', 'a\\b"c\nd'),
        (r'"\b\t\f\r\'"', "\b\t\f\r'"),
        (r'"\x41\X42\x43zz\xE9"', "ABCzzé"),
        (r'"\xD83D\xDE00"', "😀"),
        ('"one" "two"\n  /* and */ "three" // last', "onetwothree\n"[:-1]),
        ('"a\rb"', "a\rb"),
        ('"a\nb"', "a\nb"),
        ("'c'", "c"),
        (r"'\x0041'", "A"),
        (r"'\''", "'"),
        ("12", 12),
        ("+12", 12),
        ("-12", -12),
        ("0x1F", 31),
        ("-0X1f", -31),
        ("017", 15),
        ("1010b", 10),
        ("0", 0),
        ("18446744073709551615", 2**64 - 1),
        ("-9223372036854775808", -(2**63)),
        ("1.5", 1.5),
        (".5", 0.5),
        ("-1.5E-3", -0.0015),
        ("TRUE", True),
        ("false", False),
        ("null", None),
        ("{ }", ()),
        ('{"a"}', ("a",)),
        ("{1, 2.0, NULL, True}", (1, 2.0, None, True)),
        ('"20200312154615.000000+060"', "20200312154615.000000+060"),
    ],
)
def test_values(written: str, meant: Any) -> None:
    found = value(written + "\n")

    assert found == meant
    assert type(found) is type(meant)


def test_keywords_ignore_case() -> None:
    reading = read("INSTANCE OF a AS $x { };Instance Of b { R = $X; };")

    assert [each.class_name for each in reading.document.instances] == ["a", "b"]


def test_a_directive_is_passed_over_with_a_note() -> None:
    reading, problems = read_mof(b'#pragma namespace ("\\\\\\\\.\\\\root") instance of A { };', "x.mof")

    assert reading is not None
    assert [(each.severity, each.summary) for each in problems] == [
        (Severity.WARNING, "Directive is ignored")
    ]


@pytest.mark.parametrize(
    ("text", "summary", "place"),
    [
        (r'instance of A { V = "C:\dir"; };', "Unknown escape in a text", "x.mof:1:24"),
        (r'instance of A { V = "\xZZ"; };', "Unknown escape in a text", "x.mof:1:22"),
        (r'instance of A { V = "\xD800"; };', "Escape is no character", "x.mof:1:22"),
        ('instance of A { V = "no end\n};', "Text has no end", "x.mof:1:21"),
        ("/* no end", "Comment has no end", "x.mof:1:1"),
        ("instance of A as $a { }; instance of A as $A { };", "Alias is declared twice", "x.mof:1:43"),
        ("instance of A { V = 1;\n v = 2; };", "Property is set twice", "x.mof:2:2"),
        ("instance of A { V = $gone; };", "Unknown alias", "x.mof:1:21"),
        ("instance of A { V = $b; }; instance of B as $b { };", "Unknown alias", "x.mof:1:21"),
        ("instance of A as $a { V = $a; };", "Unknown alias", "x.mof:1:27"),
        ("instance of A { V = {1,}; };", "Comma before the end of a list", "x.mof:1:24"),
        ("instance of A { V = {{1}}; };", "Document has another structure", "x.mof:1:22"),
        ("instance of A { V = {,1}; };", "Document has another structure", "x.mof:1:22"),
        ("instance of A { V = 1 };", "Document has another structure", "x.mof:1:23"),
        ("instance of A { V = ; };", "Document has another structure", "x.mof:1:21"),
        ("instance of A { V = bare; };", "Document has another structure", "x.mof:1:21"),
        ("instance of A { }", "Document has another structure", "x.mof:1:18"),
        ("instance A { };", "Document has another structure", "x.mof:1:10"),
        ("instance of A as a { };", "Document has another structure", "x.mof:1:18"),
        ("class A { };", "Declaration of a class", "x.mof:1:1"),
        ("instance of A { V = 12ab; };", "Number has another form", "x.mof:1:21"),
        ("instance of A { V = 1_000; };", "Number has another form", "x.mof:1:21"),
        ("instance of A { V = 18446744073709551616; };", "Number is out of range", "x.mof:1:21"),
        ("instance of A { V = 1.0E999; };", "Number is out of range", "x.mof:1:21"),
        (f"instance of A {{ V = {'9' * 100_000}; }};", "Number is out of range", "x.mof:1:21"),
        ("instance of A { V = 'ab'; };", "Character has another form", "x.mof:1:21"),
        ("instance of A { V = “x”; };", "Character is not expected here", "x.mof:1:21"),
        ('#pragma include("b.mof")', "Document includes another file", "x.mof:1:1"),
        ("#define X", "Directive has another form", "x.mof:1:1"),
        ("", "Document is empty", "x.mof:1:1"),
        ("\n// nothing\n", "Document is empty", "x.mof:1:1"),
    ],
)
def test_what_an_lcm_refuses_is_refused_with_its_place(text: str, summary: str, place: str) -> None:
    first = refused(text)[0]

    assert (first.summary, str(first.where)) == (summary, place)
    assert first.detail.endswith(".")


@pytest.mark.parametrize(
    ("data", "summary", "place"),
    [
        (b'instance of A {\n V = "\xff\xfe"; };', "Document is not text", "x.mof:2:7"),
        (b"\xff\xfei\x00n\x00s", "Document is not text", "x.mof:1:3"),
        ("instance of A { };".encode("utf-16-le"), "Document is not text", "x.mof:1:2"),
    ],
)
def test_what_is_no_text_is_refused(data: bytes, summary: str, place: str) -> None:
    (problem,) = refused(data)

    assert (problem.summary, str(problem.where)) == (summary, place)


def test_a_document_no_lcm_would_take_is_not_even_decoded() -> None:
    (problem,) = refused(b" " * (LARGEST_BYTES + 1))

    assert problem.summary == "Document too large"


def test_all_problems_come_at_once() -> None:
    problems = refused(
        'instance of A { V = "C:\\d"; V = 1; };\n'
        "instance of B { V 1; };\n"
        "instance of C { V = {1,}; };\n"
        "instance of D as $d { };\ninstance of E as $d { };"
    )

    assert [each.summary for each in problems] == [
        "Unknown escape in a text",
        "Property is set twice",
        "Document has another structure",
        "Comma before the end of a list",
        "Alias is declared twice",
    ]


def test_a_broken_instance_makes_no_unknown_aliases_of_those_it_declares() -> None:
    problems = refused("instance of A as $a { V 1; };\ninstance of B { V = $a; };")

    assert [each.summary for each in problems] == ["Document has another structure"]


def test_a_lost_quote_is_pointed_out_from_where_it_shows() -> None:
    problem = refused('instance of A {\n V = "C:\\";\n W = "x";\n};')[0]

    assert str(problem.where) == "x.mof:3:7"
    assert problem.help == "The text before it opens on line 2, column 6: is its end missing?"


@pytest.mark.parametrize(
    "text",
    [
        'instance of MSFT_Credential { Password = "hunter2\\q-secret"; };',
        'instance of MSFT_Credential { PASSWORD="hunter2-secret; };',
        "instance of MSFT_Credential { Password = hunter2-secret; };",
        'instance of MSFT_Credential { Password = "a" "hunter2-secret" 5; };',
        'instance of MSFT_Credential { Password /* it is */ = { "hunter2-secret", }; };',
        'instance of MSFT_Credential { UserName = "u\\q"; Password = "hunter2-secret"; };',
        'instance of MSFT_Credential { UserName = "u; Password = "hunter2-secret"; };',
        'instance of MSFT_Credential { Password = "x"hunter2-secret"; };',
    ],
)
def test_no_message_shows_a_password(text: str) -> None:
    for problem in refused(text):
        assert "hunter2" not in problem.render()
        assert "secret" not in problem.render()


def test_instances_that_grow_with_every_level_are_refused() -> None:
    levels = ["instance of A as $a0 { };"]
    levels += [f"instance of A as $a{n} {{ V = {{$a{n - 1}, $a{n - 1}}}; }};" for n in range(1, 25)]

    assert refused("\n".join(levels))[0].summary == "Instances are nested too deeply"


def test_one_large_instance_used_without_end_is_refused() -> None:
    parts = ["instance of A as $a { };", f"instance of B as $b {{ V = {{{', '.join(['$a'] * 60_000)}}}; }};"]
    parts += [f"instance of C {{ V{n} = $b; }};" for n in range(40)]

    assert refused("\n".join(parts))[0].summary == "Instances are nested too deeply"


def test_a_chain_of_instances_has_a_longest_length() -> None:
    chain = ["instance of A as $a0 { };"]
    chain += [f"instance of A as $a{n} {{ V = $a{n - 1}; }};" for n in range(1, 40)]

    assert refused("\n".join(chain))[0].summary == "Instances are nested too deeply"


@pytest.mark.parametrize(
    "piece",
    [
        "/*",
        "@",
        '"',
        "'",
        "\\",
        "{",
        "password ",
        "password",
        'password="',
        "password=;",
        "instance of ",
        "instance of A as $a {\n",
        'V = "\\q";\n',
        '"" ',
        '#pragma x("y")\n',
        "#",
        "0",
        "$",
    ],
)
@pytest.mark.parametrize("lead", ["", "instance of A { V = ", 'instance of A { Password = "'])
def test_a_document_made_to_take_for_ever_takes_no_time(lead: str, piece: str) -> None:
    text = (lead + piece * (300_000 // len(piece))).encode()
    begin = time.process_time()

    reading, problems = read_mof(text, "x.mof")

    assert reading is None
    assert len(problems) <= 60
    assert time.process_time() - begin < 4
