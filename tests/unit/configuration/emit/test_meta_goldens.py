"""Metaconfigurations of the goldens come out of plain settings and out of an LCM profile."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from provisioner.configuration.emit.meta_mof import compile_lcm_profile, emit_meta_mof
from provisioner.configuration.instances import Alias, MofDocument
from provisioner.configuration.lcm.model import LcmPart
from provisioner.configuration.reading.parser import read_mof
from provisioner.inventory.model import MofEncoding
from tests.compiling import REPOSITORY
from tests.shared_data import shared
from tests.unit.configuration.builders import REGISTRY, at

SERVER = {
    "ServerURL": "https://prd-push-01:8443/PSDSCPullServer.svc",
    "RegistrationKey": "894de15f-d5db-47a9-9a48-546a814713ba",
}
SETTINGS: dict[str, dict[str, Any]] = {
    "004": {"DebugMode": ("ForceModuleImport",)},
    "017": {
        "ConfigurationMode": "ApplyAndAutoCorrect",
        "ConfigurationModeFrequencyMins": 15,
        "RefreshMode": "Push",
    },
    "024": {
        "RebootNodeIfNeeded": True,
        "ConfigurationMode": "ApplyOnly",
        "ActionAfterReboot": "ContinueConfiguration",
    },
    "036": {
        "ConfigurationMode": "ApplyAndAutoCorrect",
        "ConfigurationModeFrequencyMins": 15,
        "RebootNodeIfNeeded": True,
        "RefreshFrequencyMins": 30,
        "AllowModuleOverwrite": True,
        "RefreshMode": "Pull",
    },
}
MANAGERS = {
    "036": [
        LcmPart(
            "ConfigurationRepositoryWeb",
            "MSFT_WebDownloadManager",
            "ConfigurationDownloadManagers",
            "PullServer",
            {**SERVER, "ConfigurationNames": ("BaseOs",)},
            at(),
        ),
        LcmPart(
            "ResourceRepositoryWeb",
            "MSFT_WebResourceManager",
            "ResourceModuleManagers",
            "PullServerModules",
            {**SERVER, "AllowUnsecureConnection": False},
            at(),
        ),
        LcmPart("ReportServerWeb", "MSFT_WebReportManager", "ReportManagers", "ReportManager", SERVER, at()),
    ]
}
#: Windows PowerShell wrote these for a LocalConfigurationManager block in an ordinary configuration.
BESIDE = {"004", "024"}
PROFILE_036 = """\
description: Nodes that fetch what they should be.
settings:
  ConfigurationMode: applyandautocorrect
  ConfigurationModeFrequencyMins: 15
  RebootNodeIfNeeded: true
  RefreshFrequencyMins: 30
  AllowModuleOverwrite: true
  RefreshMode: pull
managers:
  - type: ConfigurationRepositoryWeb
    name: PullServer
    properties:
      ServerURL: https://prd-push-01:8443/PSDSCPullServer.svc
      RegistrationKey: env:KEY
      ConfigurationNames: BaseOs
  - type: ResourceRepositoryWeb
    name: PullServerModules
    properties:
      ServerUrl: https://prd-push-01:8443/PSDSCPullServer.svc
      RegistrationKey: env:KEY
      AllowUnsecureConnection: false
  - type: ReportServerWeb
    name: ReportManager
    properties:
      ServerURL: https://prd-push-01:8443/PSDSCPullServer.svc
      RegistrationKey: env:KEY
"""


def instances(document: MofDocument) -> list[Any]:
    """Everything but where and when it was compiled, and by whom."""
    left_out = {"SourceInfo", "Author", "GenerationDate", "GenerationHost", "Name"}
    return [
        (
            each.class_name,
            each.alias,
            {prop.name: prop.value for prop in each.properties if prop.name not in left_out},
        )
        for each in document.instances
    ]


def read(content: bytes) -> MofDocument:
    reading, problems = read_mof(content, "x.meta.mof")
    assert [each.render() for each in problems] == []
    assert reading is not None
    return reading.document


def golden(number: str) -> str:
    text = shared("mof-goldens", f"{number}.mof").read_bytes().decode("utf-16")
    text = re.sub(r"@GenerationDate=.*\r\n| GenerationDate=.*\r\n", "", text)
    text = re.sub(r"(@GeneratedBy|@GenerationHost)=.*?\r\n", r"\1=provisioner\r\n", text)
    text = re.sub(r'(Author|GenerationHost)=".*?"', r'\1="provisioner"', text)
    text = re.sub(r' Name=".*?"', ' Name="ProvisionerSettings"', text)
    return re.sub(r'SourceInfo = ".*?::(\w+)"', r'SourceInfo = "dsc_configs/test.dsc.yaml::1::1::\1"', text)


@pytest.mark.parametrize("number", SETTINGS)
def test_plain_settings_become_the_document_of_windows(number: str) -> None:
    text = golden(number)
    node = re.search("@TargetNode='(.*?)'", text)
    assert node is not None
    artifact = emit_meta_mof(
        node[1],
        SETTINGS[number],
        MofEncoding.UTF16,
        MANAGERS.get(number, ()),
        registry=REGISTRY,
        is_beside_configuration=number in BESIDE,
    )
    assert instances(read(artifact.content)) == instances(read(text.encode("utf-16")))
    assert artifact.content.decode("utf-16") == text


def test_a_profile_becomes_the_document_of_windows(tmp_path: Path) -> None:
    path = tmp_path / "pull.yaml"
    path.write_text(PROFILE_036)
    artifact, problems = compile_lcm_profile(
        path,
        "dev-node-01",
        REGISTRY,
        reveal=lambda reference: SERVER["RegistrationKey"] if reference.key == "KEY" else "",
    )
    assert {each.summary for each in problems} == {"Registration key stands in the document"}
    assert artifact is not None
    assert artifact.file_name == "dev-node-01.meta.mof"
    theirs = read(golden("036").encode("utf-16"))
    assert instances(read(artifact.content)) == instances(theirs)


def test_the_profile_in_the_documentation_is_one(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs/formats.md").read_text(encoding="utf-8")
    [example] = re.findall("```yaml\n(.*?)```", page, re.DOTALL)
    path = tmp_path / "pull.yaml"
    path.write_text(example)
    artifact, problems = compile_lcm_profile(path, "n1", REGISTRY, reveal=lambda _: "key")
    assert not problems.has_errors
    assert artifact is not None


def test_partial_configurations_and_credentials_are_written(tmp_path: Path) -> None:
    path = tmp_path / "parts.yaml"
    path.write_text("""\
settings: {RefreshMode: Push}
managers:
  - type: ConfigurationRepositoryShare
    name: Share
    properties: {SourcePath: '\\\\server\\share', Credential: {user: 'DOM\\svc', password: 'env:P'}}
  - {type: SignatureValidation, name: Signed, properties: {SignedItemType: [Configuration, Module]}}
partials:
  - {name: Base, properties: {Description: base, RefreshMode: Pull, ConfigurationSource: '[ConfigurationRepositoryShare]Share'}}
  - {name: Web, properties: {DependsOn: '[PartialConfiguration]Base'}}
""")

    class Sealer:
        is_encrypted = True

        def seal(self, _credential: object) -> str:
            return "sealed"

    artifact, problems = compile_lcm_profile(path, "n1", REGISTRY, MofEncoding.UTF8, seal=Sealer())
    assert [each.render() for each in problems] == []
    assert artifact is not None
    document = read(artifact.content)
    assert [each.class_name for each in document.instances] == [
        "MSFT_Credential",
        "MSFT_FileDownloadManager",
        "MSFT_SignatureValidation",
        "MSFT_PartialConfiguration",
        "MSFT_PartialConfiguration",
        "MSFT_DSCMetaConfiguration",
        "OMI_ConfigurationDocument",
    ]
    settings = document.instances[-2]
    assert settings.get("ConfigurationDownloadManagers") == (Alias("$MSFT_FileDownloadManager1ref"),)
    assert settings.get("PartialConfigurations") == (
        Alias("$MSFT_PartialConfiguration1ref"),
        Alias("$MSFT_PartialConfiguration2ref"),
    )
    assert settings.get("SignatureValidations") == (Alias("$MSFT_SignatureValidation1ref"),)
    assert document.instances[3].get("ResourceID") == "[PartialConfiguration]Base"
    assert document.instances[4].get("DependsOn") == ("[PartialConfiguration]Base",)
    assert document.instances[-1].get("MinimumCompatibleVersion") == "2.0.0"
    assert document.instances[-1].get("ContentType") == "PasswordEncrypted"


def test_without_settings_the_instance_is_empty() -> None:
    document = read(emit_meta_mof("n1", {}, MofEncoding.UTF8).content)
    assert next((each.class_name, each.properties) for each in document.instances) == (
        "MSFT_DSCMetaConfiguration",
        (),
    )


BAD = {
    "settings: {RefreshMode: Pul}": ["Value is not allowed"],
    "settings: {LCMState: Idle}": ["Property cannot be set"],
    "settings: {ReportManagers: []}": ["Property cannot be set"],
    "settings: {RebootNode: true}": ["Unknown property"],
    "settings: {RefreshFrequencyMins: soon}": ["Property has the wrong type"],
    "settings: {DebugMode: [All, None]}": ["LCM takes one debug mode"],
    "settings: 5": ["Mapping expected"],
    "other: 5": ["Unknown key"],
    "- 5": ["Mapping expected"],
    "managers: {}": ["List expected"],
    "managers: [{type: ReportServerWeb, name: a}]": ["Missing property"],
    "managers: [{type: ReportServerWeb}]": ["Text expected"],
    "managers: [{type: Settings, name: a}]": ["Unknown kind of server"],
    "managers: [{type: ReportServer, name: a}]": ["Unknown kind of server"],
    "managers: [{type: ReportServerWeb, name: a, properties: {ServerURL: x, RegistrationKey: letmein}}]": [
        "Secret is written in the configuration"
    ],
    "managers: [{type: ReportServerWeb, name: a, properties: {ServerURL: x, RegistrationKy: letmein, Foo: 1}}]": [
        "Unknown property",
        "Unknown property",
    ],
    "managers: [{type: ConfigurationRepositoryShare, name: a, properties: {SourcePath: x, Foo: 1, "
    "Credential: {user: u, password: letmein}}}]": [
        "Unknown property",
        "Secret is written in the configuration",
    ],
    "managers: [{type: ReportServerWeb, name: a, properties: 5}]": ["Mapping expected"],
    "managers: [{type: ConfigurationRepositoryShare, name: a, properties: {SourcePath: x, RegistrationKey: 'env:A'}}]": [
        "Unknown property"
    ],
    "managers: [{type: ReportServerWeb, name: a, properties: {ServerURL: x}}, "
    "{type: reportserverweb, name: A, properties: {ServerURL: x}}]": ["Name is used twice"],
    "partials: [{name: a, properties: {RefreshMode: Disabled}}]": [
        "Partial configuration cannot be disabled"
    ],
    "partials: [{name: a, properties: {RefreshMode: Pull}}]": ["Partial configuration has no source"],
    "settings: {RefreshMode: Pull}\npartials: [{name: a}]": ["Partial configuration has no source"],
    "partials: [{name: a, properties: {DependsOn: '[PartialConfiguration]b'}}]": ["Reference not found"],
    "partials: [{name: a, type: x}]": ["Unknown key"],
}


@pytest.mark.parametrize("text", BAD)
def test_a_wrong_profile_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    artifact, problems = compile_lcm_profile(path, "n1", REGISTRY)
    assert artifact is None
    found = [each.summary for each in problems if each.severity.value == "error"]
    assert found == BAD[text]
    assert not any("letmein" in each.render() for each in problems)
