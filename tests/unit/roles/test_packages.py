"""Variables of type package: any file, pinned by its digest."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import InputError
from provisioner.project import Project
from tests.unit.roles.test_installers import INVENTORY

ROLE = """\
description: An archive.
variables:
  app: {type: package, required: true, description: The archive.}
modules: {PSDscResources: "2.12.0.0"}
configurations: [app]
"""
CONFIGURATION = """\
resources:
  - name: App
    type: PSDscResources/Archive
    properties:
      Path: "{{ app.path }}"
      Destination: 'C:\\App'
      Checksum: SHA-256
      Validate: "{{ app.sha256 != '' }}"
"""
CONTENT = b"any bytes"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def compiled(folder: Path, app: str, role: str = ROLE) -> Any:
    for name, text in (
        ("roles/app/role.yaml", role),
        ("dsc_configs/app.dsc.yaml", CONFIGURATION),
        ("inventory.yaml", INVENTORY.format(app=app)),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "app.zip").write_bytes(CONTENT)
    (node,) = Project(folder).compile(folder / "inventory.yaml").nodes.values()
    return node


def test_a_file_beside_the_inventory_goes_to_the_node_under_its_digest(tmp_path: Path) -> None:
    node = compiled(tmp_path, f"{{file: app.zip, sha256: {DIGEST.upper()}}}")
    (resource,) = node.configuration.resources
    (upload,) = node.expansion.uploads
    assert resource.properties["Path"] == rf"C:\Program Files\provisioner\installers\{DIGEST[:16]}\app.zip"
    assert (upload.source, upload.destination, upload.sha256) == (
        tmp_path / "app.zip",
        resource.properties["Path"],
        DIGEST,
    )
    assert node.expansion.variables["app"] == {"path": upload.destination, "sha256": DIGEST}


@pytest.mark.parametrize(
    "path", [r"D:\wheels.zip", r"\\server\share\a.tar.gz", "https://files.example/a?version=1"]
)
def test_a_path_of_the_node_needs_no_file_here(tmp_path: Path, path: str) -> None:
    node = compiled(tmp_path, f"{{path: '{path}', sha256: {DIGEST}}}")
    assert node.configuration.resources[0].properties["Path"] == path
    assert node.expansion.uploads == ()


@pytest.mark.parametrize(
    ("app", "message"),
    [
        ("app.zip", "says which file is meant, and this is text"),
        ("{file: app.zip}", f"write 'sha256: {DIGEST}'"),
        ("{file: app.zip, sha256: " + "a" * 64 + "}", "Package is another one"),
        ("{file: app.zip, product_code: x}", "is a package, and that has no key 'product_code'"),
        ("{file: none.zip, sha256: " + DIGEST + "}", "No such file or directory"),
        ("{path: 'C:\\a.zip'}", "it needs 'sha256' too"),
        ("{path: a.zip, sha256: " + DIGEST + "}", "the full path, share or address of a file"),
        ("{path: 'C:\\folder\\', sha256: " + DIGEST + "}", "the full path, share or address of a file"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(tmp_path: Path, app: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        compiled(tmp_path, app)
    assert message in str(caught.value)
    assert "inventory.yaml:8:" in str(caught.value)


def test_a_package_is_no_part_of_anything(tmp_path: Path) -> None:
    role = ROLE.replace("type: package,", "type: mapping, items: package,")
    with pytest.raises(InputError, match="'app' holds packages, and a variable of this type stands alone"):
        compiled(tmp_path, "{}", role)
