"""Any configuration of the catalogue is read back from its document, with a cache as without one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from provisioner.addresses import ResourceId, SecretRef
from provisioner.catalogue.schema import CimType, Property, ResourceType
from provisioner.configuration.emit.document import write_document
from provisioner.configuration.emit.mof import emit_mof
from provisioner.configuration.emit.resource_text import EmissionCache
from provisioner.configuration.instances import Alias, MofDocument, MofInstance, MofProperty
from provisioner.configuration.model import Configuration, Credential, Instance
from provisioner.configuration.reading.parser import read_mof
from provisioner.inventory.model import MofEncoding
from tests.unit.configuration.builders import REGISTRY, at, configuration, resource
from tests.unit.configuration.emit.generated import configurations


class Sealer:
    """Says in the password whose it is, so that a mix-up shows."""

    def __init__(self, *, is_encrypted: bool = True) -> None:
        self.is_encrypted = is_encrypted

    def seal(self, credential: Credential) -> str:
        return f"sealed {credential.password} {credential.secrets}"


def read(content: bytes) -> MofDocument:
    reading, problems = read_mof(content, "x.mof")
    assert [each.render() for each in problems] == []
    assert reading is not None
    return reading.document


def lines(text: str) -> str:
    return text.replace("\r\n", "\n")


def written(value: Any) -> Any:
    """The value a document should hold."""
    match value:
        case str():
            return lines(value)
        case tuple():
            return tuple(written(each) for each in value)
        case Instance():
            return (value.class_name, {name: written(each) for name, each in value.properties.items()})
        case Credential():
            password = lines(Sealer().seal(value))
            return ("MSFT_Credential", {"Password": password, "UserName": lines(value.user)})
        case _:
            return value


def held(value: Any, aliases: dict[str, MofInstance]) -> Any:
    """The value a document holds, with what its aliases stand for."""
    match value:
        case tuple():
            return tuple(held(each, aliases) for each in value)
        case Alias():
            inner = aliases[value.name]
            return (inner.class_name, {each.name: held(each.value, aliases) for each in inner.properties})
        case _:
            return value


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(configurations())
def test_any_configuration_is_read_back(found: Configuration) -> None:
    document = read(emit_mof(found, MofEncoding.UTF16, REGISTRY, Sealer()).content)
    aliases = {each.alias: each for each in document.instances if each.alias}
    instances = [each for each in document.instances if each.get("ResourceID") is not None]
    for instance, each in zip(instances, found.resources, strict=True):
        values = {prop.name: held(prop.value, aliases) for prop in instance.properties}
        assert instance.class_name == each.type.class_name
        assert values.pop("ResourceID") == lines(str(each.id))
        assert values.pop("DependsOn", ()) == tuple(lines(str(target)) for target in each.depends_on)
        for name in ("SourceInfo", "ModuleName", "ModuleVersion", "ConfigurationName"):
            assert values.pop(name)
        assert values == {name: written(value) for name, value in each.properties.items()}
    for class_name in {each.class_name for each in document.instances if each.alias}:
        same = [each.alias for each in document.instances if each.class_name == class_name]
        assert same == [f"${class_name}{number}ref" for number in range(1, len(same) + 1)]
    last = document.instances[-1]
    runs_as = any("PsDscRunAsCredential" in each.properties for each in found.resources)
    assert last.get("MinimumCompatibleVersion") == ("2.0.0" if runs_as else "1.0.0")


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(configurations(), configurations())
def test_one_cache_serves_many_configurations(one: Configuration, two: Configuration) -> None:
    cache = EmissionCache(limit=3)
    both = replace(two, resources=(*two.resources, *one.resources))
    for found in (one, both, two, both, one):
        fresh = emit_mof(found, MofEncoding.UTF8, REGISTRY, Sealer())
        assert emit_mof(found, MofEncoding.UTF8, REGISTRY, Sealer(), cache) == fresh


SERVICE = resource("PSDscResources/Service", "a", {"Name": "a"})


@pytest.mark.parametrize(
    "other",
    [
        replace(SERVICE, depends_on=(ResourceId("Service", "b"),)),
        replace(SERVICE, version="2.11.0.0"),
        replace(SERVICE, where=at(9)),
        replace(SERVICE, id=ResourceId("Service", "b")),
        replace(SERVICE, properties={"Name": "b"}),
    ],
)
def test_a_cache_tells_resources_with_the_same_parts_apart(other: Any) -> None:
    cache = EmissionCache()
    for each in (SERVICE, other, SERVICE):
        found = configuration(each)
        assert emit_mof(found, MofEncoding.UTF8, REGISTRY, None, cache) == emit_mof(
            found, MofEncoding.UTF8, REGISTRY
        )


def test_a_cache_has_its_bounds() -> None:
    cache = EmissionCache(limit=5)
    for number in range(20):
        each = resource("PSDscResources/Service", f"s{number}", {"Name": f"s{number}"})
        emit_mof(configuration(each), MofEncoding.UTF8, REGISTRY, None, cache)
    assert len(cache._texts) == 5
    assert len(cache._plans) == 1


@pytest.mark.parametrize(("is_encrypted", "content_type"), [(True, "PasswordEncrypted"), (False, None)])
def test_only_an_encrypted_credential_makes_a_document_encrypted(
    *, is_encrypted: bool, content_type: str | None
) -> None:
    user = Credential("u", SecretRef("env", "P"), at())
    with_one = configuration(resource("PSDscResources/Service", "a", {"Name": "a", "Credential": user}))
    for found, expected in ((with_one, content_type), (configuration(SERVICE), None)):
        content = emit_mof(found, MofEncoding.UTF8, REGISTRY, Sealer(is_encrypted=is_encrypted)).content
        assert read(content).instances[-1].get("ContentType") == expected


def test_a_credential_without_a_sealer_is_a_bug_and_said_so() -> None:
    user = Credential("u", SecretRef("env", "P"), at())
    with pytest.raises(AssertionError, match="sealer"):
        emit_mof(
            configuration(resource("PSDscResources/Service", "a", {"Credential": user})), MofEncoding.UTF8
        )


def test_a_preview_writes_the_number_its_manifest_has() -> None:
    kind = REGISTRY.resource_type("StorageDsc", "Disk", "6.1.0-preview0003")
    assert kind is not None
    content = emit_mof(
        configuration(resource(kind, "d", {"DiskId": "1"})), MofEncoding.UTF8, REGISTRY
    ).content
    assert b'ModuleVersion = "6.1.0";' in content


def test_a_character_has_quotes_of_its_own() -> None:
    kind = ResourceType("R", "R", "M", "1", (Property("C", CimType.CHAR16), Property("S", CimType.STRING)))
    text = emit_mof(
        configuration(resource(kind, "r", {"C": "'", "S": "c"})), MofEncoding.UTF8, REGISTRY
    ).content
    assert b"\r\n C = '\\'';" in text
    assert b'\r\n S = "c";' in text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8"])
def test_what_a_document_may_hold_survives_being_written_and_read(encoding: str) -> None:
    values: dict[str, Any] = {
        "Nothing": None,
        "Empty": (),
        "Text": "a\rb\r\nc\nd \\ \" ' \t größe 漢 \U0001f600",
        "Real": 1.0,
        "Tiny": 1e-07,
        "Flag": False,
        "Numbers": (1, -2, 2**64 - 1),
        "One": Alias("$A1ref"),
        "Many": (Alias("$A1ref"), Alias("$A2ref")),
    }
    properties = tuple(MofProperty(name, value) for name, value in values.items())
    name = MofProperty("ConfigurationName", "c")
    document = MofDocument(
        (
            MofInstance("A", "$A1ref", ()),
            MofInstance("A", "$A2ref", (MofProperty("X", ("", "\r")),)),
            MofInstance("B", "$B1ref", properties),
            MofInstance("C", "", (*properties, name)),
            *(
                MofInstance("D", "", (MofProperty("DependsOn", each), name))
                for each in (None, (), "a", ("a", "b"))
            ),
            MofInstance(
                "OMI_ConfigurationDocument", "", (MofProperty("Name", "n"), MofProperty("Empty", ()))
            ),
        )
    )
    again = read(write_document(document, "n").encode(encoding))
    assert [
        (each.class_name, each.alias, [(prop.name, prop.value) for prop in each.properties])
        for each in again.instances
    ] == [
        (each.class_name, each.alias, [(prop.name, prop.value) for prop in each.properties])
        for each in document.instances
    ]
