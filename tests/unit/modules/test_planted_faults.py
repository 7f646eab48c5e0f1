"""The rules for scripts and resources see what they are there for: each is shown a fault and must name it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.modules import resource_rules, script_rules
from tests.unit.modules.resource_rules import documented, read_resource
from tests.unit.modules.script_rules import Script
from upkeep.module import schema_of, script_of
from upkeep.pages import PAGES, SHARED
from upkeep.powershell import functions, parse

NAME = "ConfigurationFile"
SOURCE = script_of(NAME).read_text("ascii")
SCHEMA = schema_of(NAME).read_text("ascii")
PAGE = (PAGES / f"{NAME}.md").read_text("utf-8")

#: Rule, text that is replaced, what it becomes, part of what the rule says.
IN_SCRIPT = [
    ("parses", "if (Test-FileExistence -Path $Path)\n    {", "if (Test {", "ERROR"),
    ("parses", "    finally\n    {\n        $stream.Dispose()\n    }\n", "", "try without"),
    ("is_plain_text", "Writing {0}", "Writing\t{0}", "tab"),
    ("is_plain_text", "Writing {0}", "Writing\u2013{0}", "ASCII"),
    ("is_plain_text", "Writing {0}", "Writing " + "x" * 120 + " {0}", "120"),
    ("is_older_than_powershell_6", "$number++", "$number++ && $name", "&&"),
    ("is_older_than_powershell_6", "Write-Verbose -Message", "Write-Host -Object", "Write-Host"),
    ("braces_stand_on_lines_of_their_own", "if ($End -ge 0)\n    {", "if ($End -ge 0) {", "brace"),
    ("is_strict_and_stops", "Set-StrictMode -Version 'Latest'\n", "", "StrictMode"),
    ("functions_have_approved_verbs_and_help", "function Rename-File\n", "function Change-File\n", "Change-File"),
    ("functions_have_approved_verbs_and_help", "    .PARAMETER Sid\n", "    .PARAMETER Sind\n", "Add-AllowRule"),
    ("functions_have_approved_verbs_and_help", "        [System.Int32]\n        $Start", "        $Start", "Start"),
    ("calls_only_what_is_documented", "$entries | Sort-Object", "$entries | sort", "sort"),
    ("calls_only_what_is_documented", "Sort-Object -Unique", "Sort-Object -Stable", "Stable"),
    ("calls_only_what_is_documented", "[System.IO.File]::Move", "[System.IO.File]::MoveAll", "MoveAll"),
    ("calls_only_what_is_documented", "$stream.Flush(", "$stream.FlushAll(", "FlushAll"),
    ("calls_only_what_is_documented", "Remove-FileByPath -Path $Path\n    }", "& $Path\n    }", "nobody can tell"),
    ("calls_functions_by_their_parameters", "Assert-Folder -Path $Path", "Assert-Folder -Folder $Path", "Folder"),
    ("calls_functions_by_their_parameters", "Assert-Folder -Path $Path", "Assert-Folder $Path", "no parameter name"),
    ("calls_functions_by_their_parameters", " -Target $Path -Message", " -Message", "without Target"),
    ("every_function_is_used", "    Assert-Folder -Path $Path\n", "", "Assert-Folder"),
    ("variables_are_assigned_used_and_not_powershells_own", "$unused", "$input", "$input"),
    ("variables_are_assigned_used_and_not_powershells_own", "-Path $temporaryPath\n\n    try", "-Path $temporyPath\n\n    try", "temporypath"),
    ("variables_are_assigned_used_and_not_powershells_own", "    $number = 0\n", "    $number = 0\n    $other = 1\n", "other"),
    ("variables_are_assigned_used_and_not_powershells_own", "$script:secretName)", "$script:nameForm)", "nameForm"),
    ("bound_parameters_are_asked_by_their_names", "ContainsKey('ReadAccess')", "ContainsKey('ReadAcces')", "ReadAcces"),
    ("null_stands_on_the_left", "$null -eq $value", "$value -eq $null", "left"),
    ("pipelines_are_lists_before_they_are_counted", "    $exists = Test-FileExistence -Path $Path\n", "    $exists = Test-FileExistence -Path $Path\n    $n = $exists.Count\n", "wrap"),
    ("pipelines_are_lists_before_they_are_counted", "    $exists = Test-FileExistence -Path $Path\n", "    $n = (Test-FileExistence -Path $Path)[0]\n", "wrap"),
    ("a_colon_after_a_variable_is_no_scope", "'Writing {0}.' -f $temporaryPath", '"Writing $temporaryPath: now"', "scope"),
    ("formats_get_all_their_values", "'Writing {0}.' -f", "'Writing {0} {1}.' -f", "2 places for 1 values"),
    ("failures_are_not_swallowed", "            Write-Warning -Message ('The file {0} could not be removed: {1}' -f $temporaryPath, $_.Exception.Message)\n", "", "empty catch"),
    ("logic_does_not_touch_the_machine", "    Assert-Folder -Path $Path\n", "    $null = [System.IO.File]::Exists($Path)\n", "Set-TargetResource calls System.IO.File::Exists"),
    ("logic_does_not_touch_the_machine", "    [System.IO.File]::Move($Source, $Destination)", "    [System.IO.File]::Move($Source, $Destination)\n    [System.IO.Directory]::Exists($Source)", "more than one call"),
    ("cmdlets_of_other_modules_are_told_to_stop", "    [System.IO.File]::Move($Source, $Destination)", "    Get-Disk -Number $Source", "ErrorAction"),
    ("programs_are_asked_for_their_exit_code", "    [System.IO.File]::Move($Source, $Destination)", "    & w32tm.exe /query", "LASTEXITCODE"),
]  # fmt: skip

IN_RESOURCE = [
    ("parameters_agree_with_the_schema", "script", "[ValidateSet('CRLF', 'LF')]", "[ValidateSet('CRLF', 'CR')]", "ValueMap"),
    ("parameters_agree_with_the_schema", "script", "[System.String[]]\n        $ReadAccess", "[System.String]\n        $ReadAccess", "type"),
    ("parameters_agree_with_the_schema", "schema", '[Write, Description("The whole', '[Required, Description("The whole', "Mandatory"),
    ("parameters_agree_with_the_schema", "schema", "String ReadAccess[];", "UInt32 ReadAccess[];", "UInt32"),
    ("parameters_agree_with_the_schema", "script", "        $Secrets\n    )\n\n    Assert-FilePath -Path $Path\n\n    $exists", "        $Secret\n    )\n\n    Assert-FilePath -Path $Path\n\n    $exists", "parameters are"),
    ("test_and_set_have_the_same_parameters", "script", "$Ensure = 'Present'", "$Ensure = 'Absent'", "Ensure differs"),
    ("get_returns_every_property", "script", "        ReadAccess = $null\n", "", "the table has"),
    ("public_functions_say_what_they_return", "script", "[OutputType([System.Boolean])]", "[OutputType([System.String])]", "Test-"),
    ("only_the_public_functions_are_exported", "script", "'Test-TargetResource', ", "", "Export-ModuleMember"),
    ("the_page_tells_every_error", "script", "-Id 'RightsNotApplied'", "-Id 'RightsAreWrong'", "RightsAreWrong"),
    ("the_page_tells_every_error", "page", "| `PathIsFolder` | InvalidArgument", "| `PathIsFolder` | InvalidData", "InvalidData"),
    ("the_page_tells_what_there_is", "page", "## Set", "## Setting", "## Set"),
    ("a_restart_is_asked_for_only_where_the_page_says_so", "page", "**Reboot:** never", "**Reboot:** always", "never"),
    ("a_restart_is_asked_for_only_where_the_page_says_so", "script", "    Assert-Folder -Path $Path\n", "    $global:DSCMachineStatus = 1\n", "page says never"),
    ("the_schema_is_one_of_a_resource", "schema", "[Key, Description", "[Write, Description", "no key"),
    ("the_schema_is_one_of_a_resource", "schema", 'Values{"CRLF","LF"}', 'Values{"CRLF","CR"}', "Values"),
    ("the_schema_is_one_of_a_resource", "schema", "String LineEnding;", "String DependsOn;", "DependsOn"),
    ("the_schema_is_one_of_a_resource", "schema", 'FriendlyName("ConfigurationFile")', 'FriendlyName("ConfigFile")', "FriendlyName"),
]  # fmt: skip


def planted(source: str, old: str, new: str) -> str:
    assert old in source, f"the fault cannot be planted: {old!r} is gone"
    # A variable is renamed everywhere; anything else changes in one place, Test-TargetResource's before Set's.
    return source.replace(old, new, -1 if old.startswith("$") and " " not in old else 1)


@pytest.mark.parametrize(("rule", "old", "new", "said"), IN_SCRIPT, ids=lambda value: value[:30])
def test_a_fault_in_a_script_is_told(rule: str, old: str, new: str, said: str) -> None:
    script = Script.of(script_of(NAME), planted(SOURCE, old, new), documented(), functions(parse(SHARED)))
    told = getattr(script_rules, rule)(script)
    assert any(said.casefold() in each.casefold() for each in told), told


@pytest.mark.parametrize(("rule", "where", "old", "new", "said"), IN_RESOURCE, ids=lambda value: value[:30])
def test_a_difference_between_schema_script_and_page_is_told(
    rule: str, where: str, old: str, new: str, said: str, *, tmp_path: Path
) -> None:
    texts = {"script": SOURCE, "schema": SCHEMA, "page": PAGE}
    texts[where] = planted(texts[where], old, new)
    schema = tmp_path / "planted.schema.mof"
    schema.write_text(texts["schema"], "ascii")
    resource = read_resource(NAME, script=texts["script"], schema=schema, page=texts["page"])
    told = getattr(resource_rules, rule)(resource)
    assert any(said.casefold() in each.casefold() for each in told), told


def test_every_rule_is_shown_a_fault() -> None:
    shown = {rule for rule, *_ in [*IN_SCRIPT, *IN_RESOURCE]}
    rules = {rule.__name__ for rule in [*script_rules.RULES, *resource_rules.RULES]}
    assert rules - shown == {"the_schema_is_plain_text"}
