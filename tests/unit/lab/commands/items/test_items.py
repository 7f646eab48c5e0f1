"""Commands that make and change items: files, folders and values of the registry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner.lab.simulated_node import SimulatedNode
from provisioner.lab.spec import FileSpec, PackageSpec
from tests.unit.lab.commands.recording import Recorded, call, make_node, run

_PS = "Microsoft.PowerShell.Commands."
_KEY = r"HKLM:\SOFTWARE\App"


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    made = make_node(tmp_path)
    made.machine.files.seed(r"C:\data\a.txt", b"a")
    made.machine.files.seed(r"C:\data\sub\b.txt", b"b")
    return made


def errors(recorded: Recorded) -> list[tuple[str, str]]:
    return [(record.error_id, record.category) for record in recorded.errors]


async def test_files_and_folders_are_made_once(node: SimulatedNode) -> None:
    made = await run(node, call("New-Item", r"C:\new", ItemType="Directory"))
    assert made.values[0].type_names[0] == "System.IO.DirectoryInfo"
    file = await run(node, call("New-Item", r"C:\new", Name="x.txt", Value="text"))
    assert file.values[0].type_names[0] == "System.IO.FileInfo"
    assert node.machine.files.read(r"C:\new\x.txt") == b"text"
    twice = await run(
        node,
        call("New-Item", r"C:\new", ItemType="Directory", ends=True),
        call("New-Item", r"C:\new\x.txt", ends=True),
        call("New-Item", r"C:\none\x.txt"),
    )
    assert errors(twice) == [
        (f"DirectoryExist,{_PS}NewItemCommand", "ResourceExists"),
        (f"NewItemIOError,{_PS}NewItemCommand", "WriteError"),
        (f"NewItemIOError,{_PS}NewItemCommand", "WriteError"),
    ]
    assert not (await run(node, call("New-Item", r"C:\new", ItemType="Directory", Force=True))).errors


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, b"h\xe9\r\n"),
        ({"Encoding": "UTF8"}, b"\xef\xbb\xbfh\xc3\xa9\r\n"),
        ({"Encoding": "Unicode", "NoNewline": True}, b"\xff\xfeh\x00\xe9\x00"),
        ({"Encoding": "ASCII"}, b"h?\r\n"),
    ],
)
async def test_content_is_encoded_as_windows_powershell_does(
    node: SimulatedNode, parameters: dict[str, Any], expected: bytes
) -> None:
    await run(node, call("Set-Content", r"C:\data\c.txt", "h\xe9", **parameters))
    assert node.machine.files.read(r"C:\data\c.txt") == expected


async def test_content_is_appended_without_a_second_mark(node: SimulatedNode) -> None:
    for text in ("a", "b"):
        await run(node, call("Add-Content", r"C:\data\c.txt", text, Encoding="UTF8"))
    assert node.machine.files.read(r"C:\data\c.txt") == b"\xef\xbb\xbfa\r\nb\r\n"
    await run(node, call("Out-File", r"C:\data\o.txt"), given=["x"])
    assert node.machine.files.read(r"C:\data\o.txt") == b"\xff\xfex\x00\r\x00\n\x00"


async def test_what_cannot_be_written_is_an_error(node: SimulatedNode) -> None:
    missing = await run(node, call("Set-Content", r"C:\none\c.txt", "x"))
    assert errors(missing) == [
        (f"GetContentWriterDirectoryNotFoundError,{_PS}SetContentCommand", "ObjectNotFound")
    ]
    node.machine.files.set_attributes(r"C:\data\a.txt", "ReadOnly, Archive")
    denied = await run(node, call("Set-Content", r"C:\data\a.txt", "x"))
    assert errors(denied) == [
        (f"GetContentWriterUnauthorizedAccessError,{_PS}SetContentCommand", "PermissionDenied")
    ]


async def test_items_are_copied_moved_and_renamed(node: SimulatedNode) -> None:
    files = node.machine.files
    await run(node, call("Copy-Item", r"C:\data", r"C:\copy", Recurse=True))
    assert files.read(r"C:\copy\sub\b.txt") == b"b"
    await run(node, call("Copy-Item", r"C:\data", r"C:\shallow"))
    assert files.children(r"C:\shallow") == []
    await run(node, call("Move-Item", r"C:\data\a.txt", r"C:\copy\sub"))
    assert files.is_file(r"C:\copy\sub\a.txt")
    assert not files.is_file(r"C:\data\a.txt")
    await run(node, call("Rename-Item", r"C:\copy\sub", "other"))
    assert files.read(r"C:\copy\other\a.txt") == b"a"
    refused = await run(node, call("Copy-Item", r"C:\copy\a.txt", r"C:\none\a.txt"))
    assert errors(refused)[0][1] == "WriteError"


async def test_values_of_the_registry_are_made_changed_and_removed(node: SimulatedNode) -> None:
    registry = node.machine.registry
    await run(node, call("New-Item", _KEY), call("New-ItemProperty", _KEY, "N", Value=5, ends=True))
    await run(node, call("New-ItemProperty", _KEY, "N", Value=5, PropertyType="DWord"))
    assert (registry.get(_KEY, "N"), registry.values(_KEY)["N"].kind) == (5, "DWord")
    twice = await run(node, call("New-ItemProperty", _KEY, "N", Value=6))
    assert errors(twice) == [(f"System.IO.IOException,{_PS}NewItemPropertyCommand", "WriteError")]
    await run(
        node, call("Set-ItemProperty", _KEY, "N", 7), call("Set-ItemProperty", _KEY, "T", "x", ends=True)
    )
    await run(node, call("Set-ItemProperty", _KEY, "N", 7))
    assert (registry.get(_KEY, "N"), registry.values(_KEY)["N"].kind) == (7, "DWord")
    await run(node, call("Remove-ItemProperty", _KEY, "N"))
    missing = await run(node, call("Remove-ItemProperty", _KEY, "N"))
    assert errors(missing) == [
        (
            f"System.Management.Automation.PSArgumentException,{_PS}RemoveItemPropertyCommand",
            "InvalidArgument",
        )
    ]


async def test_a_file_becomes_read_only(node: SimulatedNode) -> None:
    await run(node, call("Set-ItemProperty", r"C:\data\a.txt", "IsReadOnly", True))
    entry = node.machine.files.find(r"C:\data\a.txt")
    assert entry is not None
    assert "ReadOnly" in entry.attributes


async def test_installers_may_be_signed(tmp_path: Path) -> None:
    package = PackageSpec("{12345678-90AB-CDEF-1234-567890ABCDEF}", "App", signer_subject="CN=Contoso")
    node = make_node(tmp_path, files=(FileSpec(r"C:\app.msi", package=package), FileSpec(r"C:\a.txt", "a")))
    shown = await run(node, call("Get-AuthenticodeSignature", [r"C:\app.msi", r"C:\a.txt"]))
    assert [item.properties["Status"].text for item in shown.values] == ["Valid", "NotSigned"]
    missing = await run(node, call("Get-AuthenticodeSignature", r"C:\none"))
    assert errors(missing) == [(f"PathNotFound,{_PS}GetAuthenticodeSignatureCommand", "ObjectNotFound")]


async def test_a_full_disk_is_an_error_of_writing(node: SimulatedNode) -> None:
    node.machine.files.full.add("C")
    full = await run(node, call("Set-Content", r"C:\data\c.txt", "x"))
    assert errors(full) == [(f"GetContentWriterIOError,{_PS}SetContentCommand", "WriteError")]
    assert full.errors[0].message == "There is not enough space on the disk."
