"""What cannot be read of a vendor's module is told with its file and line, and never breaks the reader."""

from __future__ import annotations

import os
import random
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from provisioner.catalogue.importing import module_files
from provisioner.catalogue.importing.modules import read_modules
from provisioner.catalogue.module_file import read_module
from provisioner.catalogue.module_text import write_module
from provisioner.catalogue.registry import Registry
from provisioner.catalogue.schema import CimType, Module, Qualifier
from provisioner.diagnostics import Diagnostics
from tests.shared_data import shared
from tests.unit.catalogue.vendor_modules import write_vendor_module

MANIFEST = "@{ ModuleVersion = '1.0.0' }"
SCHEMA = (
    '[ClassVersion("1.0.0"), FriendlyName("R")]\nclass V_R : OMI_BaseResource\n{\n  [Key] String Name;\n};\n'
)
CLASS = "[DscResource()] class R { [DscProperty(Key)] [string] $Name }"


def imported(folder: Path, files: Mapping[str, str | bytes]) -> tuple[list[Module], list[str]]:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    problems = Diagnostics()
    modules = read_modules(folder, problems)
    return modules, [problem.render().replace(f"{folder}/", "") for problem in problems]


def only(folder: Path, files: Mapping[str, str | bytes]) -> tuple[Module, list[str]]:
    folder = folder / "V"
    [module], problems = imported(folder, {"V.psd1": MANIFEST, **files})
    return module, problems


# --- real files -------------------------------------------------------------------------------------------------


def test_the_module_real_powershell_compiled_is_read_as_it_was_compiled(tmp_path: Path) -> None:
    texts = {
        name: shared("powershell-goldens", "dsc", f"{name}.txt").read_text(encoding="utf-8")
        for name in ("DemoDsc.psd1", "DemoDsc.psm1")
    }
    [module], problems = imported(tmp_path / "DemoDsc", texts)
    assert problems == []
    assert (module.name, module.version) == ("DemoDsc", "1.2.3")
    file, key = module.resources
    assert [each.name for each in key.keys] == ["A", "B"]
    types = {each.name: (each.type, each.is_array, each.embedded_class) for each in file.properties}
    assert types["Map"] == (CimType.STRING, True, "MSFT_KeyValuePair")
    assert types["Cred"] == (CimType.STRING, False, "MSFT_Credential")
    assert types["Big"] == (CimType.UINT64, False, "")
    ensure = file.property("ensure")
    assert ensure is not None
    assert (ensure.qualifier, ensure.value_map) == (Qualifier.REQUIRED, ("Absent", "Present"))
    status = file.property("Status")
    assert status is not None
    assert not status.is_settable


def test_our_own_module_is_read_as_it_is_shipped() -> None:
    folder = Path(__file__).resolve().parents[3] / "dsc_configs" / "modules" / "ProvisionerDsc"
    problems = Diagnostics()
    modules = read_modules(folder, problems)
    assert not len(problems)
    registry = Registry.builtin()
    assert {module.version for module in modules} == set(registry.versions("ProvisionerDsc"))
    for found in [each for module in modules for each in module.resources]:
        shipped = registry.resource_type("ProvisionerDsc", found.name, found.version)
        assert shipped is not None
        assert [
            (each.name, each.type, each.is_array, each.qualifier, each.value_map) for each in found.properties
        ] == [
            (each.name, each.type, each.is_array, each.qualifier, each.value_map)
            for each in shipped.properties
        ]


# --- where modules are found ------------------------------------------------------------------------------------


def test_a_folder_of_modules_with_a_folder_for_each_version_is_read_whole(tmp_path: Path) -> None:
    registry = Registry.builtin()
    for name, version in (
        ("StorageDsc", "6.0.1"),
        ("StorageDsc", "6.1.0-preview0003"),
        ("xTimeZone", "1.6.0.0"),
    ):
        module = registry.module(name, version)
        assert module is not None
        write_vendor_module(module, tmp_path / name / version.partition("-")[0])
    for start in (tmp_path, tmp_path / "StorageDsc"):
        problems = Diagnostics()
        found = {(each.name, each.version) for each in read_modules(start, problems)}
        assert not problems.has_errors
        assert {("StorageDsc", "6.0.1"), ("StorageDsc", "6.1.0-preview0003")} <= found
    assert ("xTimeZone", "1.6.0.0") in {
        (each.name, each.version) for each in read_modules(tmp_path, Diagnostics())
    }


def test_a_module_inside_a_module_is_no_module_of_its_own(tmp_path: Path) -> None:
    files = {"V.psm1": CLASS, "Modules/Inner/Inner.psd1": MANIFEST, "en-US/V.strings.psd1": "@{}"}
    module, problems = only(tmp_path, files)
    assert problems == []
    assert module.name == "V"


def test_a_package_is_read_without_what_belongs_to_the_package(tmp_path: Path) -> None:
    module = Registry.builtin().module("StorageDsc", "6.0.1")
    assert module is not None
    folder = write_vendor_module(module, tmp_path / "StorageDsc")
    package = tmp_path / "storagedsc.6.0.1.nupkg"
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("_rels/.rels", "<x/>")
        archive.writestr("package/services/metadata/x.psd1", "@{ broken")
        archive.writestr("StorageDsc.nuspec", "<package/>")
        for path in sorted(folder.rglob("*.*")):
            if path.is_file():
                name = path.relative_to(folder).as_posix().replace("_", "%5F")
                archive.write(path, name)
    problems = Diagnostics()
    [found] = read_modules(package, problems)
    assert not len(problems), [each.render() for each in problems]
    [same] = read_modules(folder, Diagnostics())
    assert (found.resources, found.classes) == (same.resources, same.classes)
    assert found.source == "storagedsc.6.0.1.nupkg"


# --- what is told -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "place", "words"),
    [
        ({"V.psd1": "@{ ModuleVersion = "}, "V.psd1:1:1", "is not closed"),
        ({"V.psd1": "@{ ModuleVersion = $v }"}, "V.psd1:1:1", "ModuleVersion is missing"),
        ({"V.psd1": "$x = 1"}, "V.psd1:1:1", "A manifest is one hashtable"),
        ({"V.psd1": ""}, "V.psd1:1:1", "A manifest is one hashtable"),
        ({}, "V.psd1:1:1", "No resource of 'V' could be read"),
        (
            {"V.psd1": "@{ ModuleVersion = '1.0'; DscResourcesToExport = 'R', 'Gone' }", "V.psm1": CLASS},
            "V.psd1:1:1",
            "exports the DSC resource 'Gone'",
        ),
        (
            {"DSCResources/V_R/V_R.schema.mof": SCHEMA.replace("};", "")},
            "V_R.schema.mof:4:1",
            "Unexpected end of MOF",
        ),
        (
            {"DSCResources/V_R/V_R.schema.mof": SCHEMA.replace("String", "Strin")},
            "V_R.schema.mof:4:14",
            "grammar error",
        ),
        (
            {"DSCResources/V_R/V_R.schema.mof": SCHEMA.replace("OMI_BaseResource", "V_Base")},
            "V_R.schema.mof:2:1",
            "'V_Base'",
        ),
        (
            {"DSCResources/V_R/V_R.schema.mof": '#pragma include ("/etc/hostname")\n' + SCHEMA},
            "V_R.schema.mof:1:1",
            "not followed",
        ),
        ({"DSCResources/V_R/V_R.schema.mof": "\0\1\2"}, "V_R.schema.mof:1:1", "Illegal character"),
        (
            {
                "DSCResources/V_R/V_R.schema.mof": SCHEMA.replace(
                    "[Key]", '[Key, ValueMap{"a","b"}, Values{"c"}]'
                )
            },
            "V_R.schema.mof:4:",
            "differ in length",
        ),
        (
            {"DSCResources/V_R/V_R.schema.mof": SCHEMA.replace("[Key]", '[Key, EmbeddedInstance("V_X")]')},
            "V.psd1:1:1",
            "'R' embeds 'V_X', which the module does not declare",
        ),
        (
            {
                "DSCResources/V_R/V_R.schema.mof": SCHEMA,
                "DSCResources/V_S/V_S.schema.mof": SCHEMA.replace("V_R", "V_S"),
            },
            ":1:1",
            "'R' is declared twice",
        ),
        (
            {"V.psm1": "[DscResource()] class R : Unknown { [DscProperty(Key)] [string] $N }"},
            "V.psm1:1:23",
            "inherits from 'Unknown'",
        ),
        ({"V.psm1": f"{CLASS.replace('R {', 'R : R {')}"}, "V.psm1:1:23", "inherits from itself"),
        ({"V.psm1": CLASS.replace("(Key)", "()")}, "V.psm1:1:23", "has no key property"),
        ({"V.psm1": CLASS.replace("[string]", "[timespan]")}, "V.psm1:1:", "the type 'timespan'"),
        ({"V.psm1": CLASS.replace("[string]", "")}, "V.psm1:1:", "has no type"),
        (
            {"V.psm1": CLASS + "\n[DscResource()] class S { what is this }"},
            "V.psm1:2:32",
            "no property and no method",
        ),
        ({"V.psm1": CLASS + "\n$x = 'never ends"}, "V.psm1:2:6", "This string does not end"),
        ({"V.psm1": CLASS + "\n" + "{" * 5}, "V.psm1:2:", "is not closed"),
        (
            {"DSCResources/C/C.schema.psm1": "Configuration C { param ([string] Name) }"},
            "C.schema.psm1:1:35",
            "The name of a parameter is expected",
        ),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(
    files: dict[str, str], place: str, words: str, tmp_path: Path
) -> None:
    _, problems = imported(tmp_path / "V", {"V.psd1": MANIFEST, **files})
    matching = [problem for problem in problems if words in problem]
    assert len(matching) == 1, problems
    assert place in matching[0].partition("error: ")[0]


def test_what_stays_unknown_without_harm_is_a_warning(tmp_path: Path) -> None:
    script = """
function Set-TargetResource
{
    param ([Parameter(Mandatory)] [ValidateSet($script:names)] [string] $Name, [ValidateRange(1, $max)] [int] $N)
}
"""
    schema = SCHEMA.replace("  [Key]", "  [Write] SInt32 N;\n  [Key]")
    module, problems = only(
        tmp_path, {"DSCResources/V_R/V_R.schema.mof": schema, "DSCResources/V_R/V_R.psm1": script}
    )
    assert len(module.resources) == 1
    assert [problem.partition(": ")[2].partition("\n")[0] for problem in problems] == [
        "warning: Limit is not known"
    ] * 2
    broken = {"DSCResources/V_R/V_R.schema.mof": schema, "DSCResources/V_R/V_R.psm1": "function X { 'a }"}
    module, problems = only(tmp_path / "other", broken)
    assert len(module.resources) == 1
    [problem] = problems
    assert "V_R.psm1:1:14: warning" in problem


def test_a_composite_whose_body_is_powershell_is_known_by_its_parameters(tmp_path: Path) -> None:
    text = "Configuration C { param ([Parameter(Mandatory)][string[]] $Name, [object] $Any) foreach ($n in $Name) { } }"
    module, problems = only(tmp_path, {"DSCResources/C/C.schema.psm1": text})
    [problem] = problems
    assert "known by its parameters only" in problem
    [composite] = module.resources
    assert (composite.expands_to, [(each.name, each.is_array) for each in composite.properties]) == (
        "",
        [("Name", True), ("Any", False)],
    )


def test_a_composite_of_another_module_s_resource_is_known_by_its_parameters(tmp_path: Path) -> None:
    body = "$p = @{ ResourceName = 'Elsewhere'; KeyParamName = 'Name'; Parameters = $PSBoundParameters }"
    text = f"Configuration C {{ param ([string[]] $Name) {body} }}"
    module, problems = only(tmp_path, {"DSCResources/C/C.schema.psm1": text})
    [problem] = problems
    assert "'Elsewhere', which the module does not have" in problem
    assert module.resources[0].expands_to == ""


def test_what_could_be_read_of_a_broken_module_can_be_written_and_read_back(tmp_path: Path) -> None:
    holder = (
        SCHEMA.replace("V_R", "V_S").replace('"R"', '"S"').replace("[Key]", '[Key, EmbeddedInstance("V_X")]')
    )
    inner = '[ClassVersion("1.0.0")] class V_X { [Write, EmbeddedInstance("V_Gone")] string A; };\n'
    files = {
        "DSCResources/V_R/V_R.schema.mof": SCHEMA,
        "DSCResources/V_S/V_S.schema.mof": inner + holder,
        "DSCResources/V_T/V_T.schema.mof": "class {",
    }
    module, problems = only(tmp_path, files)
    assert len(problems) == 2
    assert [each.name for each in module.resources] == ["R"]
    assert read_module(write_module(module), "a.json") == module


def test_of_several_qualifiers_the_strictest_counts(tmp_path: Path) -> None:
    properties = (
        "[Required, Key] String A; [Write, Required] String B; [Write, Read] String C; [Key, Read] String D;"
    )
    module, problems = only(
        tmp_path, {"DSCResources/V_R/V_R.schema.mof": SCHEMA.replace("[Key]", properties + " [Key]")}
    )
    assert problems == []
    assert [each.qualifier.value for each in module.resources[0].properties[:4]] == [
        "Key",
        "Required",
        "Read",
        "Key",
    ]


def test_common_classes_are_known_in_any_case(tmp_path: Path) -> None:
    schema = SCHEMA.replace("  [Key]", '  [Write, EmbeddedInstance("msft_Credential")] String C;\n  [Key]')
    module, problems = only(tmp_path, {"DSCResources/V_R/V_R.schema.mof": schema})
    assert problems == []
    assert module.resources[0].properties[0].embedded_class == "MSFT_Credential"


def test_the_current_folder_can_be_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only(tmp_path, {"V.psm1": CLASS, "Other.psd1": MANIFEST})
    monkeypatch.chdir(tmp_path / "V")
    [module] = read_modules(Path(), Diagnostics())
    assert (module.name, module.source) == ("V", "V")


def test_only_what_a_manifest_exports_is_a_resource(tmp_path: Path) -> None:
    files = {
        "V.psd1": "@{ ModuleVersion = '1.0'; DscResourcesToExport = @('R') }",
        "V.psm1": CLASS + "\n" + CLASS.replace("R {", "S {"),
    }
    module, problems = only(tmp_path, files)
    assert problems == []
    assert [each.name for each in module.resources] == ["R"]


def test_a_manifest_may_export_by_pattern(tmp_path: Path) -> None:
    classes = "\n".join(CLASS.replace("R {", f"{name} {{") for name in ("DnsA", "DnsB", "Other"))
    files = {"V.psd1": "@{ ModuleVersion = '1.0'; DscResourcesToExport = 'dns*' }", "V.psm1": classes}
    module, problems = only(tmp_path, files)
    assert problems == []
    assert [each.name for each in module.resources] == ["DnsA", "DnsB"]


def test_members_become_what_powershell_itself_makes_of_them(tmp_path: Path) -> None:
    text = """
enum Kind { A; B }
[DscResource()] class R {
    [DscProperty(Key)] [Kind] $One
    [DscProperty()] [Kind[]] $Many
    [DscProperty()] static [string] $Shared
    [DscProperty()] [Nullable[DateTime]] $When
    [DscProperty()] [Hashtable] $Map
    [DscProperty(Mandatory, NotConfigurable)] [byte[]] $Bytes
}
"""
    module, problems = only(tmp_path, {"V.psm1": text})
    assert problems == []
    found = [
        (each.name, each.type.value, each.is_array, each.qualifier.value)
        for each in module.resources[0].properties
    ]
    assert found == [
        ("One", "string", False, "Key"),
        ("Many", "string", False, "Write"),
        ("When", "datetime", False, "Write"),
        ("Map", "string", True, "Write"),
        ("Bytes", "uint8", True, "Required"),
    ]


def test_classes_are_found_in_all_scripts_of_a_module_but_not_in_its_tests(tmp_path: Path) -> None:
    files = {
        "V.psm1": CLASS.replace("class R", "class R : Base"),
        "Modules/Base/Base.psm1": "class Base : IDisposable { [DscProperty()] [Reason[]] $Reasons }",
        "Classes/Reason.ps1": "class Reason { [DscProperty()] [Kind] $Code; [int] $Hidden }\nenum Kind { A; B }",
        "Tests/R.Tests.ps1": "class Base { [DscProperty()] [int] $Wrong }",
        "Private/Help.ps1": "function Get-It { 'a broken string",
    }
    module, problems = only(tmp_path, files)
    assert problems == []
    [resource] = module.resources
    assert [each.name for each in resource.properties] == ["Name", "Reasons"]
    [reason] = module.classes
    assert [(each.name, each.value_map) for each in reason.properties] == [("Code", ("A", "B"))]


def test_a_property_declared_again_is_what_the_nearest_class_says(tmp_path: Path) -> None:
    text = """
class Base { [DscProperty()] [int] $Name; [DscProperty()] [int] $Size }
[DscResource()] class R : Base { [DscProperty(Key)] [string] $name }
"""
    module, problems = only(tmp_path, {"V.psm1": text})
    assert problems == []
    [resource] = module.resources
    assert [(each.name, each.type) for each in resource.properties] == [
        ("name", CimType.STRING),
        ("Size", CimType.SINT32),
    ]


def test_a_qualifier_nobody_knows_is_taken_as_it_is_written(tmp_path: Path) -> None:
    qualifiers = '[Key, Odd, Older(5), Oldest("a"), Lists{"a", "b"}, Numbers{1, 2}, Truth(true)]'
    module, problems = only(
        tmp_path, {"DSCResources/V_R/V_R.schema.mof": SCHEMA.replace("[Key]", qualifiers)}
    )
    assert problems == []
    assert [each.name for each in module.resources[0].keys] == ["Name"]


# --- hostile input ----------------------------------------------------------------------------------------------


def package(folder: Path, entries: Mapping[str, bytes]) -> tuple[list[Module], list[str]]:
    path = folder / "V.1.0.nupkg"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    problems = Diagnostics()
    modules = read_modules(path, problems)
    return modules, [problem.detail for problem in problems]


@pytest.mark.parametrize(
    "name",
    ["../V.psd1", "a/../../V.psd1", "/etc/V.psd1", "C:/V.psd1", "..\\V.psd1", "%2e%2e/V.psd1", "a/b:V.psd1"],
)
def test_a_package_that_names_a_file_outside_itself_is_refused(name: str, tmp_path: Path) -> None:
    modules, problems = package(
        tmp_path, {"V.psd1": MANIFEST.encode(), "V.psm1": CLASS.encode(), name: b"@{}"}
    )
    assert modules == []
    [problem] = problems
    assert "names a file outside itself" in problem
    assert [each.name for each in tmp_path.iterdir()] == ["V.1.0.nupkg"]


def test_a_file_that_unfolds_without_end_is_read_to_the_limit_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module_files, "LARGEST_FILE", 2**20)
    modules, problems = package(tmp_path, {"V.psd1": MANIFEST.encode(), "V.psm1": b" " * 2**26})
    assert [module.resources for module in modules] == [()]
    assert "The file is larger than 1 MiB." in problems


def test_a_schema_that_would_take_minutes_is_refused(tmp_path: Path) -> None:
    schema = SCHEMA.encode() + b"// " + b"x" * 2**20
    _, problems = imported(tmp_path, {"V.psd1": MANIFEST, "DSCResources/V_R/V_R.schema.mof": schema})
    assert any("larger than 1 MiB" in problem for problem in problems)


@pytest.mark.timeout(60)
def test_thousands_of_properties_are_read_in_seconds(tmp_path: Path) -> None:
    many = "".join(f"[Write] String P{number};\n" for number in range(8000))
    schema = SCHEMA.replace("[Key]", f"{many}[Key]")
    modules, problems = imported(tmp_path, {"V.psd1": MANIFEST, "DSCResources/V_R/V_R.schema.mof": schema})
    assert problems == []
    assert len(modules[0].resources[0].properties) == 8001


@pytest.mark.timeout(20)
def test_nothing_waits_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "V.psm1")
    _, problems = imported(tmp_path, {"V.psd1": MANIFEST})
    assert any("It is no file" in problem for problem in problems)


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_files, "MOST_FILES", 3)
    _, problems = package(tmp_path, {f"{number}.psm1": b"" for number in range(5)})
    assert problems == ["It has more than 3 files."]
    _, problems = imported(tmp_path / "V", {f"{number}.txt": "" for number in range(5)})
    assert "It has more than 3 files." in problems[0]


def test_a_damaged_package_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "a.nupkg").write_bytes(b"PK\x03\x04 no zip")
    problems = Diagnostics()
    assert read_modules(tmp_path / "a.nupkg", problems) == []
    package(tmp_path, {"V.psd1": MANIFEST.encode(), "V.psm1": CLASS.encode() * 50})
    content = bytearray((tmp_path / "V.1.0.nupkg").read_bytes())
    at = content.index(b"V.psm1") + 6
    content[at : at + 20] = b"\xff" * 20
    (tmp_path / "V.1.0.nupkg").write_bytes(content)
    read_modules(tmp_path / "V.1.0.nupkg", problems)
    details = [problem.detail for problem in problems]
    assert any("The package is damaged" in detail for detail in details)
    assert any("The file cannot be read" in detail for detail in details)


@pytest.mark.parametrize(
    ("name", "sentence"), [("gone", "There is no such file."), ("a.txt", "It is neither a folder")]
)
def test_a_path_that_is_no_module_is_told_of(name: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    problems = Diagnostics()
    assert read_modules(tmp_path / name, problems) == []
    assert [sentence in problem.detail for problem in problems] == [True]
    assert read_modules(tmp_path / "empty", problems) == []
    assert any("No module manifest is here" in problem.detail for problem in problems)


def test_a_link_that_leads_out_of_a_module_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.psm1").write_text(CLASS, encoding="utf-8")
    (tmp_path / "V").mkdir()
    (tmp_path / "V" / "V.psm1").symlink_to(tmp_path / "secret.psm1")
    modules, problems = imported(tmp_path / "V", {"V.psd1": MANIFEST})
    assert [module.resources for module in modules] == [()]
    assert any("leads out of the module" in problem for problem in problems)


@pytest.mark.parametrize(
    "text",
    [
        "[DscResource()] class R { " + "@(" * 20_000,
        "[DscResource()] class R { [DscProperty()] [string] $A = " + "(" * 20_000,
        "[DscResource()] class R { [DscProperty(" + "[" * 20_000,
        "class R { $A = " + "'a', " * 20_000,
        "class R { $A = " + "${" * 100_000,
        "class R { $A = " + '"$(' * 20_000,
        "class R { $A = " + "@{ a = " * 20_000,
        "enum E { " + "a, " * 20_000,
        "class " * 20_000,
        "[" * 50_000,
        "[DscResource()] class " + "R" * 1_000_000,
    ],
    ids=lambda text: text[:60] + f"... {len(text)}",
)
@pytest.mark.timeout(20)
def test_deep_and_long_scripts_end_in_a_problem_and_soon(text: str, tmp_path: Path) -> None:
    _, problems = only(tmp_path, {"V.psm1": text})
    assert problems


@pytest.mark.parametrize("text", ["(" * 20_000, "[Key, " * 20_000, "class A : " * 5_000, '"' + "\\" * 50_000])
@pytest.mark.timeout(20)
def test_deep_and_long_schemas_end_in_a_problem_and_soon(text: str, tmp_path: Path) -> None:
    _, problems = only(tmp_path, {"DSCResources/V_R/V_R.schema.mof": text})
    assert problems


@pytest.mark.parametrize("seed", range(8))
def test_files_with_wrong_bytes_never_break_the_reader(seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)
    registry = Registry.builtin()
    name = ["DnsServerDsc", "StorageDsc", "cChoco", "AccessControlDsc"][seed % 4]
    module = registry.module(name)
    assert module is not None
    folder = write_vendor_module(module, tmp_path / module.name)
    files = sorted(path for path in folder.rglob("*.*") if path.is_file())
    for round_ in range(8):
        path = dice.choice(files)
        original = path.read_bytes()
        content = bytearray(original)
        for _ in range(dice.randint(1, 8)):
            at = dice.randrange(len(content))
            piece = dice.choice(
                [b"{", b"}", b"'", b'"', b"$(", b"\0", b"\xff", b"@'", b"<#", b"", b"]", b"\n"]
            )
            content[at : at + dice.randint(0, 3)] = piece
        path.write_bytes(content)
        problems = Diagnostics()
        found = read_modules(folder, problems)
        told = [problem.render() for problem in problems]
        names = {each.name for each in found[0].resources} if found else set()
        missing = {each.name for each in module.resources} - names
        assert not missing or told, (round_, path, missing)
        assert all(re.search(r":\d+:\d+: (error|warning): ", each) for each in told)
        path.write_bytes(original)
