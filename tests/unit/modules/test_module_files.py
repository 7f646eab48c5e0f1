"""What is written from the folder of our module is up to date, and its manifest is one PowerShell takes."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from provisioner.catalogue.importing.modules import read_modules
from provisioner.catalogue.schema import Module
from provisioner.diagnostics import Diagnostics
from provisioner.errors import InputError
from tests.unit.modules.resource_rules import documented
from tests.unit.modules.script_rules import Script, logic_does_not_touch_the_machine
from tests.yaml_files import read_yaml
from upkeep.documented import net_address, read_documented
from upkeep.module import (
    CATALOGUE,
    LOCK,
    MANIFEST,
    MODULE,
    NAME,
    ROOT,
    catalogue_text,
    file_hashes,
    lock_text,
    manifest_text,
    read_own_module,
    resource_names,
    script_of,
)
from upkeep.pages import COMMANDS, PAGES, SHARED, commands_text, modules_row, page_text, script_calls
from upkeep.powershell import faults, functions, parse, text, walk

ADVICE = "run make module and commit what it writes"


@cache
def own_module() -> Module:
    problems = Diagnostics()
    module = read_own_module(problems)
    assert not len(problems), problems.rendered()
    assert module is not None
    return module


def test_the_catalogue_is_what_an_import_of_the_folder_gives() -> None:
    assert CATALOGUE.read_text("utf-8") == catalogue_text(own_module()), ADVICE


def test_what_was_set_by_hand_in_the_catalogue_stays() -> None:
    found = own_module().resource("ConfigurationFile")
    assert found is not None
    assert [each.name for each in found.properties if each.is_secret_lines] == ["Secrets"]
    [plain] = read_modules(MODULE, Diagnostics())
    bare = plain.resource("ConfigurationFile")
    assert bare is not None
    assert not any(each.is_secret_lines for each in bare.properties)


def test_the_lock_file_has_the_hash_of_every_file_of_the_module() -> None:
    entry = read_yaml(LOCK)["modules"][NAME]
    assert entry["source"] == MODULE.relative_to(ROOT).as_posix()
    assert entry["version"] == MODULE.name
    assert entry["sha256"] == file_hashes(), ADVICE
    assert LOCK.read_text("utf-8") == lock_text(), ADVICE


def test_the_manifest_exports_every_resource_and_no_function() -> None:
    entries = {
        text(node.children[0]): " ".join(text(node.children[-1]).split())
        for node in walk(parse(MANIFEST))
        if node.type == "hash_entry"
    }
    assert entries["ModuleVersion"] == f"'{MODULE.name}'"
    assert re.findall(r"'(\w+)'", entries["DscResourcesToExport"]) == resource_names(), ADVICE
    assert MANIFEST.read_text("ascii") == manifest_text(), ADVICE
    assert entries["PowerShellVersion"] == "'5.1'"
    assert re.fullmatch(r"'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'", entries["GUID"])
    assert {entries["FunctionsToExport"], entries["CmdletsToExport"], entries["AliasesToExport"]} == {"@()"}
    assert faults(parse(MANIFEST)) == []


def test_every_folder_of_a_resource_has_a_script_and_a_schema_of_its_name() -> None:
    folders = {path.name.removeprefix("PROV_") for path in (MODULE / "DSCResources").iterdir()}
    assert folders == set(resource_names())
    stray = [
        path.name
        for path in MODULE.rglob("*")
        if path.is_file() and path.suffix not in {".psm1", ".psd1", ".mof"}
    ]
    assert stray == []


@pytest.mark.parametrize("name", resource_names())
def test_the_page_has_the_properties_of_the_schema(name: str) -> None:
    resource = own_module().resource(name)
    assert resource is not None
    page = (PAGES / f"{name}.md").read_text("utf-8")
    assert page == page_text(page, resource), ADVICE


def test_every_page_of_a_resource_is_of_one_that_exists() -> None:
    pages = {path.stem for path in PAGES.glob("*.md")} - {"commands"}
    assert pages == set(resource_names())


def test_a_page_without_the_place_for_the_table_is_told_what_it_needs() -> None:
    resource = own_module().resources[0]
    with pytest.raises(ValueError, match="needs the lines"):
        page_text("# A page\n", resource)


def test_the_list_of_calls_is_what_the_scripts_call() -> None:
    assert COMMANDS.read_text("utf-8") == commands_text(own_module(), documented()), ADVICE
    assert "unknown" not in COMMANDS.read_text("utf-8")


def test_the_page_of_the_catalogue_counts_the_resources() -> None:
    page = (ROOT / "docs/catalogue.md").read_text("utf-8")
    assert page == modules_row(page, own_module()), ADVICE


def test_what_the_resources_share_calls_documented_things_only() -> None:
    assert documented().missing(script_calls(SHARED)) == []
    assert faults(parse(SHARED)) == []


def test_what_the_resources_share_touches_windows_in_functions_that_can_be_replaced() -> None:
    script = Script.of(SHARED, SHARED.read_text("ascii"), documented(), {})
    told = logic_does_not_touch_the_machine(script)
    assert [each for each in told if "more than one call" not in each] == []


def test_every_key_of_markers_gets_rights_of_an_object_of_its_own() -> None:
    """.NET clears what it remembers of changes when it writes: the same object writes nothing to a second key."""
    writer = text(functions(parse(SHARED))["Write-SecretMarker"])
    assert writer.index("foreach ($path") < writer.index("'System.Security.AccessControl.RegistrySecurity'")


def test_every_script_imports_only_what_resources_share() -> None:
    for name in resource_names():
        source = script_of(name).read_text("ascii")
        assert set(re.findall(r"Import-Module -Name (.*)", source)) <= {
            "(Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')"
        }, name


def test_a_module_that_two_people_added_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "documented.yaml"
    path.write_text("touches_nothing: {cmdlets: {Storage: {}, Storage: {}}, net: {}}\n")
    with pytest.raises(InputError, match="Storage"):
        read_documented(path)


def test_addresses_have_the_form_of_the_documentation() -> None:
    found = documented()
    assert found.cmdlet_addresses["Write-Verbose"] == (
        "https://learn.microsoft.com/powershell/module/microsoft.powershell.utility/write-verbose?view=powershell-5.1"
    )
    assert net_address("System.Collections.Generic.Dictionary-2", "new") == (
        "https://learn.microsoft.com/dotnet/api/system.collections.generic.dictionary-2.-ctor?view=netframework-4.8"
    )
    for address in [*found.cim.values(), *found.programs.values()]:
        assert address.startswith("https://learn.microsoft.com/"), address
