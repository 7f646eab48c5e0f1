"""PowerShell text is cut where PowerShell cuts it, and only what is written out becomes a value."""

from __future__ import annotations

import json

import pytest

from provisioner.catalogue.importing import tokens as module_tokens
from provisioner.catalogue.importing.cursor import Cursor, Static
from provisioner.catalogue.importing.declarations import Attribute, read_bracket, read_declarations
from provisioner.catalogue.importing.tokens import Script, ScriptProblem, TokenKind
from tests.shared_data import shared


def texts(code: str) -> list[str]:
    return [token.text for token in Script("a.ps1", code).tokens]


def value(code: str) -> Static:
    cursor = Cursor(Script("a.ps1", code))
    found = cursor.value()
    assert cursor.token is None
    return found


def test_every_string_means_what_real_powershell_says_it_means() -> None:
    count = 0
    for line in (
        shared("powershell-goldens", "parse", "quoting.jsonl").read_text(encoding="utf-8").splitlines()
    ):
        for case in json.loads(line).values():
            if not isinstance(case, dict) or case.get("parse_errors") or "value_utf16" not in case:
                continue
            tokens = Script("a.ps1", case["code"]).tokens
            if case["kind"] != "StringConstantExpressionAst":
                assert [token.value for token in tokens] == [None], case["code"]
                continue
            units = b"".join(bytes.fromhex(unit)[::-1] for unit in case["value_utf16"].split())
            assert [token.value for token in tokens] == [units.decode("utf-16-le", "surrogatepass")], case[
                "code"
            ]
            count += 1
    assert count > 150


@pytest.mark.parametrize(
    ("code", "tokens"),
    [
        ("a # b\nc", ["a", "\n", "c"]),
        ("a#b <# c\n'#> d", ["a#b", "d"]),
        (
            "$a.b ${c d} $env:x $x::y @p $_ $?",
            ["a", ".b", "c d", "env:x", "x", ":", ":", "y", "p", "_", "?"],
        ),
        ("a `\n b", ["a", "b"]),
        ("'it''s' \"a `\" b\"", ["'it''s'", '"a `" b"']),
        ('"a $(if ($b) { "c)" } ) d" e', ['"a $(if ($b) { "c)" } ) d"', "e"]),
        ("@'\nit's } \"\n'@ a", ["@'\nit's } \"\n'@", "a"]),
        ('@"\r\na " b\r\n"@;b', ['@"\r\na " b\r\n"@', ";", "b"]),
        ("@( @{ $( a ) } )", ["@(", "@{", "$(", "a", ")", "}", ")"]),
        ("`{ a`}b", ["`{", "a`}b"]),
        ("", []),
    ],
)
def test_text_is_cut_where_powershell_cuts_it(code: str, tokens: list[str]) -> None:
    assert texts(code) == tokens


@pytest.mark.parametrize(
    ("code", "line", "message"),
    [
        ("\n  'a", 2, "This string does not end."),
        ('a\n"b $(c', 2, "This subexpression does not end."),
        ('"a', 1, "This string does not end."),
        ("<# a", 1, "This comment does not end."),
        ("@'\na", 1, "This here-string does not end."),
        ('"$(' * 100, 1, "Strings are nested too deeply here."),
    ],
)
def test_what_does_not_end_is_told_with_its_place(code: str, line: int, message: str) -> None:
    script = Script("a.ps1", code)
    with pytest.raises(ScriptProblem) as caught:
        _ = script.tokens
    assert caught.value.message == message
    assert script.where(caught.value.start).line == line


def test_a_script_without_end_is_read_to_the_limit_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_tokens, "MOST_TOKENS", 10)
    assert len(Script("a.ps1", "a " * 10).tokens) == 10
    with pytest.raises(ScriptProblem, match="too long"):
        _ = Script("a.ps1", "a " * 11).tokens


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("'a'", "a"),
        ('"a`tb"', "a\tb"),
        ("@'\r\na\r\nb\r\n'@", "a\r\nb"),
        ("@'\n'@", ""),
        ("5", 5),
        ("-5", -5),
        ("0x1F", 31),
        ("2kb", 2048),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("10L", 10),
        ("$true", True),
        ("$NULL", None),
        ("'a', 'b'", ["a", "b"]),
        ("@('a'\n'b'; 'c')", ["a", "b", "c"]),
        ("@()", []),
        ("('a')", "a"),
        ("@{ A = 1; 'b c' = @{ D = @() }\n e = 'x', 'y' }", {"a": 1, "b c": {"d": []}, "e": ["x", "y"]}),
        ("[string] 'a'", "a"),
        ("[uint32]::MaxValue", 2**32 - 1),
        ("[System.Int64]::MinValue", -(2**63)),
        ("[byte]::MaxValue", 255),
        ("[sbyte]::MinValue", -128),
        ("[int]::MaxValue", 2**31 - 1),
        ("[ulong]::MaxValue", 2**64 - 1),
        ("[short]::MaxValue", 2**15 - 1),
    ],
)
def test_what_is_written_out_becomes_a_value(code: str, expected: Static) -> None:
    found = value(code)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    "code",
    [
        "$a",
        '"a $b"',
        "Get-Item",
        "(1 + 2)",
        "@{ a = $b }",
        "@{ a }",
        "[string]::Empty",
        "1..5",
        "{ 1 }",
        "@(" * 50,
        "",
    ],
)
def test_what_would_have_to_be_run_is_no_value(code: str) -> None:
    with pytest.raises(ScriptProblem):
        value(code)


def test_brackets_that_do_not_match_are_told_where_they_stand() -> None:
    cursor = Cursor(Script("a.ps1", "{ ( } )"))
    with pytest.raises(ScriptProblem, match=r"This '\}' closes nothing\."):
        cursor.skip_group()
    cursor = Cursor(Script("a.ps1", "{ ( )"))
    with pytest.raises(ScriptProblem, match=r"This '\{' is not closed\."):
        cursor.skip_group()


@pytest.mark.parametrize(
    ("code", "name", "values", "named", "is_whole"),
    [
        ("[DscProperty(Key)]", "dscproperty", (), {"key": True}, True),
        (
            "[DscProperty(Key, Mandatory = $false)]",
            "dscproperty",
            (),
            {"key": True, "mandatory": False},
            True,
        ),
        ("[ValidateSet('a', \"b\")]", "validateset", ("a", "b"), {}, True),
        ("[System.Management.Automation.ValidateRangeAttribute(1,0x10)]", "validaterange", (1, 16), {}, True),
        ("[ValidateRange(1, [uint32]::MaxValue)]", "validaterange", (1, 2**32 - 1), {}, True),
        ("[ValidateRange(1, $max)]", "validaterange", (1,), {}, False),
        ("[ValidateScript({ $_ -in 'a', 'b' })]", "validatescript", (), {}, False),
        ("[ValidateSet(\n  'a',\n  'b'\n)]", "validateset", ("a", "b"), {}, True),
        ("[ValidateRange(-1, 5)]", "validaterange", (-1, 5), {}, True),
    ],
)
def test_attributes_are_read(
    code: str, name: str, values: tuple[Static, ...], named: dict[str, Static], is_whole: object
) -> None:
    found = read_bracket(Cursor(Script("a.ps1", code)))
    assert isinstance(found, Attribute)
    assert (found.name, found.values, found.named, found.is_whole) == (name, values, named, is_whole)


@pytest.mark.parametrize(
    "code", ["[System.String[]]", "[Nullable[System.UInt32]]", "[Dictionary[string, int]]"]
)
def test_types_are_read_with_their_brackets(code: str) -> None:
    assert read_bracket(Cursor(Script("a.ps1", code))) == code[1:-1].replace(", ", ",")


CLASSES = r"""
#Region './prefix.ps1' -1
using namespace System.Management.Automation
using module .\Modules\DscResource.Base

<# [DscResource()] class Fake {} #>
$script:data = @{ Text = "class Fake2 { $([int] 1) }" }
if ($false) { class Hidden { } }
function Test-It ([string] $A, $B = 5) { return "}" }

[Flags()] enum Kind : int
{
    Present = 1 # comment
    Absent = 2; Other
}

[DscResource(RunAsCredential = 'Optional')]
class Record : Base, System.IDisposable
{
    [DscProperty(Key, Mandatory)]
    [ValidateNotNullOrEmpty()]
    [System.String]
    $Name

    [DscProperty()] [ValidateSet('a', "b")] [System.String] $Word = 'a'
    hidden [System.String] $cache = @(1,
        2)[0]
    static [int] $Shared = 3
    hidden static [hashtable] $Table = @{ a = 1 }
    $Untyped

    Record() : base()
    {
        $this.x = @"
} class Fake3 {
"@
    }

    Record([string] $a, [int]$b) : base($a) { }
    [Record] Get() { return ([Base] $this).Get() }
    hidden [void] Foo([System.Collections.Hashtable] $p) { throw ($p.X -f 'a') }
    static [bool] Bar() { return $true }
    [Kind[]] $After
}
[DscResource()] class OneLine { [DscProperty(Key)][string]$K; [DscProperty()][string[]]$V }
"""


def test_declarations_at_the_top_of_a_script_are_found_whatever_stands_between_them() -> None:
    found = read_declarations(Script("a.psm1", CLASSES))
    assert found.problems == []
    assert [(each.name, each.values) for each in found.enums] == [("Kind", ("Present", "Absent", "Other"))]
    assert [(each.name, each.bases, each.is_resource) for each in found.classes] == [
        ("Record", ("Base", "System.IDisposable"), True),
        ("OneLine", (), True),
    ]
    record, one_line = found.classes
    assert [(each.name, each.type_name, each.default) for each in record.properties] == [
        ("Name", "System.String", None),
        ("Word", "System.String", "a"),
        ("cache", "System.String", None),
        ("Shared", "int", 3),
        ("Table", "hashtable", {"a": 1}),
        ("Untyped", "", None),
        ("After", "Kind[]", None),
    ]
    assert [each.is_static for each in record.properties] == [False, False, False, True, True, False, False]
    assert [each.name for each in one_line.properties] == ["K", "V"]
    [function] = found.commands
    assert [(each.name, each.default) for each in function.parameters] == [("A", None), ("B", 5)]


def test_one_declaration_that_cannot_be_read_does_not_hide_the_next() -> None:
    found = read_declarations(Script("a.psm1", "class A {\n  nonsense here\n}\nclass B { [int] $X }"))
    assert [each.name for each in found.classes] == ["B"]
    [(message, where)] = found.problems
    assert message == "This is no property and no method of a class."
    assert str(where) == "a.psm1:2:12"


def test_positions_are_those_of_the_text() -> None:
    script = Script("a.ps1", "a\nbc 'd'")
    token = script.tokens[-1]
    where = script.where(token.start, token.end)
    assert (where.line, where.column, where.end_line, where.end_column) == (2, 4, 2, 7)
    assert token.kind is TokenKind.STRING
