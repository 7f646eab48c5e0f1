"""Variables of type installer: what is pinned, what is read of the file, and what goes to the node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import InputError
from provisioner.project import Project
from tests.packages import FAMILY, PRODUCT, build_msi

ROLE = """\
description: An application.
variables:
  app: {type: installer, required: true, description: The .msi file.}
modules: {ProvisionerDsc: "0.3.0"}
configurations: [app]
"""
CONFIGURATION = """\
resources:
  - name: App
    type: ProvisionerDsc/MsiProduct
    properties:
      ProductCode: "{{ app.product_code }}"
      UpgradeCode: "{{ app.upgrade_code }}"
      Version: "{{ app.version }}"
      Path: "{{ app.path }}"
      Sha256: "{{ app.sha256 }}"
"""
INVENTORY = """\
site: test
connection: {{user: provisioner, password: "env:NOT_ASKED"}}
nodes:
  n1:
    address: 192.0.2.1
    roles: [app]
    variables:
      app: {app}
"""


def project(folder: Path, app: str) -> Path:
    for name, text in (
        ("roles/app/role.yaml", ROLE),
        ("dsc_configs/app.dsc.yaml", CONFIGURATION),
        ("inventory.yaml", INVENTORY.format(app=app)),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "inventory.yaml"


def compiled(folder: Path, app: str) -> Any:
    (node,) = Project(folder).compile(project(folder, app)).nodes.values()
    return node


def refused(folder: Path, app: str) -> str:
    with pytest.raises(InputError) as caught:
        compiled(folder, app)
    return str(caught.value)


def sha256_of(folder: Path, **about: Any) -> str:
    """Build packages/app.msi and let the refusal tell its digest, as a person would."""
    (folder / "packages").mkdir()
    build_msi(folder / "packages" / "app.msi", **about)
    said = refused(folder, "{file: packages/app.msi}")
    assert "does not say which file it means" in said
    return said.rpartition("sha256: ")[2].strip("'. \n")


def properties(node: Any) -> dict[str, Any]:
    (resource,) = node.configuration.resources
    return dict(resource.properties)


def test_a_file_beside_the_inventory_is_read_and_goes_to_the_node(tmp_path: Path) -> None:
    digest = sha256_of(tmp_path, version="27.0.1")
    node = compiled(tmp_path, f"{{file: packages/app.msi, sha256: {digest.upper()}}}")
    assert properties(node) == {
        "ProductCode": f"{{{PRODUCT}}}",
        "UpgradeCode": f"{{{FAMILY}}}",
        "Version": "27.0.1",
        "Path": rf"C:\Program Files\provisioner\installers\{digest[:16]}\app.msi",
        "Sha256": digest,
    }
    (upload,) = node.expansion.uploads
    assert upload.source == tmp_path / "packages" / "app.msi"
    assert (upload.destination, upload.sha256) == (properties(node)["Path"], digest)


def test_a_file_that_the_node_fetches_is_only_read(tmp_path: Path) -> None:
    digest = sha256_of(tmp_path)
    for path in (r"\\server\share\app.msi", "https://packages.example/app.msi?version=1", r"D:\app.MSI"):
        node = compiled(tmp_path, f"{{file: packages/app.msi, path: '{path}', sha256: {digest}}}")
        assert properties(node)["Path"] == path
        assert node.expansion.uploads == ()


def test_where_nothing_is_here_the_inventory_says_it_all(tmp_path: Path) -> None:
    said = f"path: 'C:\\a.msi', sha256: {'a' * 64}, product_code: '{{{PRODUCT}}}', version: '1.2'"
    assert properties(compiled(tmp_path, f"{{{said}}}")) == {
        "ProductCode": f"{{{PRODUCT}}}",
        "Version": "1.2",
        "Path": r"C:\a.msi",
        "Sha256": "a" * 64,
    }


@pytest.mark.parametrize(
    ("app", "message"),
    [
        ("packages/app.msi", "says which .msi file to install, and this is text"),
        ("{fiel: a.msi}", "Did you mean 'file'?"),
        ("{file: 7}", "The key 'file' of an installer is text, and this is an integer"),
        ("{file: none.msi, sha256: " + "a" * 64 + "}", "No such file or directory"),
        ("{file: inventory.yaml, sha256: " + "a" * 64 + "}", "it is no .msi file"),
        ("{file: none.msi, sha256: abc}", "is 64 hexadecimal digits, and this is 'abc'"),
        ("{path: 'C:\\a.msi'}", "it needs 'sha256', 'product_code' and 'version' too"),
        ("{path: a.msi, sha256: " + "a" * 64 + "}", "the full path, share or address of an .msi file"),
        ("{path: 'C:\\a.msi', product_code: 123}", "is text, and this is an integer"),
        ("{path: 'C:\\a.msi', product_code: '123'}", "is a GUID in braces, and this is '123'"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(tmp_path: Path, app: str, message: str) -> None:
    said = refused(tmp_path, app)
    assert message in said
    assert "inventory.yaml:8:" in said


def test_another_file_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    digest = sha256_of(tmp_path)
    build_msi(tmp_path / "packages" / "app.msi", version="9.9")
    said = refused(tmp_path, f"{{file: packages/app.msi, sha256: {digest}}}")
    assert f"has the sha256 '{digest}'" in said
    assert "Find out which file it is before you change the digest." in said


def test_what_the_inventory_says_beside_the_file_has_to_fit_it(tmp_path: Path) -> None:
    digest = sha256_of(tmp_path, version="1.0.0")
    said = refused(tmp_path, f"{{file: packages/app.msi, sha256: {digest}, version: 2.0.0}}")
    assert "has the version '2.0.0'" in said
    assert "Leave it out: it is read of the file." in said


def test_an_installer_is_no_part_of_anything(tmp_path: Path) -> None:
    inventory = project(tmp_path, "[]")
    role = tmp_path / "roles/app/role.yaml"
    role.write_text(ROLE.replace("type: installer,", "type: list, items: installer,"), encoding="utf-8")
    with pytest.raises(InputError, match="holds installers, and a variable of this type stands alone"):
        Project(tmp_path).compile(inventory)
