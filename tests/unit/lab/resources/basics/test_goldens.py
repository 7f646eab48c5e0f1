"""The simulated resources of this family answer as the published modules do: every recorded case."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.lab.machine.features import Feature, Features, FeatureState, FeatureTable
from provisioner.lab.machine.machine import Machine
from provisioner.lab.machine.packages import digest_of
from provisioner.lab.machine.services import Service as WindowsService
from provisioner.lab.machine.services import Services
from provisioner.lab.resources.basics.msi_package import MsiPackage
from provisioner.lab.resources.basics.service import Service
from provisioner.lab.resources.basics.windows_feature import WindowsFeature
from provisioner.lab.spec import FileSpec, PackageSpec
from tests.unit.lab.machines import machine
from tests.unit.lab.resources.golden import Different, Key, Scenario, all_cases, compare, unknown_cases


def _features(state: dict[str, Any]) -> Machine:
    made = machine()
    restart = state.get("restart", "No")
    table = {
        item["Name"].casefold(): Feature(
            item["Name"],
            item["DisplayName"],
            subs=tuple(item["SubFeatures"]),
            parent=next(
                (other["Name"] for other in state["features"] if item["Name"] in other["SubFeatures"]), None
            ),
            is_default=item["Installed"],
            restart=restart,
            restart_removal=restart,
        )
        for item in state["features"]
    }
    made.features = Features(made.ledger, FeatureTable(table, {}), made.services)
    return made


def _services(state: dict[str, Any]) -> Machine:
    made = machine(name="NODE1")
    made.services = Services(
        made.ledger, [item for item in made.services if item.name in {"RpcSs", "EventLog"}]
    )
    made.services.change("RpcSs", dependencies=())
    for item in state["services"]:
        made.services.add(
            WindowsService(
                item["Name"],
                item["DisplayName"],
                item["PathName"],
                item["StartMode"],
                item["StartName"],
                item["Status"],
                tuple(item["Dependencies"]),
                item["Description"],
                item["DesktopInteract"],
            )
        )
    return made


def _read_services(made: Machine, _before: dict[str, Any]) -> Any:
    return [
        {
            "Name": item.name,
            "DisplayName": item.display_name,
            "Status": item.status,
            "PathName": item.path,
            "StartMode": item.start_mode,
            "StartName": item.start_name,
            "Description": item.description,
            "DesktopInteract": item.desktop_interact,
            "Dependencies": list(item.dependencies),
        }
        for item in made.services
        if item.name not in {"RpcSs", "EventLog"}
    ]


def _packages(state: dict[str, Any]) -> Machine:
    package = PackageSpec(
        state["msi_code"],
        "App",
        exit_codes=(state["exit"],),
        signer_subject="CN=Contoso" if state["signature"] == "Valid" else "",
        signer_thumbprint="AB12",
    )
    msi = [FileSpec(path, package=package) for path in state["files"] if path.casefold().endswith(".msi")]
    made = machine(files=tuple(msi))
    for path in state["files"]:
        if not made.files.is_file(path):
            made.files.seed(path, b"")
    digest = digest_of(msi[0].data) if msi else ""
    for item in state["products"]:
        values = {"DisplayName": item["DisplayName"], "InstallDate": item["InstallDate"]}
        if item["EstimatedSize"] is not None:
            values["EstimatedSize"] = item["EstimatedSize"]
        made.packages.adopt(item["Id"], digest, values, is_32_bit=item["Wow"])
    if state.get("renames"):
        made.registry.add_pending_rename("C:\\x")
    if state.get("server_feature_reboot"):
        made.features.install(["Multipath-IO"])
    return made


def _read_packages(made: Machine, before: dict[str, Any]) -> Any:
    paths = {*before["files"], "C:\\l.log"}
    known = {item["Id"] for item in before["products"]} | {before["msi_code"]}
    return {
        "products": sorted(item for item in known if made.packages.key_of(item)),
        "files": sorted(path for path in paths if made.files.is_file(path)),
    }


SCENARIOS = {
    ("PSDscResources", "WindowsFeature"): Scenario(
        WindowsFeature(),
        _features,
        lambda made, _before: {
            item.name: made.features.state(item.name) is FeatureState.INSTALLED
            for item in made.features.table.features.values()
        },
        lambda state: {item["Name"]: item["Installed"] for item in state["features"]},
    ),
    ("PSDscResources", "Service"): Scenario(
        Service(), _services, _read_services, lambda state: state["services"]
    ),
    ("PSDscResources", "MsiPackage"): Scenario(
        MsiPackage(),
        _packages,
        _read_packages,
        lambda state: {
            "products": [item["Id"] for item in state["products"]],
            "files": sorted(state["files"]),
        },
    ),
}

DIFFERING: dict[tuple[str, str], Different] = {}


@pytest.mark.parametrize(("key", "case"), all_cases(SCENARIOS))
async def test_a_resource_answers_as_the_published_module_did(key: Key, case: dict[str, Any]) -> None:
    await compare(key, case, SCENARIOS[key], DIFFERING)


def test_every_listed_difference_is_one_of_a_recorded_case() -> None:
    assert not unknown_cases(SCENARIOS, DIFFERING)
