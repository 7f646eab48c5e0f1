"""The simulated resources of this family answer as the published modules do: every recorded case."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from typing import Any

import pytest

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.basics import optional_features
from provisioner.lab.machine.basics.environment import ProcessEnvironment
from provisioner.lab.machine.ground.features import Feature, Features, FeatureState, FeatureTable, Restart
from provisioner.lab.machine.ground.files import Entry, parent_of
from provisioner.lab.machine.ground.packages import digest_of
from provisioner.lab.machine.ground.registry import ENVIRONMENT
from provisioner.lab.machine.ground.services import Service as WindowsService
from provisioner.lab.machine.ground.services import Services
from provisioner.lab.machine.machine import Machine
from provisioner.lab.resources.basics.environment import Environment
from provisioner.lab.resources.basics.msi_package import MsiPackage
from provisioner.lab.resources.basics.registry import Registry
from provisioner.lab.resources.basics.service import Service
from provisioner.lab.resources.basics.windows_feature import WindowsFeature
from provisioner.lab.resources.basics.windows_optional_feature import WindowsOptionalFeature
from provisioner.lab.spec import FileSpec, PackageSpec
from tests.unit.lab.machines import machine
from tests.unit.lab.resources.golden import (
    Different,
    Key,
    Scenario,
    all_cases,
    boot_what_is_pending,
    compare,
    unknown_cases,
)


def _features(state: dict[str, Any]) -> Machine:
    made = machine()
    restart: Restart = state.get("restart", "No")
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
    made.features.is_stuck = bool(state.get("fail") or state.get("answer_null"))
    for name, exception in (
        ("module_error", "System.IO.FileNotFoundException"),
        ("module_rt_error", "System.Management.Automation.RuntimeException"),
    ):
        if text := state.get(name):
            made.ledger.failing["Import-Module ServerManager"] = MachineError(text, "", "", exception)
    return made


_DISM_STATES = {text: state for state, (text, _number) in optional_features.STATES.items()}


def _optional_features(state: dict[str, Any]) -> Machine:
    # A case with "pending" keeps what waits for a boot; the name tells the one that settles.
    made = machine(name="waits" if state.get("pending") else "node1")
    restart: Restart = "Yes" if state.get("restart") else "No"
    table = {
        item["FeatureName"].casefold(): Feature(
            item["FeatureName"],
            f"Display {item['FeatureName']}",
            restart=restart,
            restart_removal=restart,
            optional_name=item["FeatureName"],
            description="d",
            custom=tuple(f"Name = {name}, Value = v, Path = p" for name in item["Custom"]),
        )
        for item in state["features"]
    }
    made.features = Features(made.ledger, FeatureTable(table, {}), made.services)
    made.features.load(
        {item["FeatureName"].casefold(): _DISM_STATES[item["State"]].value for item in state["features"]}
    )
    return made


def _read_optional_features(made: Machine, _before: dict[str, Any]) -> Any:
    return {
        item.optional_name: optional_features.STATES[made.features.state(item.name)][0]
        for item in optional_features.listed(made.features)
    }


def _boot_unless_it_waits(made: Machine) -> None:
    if made.name != "waits":
        boot_what_is_pending(made)


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
                start_behaviour="hang" if state.get("hang") else "ok",
                stop_behaviour="hang" if state.get("hang") else "ok",
            )
        )
    if state.get("change_return"):
        made.ledger.failing["Win32_Service.Change"] = MachineError("", str(state["change_return"]), "")
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
        # An installer that reports success and leaves nothing behind fails for the module: the code is not read.
        exit_codes=(1603 if state.get("no_effect") else state["exit"],),
        signer_subject="CN=Contoso" if state["signature"] == "Valid" else "",
        signer_thumbprint="AB12",
        comments="c",
    )
    msi = FileSpec("C:\\first.msi", package=package)
    made = machine(files=(msi,))
    made.files.remove(msi.path)
    # Whatever address is asked for has the package.
    made.downloads = defaultdict(msi.data.decode)
    # Products are installed on the day of the recording.
    made.files.clock = "2020-01-31T00:00:00+00:00"
    for path in state["files"]:
        content = msi.data if path.casefold().endswith(".msi") else b""
        if path.startswith("\\\\"):
            folder = parent_of(path)
            made.files.share({folder.casefold(): Entry(folder, None, "Directory", None, made.files.clock)})
            made.files.share({path.casefold(): Entry(path, content, "Archive", None, made.files.clock)})
        else:
            made.files.seed(path, content)
    digest = digest_of(msi.data)
    for item in state["products"]:
        values = {name: data for name, data in item.items() if name not in {"Id", "Wow"} and data is not None}
        made.packages.adopt(item["Id"], digest, values, is_32_bit=item["Wow"])
    if state.get("renames"):
        made.registry.add_pending_rename("C:\\x")
    if state.get("server_feature_reboot"):
        made.features.install(["Multipath-IO"])
    return made


def _with_real_hash(properties: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    """Name the hash that the file has here where the recording names the one its Get-FileHash always answers."""
    path, files = properties["Path"], _packages(state).files
    if str(properties.get("FileHash")).casefold() != "abcdef0123" or not files.is_file(path):
        return properties
    algorithm = properties.get("HashAlgorithm", "SHA256").lower()
    return {
        **properties,
        "FileHash": hashlib.new(algorithm, files.read(path), usedforsecurity=False).hexdigest(),
    }


def _read_packages(made: Machine, before: dict[str, Any]) -> Any:
    paths = {*before["files"], "C:\\l.log"}
    known = {item["Id"] for item in before["products"]} | {before["msi_code"]}
    return {
        "products": sorted(item for item in known if made.packages.key_of(item)),
        "files": sorted(path for path in paths if made.files.is_file(path)),
    }


def _environment(state: dict[str, Any]) -> Machine:
    made = machine()
    made.registry.delete_key(ENVIRONMENT)
    made.registry.make_key(ENVIRONMENT)
    for name, value in state["machine"].items():
        made.registry.set(ENVIRONMENT, name, value, "ExpandString" if "%" in value else "String")
    made.area(ProcessEnvironment).load({"SystemRoot": "C:\\Windows", **state["process"]})
    return made


def _read_environment(made: Machine, _before: dict[str, Any]) -> Any:
    values = made.registry.values(ENVIRONMENT).values()
    process = made.area(ProcessEnvironment).to_plain()
    process.pop("SystemRoot")
    return {value.name: value.data for value in values}, process


def _registry(state: dict[str, Any]) -> Machine:
    made = machine()
    for path, value in state["registry"].items():
        key, _, name = path.partition("\\\\")
        made.registry.make_key(key)
        if value != "(key)":
            data = value["data"]
            if value["kind"] == "Binary":
                data = data.replace("-", "").lower()
            made.registry.set(key, name, data, value["kind"])
    # The recorded type denies writing to a key when the case says so.
    return made


def _rows(made: Machine) -> set[str]:
    """Give all keys and values that a new machine does not have."""
    new = {json.dumps(row) for row in machine().registry.to_plain()}
    return {json.dumps(row) for row in made.registry.to_plain()} - new


SCENARIOS = {
    ("PSDscResources", "Registry"): Scenario(
        Registry(), _registry, lambda made, _before: _rows(made), lambda state: _rows(_registry(state))
    ),
    ("PSDscResources", "Environment"): Scenario(
        Environment(), _environment, _read_environment, lambda state: (state["machine"], state["process"])
    ),
    ("PSDscResources", "WindowsFeature"): Scenario(
        WindowsFeature(),
        _features,
        lambda made, _before: {
            item.name: made.features.state(item.name) is FeatureState.INSTALLED
            for item in made.features.table.features.values()
        },
        lambda state: {item["Name"]: item["Installed"] for item in state["features"]},
    ),
    ("PSDscResources", "WindowsOptionalFeature"): Scenario(
        WindowsOptionalFeature(),
        _optional_features,
        _read_optional_features,
        lambda state: {item["FeatureName"]: item["State"] for item in state["features"]},
        settle=_boot_unless_it_waits,
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
        adapt=_with_real_hash,
    ),
}

_ANY_NAME = Different("the recorded Add-WindowsFeature accepts unknown names and patterns", "set_error")
_KNOWS_ALL = "the recorded Get-WindowsOptionalFeature answers nothing for an unknown name, DISM refuses it"
_HAS_FILES = "the recorded cmdlets have the files of a feature whose payload was removed"
_UNKNOWN = Different(_KNOWS_ALL, "get", "test_before", "set_error", "test_after", "get_after")

DIFFERING: dict[tuple[str, str], Different] = {
    ("WindowsFeature", "unknown_feature"): _ANY_NAME,
    ("WindowsFeature", "unknown_feature_absent"): _ANY_NAME,
    ("WindowsFeature", "wildcard_many"): _ANY_NAME,
    ("WindowsFeature", "wildcard_one"): _ANY_NAME,
    ("WindowsOptionalFeature", "unknown_feature_null"): _UNKNOWN,
    ("WindowsOptionalFeature", "unknown_feature_null_absent"): _UNKNOWN,
    ("WindowsOptionalFeature", "payload_removed_absent"): Different(
        _HAS_FILES, "state_after", "test_after", "get_after"
    ),
    ("WindowsOptionalFeature", "payload_removed_present"): Different(
        _HAS_FILES, "set_error", "state_after", "test_after", "get_after"
    ),
    ("Service", "stop_timeout"): Different(
        "the recorded service is a property bag: its WaitForStatus fails as a script does", "set_error"
    ),
    ("Registry", "open_denied"): Different(
        "the recorded state does not say which key denies writing",
        "set_error",
        "state_after",
        "test_after",
        "get_after",
    ),
}


@pytest.mark.parametrize(("key", "case"), all_cases(SCENARIOS))
async def test_a_resource_answers_as_the_published_module_did(key: Key, case: dict[str, Any]) -> None:
    await compare(key, case, SCENARIOS[key], DIFFERING)


def test_every_listed_difference_is_one_of_a_recorded_case() -> None:
    assert not unknown_cases(SCENARIOS, DIFFERING)
