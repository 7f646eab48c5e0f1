"""``provision import`` through the real command: what it writes, what it says, what it refuses to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provisioner.cli.app import main
from provisioner.project import Project

PASSWORD = "hunter2-clear"
DOCUMENT = f"""/*
@TargetNode='hv01'
*/

instance of MSFT_Credential as $MSFT_Credential1ref
{{
Password = "{PASSWORD}";
 UserName = "DOM\\\\svc";
}};
instance of MSFT_ServiceResource as $MSFT_ServiceResource1ref
{{
ResourceID = "[Service]Nova";
 Name = "nova-compute";
 Description = "takes {{{{ x }}}}";
 Credential = $MSFT_Credential1ref;
 ModuleName = "PSDscResources";
 ModuleVersion = "2.12.0.0";
 SourceInfo = "C:\\\\secret place.ps1::1::1::Service";
}};
instance of OMI_ConfigurationDocument
{{
 Version="2.0.0";
 Name="Compute";
}};
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["import", *arguments], prog_name="provision")


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "hv01.mof"
    path.write_bytes(b"\xff\xfe" + DOCUMENT.replace("\n", "\r\n").encode("utf-16-le"))
    return path


def written(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_document_becomes_a_project(document: Path, tmp_path: Path) -> None:
    result = run("hv01.mof", "-o", "site")

    assert result.exit_code == 0, result.output
    files = written(tmp_path / "site")
    assert set(files) == {
        "inventories/imported/inventory.yaml",
        "roles/Compute/role.yaml",
        "dsc_configs/Compute.dsc.yaml",
    }
    assert "Imported 1 node with 1 resource into site." in result.output
    assert "env:DOM_SVC_PASSWORD  DOM\\svc, for [Service]Nova" in result.output
    inventory = tmp_path / "site/inventories/imported/inventory.yaml"
    assert Project.of(inventory).root == tmp_path / "site"


def test_the_project_compiles_to_what_the_document_says(document: Path, tmp_path: Path) -> None:
    plain = DOCUMENT[DOCUMENT.index("instance of MSFT_Service") :]
    plain = "/*\n@TargetNode='hv01'\n*/\n" + plain.replace(" Credential = $MSFT_Credential1ref;\n", "")
    (tmp_path / "hv02.mof").write_text(plain, encoding="utf-8")
    assert run("hv02.mof", "-o", "site").exit_code == 0

    result = CliRunner().invoke(
        main,
        ["compile", "site/inventories/imported/inventory.yaml", "-o", "out"],
        prog_name="provision",
    )

    assert result.exit_code == 0, result.output
    compiled = (tmp_path / "out/hv01.mof").read_bytes().decode("utf-16")
    assert 'ResourceID = "[Service]Nova";' in compiled
    assert 'Description = "takes {{ x }}";' in compiled


def test_with_its_references_filled_the_project_compiles(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("hv01.mof", "-o", "site").exit_code == 0
    inventory = tmp_path / "site/inventories/imported/inventory.yaml"
    text = inventory.read_text(encoding="utf-8")
    inventory.write_text(text.replace("certificate: certificates/", "plain_text: true"), encoding="utf-8")
    monkeypatch.setenv("DOM_SVC_PASSWORD", "filled in")

    result = CliRunner().invoke(main, ["compile", str(inventory), "-o", "out"], prog_name="provision")

    assert result.exit_code == 0, result.output
    compiled = (tmp_path / "out/hv01.mof").read_bytes().decode("utf-16")
    assert 'Password = "filled in";' in compiled
    assert 'UserName = "DOM\\\\svc";' in compiled


def test_an_unknown_module_can_be_added_where_the_project_will_be(document: Path, tmp_path: Path) -> None:
    (tmp_path / "zoo.mof").write_text(DOCUMENT.replace("PSDscResources", "Zoo"), encoding="utf-8")
    assert run("zoo.mof", "-o", "site").exit_code == 2
    resource = tmp_path / "Zoo/DSCResources/MSFT_ServiceResource"
    resource.mkdir(parents=True)
    (tmp_path / "Zoo/Zoo.psd1").write_text("@{ ModuleVersion = '2.12.0.0' }", encoding="utf-8")
    (resource / "MSFT_ServiceResource.psm1").write_text("", encoding="utf-8")
    (resource / "MSFT_ServiceResource.schema.mof").write_text(
        '[ClassVersion("1.0.0"), FriendlyName("Service")]\n'
        "class MSFT_ServiceResource : OMI_BaseResource\n{\n"
        "  [Key] string Name;\n  [Write] string Description;\n"
        '  [Write, EmbeddedInstance("MSFT_Credential")] string Credential;\n};\n',
        encoding="utf-8",
    )
    (tmp_path / "site").mkdir()
    added = CliRunner().invoke(main, ["catalog", "import", "--project", "site", "Zoo"], prog_name="provision")
    assert added.exit_code == 0, added.output

    result = run("zoo.mof", "-o", "site")

    assert result.exit_code == 0, result.output
    assert "type: Zoo/Service" in (tmp_path / "site/dsc_configs/Compute.dsc.yaml").read_text(encoding="utf-8")


def test_a_password_of_the_document_is_neither_written_nor_printed(document: Path, tmp_path: Path) -> None:
    result = run("hv01.mof", "-o", "site")

    assert PASSWORD not in result.output
    assert PASSWORD not in "".join(written(tmp_path / "site").values())


def test_a_password_in_a_broken_line_is_not_printed(document: Path, tmp_path: Path) -> None:
    broken = DOCUMENT.replace(f'"{PASSWORD}";', f'"{PASSWORD}\\q";')
    (tmp_path / "broken.mof").write_text(broken, encoding="utf-8")

    result = run("broken.mof", "-o", "site")

    assert result.exit_code == 2
    assert "broken.mof:7:26: error: Unknown escape in a text" in result.output
    assert PASSWORD not in result.output
    assert not (tmp_path / "site").exists()


def test_nothing_is_overwritten_without_force(document: Path, tmp_path: Path) -> None:
    role = tmp_path / "site/roles/Compute/role.yaml"
    role.parent.mkdir(parents=True)
    role.write_text("mine", encoding="utf-8")

    refused = run("hv01.mof", "-o", "site")

    assert refused.exit_code == 2
    assert "exists already; nothing was written." in refused.output
    assert written(tmp_path / "site") == {"roles/Compute/role.yaml": "mine"}

    forced = run("hv01.mof", "-o", "site", "--force")

    assert forced.exit_code == 0, forced.output
    assert role.read_text(encoding="utf-8") != "mine"


def test_all_problems_of_all_documents_come_at_once_and_nothing_is_written(
    document: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.mof").write_text("instance of A { V = 1 };", encoding="utf-8")
    (tmp_path / "b.mof").write_text(DOCUMENT.replace("PSDscResources", "Zoo"), encoding="utf-8")

    result = run("hv01.mof", "a.mof", "b.mof", "-o", "site")

    assert result.exit_code == 2
    assert "a.mof:1:23: error: Document has another structure" in result.output
    assert "b.mof:10:1: error: Class is not in the catalogue" in result.output
    assert "provision catalog import" in result.output
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize("path", ["gone.mof", "."])
def test_what_cannot_be_read_is_told_as_one_sentence(path: str, document: Path) -> None:
    result = run(path, "-o", "site")

    assert result.exit_code != 0
    assert "Traceback" not in result.output
    assert "bug" not in result.output


def test_a_folder_is_needed_to_write_into(document: Path) -> None:
    result = run("hv01.mof")

    assert result.exit_code == 2
    assert "--output" in result.output


def test_what_cannot_be_read_is_wrong_input(tmp_path: Path) -> None:
    result = run("nowhere.mof", "-o", str(tmp_path / "site"))
    assert result.exit_code == 2
    assert "nowhere.mof cannot be read: No such file or directory" in result.output


def test_no_more_is_read_than_shows_that_a_file_is_too_large(tmp_path: Path) -> None:
    result = run("/dev/zero", "-o", str(tmp_path / "site"))
    assert result.exit_code == 2
    assert "/dev/zero has more than 32 MiB" in result.output
    assert not (tmp_path / "site").exists()
