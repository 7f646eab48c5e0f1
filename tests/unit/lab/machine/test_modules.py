"""Module folders: what is there decides what a node has."""

from __future__ import annotations

import pytest

from provisioner.lab.lcm.errors import LcmError
from provisioner.lab.machine.powershell import modules
from tests.unit.lab.lcm.building import FakeNode, document, service
from tests.unit.lab.machines import machine

FOLDER = r"C:\Program Files\WindowsPowerShell\Modules"


def test_the_modules_of_a_node_are_folders_with_manifests() -> None:
    files = machine(
        modules={"PSDscResources": ("2.12.0.0", "2.0"), "PSDesiredStateConfiguration": ("1.1",)}
    ).files

    assert files.is_file(rf"{FOLDER}\PSDscResources\2.12.0.0\PSDscResources.psd1")
    assert [item.name for item in files.children(FOLDER)] == ["PSDscResources"]
    assert modules.versions(files, "psdscresources") == ["2.0", "2.12.0.0"]
    assert modules.is_there(files, "psdscresources", "2.0")
    assert not modules.is_there(files, "PSDscResources", "2.1")
    assert modules.is_there(files, "PSDesiredStateConfiguration", "1.0")


@pytest.mark.parametrize(
    ("place", "text", "is_there"),
    [
        (r"New\1.2\New.psd1", "@{ModuleVersion = '1.2'}", True),
        (
            r"New\1.2\New.psd1",
            '# c\r\n<# more\r\n #>\r\n@{\r\n  moduleversion="1.2"\r\n}\r\n# SIG # Begin',
            True,
        ),
        (r"New\New.psd1", "@{\nModuleVersion = '1.2'\n}", True),
        (r"New\1.3\New.psd1", "@{\nModuleVersion = '1.2'\n}", False),
        (r"New\1.2\New.psd1", "@{\nModuleVersion = '1.3'\n}", False),
        (r"New\1.2\New.psd1", "@{\nModuleVersion = '1.2'\n", False),
        (r"New\1.2\New.psd1", "", False),
        (r"New\1.2\New.psd1", "\0\1garbage", False),
        (r"New\1.2\New.psd1", "@{\n# ModuleVersion = '1.2'\n}", False),
        (r"New\1.2\New.psm1", "function f {}", False),
    ],
)
def test_a_manifest_that_can_be_read_makes_a_module(place: str, text: str, *, is_there: bool) -> None:
    files = machine().files
    files.seed(rf"{FOLDER}\{place}", text.encode())

    assert modules.is_there(files, "New", "1.2") is is_there


def test_a_manifest_in_utf_16_is_read_too() -> None:
    files = machine().files
    files.seed(modules.manifest_path("New", "1.2"), "@{\r\nModuleVersion = '1.2'\r\n}".encode("utf-16"))
    assert modules.is_there(files, "New", "1.2")


def test_a_long_manifest_is_read_in_time_that_grows_with_it() -> None:
    files = machine().files
    files.seed(modules.manifest_path("New", "1.2"), b"#" * 200_000 + b"\n" + b"# <# " * 50_000)
    assert not modules.is_there(files, "New", "1.2")


async def test_a_module_that_is_put_there_can_be_used_and_one_that_is_damaged_cannot() -> None:
    node = FakeNode()
    wanted = document(service("a").replace("2.12.0.0", "2.10.0.0"))
    path = modules.manifest_path("PSDscResources", "2.10.0.0")
    gone = r"from module <PSDscResources,2\.10\.0\.0> does not exist at the PowerShell module path nor is it registered"
    with pytest.raises(LcmError, match=gone) as absent:
        await node.lcm.invoke("TestConfiguration", {"configurationData": wanted})
    assert absent.value.message.error_id == "DscResourceNotFound"
    node.machine.files.seed(path, b"@{\r\nModuleVersion = '2.10.0.0'\r\n}")
    assert (await node.lcm.invoke("TestConfiguration", {"configurationData": wanted}))[
        "InDesiredState"
    ] is False
    node.machine.files.write(path, b"@{\r\nModuleVersion = '2.10")
    with pytest.raises(LcmError, match=gone):
        await node.lcm.invoke("TestConfiguration", {"configurationData": wanted})
