"""The reader of constant scripts agrees with PowerShell's own parser, or refuses."""

from __future__ import annotations

import contextlib
import json
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest

from provisioner.lab.foreign.constant_script import ConstantScript, Flag, NotConstantError, Stage, read
from tests.shared_data import shared

#: Constructs that a constant script is made of; a script with any other must be refused.
_CONSTANT = re.compile(
    "(ScriptBlock|NamedBlock|Pipeline|Command|CommandExpression|StringConstantExpression|ConstantExpression|"
    "ArrayLiteral|CommandParameter|VariableExpression|ArrayExpression|StatementBlock|Hashtable|ExitStatement)Ast"
)
#: Constant for PowerShell 7, and yet refused: here-strings, odd numbers and names, escapes that 5.1 lacks, and so on.
_REFUSED_THOUGH_CONSTANT = {
    "quote": (11, 12),
    "here": (1, 4, 9, 11, 15),
    "var": (27, 46, 49),
    "expr": (5, 6, 8, 9, 10, 11, 12, 13, 16, 18, 19, 20, 21, 28, 50, 56, 57),
    "cmd": (6, 35, 56, 70),
    "stmt": (80, 81, 110, 119, 121, 122, 123, 126, 127),
}


def _snippets() -> list[dict[str, Any]]:
    lines = shared("powershell-goldens", "parse", "snippets.jsonl").read_text(encoding="ascii").splitlines()
    return [json.loads(line) for line in lines]


def _is_constant(case: dict[str, Any]) -> bool:
    return not case["has_errors"] and all(
        _CONSTANT.fullmatch(node["node"])
        and (node["node"] != "VariableExpressionAst" or node["value"].casefold() in {"true", "false", "null"})
        for node in case["ast"]
    )


def _flat(value: Any) -> Iterator[Any]:
    match value:
        case Stage(name, elements):
            parts = [name, *elements] if name else list(elements)
        case Flag(name, joined, has_value):
            parts = [name, joined] if has_value else [name]
        case list():
            parts = value
        case dict():
            parts = [part for item in value.items() for part in item]
        case _:
            yield value
            return
    for part in parts:
        yield from _flat(part)


def _facts_of(script: ConstantScript) -> list[Any]:
    """What the script says, in the order of the text: names, flags, plain values."""

    found = [fact for statement in script.statements for stage in statement for fact in _flat(stage)]
    return found if script.exit_code is None else [*found, script.exit_code]


def _facts_of_golden(case: dict[str, Any]) -> list[Any]:
    found: list[Any] = []
    for node in case["ast"]:
        match node["node"]:
            case "StringConstantExpressionAst":
                found.append(node["value"].partition(":")[2])
            case "CommandParameterAst" if node["value"] != "-":
                found.append(node["value"])
            case "VariableExpressionAst":
                found.append({"true": True, "false": False, "null": None}[node["value"].casefold()])
            case "ConstantExpressionAst":
                found.append(float(node["value"].partition(":")[2]))
    return found


def test_what_powershell_does_not_read_as_constant_is_refused() -> None:
    for case in _snippets():
        if not _is_constant(case):
            with pytest.raises(NotConstantError):
                read(case["text"])


def test_what_is_read_says_what_powershell_reads() -> None:
    compared = 0
    refused: set[str] = set()
    for case in filter(_is_constant, _snippets()):
        try:
            script = read(case["text"])
        except NotConstantError:
            refused.add(case["id"])
            continue
        assert _facts_of(script) == _facts_of_golden(case), case["text"]
        assert len(script.statements) + (script.exit_code is not None) == sum(
            node["node"] in {"PipelineAst", "ExitStatementAst"} for node in _outermost(case["ast"])
        ), case["text"]
        compared += 1
    assert refused == {
        f"{group}-{number:03}" for group, numbers in _REFUSED_THOUGH_CONSTANT.items() for number in numbers
    }
    assert compared >= 70


def _outermost(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Statements that lie in no value."""
    inside = [
        node for node in nodes if node["node"] in {"HashtableAst", "ArrayExpressionAst", "ExitStatementAst"}
    ]
    return [
        node
        for node in nodes
        if not any(box is not node and box["start"] < node["start"] < box["end"] for box in inside)
    ]


def test_quoted_strings_have_the_value_powershell_gives_them() -> None:
    lines = shared("powershell-goldens", "parse", "quoting.jsonl").read_text(encoding="ascii").splitlines()
    compared = 0
    for case in map(json.loads, lines):
        for form in ("single", "single_naive", "double"):
            golden = case[form]
            is_constant = not golden["parse_errors"] and golden["kind"] == "StringConstantExpressionAst"
            try:
                script = read(golden["code"])
            except NotConstantError:
                assert form == "double" or not is_constant, golden["code"]
                continue
            assert is_constant, golden["code"]
            units = [int(unit, 16) for unit in golden["value_utf16"].split()]
            text = b"".join(unit.to_bytes(2, "little") for unit in units).decode("utf-16-le", "surrogatepass")
            assert script.statements == ((Stage("", (text,)),),), golden["code"]
            compared += 1
    assert compared >= 150


@pytest.mark.parametrize(
    "text",
    [
        "Get-Service $name",
        'Get-Service "$name"',
        "Get-Service (hostname)",
        "Get-Service | Where-Object { $_.Status }",
        "Get-Service > C:\\x",
        "Get-Service 2>&1",
        "Get-Service; if (1) { 2 }",
        "[Environment]::Exit(1)",
        "iex 'x' && y",
        ". C:\\x.ps1",
        "$true = 1",
        "Get-Service @args",
        "Write-Output @('a', (hostname))",
        "Write-Output @{ a = $x }",
        "exit $LASTEXITCODE",
        "exit 1; Get-Service",
    ],
)
def test_anything_that_computes_is_refused(text: str) -> None:
    with pytest.raises(NotConstantError):
        read(text)


def test_a_script_is_read_to_its_commands() -> None:
    script = read(
        "# who\nGet-Service -Name:'WinRM',Spooler -Force | `\n Select Name\n"
        "Invoke-X @{A=1; b='c','d'}, $null -- -x; exit 3\n"
    )
    assert script.statements == (
        (
            Stage("Get-Service", (Flag("Name", ["WinRM", "Spooler"], has_value=True), Flag("Force"))),
            Stage("Select", ("Name",)),
        ),
        (Stage("Invoke-X", ([{"A": 1, "b": ["c", "d"]}, None], "-x")),),
    )
    assert script.exit_code == 3


def test_no_text_makes_it_fail_otherwise() -> None:
    draw = random.Random(7)
    pieces = [
        *"'\"`$@(){}[]|;&,:=-#<>\n\r \t\0\u2019\u201d",
        "a",
        "1",
        "0x",
        "kb",
        "-Name",
        "@{",
        "@(",
        "<#",
        "exit",
        "$true",
    ]
    for _ in range(20_000):
        text = "".join(draw.choices(pieces, k=draw.randint(0, 14)))
        with contextlib.suppress(NotConstantError):
            read(text)
