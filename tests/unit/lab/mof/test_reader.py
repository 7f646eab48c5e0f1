"""The MOF reader: what it understands, what it refuses and with which words."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pywbem import MOFCompiler, MOFParseError
from pywbem._mof_compiler import MOFWBEMConnection  # the only repository of pywbem that needs no server

from provisioner.lab.mof.lexer import Char16, MofError
from provisioner.lab.mof.reader import Instance, MofDocument, read
from tests.shared_data import shared

# pywbem's grammar has no aliases inside arrays, so it cannot witness these.
ALIASES_IN_ARRAYS = {"031.mof", "036.mof", "071.mof"}


def read_one(body: str) -> Instance:
    return read(f"instance of X {{ {body} }};".encode()).instances[0]


def refusal(text: str) -> MofError:
    with pytest.raises(MofError) as caught:
        read(text.encode())
    return caught.value


def goldens() -> list[Path]:
    folder = Path(__file__).resolve().parents[4].parent / "shared" / "mof-goldens"
    return sorted(folder.glob("*.mof"))


@pytest.mark.parametrize("path", goldens(), ids=lambda path: path.name)
def test_every_document_real_powershell_wrote_is_read(path: Path) -> None:
    document = read(path.read_bytes())
    text = path.read_bytes().decode("utf-16" if path.read_bytes()[:2] == b"\xff\xfe" else "utf-8-sig")

    assert len(document.instances) == len(re.findall(r"^instance of ", text, re.MULTILINE))


def test_there_are_27_documents_to_read() -> None:
    shared("mof-goldens")
    assert len(goldens()) >= 27


@pytest.mark.parametrize(
    "path", [path for path in goldens() if path.name not in ALIASES_IN_ARRAYS], ids=lambda path: path.name
)
def test_pywbem_reads_the_same_values(path: Path) -> None:
    document = read(path.read_bytes())

    for ours, theirs in zip(document.instances, _by_pywbem(document), strict=True):
        assert theirs.classname == ours.class_name
        for name, value in ours.properties.items():
            if not isinstance(value, Instance):
                assert theirs.properties[name].value == value, name


def _by_pywbem(document: MofDocument) -> list[Any]:
    """Compile with pywbem; classes are declared from the literals, as its compiler needs some."""
    classes: dict[str, dict[str, str]] = {}
    for instance in document.instances:
        for name, value in instance.properties.items():
            sample = value[0] if isinstance(value, list) and value else value
            kind = {bool: "boolean", int: "sint64"}.get(type(sample), "string")
            suffix = "[]" if isinstance(value, list) else ""
            classes.setdefault(instance.class_name, {})[name] = f"{kind} {name}{suffix};"
    declarations = "".join(
        f"class {name} {{ {' '.join(members.values())} }};\n" for name, members in classes.items()
    )
    repository = _compiled(declarations + document.text.replace("\ufeff", ""))
    compiled = {
        name: list(found) for namespace in repository.instances.values() for name, found in _group(namespace)
    }
    return [compiled[instance.class_name].pop(0) for instance in document.instances]


def _compiled(text: str) -> Any:
    make: Any = MOFWBEMConnection
    compiler: Any = MOFCompiler
    repository = make()
    compiler(repository, log_func=None).compile_string(text, "root/x")
    return repository


def _group(instances: list[Any]) -> list[tuple[str, list[Any]]]:
    groups: dict[str, list[Any]] = {}
    for instance in instances:
        groups.setdefault(instance.classname, []).append(instance)
    return list(groups.items())


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ('"a"', "a"),
        ('""', ""),
        (r'"\\ \" \n \r \t \b \f \' \x41"', "\\ \" \n \r \t \b \f ' A"),
        (r'"\x263A!"', "\u263a!"),
        ('"one" "two"\n  "three"', "onetwothree"),
        ('"a\nb"', "a\nb"),
        ("/* c */ 5 // d\n", 5),
        ("-17", -17),
        ("+4", 4),
        ("0", 0),
        ("0x1F", 31),
        ("-0xff", -255),
        ("017", 15),
        ("101b", 5),
        ("1.5", 1.5),
        ("-.5e-3", -0.0005),
        ("2.0E+2", 200.0),
        ("True", True),
        ("FALSE", False),
        ("NULL", None),
        ("null", None),
        ("{}", []),
        ('{"a", "b"}', ["a", "b"]),
        ("{1, NULL}", [1, None]),
        ("'c'", "c"),
        (r"'\''", "'"),
        ("18446744073709551615", 2**64 - 1),
    ],
)
def test_literals_have_the_value_mof_gives_them(literal: str, value: object) -> None:
    found = read_one(f"P = {literal};").get("p")

    assert found == value
    assert type(found) in {type(value), Char16}


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("utf-8"),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
        lambda text: text.replace("\n", "\r\n").encode("utf-16"),
        lambda text: text.replace("\n", "\r\r\n").encode("utf-16"),
    ],
    ids=["utf-8", "utf-8 BOM", "utf-16le", "utf-16be", "CRLF", "CRCRLF"],
)
def test_every_encoding_and_line_end_seen_is_read(encode: Any) -> None:
    document = read(encode("/*\n@TargetNode='é'\n*/\ninstance of X\n{\nName = \"é\";\n};\n"))

    assert document.instances[0].get("Name") == "é"


def test_an_alias_stands_for_the_instance_declared_before() -> None:
    document = read(b'instance of C as $c { UserName = "u"; };\ninstance of X { A = $c; B = {$C}; };')
    inner, outer = document.instances

    assert outer.get("a") is inner
    assert outer.get("b") == [inner]


def test_keywords_and_names_ignore_case_and_pragmas_are_skipped() -> None:
    document = read(b'#pragma namespace ("root")\nINSTANCE OF X AS $a { name = "v"; };')

    assert document.instances[0].get("NAME") == "v"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("instance of X\n{\n A = ;\n};", r"Syntax error:\n At line:3, char:7\n Buffer:\n"),
        ("instance of X { A = 1 };", r"Syntax error:"),
        ("instance of X { A = {1,}; };", r"Syntax error:"),
        ("instance of X { A = {{1}}; };", r"Syntax error:"),
        ("instance of X { A = maybe; };", r"Syntax error:"),
        ("instance of X { A = 1; }", r"Syntax error:"),
        ("instance X { };", r"Syntax error:"),
        ("class X { };", r"Syntax error:"),
        (r'instance of X { A = "c:\dir"; };', r"Unrecognized escaped character: d"),
        (
            'instance of X { A = "open; };',
            r"Literal string declaration is not complete, started at line:1, char:21",
        ),
        ("instance of X { /* open };", r"Comment\(s\) incomplete, started at line:1, char:17"),
        ("instance of X { A = 'ab'; };", r"Char16 value declaration is not valid"),
        ("instance of X { A = 12x; };", r"Number value not valid: 12x"),
        ("instance of X { A = 99999999999999999999; };", r"Integer overflow"),
        ("instance of X { A = " + "9" * 5000 + "; };", r"Integer overflow"),
        ("instance of X { A = ?; };", r"Token not recognized: \?"),
        ("instance of X { A = 1; a = 2; };", r"Class feature already defined: a"),
        ("instance of X as $a {};\ninstance of X as $A {};", r"'\$A' already declared at line 1"),
        ("instance of X { A = $nope; };", r"Undefined instance alias: \$nope"),
        ("instance of X as $me { A = $me; };", r"Undefined instance alias: \$me"),
        ('#pragma include ("other.mof")', r"include file"),
    ],
)
def test_what_is_no_mof_is_refused_at_its_place(text: str, message: str) -> None:
    error = refusal(text)

    assert re.search(message, str(error))
    assert re.search(r"\n At line:\d+, char:\d+\n Buffer:\n", str(error))


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfei",
        b"\xff\xff\xff",
        "instance of X {};".encode("utf-16-le"),
        b"\x34\x05\x00\x00instance of X {};",
    ],
    ids=["half a character", "no UTF-8", "UTF-16 without BOM", "little-endian length in front"],
)
def test_bytes_that_are_no_text_are_refused(data: bytes) -> None:
    with pytest.raises(MofError):
        read(data)


@given(st.binary(max_size=200))
def test_garbage_gives_nothing_but_a_mof_error(data: bytes) -> None:
    _read_or_refuse(data)


_PIECES = [
    "instance",
    "of",
    "as",
    "X",
    "$a",
    "{",
    "}",
    ";",
    "=",
    ",",
    '"s"',
    "'",
    '"',
    "\\",
    "1",
    "0x",
    "NULL",
    "/*",
]


@given(st.lists(st.sampled_from([*_PIECES, "*/", "//", "\n", "#pragma", "(", ")", "-", ".", "e5", "\ud7ff"])))
def test_garbage_made_of_mof_gives_nothing_but_a_mof_error(pieces: list[str]) -> None:
    _read_or_refuse(" ".join(pieces).encode())


def _read_or_refuse(data: bytes) -> None:
    with contextlib.suppress(MofError):
        read(data)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00")))
def test_any_text_escaped_as_powershell_does_is_read_back(text: str) -> None:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    assert read_one(f'P = "{escaped}";').get("P") == text


def test_pywbem_refuses_the_same_trailing_comma() -> None:
    with pytest.raises(MOFParseError):
        _compiled("class X { uint16 A[]; };\ninstance of X { A = {1,}; };")
