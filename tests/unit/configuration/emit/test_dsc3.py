"""A DSC v3 document is one Microsoft's own schema accepts, and means what the configuration says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioner.addresses import ResourceId, SecretRef
from provisioner.configuration.emit.dsc3 import (
    ADAPTER,
    document,
    emit_dsc3_json,
    emit_dsc3_yaml,
    expression_free,
    map_names,
)
from provisioner.configuration.model import Configuration, Credential, Instance, Resource
from provisioner.diagnostics import Diagnostics
from tests.shared_data import shared
from tests.unit.configuration.builders import REGISTRY, at, configuration, resource
from tests.unit.configuration.emit.generated import TEXT, configurations


def service(name: str, *targets: ResourceId, **more: Any) -> Resource:
    found = resource("PSDscResources/Service", name, {"Name": name, **more})
    return Resource(found.id, found.type, found.properties, targets, found.where, {}, version="2.12.0.0")


def plain(*resources: Resource) -> tuple[dict[str, Any], list[str]]:
    problems = Diagnostics()
    return document(configuration(*resources), REGISTRY, problems), [each.summary for each in problems]


def test_a_document_tells_what_each_name_stands_for_and_depends_by_expression() -> None:
    found, problems = plain(
        service("W3SVC"), service("pool", ResourceId("service", "w3svc"), State="Running")
    )
    assert problems == []
    assert found == {
        "$schema": "https://aka.ms/dsc/schemas/v3.1/bundled/config/document.json",
        "metadata": {
            "Microsoft.DSC": {"securityContext": "elevated"},
            "provisioner": {
                "node": "hv01",
                "configuration": "C0",
                "modules": {"PSDscResources": "2.12.0.0"},
                "names": {"Service W3SVC": "[Service]W3SVC", "Service pool": "[Service]pool"},
            },
        },
        "resources": [
            {
                "name": "Service W3SVC",
                "type": ADAPTER,
                "properties": {
                    "resources": [
                        {
                            "name": "Service W3SVC",
                            "type": "PSDscResources/Service",
                            "properties": {"Name": "W3SVC"},
                        }
                    ]
                },
            },
            {
                "name": "Service pool",
                "type": ADAPTER,
                "dependsOn": ["[resourceId('Microsoft.Windows/WindowsPowerShell','Service W3SVC')]"],
                "properties": {
                    "resources": [
                        {
                            "name": "Service pool",
                            "type": "PSDscResources/Service",
                            "properties": {"Name": "pool", "State": "Running"},
                        }
                    ]
                },
            },
        ],
    }


def properties(found: dict[str, Any]) -> dict[str, Any]:
    inner: dict[str, Any] = found["resources"][0]["properties"]["resources"][0]["properties"]
    return inner


def test_credentials_are_parameters_of_the_secure_kind() -> None:
    user = Credential("DOM\\svc", SecretRef("env", "DB_PASSWORD"), at())
    found, _ = plain(service("a", Credential=user, PsDscRunAsCredential=user))
    assert found["parameters"] == {
        "DbPasswordCredential": {
            "type": "secureObject",
            "metadata": {"description": "user 'DOM\\svc', password from env:DB_PASSWORD"},
        }
    }
    assert properties(found)["Credential"] == "[parameters('DbPasswordCredential')]"


def test_embedded_instances_are_objects_pairs_a_mapping_and_dates_iso() -> None:
    entry = Instance("NTFSAccessControlEntry", {"FileSystemRights": ("Read",), "Ensure": "Present"})
    pairs = tuple(Instance("MSFT_KeyValuePair", {"Key": key, "Value": "[v]"}) for key in ("k1", "k2"))
    found, _ = plain(service("a", Entries=(entry,), Map=pairs, Nothing=None, Number=5))
    assert properties(found) == {
        "Name": "a",
        "Entries": [{"FileSystemRights": ["Read"], "Ensure": "Present"}],
        "Map": {"k1": "[[v]", "k2": "[[v]"},
        "Number": 5,
    }
    preference = resource(
        "xDefender/xMpPreference", "p", {"Name": "p", "ScanScheduleTime": "20250131120000.000000+060"}
    )
    assert properties(plain(preference)[0])["ScanScheduleTime"] == "2025-01-31T12:00:00.000000+01:00"


def test_one_pair_is_a_mapping_and_a_length_of_time_stays_as_it_is() -> None:
    found, _ = plain(service("a", Map=Instance("MSFT_KeyValuePair", {"Key": "k", "Value": "v"})))
    assert properties(found)["Map"] == {"k": "v"}
    interval = {"Name": "p", "ScanScheduleTime": "00000001000000.000000:000"}
    found, _ = plain(resource("xDefender/xMpPreference", "p", interval))
    assert properties(found)["ScanScheduleTime"] == interval["ScanScheduleTime"]


def test_what_v3_cannot_say_is_told() -> None:
    user = Credential("u", SecretRef("env", "P"), at())
    pairs = tuple(Instance("MSFT_KeyValuePair", {"Key": key, "Value": "v"}) for key in ("a", "A"))
    made_of_a_class = resource("DnsServerDsc/DnsRecordA", "r", {"Name": "r", "PsDscRunAsCredential": user})
    _, problems = plain(service("a", Map=pairs), made_of_a_class)
    assert sorted(problems) == [
        "Document cannot hold a key twice",
        "Document cannot run this resource as another user",
    ]


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("", ""),
        ("plain [x]", "plain [x]"),
        ("[x]", "[[x]"),
        ("[[x", "[[[x"),
        ("[", "[["),
        (" [x]", "[concat(' [','x]')]"),
        ("\n[", "[concat('\n','[')]"),
        ("[DEFAULT]\nname = it's\n", "[concat('[','DEFAULT]\nname = it''s\n')]"),
    ],
)
def test_a_text_that_looks_like_an_expression_is_protected(text: str, spelled: str) -> None:
    assert expression_free(text) == spelled


@given(TEXT)
def test_a_protected_text_means_itself(text: str) -> None:
    assert meaning(expression_free(text)) == text


def meaning(spelled: str) -> str:
    """What the engine makes of a text: the rules of its expression grammar, for what we write."""
    inside = spelled.lstrip(" \n")
    if not inside.startswith("["):
        return spelled
    assert inside == spelled
    if spelled.startswith("[["):
        assert "\n" not in spelled
        return spelled[1:]
    call = re.fullmatch(r"\[concat\('((?:[^']|'')+)','((?:[^']|'')+)'\)\]", spelled)
    assert call is not None
    return "".join(part.replace("''", "'") for part in call.groups())


@given(
    st.lists(st.builds(ResourceId, st.sampled_from(["Service", "My_Type"]), TEXT.filter(bool), st.just("")))
)
def test_names_are_mapped_one_to_one(ids: list[ResourceId]) -> None:
    names = map_names(ids)
    assert len({name.casefold() for name in names.values()}) == len({each.folded for each in ids})
    assert all(re.fullmatch("[A-Za-z0-9]+(?: [A-Za-z0-9]+)*", name) for name in names.values())


def test_a_name_stays_when_other_resources_come() -> None:
    one, other = ResourceId("Service", "a.b"), ResourceId("Service", "a-b")
    assert map_names([one])[one.folded] == map_names([other, one])[one.folded]
    assert map_names([ResourceId("Service", "x", "[Set]y")]) != map_names([ResourceId("Service", "x")])


def test_a_name_that_is_taken_is_given_to_nobody_else() -> None:
    lossy = ResourceId("Service", "a.b")
    name = map_names([lossy])[lossy.folded]
    plain_one = ResourceId("Service", name.removeprefix("Service "))
    assert len(set(map_names([lossy, plain_one]).values())) == 2
    assert len(set(map_names([plain_one, lossy]).values())) == 2


def test_yaml_and_json_hold_the_same_data() -> None:
    found = configuration(service("a", Text="yes", Lines=("[x]", "1", "multi\nline\n")), service("b", n=1.5))
    as_yaml, _ = emit_dsc3_yaml(found, REGISTRY)
    as_json, _ = emit_dsc3_json(found, REGISTRY)
    assert (as_yaml.file_name, as_json.file_name) == ("hv01.dsc.config.yaml", "hv01.dsc.config.json")
    assert yaml.safe_load(as_yaml.content) == json.loads(as_json.content)


def check(folder: Path, files: list[Path]) -> None:
    schema = shared("catalog", "dsc3-schemas", "v3.1.0", "bundled", "config", "document.json")
    pytest.importorskip("check_jsonschema")
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--schemafile", str(schema), *map(str, files)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_microsofts_schema_accepts_every_document_we_make(tmp_path: Path) -> None:
    files: list[Path] = []

    @settings(max_examples=50, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(configurations())
    def collect(found: Configuration) -> None:
        for emit in (emit_dsc3_yaml, emit_dsc3_json):
            artifact, _ = emit(found, REGISTRY)
            path = tmp_path / f"{len(files)}{artifact.file_name}"
            path.write_bytes(artifact.content)
            files.append(path)

    collect()
    check(tmp_path, files)


def test_microsofts_schema_refuses_what_we_take_care_of(tmp_path: Path) -> None:
    found, _ = plain(service("a"))
    found["resources"][0]["name"] = "[Service]a"
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(found))
    with pytest.raises(AssertionError, match="does not match"):
        check(tmp_path, [path])
