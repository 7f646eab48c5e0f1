"""A script says what the document says, and a parser of PowerShell takes every script we write."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_powershell
from hypothesis import HealthCheck, given, settings

from provisioner.addresses import ResourceId, SecretRef
from provisioner.catalogue.schema import CimType, Property, ResourceType
from provisioner.configuration.emit import powershell_literals as literals
from provisioner.configuration.emit.powershell import emit_powershell
from provisioner.configuration.model import Configuration, Credential, Instance, Resource
from provisioner.diagnostics import Diagnostics
from tests.unit.configuration.builders import REGISTRY, at, configuration, resource, resource_type
from tests.unit.configuration.emit.generated import configurations

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))


def script(*resources: Resource, node: str = "hv01") -> tuple[str, Diagnostics]:
    artifact, problems = emit_powershell(configuration(*resources, node=node), REGISTRY)
    assert artifact.file_name == f"{node}.ps1"
    assert artifact.content.startswith(b"\xef\xbb\xbf")
    return artifact.content.decode("utf-8-sig"), problems


def mistakes(text: str) -> list[str]:
    """What the parser did not take."""
    found = []
    waiting = [PARSER.parse(text.encode()).root_node]
    while waiting:
        node = waiting.pop()
        if node.is_error or node.is_missing:
            found.append(f"{node.start_point}: {node.text!r}")
        waiting.extend(node.children)
    return found


def service(name: str, *targets: ResourceId, **more: object) -> Resource:
    found = resource("PSDscResources/Service", name, {"Name": name, **more})
    return Resource(found.id, found.type, found.properties, targets, found.where, {}, version="2.12.0.0")


def test_a_script_reads_like_one_a_person_wrote() -> None:
    text, problems = script(
        service("W3SVC", State="Running"),
        service("app pool", ResourceId("Service", "W3SVC"), State="Running"),
    )
    assert len(problems) == 0
    assert text == (
        "# hv01, written by provisioner. To change it, change what it was written from.\n"
        "#   . .\\hv01.ps1\n"
        "#   C0 -OutputPath .\n"
        "Configuration C0\n"
        "{\n"
        "    Import-DscResource -ModuleName 'PSDscResources' -ModuleVersion '2.12.0.0'\n"
        "\n"
        "    Node 'hv01'\n"
        "    {\n"
        "        Service 'W3SVC'\n"
        "        {\n"
        "            Name = 'W3SVC'\n"
        "            State = 'Running'\n"
        "        }\n"
        "\n"
        "        Service 'app pool'\n"
        "        {\n"
        "            Name = 'app pool'\n"
        "            State = 'Running'\n"
        "            DependsOn = @('[Service]W3SVC')\n"
        "        }\n"
        "    }\n"
        "}\n"
    )


def test_credentials_are_mandatory_parameters_one_for_each_secret() -> None:
    one = Credential("DOM\\svc", SecretRef("env", "DB_PASSWORD"), at())
    other = Credential("DOM\\svc", SecretRef("file", "db password"), at())
    text, problems = script(
        service("a", Credential=one), service("b", Credential=one), service("c", PsDscRunAsCredential=other)
    )
    assert len(problems) == 0
    assert re.findall(r"(\w+) = (\$\w+)", text) == [
        ("Credential", "$DbPasswordCredential"),
        ("Credential", "$DbPasswordCredential"),
        ("PsDscRunAsCredential", "$DbPassword2Credential"),
    ]
    assert text.count("[PSCredential]") == 2
    assert "HelpMessage = 'user ''DOM\\svc'', password from env:DB_PASSWORD'" in text
    assert mistakes(text) == []


def test_named_secrets_are_one_parameter() -> None:
    carrier = Credential("secrets", None, at(), {"token": SecretRef("env", "TOKEN", ("url",))})
    text, _ = script(service("a", Credential=carrier))
    assert "password of lines name=base64: token from env:TOKEN|url" in text


def test_embedded_instances_are_blocks_and_pairs_a_hashtable() -> None:
    entry = Instance("NTFSAccessControlEntry", {"FileSystemRights": ("Read", "Write"), "Ensure": "Present"})
    access = Instance("NTFSAccessControlList", {"Principal": "Users", "AccessControlEntry": (entry,)})
    pairs = tuple(Instance("MSFT_KeyValuePair", {"Key": key, "Value": "v"}) for key in ("k 1", "k2"))
    kind = ResourceType(
        "NTFSAccessEntry",
        "NTFSAccessEntry",
        "AccessControlDsc",
        "1.4.3",
        tuple(Property(name, CimType.STRING) for name in ("Path", "AccessControlList", "Map")),
    )
    text, _ = script(resource(kind, "acl", {"Path": "C:\\x", "AccessControlList": (access,), "Map": pairs}))
    assert (
        "            AccessControlList = @(\n"
        "                NTFSAccessControlList {\n"
        "                    Principal = 'Users'\n"
        "                    AccessControlEntry = @(\n"
        "                        NTFSAccessControlEntry {\n"
        "                            FileSystemRights = @('Read', 'Write')\n"
        "                            Ensure = 'Present'\n"
        "                        }\n"
        "                    )\n"
        "                }\n"
        "            )\n"
        "            Map = @{\n"
        "                'k 1' = 'v'\n"
        "                'k2' = 'v'\n"
        "            }\n"
    ) in text
    assert mistakes(text) == []


@pytest.mark.parametrize(
    ("version", "line"),
    [
        ("1.0", "Import-DscResource -ModuleName 'PSDesiredStateConfiguration'\n"),
        ("0.0", "Import-DscResource -ModuleName 'PSDesiredStateConfiguration'\n"),
        ("1.1", "Import-DscResource -ModuleName 'PSDesiredStateConfiguration' -ModuleVersion '1.1'\n"),
    ],
)
def test_the_module_in_the_box_is_imported_so_that_its_version_is_written(version: str, line: str) -> None:
    found = resource("PSDesiredStateConfiguration/Log", "l", {"Message": "m"})
    text, _ = script(Resource(found.id, found.type, found.properties, (), at(), {}, version=version))
    assert line in text


def test_a_module_is_imported_in_the_case_its_author_used() -> None:
    text, problems = script(replace(service("a"), module="psdscresources"), service("b"))
    assert len(problems) == 0
    assert re.findall("-ModuleName '(.*?)'", text) == ["psdscresources"]


def test_a_keyword_of_two_imported_modules_is_named_with_its_module() -> None:
    found = resource("PSDesiredStateConfiguration/Service", "s", {"Name": "s"})
    log = resource("PSDesiredStateConfiguration/Log", "l", {"Message": "m"})
    text, _ = script(found, service("t"), log)
    blocks = re.findall(r"^ {8}(\S+) '", text, re.MULTILINE)
    assert blocks == ["PSDesiredStateConfiguration\\Service", "PSDscResources\\Service", "Log"]
    assert mistakes(text) == []


def members(*names: str, **shared: object) -> list[Resource]:
    kind = REGISTRY.resource_type("PSDscResources", "WindowsFeature")
    assert kind is not None
    return [
        Resource(
            ResourceId("WindowsFeature", f"Resource{number}", "[WindowsFeatureSet]web"),
            kind,
            {"Name": name, **shared},
            (),
            at(),
            {},
            version=kind.version,
        )
        for number, name in enumerate(names)
    ]


def test_members_of_a_set_become_the_set_again() -> None:
    first, second = members("Web-Server", "Web-Asp", Ensure="Present")
    text, problems = script(first, second, service("W3SVC", first.id, second.id))
    assert len(problems) == 0
    assert (
        "        WindowsFeatureSet 'web'\n"
        "        {\n"
        "            Name = @('Web-Server', 'Web-Asp')\n"
        "            Ensure = 'Present'\n"
        "        }\n"
    ) in text
    assert "DependsOn = @('[WindowsFeatureSet]web')" in text
    assert mistakes(text) == []


def summaries(problems: Diagnostics) -> list[str]:
    return [each.summary for each in problems]


def placed_in(composite: str, member: str, *given: dict[str, object]) -> list[Resource]:
    kind, within = resource_type(f"PSDscResources/{member}"), f"[{composite}]one"
    return [
        replace(resource(kind, "x", properties), id=ResourceId(member, f"Resource{number}", within))
        for number, properties in enumerate(given)
    ]


def test_what_a_set_adds_to_its_members_is_not_written() -> None:
    text, problems = script(
        *placed_in(
            "ProcessSet", "WindowsProcess", {"Path": "a", "Arguments": ""}, {"Path": "b", "Arguments": ""}
        )
    )
    assert summaries(problems) == []
    assert "            Path = @('a', 'b')\n" in text
    assert "Arguments" not in text


def test_what_a_set_never_passes_on_is_no_set() -> None:
    _, problems = script(*placed_in("ProcessSet", "WindowsProcess", {"Path": "a", "Arguments": "/q"}))
    assert summaries(problems) == ["Script cannot place a resource in this composite"]


def test_members_with_one_credential_in_two_places_are_a_set() -> None:
    given: list[dict[str, object]] = [
        {
            "Name": name,
            "Credential": Credential("u", SecretRef("env", "P"), at(line)),
            "PsDscRunAsCredential": Credential("v", SecretRef("env", "V"), at(line)),
        }
        for line, name in enumerate("ab", 1)
    ]
    text, problems = script(*placed_in("ServiceSet", "Service", *given))
    assert summaries(problems) == []
    assert "            Name = @('a', 'b')\n            Credential = $PCredential\n" in text
    assert "            PsDscRunAsCredential = $VCredential\n" in text


def test_a_dependency_on_one_member_of_a_set_cannot_be_said() -> None:
    first, second = members("Web-Server", "Web-Asp")
    _, problems = script(first, second, service("W3SVC", first.id))
    assert summaries(problems) == ["Script cannot depend on this resource"]


def test_a_name_nothing_can_depend_on_is_told_once_where_it_stands() -> None:
    odd = resource("PSDscResources/Service", "a:b", {"Name": "x"}, where=at(7))
    _, problems = script(odd, service("c", odd.id), service("d", odd.id))
    [problem] = problems
    assert str(problem.where) == "dsc_configs/test.dsc.yaml:7:1"
    assert problem.detail.startswith("'[Service]c' at dsc_configs/test.dsc.yaml:1:1 depends on it, ")


def test_a_composite_that_is_no_set_cannot_be_said() -> None:
    found = service("a")
    for within in ("[Web]one", "[ServiceSet]one", "[ServiceSet]one::[Web]two"):
        inside = Resource(ResourceId("Service", "a", within), found.type, found.properties, (), at(), {})
        _, problems = script(inside)
        assert summaries(problems) == ["Script cannot place a resource in this composite"]


def test_a_dependency_on_a_name_outside_the_form_cannot_be_said() -> None:
    _, problems = script(service("[V-1]"), service("b", ResourceId("Service", "[V-1]")))
    assert summaries(problems) == ["Script cannot depend on this resource"]


def test_two_versions_of_a_module_cannot_be_said() -> None:
    other = resource("xPSDesiredStateConfiguration/xService", "a", {"Name": "a"})
    old = REGISTRY.resource_type("xPSDesiredStateConfiguration", "xService", "8.4.0.0")
    assert old is not None
    _, problems = script(other, resource(old, "b", {"Name": "b"}))
    assert summaries(problems) == ["Script cannot hold several versions of a module"]


def test_what_a_script_writes_otherwise_is_a_warning() -> None:
    found = resource(
        "xDefender/xMpPreference", "p", {"Name": "p", "ScanScheduleTime": "20250131120000.000000+060"}
    )
    _, problems = script(found, service("a", Dependencies=()))
    assert [(each.severity.value, each.summary) for each in problems] == [
        ("warning", "Script writes a date in another time zone"),
        ("warning", "Script loses an empty array"),
    ]


def test_nothing_is_null_and_a_length_of_time_cannot_be_said() -> None:
    interval = {"Name": "p", "ScanScheduleTime": "00000001000000.000000:000", "SignatureScheduleTime": None}
    text, problems = script(resource("xDefender/xMpPreference", "p", interval))
    assert "SignatureScheduleTime = $null" in text
    assert summaries(problems) == ["Script cannot hold an interval"]


def test_a_property_that_takes_one_pair_gets_a_hashtable_too() -> None:
    text, problems = script(service("a", Map=Instance("MSFT_KeyValuePair", {"Key": "k", "Value": "v"})))
    assert len(problems) == 0
    assert "            Map = @{\n                'k' = 'v'\n            }\n" in text


def test_a_hashtable_has_a_key_once() -> None:
    pairs = tuple(Instance("MSFT_KeyValuePair", {"Key": key, "Value": "v"}) for key in ("a", "A"))
    _, problems = script(service("a", Map=pairs))
    assert summaries(problems) == ["Script cannot hold a key twice"]


def test_a_parser_takes_every_property_name_of_the_catalogue() -> None:
    names = {prop.name for kind in REGISTRY.resource_types() for prop in kind.properties}
    lines = "\n".join(f"            {literals.name(name)} = 'x'" for name in sorted(names))
    assert (
        mistakes(
            f"Configuration C\n{{\n    Node 'n'\n    {{\n        X 'x'\n        {{\n{lines}\n        }}\n    }}\n}}\n"
        )
        == []
    )


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(configurations())
def test_a_parser_takes_any_script(found: Configuration) -> None:
    artifact, _ = emit_powershell(found, REGISTRY)
    assert mistakes(artifact.content.decode("utf-8-sig")) == []


def test_the_script_of_a_node_is_the_same_each_time() -> None:
    found = configuration(service("a"), service("b"))
    assert emit_powershell(found, REGISTRY)[0] == emit_powershell(found, REGISTRY)[0]


def test_no_secret_and_no_path_of_the_project_is_in_a_script(tmp_path: Path) -> None:
    found = resource("PSDscResources/Service", "a", {"Name": "a"}, where=at(1, 1, f"{tmp_path}/x.dsc.yaml"))
    text, _ = script(found)
    assert str(tmp_path) not in text
