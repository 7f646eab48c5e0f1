"""``provision catalog`` as people use it: listing, showing, importing."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provisioner.catalogue.registry import Registry
from provisioner.cli.app import main
from provisioner.cli.commands.catalog_show import fitted
from tests.unit.catalogue.vendor_modules import write_vendor_module


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "project" / "roles").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project" / "roles")


def catalog(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["catalog", *arguments])


def module_folder(folder: Path, name: str = "xTimeZone", version: str = "1.6.0.0") -> Path:
    module = Registry.builtin().module(name, version)
    assert module is not None
    return write_vendor_module(module, folder / name)


def test_every_module_version_is_listed() -> None:
    result = catalog("list")
    assert result.exit_code == 0
    lines = [line.split()[:2] for line in result.output.splitlines()]
    assert lines == [
        [module, version] for module, versions in Registry.builtin().modules.items() for version in versions
    ]
    rows = [json.loads(line) for line in catalog("list", "--json").output.splitlines()]
    assert {"module": "xTimeZone", "version": "1.6.0.0", "channel": "older", "resources": 1} in rows


def test_the_resources_of_a_module_are_listed() -> None:
    result = catalog("list", "psdscresources")
    assert "PSDscResources/MsiPackage" in result.output
    rows = [json.loads(line) for line in catalog("list", "PSDscResources", "--json").output.splitlines()]
    assert {row["kind"] for row in rows} == {"mof", "composite"}
    result = catalog("list", "PSDscResource")
    assert result.exit_code == 2
    assert "Did you mean 'PSDscResources'?" in result.output


def test_a_resource_is_shown_with_all_one_needs_to_write_it() -> None:
    result = catalog("show", "AccessControlDsc/ntfsaccessentry")
    assert result.exit_code == 0
    assert result.output.startswith("AccessControlDsc/NTFSAccessEntry 1.4.3 (stable)")
    assert "NTFSAccessControlEntry, embedded:" in result.output
    assert "required; Allow | Deny" in result.output
    assert "    type: AccessControlDsc/NTFSAccessEntry" in result.output


def test_a_resource_one_module_has_needs_no_module() -> None:
    assert catalog("show", "xRemoteFile", "--version", "3.0.3.4").output.startswith(
        "xPSDesiredStateConfiguration/"
    )
    plain = json.loads(catalog("show", "MsiPackage", "--json").output)
    assert (plain["module"], plain["class"]) == ("PSDscResources", "MSFT_MsiPackage")
    assert plain["properties"][0] == {"name": "ProductId", "qualifier": "Key", "not_empty": True}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "MsiPackge"), "Did you mean 'MsiPackage'?"),
        (("show", "Service"), "Say which: PSDesiredStateConfiguration/Service, PSDscResources/Service."),
        (("show", "xHyper-V/xVMHyprV"), "Did you mean 'xVMHyperV'?"),
        (("show", "xHyperV/xVMHyperV"), "Did you mean 'xHyper-V'?"),
        (("show", "cChoco/cChocoSource", "--version", "9"), "It has: 2.6.0.0, 2.4.1.0, 2.4.0.0."),
        (("import", "not-there"), "There is no such file."),
    ],
)
def test_a_wrong_name_is_answered_with_the_right_one(arguments: tuple[str, ...], said: str) -> None:
    result = catalog(*arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_an_imported_module_belongs_to_the_project(tmp_path: Path) -> None:
    folder = module_folder(tmp_path)
    result = catalog("import", str(folder))
    assert result.exit_code == 0
    file = tmp_path / "project" / "dsc_configs" / "catalogue" / "xTimeZone@1.6.0.0.json"
    assert result.output == f"xTimeZone 1.6.0.0: 1 resource, {file}\n"
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    rows = [json.loads(line) for line in catalog("list", "--json").output.splitlines()]
    assert [row["channel"] for row in rows if row["module"] == "xTimeZone"] == ["project"]
    again = catalog("import", str(folder), "--json")
    assert json.loads(again.output) == {
        "module": "xTimeZone",
        "version": "1.6.0.0",
        "resources": 1,
        "file": str(file),
    }


def test_a_project_compiles_against_what_it_imported(tmp_path: Path) -> None:
    source = tmp_path / "Farm"
    source.mkdir()
    (source / "Farm.psd1").write_text("@{ ModuleVersion = '2.1.0' }", encoding="utf-8")
    code = "[DscResource()] class Field { [DscProperty(Key)] [string] $Name; [DscProperty()] [ValidateRange(1, 9)] [int] $Size }"
    (source / "Farm.psm1").write_text(code, encoding="utf-8")
    assert catalog("import", str(source)).exit_code == 0
    root = tmp_path / "project"
    files = {
        "inventory.yaml": "site: x\nconnection: {user: a, password: 'env:P'}\nnodes: {n1: {address: 192.0.2.1, roles: [acre]}}\n",
        "roles/acre/role.yaml": 'description: x\nmodules: {Farm: "2.1.0"}\nconfigurations: [acre]\n',
        "dsc_configs/acre.dsc.yaml": "resources:\n  - {name: f, type: Farm/Field, properties: {Name: a, Size: 5}}\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    result = CliRunner().invoke(main, ["compile", str(root / "inventory.yaml"), "-o", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    document = (tmp_path / "out" / "n1.mof").read_text(encoding="utf-16")
    assert "instance of Field as $Field1ref" in document
    assert 'ModuleVersion = "2.1.0"' in document
    (root / "dsc_configs/acre.dsc.yaml").write_text(
        files["dsc_configs/acre.dsc.yaml"].replace("5", "50"), encoding="utf-8"
    )
    result = CliRunner().invoke(main, ["compile", str(root / "inventory.yaml"), "-o", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "from 1 to 9" in result.output


def test_another_project_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "other" / "dsc_configs").mkdir(parents=True)
    result = catalog("import", str(module_folder(tmp_path)), "--project", str(tmp_path / "other"))
    assert result.exit_code == 0
    assert (tmp_path / "other" / "dsc_configs" / "catalogue" / "xTimeZone@1.6.0.0.json").is_file()
    assert not (tmp_path / "project" / "dsc_configs").exists()


def test_nothing_is_written_when_a_part_cannot_be_read_unless_that_is_asked_for(tmp_path: Path) -> None:
    folder = module_folder(tmp_path, "StorageDsc", "6.0.1")
    broken = folder / "DSCResources" / "DSC_Disk" / "DSC_Disk.schema.mof"
    broken.write_text(broken.read_text(encoding="utf-8").replace("class", "klass"), encoding="utf-8")
    result = catalog("import", str(folder))
    assert result.exit_code == 2
    assert "DSC_Disk.schema.mof:2:1: error: Schema file cannot be read" in result.output
    catalogue = tmp_path / "project" / "dsc_configs" / "catalogue"
    assert not catalogue.exists()
    result = catalog("import", str(folder), "--partial")
    assert result.exit_code == 0
    assert "warning: Schema file cannot be read" in result.output
    assert (
        len(json.loads((catalogue / "StorageDsc@6.0.1.json").read_text(encoding="utf-8"))["resources"]) == 5
    )


def test_a_wrong_file_of_the_project_is_told_of_without_a_traceback(tmp_path: Path) -> None:
    folder = tmp_path / "project" / "dsc_configs" / "catalogue"
    folder.mkdir(parents=True)
    (folder / "Own@1.0.json").write_text('{"module": "Own",\n "version": 1}', encoding="utf-8")
    result = catalog("list")
    assert result.exit_code == 2
    assert "Own@1.0.json:2:13: error: Catalogue file is not as it must be" in result.output
    assert "Traceback" not in result.output


def test_the_whole_catalogue_is_listed_in_a_moment() -> None:
    started = time.perf_counter()
    assert catalog("list").exit_code == 0
    assert time.perf_counter() - started < 5  # 0.06 s alone on a machine; other tests may be at work


@pytest.mark.parametrize(
    ("line", "width", "lines"),
    [
        ("  Ensure  string  Present | Absent; default Present", 0, 1),
        ("  Ensure  string  Present | Absent; default Present", 80, 1),
        ("  Ensure  string  Present | Absent; default Present", 36, 2),
        ("  note: one two three four five six", 20, 3),
        ("      Path: 'C:\\a long path of an example, which is YAML'", 30, 1),
    ],
)
def test_a_row_is_folded_below_its_own_last_column(line: str, width: int, lines: int) -> None:
    folded = fitted(line, width).split("\n")
    assert len(folded) == lines
    assert " ".join(" ".join(folded).split()) == " ".join(line.split())
    assert all(each.startswith("      ") for each in folded[1:])
