"""Our module as a package: what the gallery's form asks for, read back by the importer, the same bytes each time."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from provisioner.bootstrap.package import archive, package, read_module_folder
from provisioner.catalogue.importing.modules import read_modules
from provisioner.diagnostics import Diagnostics
from provisioner.errors import UsageError
from upkeep.module import MODULE, file_hashes, resource_names


def entries(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert packed.testzip() is None
        return {each.filename: packed.read(each) for each in packed.infolist()}


def test_the_package_holds_every_file_of_the_module_and_what_makes_it_a_package() -> None:
    found = entries(package(read_module_folder(MODULE)))
    extra = set(found) - set(file_hashes())
    assert set(file_hashes()) <= set(found)
    assert {each.partition("/")[0] for each in extra} == {
        "_rels", "package", "[Content_Types].xml", "ProvisionerDsc.nuspec",
    }  # fmt: skip
    for path in file_hashes():
        assert found[path] == (MODULE / path).read_bytes()


def test_the_parts_of_the_package_name_each_other() -> None:
    found = entries(package(read_module_folder(MODULE)))
    targets = [each.get("Target", "") for each in ET.fromstring(found["_rels/.rels"])]
    assert {each.removeprefix("/") for each in targets} <= set(found)
    kinds = {each.get("Extension") for each in ET.fromstring(found["[Content_Types].xml"])}
    assert {path.rpartition(".")[2] for path in found} - {"xml"} <= kinds
    names = {
        each.tag.rpartition("}")[2]: each.text for each in ET.fromstring(found["ProvisionerDsc.nuspec"])[0]
    }
    assert (names["id"], names["version"]) == ("ProvisionerDsc", MODULE.name)
    assert names["authors"]
    assert names["description"]


def test_the_importer_reads_the_package_as_it_reads_the_folder(tmp_path: Path) -> None:
    path = tmp_path / f"ProvisionerDsc.{MODULE.name}.nupkg"
    path.write_bytes(package(read_module_folder(MODULE)))
    problems = Diagnostics()
    [packed] = read_modules(path, problems)
    [folder] = read_modules(MODULE, problems)
    assert not len(problems)
    assert packed.resources == folder.resources
    assert sorted(each.name for each in packed.resources) == resource_names()


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    copy = tmp_path / "ProvisionerDsc" / MODULE.name
    for path in sorted(file_hashes(), reverse=True):
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        (copy / path).write_bytes((MODULE / path).read_bytes())
    for pack in (package, archive):
        content = pack(read_module_folder(copy))
        assert content == pack(read_module_folder(MODULE))
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            found = packed.infolist()
        assert {each.date_time for each in found} == {(1980, 1, 1, 0, 0, 0)}
        assert {each.create_system for each in found} == {0}
        assert [each.filename for each in found] == sorted(each.filename for each in found)


@pytest.mark.parametrize(
    ("manifest", "message"),
    [(None, "no manifest"), ("@{\n    ModuleVersion = '2.0.0'\n}", "ModuleVersion 2.0.0")],
)
def test_a_folder_that_is_no_module_of_its_name_is_refused(
    tmp_path: Path, manifest: str | None, message: str
) -> None:
    folder = tmp_path / "Own" / "1.0.0"
    folder.mkdir(parents=True)
    if manifest:
        (folder / "Own.psd1").write_text(manifest)
    with pytest.raises(UsageError, match=message):
        read_module_folder(folder)
