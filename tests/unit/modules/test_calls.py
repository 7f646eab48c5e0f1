"""What is seen of a script's calls, and how far the parser agrees with a real PowerShell about what is a script."""

from __future__ import annotations

import json
from pathlib import Path

from tests.shared_data import shared
from tests.unit.modules.resource_rules import documented
from tests.unit.modules.script_rules import Script, parses
from upkeep.calls import Calls, calls_of
from upkeep.module import script_of
from upkeep.powershell import functions, parse_text, text


def calls(source: str) -> Calls:
    root = parse_text(source)
    return calls_of(root, root, frozenset(functions(root)))


def test_parameters_are_found_written_splatted_and_added_one_by_one() -> None:
    found = calls(
        "function Set-It { param ($Settings)\n Set-VMHost @Settings -Force }\n"
        "function Get-It {\n $settings = @{ A = 1 }\n $settings['B'] = 2\n Set-It -Settings $settings\n}\n"
        "function Do-It { $table = @{ C = 1 }; Get-Item @table }\n"
    )
    assert found.cmdlets == {"Set-VMHost": {"A", "B", "Force"}, "Get-Item": {"C"}}
    assert found.unknown == set()


def test_what_is_called_by_a_value_cannot_be_told_and_is_said() -> None:
    assert calls("& $program -x").unknown == {"$program"}
    assert calls("Get-Item @(Get-Table)").unknown == set()
    assert calls("function A-B { param ($Table)\n Get-Item @Table }").unknown == {"Get-Item @Table"}
    assert calls("New-Object -TypeName $kind").unknown == {"New-Object -TypeName $kind"}
    assert calls("$kind::Delete($path)").unknown == {"$kind::Delete"}


def test_methods_types_programs_and_classes_are_found() -> None:
    found = calls(
        "[System.IO.File]::Delete($a).Trim()\n"
        "[System.Collections.Generic.Dictionary[System.String, System.Int32]]::new()\n"
        "& w32tm.exe /query\nnetsh.exe x\n"
        "Invoke-CimMethod -ClassName 'Win32_Service' -MethodName 'Change'\n"
        "$x = New-Object -TypeName 'System.Version' -ArgumentList @('1.0')\n"
    )
    assert found.methods == {
        "System.IO.File::Delete",
        "System.Collections.Generic.Dictionary-2::new",
        "System.Version::new",
    }
    assert found.instance_methods == {"Trim"}
    assert found.programs == {"w32tm.exe", "netsh.exe"}
    assert found.cim == {"Win32_Service", "Win32_Service.Change"}


def test_the_parser_agrees_with_a_real_powershell_about_most_of_what_is_no_script() -> None:
    """It is no PowerShell: it misses a third of what the real one refuses, nearly all of it odd or newer."""
    missed, refused = [], 0
    for line in (shared("powershell-goldens") / "parse/snippets.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        snippet = row["text"]
        if snippet is None or any(0xD800 <= ord(each) < 0xE000 for each in snippet) or not row["has_errors"]:
            continue
        refused += 1
        if not parses(Script.of(Path("snippet.ps1"), snippet, documented(), {})):
            missed.append(snippet)
    assert refused > 90
    assert len(missed) <= 37, missed


def test_disks_are_claimed_by_the_parameter_that_the_cmdlet_has() -> None:
    """Its page has PhysicalDiskIds; what the released module has, where these are unknown, is PhysicalDisk."""
    name = "Set-ClusterStorageSpacesDirectDisk"
    source = script_of("StorageSpacesDirect").read_text("ascii")
    assert calls(source).cmdlets[name] >= {"PhysicalDisk", "PhysicalDiskIds"}
    chosen = functions(parse_text(source))
    assert calls(text(chosen["Test-ClaimByDisk"])).cmdlets == {"Get-Command": {"Name", "ErrorAction"}}
    assert "if (Test-ClaimByDisk)" in text(chosen["Set-DiskClaim"])
