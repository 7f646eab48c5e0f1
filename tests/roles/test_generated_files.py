"""What roles write for a service is loaded by the service's own code, as the simulated node ended up with it.

The witness is the ConfigOpts of the real packages in the environment of their pins: no option it does not know, no
value it does not take. The file is taken from the machine's state: secrets are in it, line ends as on Windows.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path, PureWindowsPath
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.roles.runs import case_of, inventory_of
from tests.roles.site import Site, running_site
from tests.unit.options.services import Witness
from upkeep.options.recipes import RECIPES, Recipe

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

#: Service -> the role that writes its files, and their names.
WRITTEN = {
    "nova": ("nova_compute", {"nova.conf"}),
    "neutron-hyperv-agent": ("neutron_hyperv_agent", {"neutron_hyperv_agent.conf"}),
    "neutron-ovs-agent": ("neutron_ovs_agent", {"neutron_ovs_agent.conf"}),
    "cinder": ("cinder_volume", {"cinder.conf"}),
    "ceilometer": ("ceilometer_agent", {"ceilometer.conf"}),
    "cloudbase-init": ("cloudbase_init", {"cloudbase-init.conf", "cloudbase-init-unattend.conf"}),
}


def texts_on(site: Site, names: set[str]) -> dict[str, list[str]]:
    """Give the texts of files with these names on all nodes, by name."""
    found: dict[str, list[str]] = {name: [] for name in names}
    for node in site.machines:
        for entry in site.state(node, "files").get("changed", ()):
            name = PureWindowsPath(entry["path"]).name.lower()
            if name in names and "content" in entry:
                found[name].append(base64.b64decode(entry["content"]).decode("utf-8"))
    return found


def of_release(inventory: dict[str, Any], recipe: Recipe) -> dict[str, Any]:
    """Give the inventory with every node of the release of a recipe."""
    for node in inventory["nodes"].values():
        said = node.setdefault("variables", {})
        if recipe.service == "cloudbase-init":
            said["cloudbase_init_installer"] = package_of(node["lab"], recipe.release)
        else:
            said["openstack_release"] = recipe.release
    return inventory


def package_of(lab: dict[str, Any], version: str) -> dict[str, str]:
    """Give the package of a version that the lab has, as an inventory names it."""
    for address, text in lab["downloads"].items():
        digest = hashlib.sha256(text.encode()).hexdigest()
        package = lab["installers"].get(digest, {})
        if package.get("version", "").startswith(version):
            names = {"product_code": package["product_id"], "upgrade_code": package["upgrade_code"]}
            return {"path": address, "sha256": digest, "version": package["version"], **names}
    raise AssertionError(version)


def written_by(role: str, names: set[str], recipe: Recipe, folder: Path) -> dict[str, set[str]]:
    """Bring the role up, and change what its runs change; give every text that was written, by name."""
    case = case_of(role)
    found: dict[str, set[str]] = {name: set() for name in names}
    with running_site(folder, of_release(inventory_of(case, "2022"), recipe), case.get("secrets")) as site:
        for step in ({}, *case.get("changes", ())):
            site.write(of_release(inventory_of(case, "2022", step), recipe))
            applied = site.apply()
            assert not applied.failures, applied.text
            for name, texts in texts_on(site, names).items():
                found[name].update(texts)
    return found


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: f"{recipe.service}-{recipe.release}")
def test_what_a_role_writes_is_taken_by_the_service_itself(recipe: Recipe, tmp_path: Path) -> None:
    role, names = WRITTEN[recipe.service]
    witness = Witness(recipe)
    try:
        for name, texts in written_by(role, names, recipe, tmp_path).items():
            assert texts, f"no {name} was written"
            for text in texts:
                assert "@{secret:" not in text
                assert judged(witness, text) == {"parsed": True, "bad": [], "unknown": []}, text
                # What the service does not know would be told.
                planted = judged(witness, f"{text}\n[DEFAULT]\nno_such_option = 1\n")
                assert planted["unknown"] == [["DEFAULT", "no_such_option"]]
    finally:
        witness.close()


def judged(witness: Witness, text: str) -> dict[str, Any]:
    """Ask the service, whose files have the line ends of Linux here."""
    return witness.judge(text.replace("\r\n", "\n"))


#: What Windows Setup takes of an answer file (the reference of unattended setup): passes, and of a component its name,
#: architecture, the token of Microsoft's key, language and scope.
_PASSES = ["generalize", "specialize", "oobeSystem"]
_OF_A_COMPONENT = {
    "processorArchitecture": "amd64",
    "publicKeyToken": "31bf3856ad364e35",
    "language": "neutral",
    "versionScope": "nonSxS",
}
_UNATTEND, _ADD = (
    "{urn:schemas-microsoft-com:unattend}",
    "{http://schemas.microsoft.com/WMIConfig/2002/State}action",
)
_LONGEST_PATH = 259


@pytest.mark.parametrize("version", ["1.1.4", "1.1.9"])
def test_the_answers_of_windows_setup_have_the_form_it_takes(version: str, tmp_path: Path) -> None:
    (recipe,) = [each for each in RECIPES if (each.service, each.release) == ("cloudbase-init", version)]
    found = written_by("cloudbase_init", {"unattend.xml", "cloudbase-init-unattend.conf"}, recipe, tmp_path)
    assert found["unattend.xml"]
    for text in found["unattend.xml"]:
        root = ET.fromstring(text.encode())
        assert root.tag == f"{_UNATTEND}unattend"
        assert [each.get("pass") for each in root] == _PASSES
        for component in root.iter(f"{_UNATTEND}component"):
            assert dict(component.attrib) == _OF_A_COMPONENT | {"name": component.get("name")}
        (command,) = root.iter(f"{_UNATTEND}RunSynchronousCommand")
        assert command.get(_ADD) == "add"
        said = {each.tag.removeprefix(_UNATTEND): (each.text or "") for each in command}
        assert set(said) == {"Order", "Path", "Description", "WillReboot"}
        assert (said["Order"], said["WillReboot"]) == ("1", "OnRequest")
        assert "cloudbase-init-unattend.conf" in said["Path"]
        assert len(said["Path"]) <= _LONGEST_PATH
