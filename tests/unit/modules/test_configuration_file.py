"""ConfigurationFile, stricter than every resource: secrets pass through it, and its steps come in an order."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from tree_sitter import Node

from tests.unit.modules.resource_rules import Resource, embedded_class, read_resource, use_of, values_of
from upkeep.module import script_of
from upkeep.powershell import commands, functions, parameters, text, walk

SCRIPT = script_of("ConfigurationFile")
PUBLIC = ("Get-TargetResource", "Test-TargetResource", "Set-TargetResource")


@pytest.fixture(scope="module")
def resource() -> Resource:
    return read_resource("ConfigurationFile")


@pytest.fixture(scope="module")
def script(resource: Resource) -> Node:
    return resource.script.root


def test_the_schema_has_these_properties(resource: Resource) -> None:
    assert resource.schema.qualifiers["ClassVersion"].value == "1.1.0"
    assert {
        name: (use_of(prop), prop.type, prop.is_array, values_of(prop, "ValueMap"), embedded_class(prop))
        for name, prop in resource.properties.items()
    } == {
        "Path": (["Key"], "string", False, [], ""),
        "Ensure": (["Write"], "string", False, ["Present", "Absent"], ""),
        "Contents": (["Write"], "string", False, [], ""),
        "LineEnding": (["Write"], "string", False, ["CRLF", "LF"], ""),
        "ReadAccess": (["Write"], "string", True, [], ""),
        "Secrets": (["Write"], "string", False, [], "MSFT_Credential"),
    }


def test_get_asks_for_what_it_needs_to_compare_contents(script: Node) -> None:
    asked = list(parameters(functions(script)["Get-TargetResource"]))
    assert asked == ["Path", "Contents", "LineEnding", "Secrets"]


def test_functions_that_return_something_say_what(script: Node) -> None:
    silent = [
        name
        for name, function in functions(script).items()
        if re.search(r"^[ ]+return[ ]+\S", text(function), re.MULTILINE)
        and "[OutputType(" not in text(function)
    ]
    assert silent == []


def methods(node: Node) -> Iterator[str]:
    """Static calls of .NET: [System.IO.File]::Exists."""
    for each in walk(node):
        if each.type == "invokation_expression" and text(each).startswith("["):
            yield text(each).partition("(")[0]


def test_what_decides_calls_no_net_method_by_itself(script: Node) -> None:
    for name in (
        *PUBLIC,
        "Publish-FileContent",
        "Remove-ExistingFile",
        "Assert-FilePath",
        "Assert-Folder",
        "Assert-Right",
    ):
        assert list(methods(functions(script)[name])) == [], name
    touching = [
        name
        for name, function in functions(script).items()
        if any("IO." in each and "MemoryStream" not in each for each in methods(function))
    ]
    assert all(len(set(methods(functions(script)[name]))) <= 2 for name in touching)


def test_net_methods_are_those_of_the_list(script: Node) -> None:
    assert set(methods(script)) == {
        "[System.IO.Directory]::Exists",
        "[System.IO.File]::Delete",
        "[System.IO.File]::Exists",
        "[System.IO.File]::GetAccessControl",
        "[System.IO.File]::GetAttributes",
        "[System.IO.File]::Move",
        "[System.IO.File]::ReadAllBytes",
        "[System.IO.File]::Replace",
        "[System.IO.File]::SetAccessControl",
        "[System.IO.File]::SetAttributes",
        "[System.Collections.Generic.Dictionary[System.String, System.String]]::new",
        "[System.Collections.Generic.HashSet[System.String]]::new",
        "[System.Convert]::FromBase64String",
        "[System.IO.FileStream]::new",
        "[System.IO.MemoryStream]::new",
        "[System.Math]::Max",
        "[System.Text.RegularExpressions.Regex]::IsMatch",
        "[System.Text.StringBuilder]::new",
        "[System.IO.Path]::GetDirectoryName",
    }


def test_the_new_file_is_protected_before_its_first_byte_and_the_old_one_before_it_is_replaced(
    script: Node,
) -> None:
    assert commands(functions(script)["Publish-FileContent"]) == [
        "Read-FileSecurity",
        "Protect-Security",
        "Remove-ExistingFile",
        "Write-Verbose",
        "Write-NewFile",
        "Clear-ReadOnlyAttribute",
        "Write-FileSecurity",
        "Write-Verbose",
        "Switch-File",
        "Write-Verbose",
        "Rename-File",
        "Remove-ExistingFile",
        "Write-Warning",
    ]
    called = commands(functions(script)["Set-TargetResource"])
    assert (
        called.index("Publish-FileContent")
        < called.index("Write-FileSecurity")
        < called.index("Assert-Right")
    )


@pytest.mark.parametrize(
    "word", ["ConvertTo-SecureString", "Invoke-Expression", "DownloadString", "||", "??"]
)
def test_nothing_is_evaluated_downloaded_or_made_of_clear_text(word: str) -> None:
    assert word.casefold() not in SCRIPT.read_text().casefold()


#: Variables that hold the text of the file, a secret, or what both come from.
CLEAR = "password|line|value|values|filled|bytes|wantedBytes|actualBytes"


def test_no_clear_text_is_ever_a_parameter_of_a_command_or_function(script: Node) -> None:
    """Module logging of Windows writes down what is bound to parameters."""
    for node in walk(script):
        if node.type == "command":
            assert not re.search(rf"\$({CLEAR})\b", text(node)), text(node)
            assert "|" not in text(node), "what goes through a pipeline is bound to InputObject"
    for name, function in functions(script).items():
        for parameter in parameters(function).values():
            assert "Byte[]" not in text(parameter), name
        if any("Text" in name for name in parameters(function)):
            assert name == "Get-PlaceholderName", "only the text of the configuration is passed on"


def test_what_a_function_with_clear_text_returns_is_kept_in_a_variable_or_passed_on_unlogged(
    script: Node,
) -> None:
    opaque = {
        "New-DesiredContent": "MemoryStream",
        "Read-NamedSecret": "Dictionary",
        "Read-FileByte": "Byte[]",
    }
    for name, kind in opaque.items():
        assert kind in text(functions(script)[name]).partition("param")[0]
        for use in re.findall(rf".*{name} -.*", text(script)):
            assert re.match(rf"\s*\$\w+ = (\(Get-Utf8Encoding\)\.GetString\(\()?{name} ", use), use


def test_messages_never_hold_the_contents(script: Node) -> None:
    for node in walk(script):
        if node.type == "command" and text(node).startswith(("Write-", "New-ResourceError")):
            if text(node).startswith("Write-NewFile"):
                continue
            assert not re.search(r"\$(Contents|Desired|desired|text|Secrets)\b", text(node)), text(node)


def test_a_secret_named_like_a_property_of_its_table_hides_nothing() -> None:
    """$table.Keys is the value of a key of that name where there is one: here a secret, which errors would tell."""
    asked = re.findall(r"\$values\.(\w+\b(?:\.\w+)?)(?!\()", SCRIPT.read_text())
    assert {each for each in asked if not each.startswith(("Add", "ContainsKey"))} == {"PSBase.Keys"}
