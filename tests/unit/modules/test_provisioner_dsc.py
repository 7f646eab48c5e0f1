"""Our own DSC module: schema, script, manifest, catalogue and page agree. It has run on no Windows."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pywbem
import yaml
from tree_sitter import Node

from upkeep.powershell import commands, faults, functions, parameters, parse, text, walk

# pywbem types nothing of its MOF compiler.
MOFCompiler: Any = pywbem.MOFCompiler
MOFWBEMConnection: Any = pywbem.MOFWBEMConnection

ROOT = Path(__file__).parents[3]
MODULE = ROOT / "dsc_configs/modules/ProvisionerDsc/0.3.0"
RESOURCE = MODULE / "DSCResources/PROV_ConfigurationFile"
SCRIPT = RESOURCE / "PROV_ConfigurationFile.psm1"
SCHEMA = RESOURCE / "PROV_ConfigurationFile.schema.mof"
MANIFEST = MODULE / "ProvisionerDsc.psd1"
PAGE = ROOT / "docs/resources/ConfigurationFile.md"
CATALOGUE = ROOT / "provisioner/catalogue/data/ProvisionerDsc@0.2.0.json"
PUBLIC = ("Get-TargetResource", "Test-TargetResource", "Set-TargetResource")

#: Get-Verb of Windows PowerShell 5.1, as far as it matters here. Source: "Approved Verbs for PowerShell Commands".
APPROVED_VERBS = frozenset(
    """
    Add Clear Close Copy Find Format Get Hide Join Lock Move New Open Optimize Push Pop Redo Remove Rename Reset
    Resize Search Select Set Show Skip Split Step Switch Undo Unlock Watch Backup Checkpoint Compare Compress Convert
    ConvertFrom ConvertTo Dismount Edit Expand Export Group Import Initialize Limit Merge Mount Out Publish Restore
    Save Sync Unpublish Update Approve Assert Complete Confirm Deny Disable Enable Install Invoke Register Request
    Restart Resume Start Stop Submit Suspend Uninstall Unregister Wait Debug Measure Ping Repair Resolve Test Trace
    Connect Disconnect Read Receive Send Write Block Grant Protect Revoke Unblock Unprotect Use
    """.split()  # noqa: SIM905 - a list of words is read more easily than a list of texts
)

QUALIFIERS = """
Qualifier Key : boolean = false, Scope(property, reference), Flavor(DisableOverride, ToSubclass);
Qualifier Required : boolean = false, Scope(property), Flavor(EnableOverride, ToSubclass);
Qualifier Write : boolean = false, Scope(property), Flavor(EnableOverride, ToSubclass);
Qualifier Read : boolean = true, Scope(property), Flavor(EnableOverride, ToSubclass);
Qualifier Description : string = null, Scope(any), Flavor(EnableOverride, ToSubclass, Translatable);
Qualifier ValueMap : string[], Scope(property), Flavor(EnableOverride, ToSubclass);
Qualifier Values : string[], Scope(property), Flavor(EnableOverride, ToSubclass, Translatable);
Qualifier EmbeddedInstance : string = null, Scope(property, method, parameter), Flavor(EnableOverride);
Qualifier ClassVersion : string = null, Scope(class), Flavor(EnableOverride, Restricted);
Qualifier FriendlyName : string = null, Scope(class), Flavor(EnableOverride, Restricted);
"""
BASE = "class OMI_BaseResource { string ResourceId; string SourceInfo; string ModuleName; string ModuleVersion; };\nclass MSFT_Credential { string UserName; string Password; };"


@pytest.fixture(scope="module")
def schema() -> pywbem.CIMClass:
    """The class as pywbem's MOF compiler reads it."""
    handle: Any = MOFWBEMConnection()
    MOFCompiler(handle, log_func=None).compile_string(
        QUALIFIERS + BASE + SCHEMA.read_text("ascii"), "root/test"
    )
    compiled: pywbem.CIMClass = handle.classes["root/test"]["PROV_ConfigurationFile"]
    return compiled


@pytest.fixture(scope="module")
def script() -> Node:
    return parse(SCRIPT)


def own_properties(schema: pywbem.CIMClass) -> dict[str, pywbem.CIMProperty]:
    names = re.findall(r"\] String (\w+)(?:\[\])?;", SCHEMA.read_text("ascii"))
    return {name: schema.properties[name] for name in names}


def embedded_class(prop: pywbem.CIMProperty) -> str:
    found = prop.qualifiers.get("EmbeddedInstance")
    return str(found.value) if found else ""


def values_of(prop: pywbem.CIMProperty, qualifier: str) -> list[str]:
    found = prop.qualifiers.get(qualifier)
    return list(found.value) if found else []


def test_the_schema_compiles_and_has_one_key(schema: pywbem.CIMClass) -> None:
    assert schema.superclass == "OMI_BaseResource"
    assert schema.qualifiers["ClassVersion"].value == "1.1.0"
    assert schema.qualifiers["FriendlyName"].value == "ConfigurationFile"
    properties = own_properties(schema)
    assert list(properties) == ["Path", "Ensure", "Contents", "LineEnding", "ReadAccess", "Secrets"]
    assert [name for name, prop in properties.items() if "Key" in prop.qualifiers] == ["Path"]
    for name, prop in properties.items():
        assert prop.type == "string"
        assert prop.is_array == (name == "ReadAccess")
        assert ("Key" in prop.qualifiers) != ("Write" in prop.qualifiers)
        assert prop.qualifiers["Description"].value
        assert values_of(prop, "ValueMap") == values_of(prop, "Values")
        assert embedded_class(prop) == ("MSFT_Credential" if name == "Secrets" else "")


def test_the_catalogue_says_the_same_as_the_schema(schema: pywbem.CIMClass) -> None:
    catalogue = json.loads(CATALOGUE.read_text("utf-8"))
    (resource,) = catalogue["resources"]
    assert (catalogue["module"], catalogue["version"]) == ("ProvisionerDsc", MODULE.name)
    assert resource["name"] == schema.qualifiers["FriendlyName"].value
    assert resource["class"] == schema.classname
    assert [plain(each) for each in resource["properties"]] == [
        {
            "name": name,
            "type": prop.type,
            "array": prop.is_array,
            "qualifier": "Key" if "Key" in prop.qualifiers else "Write",
            "value_map": values_of(prop, "ValueMap"),
            "embedded_class": embedded_class(prop),
            "secret_lines": name == "Secrets",
        }
        for name, prop in own_properties(schema).items()
    ]


def plain(entry: dict[str, Any]) -> dict[str, Any]:
    defaults = {"type": "string", "array": False, "qualifier": "Write", "value_map": []}
    return defaults | {"embedded_class": "", "secret_lines": False} | entry


def test_the_lock_file_has_the_hash_of_every_file_of_the_module() -> None:
    lock = yaml.safe_load((ROOT / "dsc_configs/modules.lock.yaml").read_text("utf-8"))
    entry = lock["modules"]["ProvisionerDsc"]
    assert entry["source"] == MODULE.relative_to(ROOT).as_posix()
    assert entry["sha256"] == {
        path.relative_to(MODULE).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(MODULE.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("path", [SCRIPT, MANIFEST], ids=lambda path: path.name)
def test_every_line_parses(path: Path) -> None:
    assert faults(parse(path)) == []


@pytest.mark.parametrize("path", [SCRIPT, MANIFEST, SCHEMA], ids=lambda path: path.name)
def test_the_files_are_plain_ascii_without_tabs(path: Path) -> None:
    content = path.read_bytes()
    assert content.isascii()
    assert b"\t" not in content
    assert not [line for line in content.decode().splitlines() if len(line) > 120 and path != SCHEMA]


def test_a_fault_in_the_script_would_be_noticed(tmp_path: Path) -> None:
    broken = tmp_path / "broken.psm1"
    broken.write_text(
        SCRIPT.read_text().replace("if (Test-FileExistence -Path $Path)\n    {", "if (Test {", 1)
    )
    assert faults(parse(broken))


def test_the_manifest_exports_the_resource_and_no_function(schema: pywbem.CIMClass) -> None:
    entries = {
        text(node.children[0]): " ".join(text(node.children[-1]).split())
        for node in walk(parse(MANIFEST))
        if node.type == "hash_entry"
    }
    assert entries["ModuleVersion"] == f"'{MODULE.name}'"
    assert entries["DscResourcesToExport"] == f"@('{schema.qualifiers['FriendlyName'].value}')"
    assert entries["PowerShellVersion"] == "'5.1'"
    assert re.fullmatch(r"'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'", entries["GUID"])
    assert {entries["FunctionsToExport"], entries["CmdletsToExport"], entries["AliasesToExport"]} == {"@()"}


def type_of(parameter: Node) -> str:
    found: list[str] = re.findall(r"\[System\.(\w+(?:\[\])?)\]", text(parameter))
    return found[-1]


@pytest.mark.parametrize("name", PUBLIC)
def test_parameters_agree_with_the_schema(name: str, script: Node, schema: pywbem.CIMClass) -> None:
    found = parameters(functions(script)[name])
    properties = own_properties(schema)
    keys = [prop for prop, each in properties.items() if "Key" in each.qualifiers]
    asked = [*keys, "Contents", "LineEnding", "Secrets"]
    assert list(found) == (asked if name == "Get-TargetResource" else list(properties))
    for prop, parameter in found.items():
        source = text(parameter)
        if embedded_class(properties[prop]):
            assert "[System.Management.Automation.PSCredential]" in source
        else:
            assert type_of(parameter) == ("String[]" if properties[prop].is_array else "String")
        assert ("Mandatory = $true" in source) == (prop in keys)
        allowed = re.search(r"\[ValidateSet\(([^)]*)\)\]", source)
        assert re.findall(r"'(\w+)'", allowed[1] if allowed else "") == values_of(
            properties[prop], "ValueMap"
        )


def test_test_and_set_have_the_same_defaults(script: Node) -> None:
    test, setter = (parameters(functions(script)[name]) for name in PUBLIC[1:])
    assert {name: text(node) for name, node in test.items()} == {
        name: text(node) for name, node in setter.items()
    }


def test_get_returns_every_property_of_the_schema(script: Node, schema: pywbem.CIMClass) -> None:
    table = next(
        node
        for node in walk(functions(script)["Get-TargetResource"])
        if node.type == "hash_literal_expression"
    )
    keys = [text(node) for node in walk(table) if node.type == "key_expression"]
    assert keys == list(own_properties(schema))


def test_every_function_has_an_approved_verb_help_for_each_parameter_and_typed_parameters(
    script: Node,
) -> None:
    source = SCRIPT.read_text()
    for name, function in functions(script).items():
        verb, _, noun = name.partition("-")
        assert verb in APPROVED_VERBS, name
        assert noun.isalnum(), name
        help_text = source[: source.index(f"function {name}\n")].rpartition("<#")[2]
        assert ".SYNOPSIS" in help_text, name
        assert re.findall(r"\.PARAMETER (\w+)", help_text) == list(parameters(function)), name
        assert "[CmdletBinding()]" in text(function), name
        for parameter in parameters(function).values():
            assert "[System." in text(parameter), name


def test_functions_that_return_something_say_what(script: Node) -> None:
    silent = [
        name
        for name, function in functions(script).items()
        if re.search(r"^[ ]+return[ ]+\S", text(function), re.MULTILINE)
        and "[OutputType(" not in text(function)
    ]
    assert silent == []


def test_only_these_functions_are_exported(script: Node) -> None:
    assert (
        text(script)
        .rstrip()
        .endswith(
            "Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'"
        )
    )


def test_only_own_functions_and_documented_cmdlets_are_called_and_never_by_an_alias(script: Node) -> None:
    documented = {
        "Set-StrictMode",
        "Write-Verbose",
        "Write-Warning",
        "New-Object",
        "Sort-Object",
        "Export-ModuleMember",
    }
    assert set(commands(script)) <= documented | set(functions(script))
    unused = set(functions(script)) - set(commands(script)) - set(PUBLIC)
    assert unused == set()


def test_parameters_are_passed_by_the_names_their_functions_have(script: Node) -> None:
    own = {name: set(parameters(function)) for name, function in functions(script).items()}
    for node in walk(script):
        if node.type != "command":
            continue
        name = next((text(child) for child in node.children if child.type == "command_name"), "")
        if name in own:
            elements = [child for child in node.children if child.type == "command_elements"]
            passed = {
                text(child).removeprefix("-")
                for element in elements
                for child in element.children
                if child.type == "command_parameter"
            }
            mandatory = {
                parameter
                for parameter, each in parameters(functions(script)[name]).items()
                if "Mandatory = $true" in text(each)
            }
            assert passed <= own[name], f"{name}: {passed - own[name]}"
            assert mandatory <= passed, f"{name}: {mandatory - passed}"


def test_every_variable_is_assigned_somewhere_in_its_function(script: Node) -> None:
    automatic = {"true", "false", "null", "_", "PSBoundParameters"}
    for name, function in functions(script).items():
        source = text(function)
        assigned = set(re.findall(r"\$(\w+)\s*=[^=]", source)) | set(
            re.findall(r"foreach \(\$(\w+) in", source)
        )
        used = set(re.findall(r"\$(\w+)\b(?!:)", re.sub(r"\$script:\w+", "", source)))
        assert used <= assigned | set(parameters(function)) | automatic, name
    top = text(script)
    assert set(re.findall(r"\$script:(\w+)", top)) == set(re.findall(r"^\$script:(\w+) =", top, re.MULTILINE))


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
    "word",
    ["Invoke-Expression", "iex ", "Write-Host", "Add-Type", "ScriptBlock]", "DownloadString", "ConvertTo-SecureString",
     "&&", "||", "??", "-Parallel", "clean {", "Invoke-Command"],
)  # fmt: skip
def test_nothing_is_evaluated_downloaded_or_newer_than_5_1(word: str) -> None:
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


def test_every_error_id_stands_on_the_page_with_its_category(script: Node) -> None:
    source = text(script)
    raised = set(re.findall(r"New-ResourceError -Id '(\w+)' -Category '(\w+)'", source))
    page = PAGE.read_text().partition("## Errors")[2]
    described = set(re.findall(r"^\| `(\w+)` \| ([A-Z]\w+) \|", page, re.MULTILINE))
    assert len(raised) == source.count("New-ResourceError -Id")
    assert raised == described


def test_the_page_describes_every_property_and_says_that_nothing_ran_on_windows(
    schema: pywbem.CIMClass,
) -> None:
    page = PAGE.read_text()
    described = re.findall(r"^\| `(\w+)` \| (?:string|MSFT_)", page, re.MULTILINE)
    assert described == list(own_properties(schema))
    assert "It has not run on Windows." in page
