"""The files of the role cloudbase_init, and the classes they name, in cloudbase-init's own code."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from provisioner.configuration.model import Configuration
from provisioner.options.check import check_text
from tests.compiling import REPOSITORY, compile_project, write
from tests.unit.options.services import Witness
from upkeep.options.environments import NoEnvironment, python_of
from upkeep.options.recipes import RECIPES, Recipe

_OF_THE_GUEST = [recipe for recipe in RECIPES if recipe.service == "cloudbase-init"]
_ROLE = yaml.safe_load((REPOSITORY / "roles/cloudbase_init/role.yaml").read_text("utf-8"))
_SERVICES = _ROLE["variables"]["cloudbase_init_metadata_services"]["choices"]
_PLUGINS = _ROLE["variables"]["cloudbase_init_plugins"]["choices"]
_NEW = "oraclecloud"

_LOADS = """
import importlib.util, json, sys
for name in json.load(sys.stdin):
    module, _, attribute = name.rpartition(".")
    path = importlib.util.find_spec(module)
    print(name if path and f"class {attribute}(" in open(path.origin, encoding="utf-8").read() else f"- {name}")
"""


def compiled(project: Path, release: str, **variables: Any) -> tuple[Configuration | None, list[str]]:
    """Compile a node with these variables of the role."""
    installer = {
        "path": "https://packages.example/c.msi",
        "sha256": "0" * 64,
        "product_code": "{ED85F19F-057A-4EE6-BC8D-F576DEACE78D}",
        "version": f"{release}.0",
    }
    given = {f"cloudbase_init_{name}": value for name, value in variables.items()}
    inventory = {
        "site": "test",
        "connection": {"user": "admin", "password": "env:PASSWORD"},
        "nodes": {
            "n1": {
                "address": "192.0.2.1",
                "roles": ["cloudbase_init"],
                "variables": {"cloudbase_init_installer": installer, **given},
            }
        },
    }
    write(project, {"inventory.yaml": yaml.safe_dump(inventory)})
    configurations, problems = compile_project(project, [REPOSITORY])
    return configurations.get("n1"), [problem.render() for problem in problems]


def files(project: Path, release: str, **variables: Any) -> Mapping[str, str]:
    """Give the files that a node with these variables gets, by name."""
    configuration, problems = compiled(project, release, **variables)
    assert problems == []
    assert configuration is not None
    found = {}
    for resource in configuration.resources:
        if "Contents" in resource.properties:
            name = resource.properties["Path"].rpartition("\\")[2]
            found[name] = resource.properties["Contents"]
    return found


def test_windows_setup_is_never_left_with_all_plugins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _, [problem] = compiled(tmp_path, "1.1.9", unattend_options={"DEFAULT": {"plugins": None}})
    assert "Without plugins in the file Windows Setup would run all that the service runs" in problem


def test_the_same_names_stand_for_the_same_classes_in_both_files() -> None:
    folder = REPOSITORY / "roles/cloudbase_init/templates"
    maps = [
        re.search(r"set plugins = (\{.*?\}) -%\}", (folder / name).read_text("utf-8"), re.DOTALL)
        for name in ("cloudbase-init.conf.j2", "cloudbase-init-unattend.conf.j2")
    ]
    first, second = (yaml.safe_load(found[1]) for found in maps if found)
    assert first == second
    assert list(first) == _PLUGINS


@pytest.mark.parametrize("name", ["x & y", "x's (y) [z]"])
def test_the_answers_of_windows_setup_are_xml_whatever_the_folder_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    text = files(tmp_path, "1.1.9", folder=rf"C:\{name}")["Unattend.xml"]
    command = ET.fromstring(text.encode()).find(".//{*}RunSynchronousCommand/{*}Path")
    assert command is not None
    assert command.text == (
        rf'cmd.exe /c ""C:\{name}\Python\Scripts\cloudbase-init.exe" --config-file '
        rf'"C:\{name}\conf\cloudbase-init-unattend.conf" && exit 1 || exit 2"'
    )


def test_the_answers_of_windows_setup_have_the_structure_it_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    root = ET.fromstring(files(tmp_path, "1.1.9")["Unattend.xml"].encode())
    assert root.tag == "{urn:schemas-microsoft-com:unattend}unattend"
    passes = {part.get("pass"): [each.get("name") for each in part] for part in root}
    assert passes == {
        "generalize": ["Microsoft-Windows-PnpSysprep"],
        "specialize": ["Microsoft-Windows-Deployment"],
        "oobeSystem": ["Microsoft-Windows-Shell-Setup"],
    }
    for component in root.findall("{*}settings/{*}component"):
        assert {key: value for key, value in component.attrib.items() if key != "name"} == {
            "processorArchitecture": "amd64",
            "publicKeyToken": "31bf3856ad364e35",
            "language": "neutral",
            "versionScope": "nonSxS",
        }
    [command] = root.findall(".//{*}RunSynchronous/{*}RunSynchronousCommand")
    assert command.attrib == {"{http://schemas.microsoft.com/WMIConfig/2002/State}action": "add"}
    told = {each.tag.rpartition("}")[2]: each.text or "" for each in command}
    assert list(told) == ["Order", "Path", "Description", "WillReboot"]
    assert (told["Order"], told["WillReboot"]) == ("1", "OnRequest")
    assert len(told["Path"]) <= 259
    # The longest folder the role takes is the longest that fits.
    longest = len(told["Path"]) + 2 * (69 - len(r"C:\Program Files\Cloudbase Solutions\Cloudbase-Init"))
    assert longest <= 259 < longest + 2


def test_setup_starts_the_service_after_the_commands_of_the_inventory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = files(tmp_path, "1.1.9", setup_complete=["first.cmd", "second.cmd"])["SetupComplete.cmd"]
    assert text.splitlines() == [
        "first.cmd",
        "second.cmd",
        "sc.exe config cloudbase-init start= auto && net.exe start cloudbase-init",
    ]


#: Everything the role can be told at once, for each release.
_EVERYTHING: dict[str, Any] = {
    "metadata_services": _SERVICES,
    "maas_url": "http://maas.example:5240/MAAS/metadata/",
    "plugins": _PLUGINS,
    "unattend_plugins": [name for name in _PLUGINS if name != "network"],
    "first_logon": "no",
    "groups": ["Administrators", "Remote Desktop Users"],
    "options": {"DEFAULT": {"san_policy": "OnlineAll", "volumes_to_extend": "1,2"}},
}


@pytest.mark.parametrize("recipe", _OF_THE_GUEST, ids=lambda recipe: recipe.release)
@pytest.mark.parametrize("variables", [{}, _EVERYTHING], ids=["defaults", "everything"])
def test_both_files_are_without_fault_and_without_a_deprecated_name(
    recipe: Recipe, variables: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in files(tmp_path, recipe.release, **for_release(variables, recipe)).items():
        if name.endswith(".conf"):
            assert check_text(text, "cloudbase-init", recipe.release) == []


def for_release(variables: Mapping[str, Any], recipe: Recipe) -> dict[str, Any]:
    """Leave out what the release has not."""
    services = variables.get("metadata_services")
    known = services and [name for name in services if name != _NEW or recipe.release != "1.1.4"]
    return {**variables, **({"metadata_services": known} if known else {})}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("recipe", _OF_THE_GUEST, ids=lambda recipe: recipe.release)
def test_cloudbase_init_itself_reads_the_files_and_has_the_classes(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    named: set[str] = set()
    with closing(Witness(recipe)) as witness:
        for variables in ({}, _EVERYTHING):
            texts = files(tmp_path, recipe.release, **for_release(variables, recipe))
            for name in ("cloudbase-init.conf", "cloudbase-init-unattend.conf"):
                assert witness.judge(texts[name]) == {"parsed": True, "bad": [], "unknown": []}
                named.update(re.findall(r"cloudbaseinit\.(?:\w+\.)+\w+", texts[name]))
    assert len(named) == len(_PLUGINS) + len(_SERVICES) - (recipe.release == "1.1.4")
    assert missing(recipe, named) == []
    assert missing(recipe, {"cloudbaseinit.plugins.common.mtu.MtuPlugin"}) != []


def missing(recipe: Recipe, names: set[str]) -> list[str]:
    """Return the classes that the package does not have."""
    try:
        python = python_of(recipe)
    except NoEnvironment as error:
        pytest.skip(str(error))
    # Modules of Windows are not here, so a class is looked up in the text of its module.
    told = subprocess.run(
        [python, "-I", "-c", _LOADS],
        input=json.dumps(sorted(names)),
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in told.stdout.splitlines() if line.startswith("- ")]
