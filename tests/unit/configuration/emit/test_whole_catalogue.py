"""Every resource type of every module version, with every property set: each format is taken by what reads it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provisioner.addresses import ResourceId, SecretRef
from provisioner.catalogue.schema import PAIR_CLASS, CimType, Property, ResourceKind, ResourceType
from provisioner.configuration.emit.dsc3 import emit_dsc3_json
from provisioner.configuration.emit.mof import emit_mof
from provisioner.configuration.emit.powershell import emit_powershell
from provisioner.configuration.model import Configuration, Credential, Instance, Resource
from provisioner.configuration.reading.parser import read_mof
from provisioner.inventory.model import MofEncoding
from tests.unit.configuration.builders import REGISTRY, at, configuration
from tests.unit.configuration.emit import reading_with_pywbem as pywbem_reader
from tests.unit.configuration.emit.test_dsc3 import check
from tests.unit.configuration.emit.test_powershell import mistakes

MODULES = [(name, version) for name, versions in REGISTRY.modules.items() for version in versions]
_DEEPEST = 4
_BY_TYPE: dict[CimType, Any] = {
    CimType.BOOLEAN: True,
    CimType.DATETIME: "20250131120000.000000+060",
    CimType.REAL32: 0.5,
    CimType.REAL64: 0.5,
    CimType.CHAR16: "c",
    CimType.STRING: 'it\'s "a" \\ text\nof [two] lines',
}


class Sealer:
    is_encrypted = True

    def seal(self, _credential: Credential) -> str:
        return "sealed"


def sample(prop: Property, kind: ResourceType, depth: int = 0) -> Any:
    """A value the schema allows; None when there is none."""
    if prop.embedded_class == "MSFT_Credential":
        one: Any = Credential("user", SecretRef("env", "P"), at())
    elif prop.embedded_class == PAIR_CLASS:
        one = Instance(PAIR_CLASS, {"Key": "k", "Value": "v"})
    elif prop.embedded_class:
        found = REGISTRY.embedded_class(kind.module, kind.version, prop.embedded_class)
        values = {
            each.name: inner
            for each in (found.properties if found and depth < _DEEPEST else ())
            if each.is_settable and (inner := sample(each, kind, depth + 1)) is not None
        }
        one = Instance(prop.embedded_class, values) if values else None
    elif prop.value_map:
        one = int(prop.value_map[-1]) if prop.type.integer_range else prop.value_map[-1]
    else:
        one = prop.type.integer_range[1] if prop.type.integer_range else _BY_TYPE[prop.type]
    return (one,) if prop.is_array and one is not None else one


def whole_module(module: str, version: str) -> Configuration:
    found = REGISTRY.module(module, version)
    assert found is not None
    resources: list[Resource] = []
    for kind in found.resources:
        if kind.kind is ResourceKind.COMPOSITE:
            continue
        properties = {
            each.name: value
            for each in kind.properties
            if each.is_settable and (value := sample(each, kind)) is not None
        }
        targets = (resources[-1].id,) if resources else ()
        resources.append(
            Resource(ResourceId(kind.name, "one"), kind, properties, targets, at(), {}, version=kind.version)
        )
    return configuration(*resources)


@pytest.mark.parametrize(("module", "version"), MODULES, ids=str)
def test_every_type_can_be_written_and_read(module: str, version: str) -> None:
    found = whole_module(module, version)
    document = emit_mof(found, MofEncoding.UTF8, REGISTRY, Sealer()).content
    reading, problems = read_mof(document, "x.mof")
    assert [each.render() for each in problems] == []
    assert reading is not None
    script, problems = emit_powershell(found, REGISTRY)
    assert {each.summary for each in problems} <= {"Script writes a date in another time zone"}
    if not found.resources:  # composites only, which have no instances
        return
    assert mistakes(script.content.decode("utf-8-sig")) == []
    readable = [
        replace(
            each,
            properties={
                name: value for name, value in each.properties.items() if pywbem_reader.can_read_value(value)
            },
        )
        for each in found.resources
    ]
    text = emit_mof(configuration(*readable), MofEncoding.UTF8, REGISTRY, Sealer()).content.decode()
    read = pywbem_reader.read(text, [each.type for each in readable])
    assert len([each for each in read if "ResourceId" in each]) == len(readable)


def test_the_whole_catalogue_is_large() -> None:
    assert sum(len(whole_module(*key).resources) for key in MODULES) > 450


def test_microsofts_schema_accepts_every_type(tmp_path: Path) -> None:
    files = []
    for module, version in MODULES:
        artifact, problems = emit_dsc3_json(whole_module(module, version), REGISTRY)
        assert len(problems) == 0
        files.append(tmp_path / f"{module}@{version}.json")
        files[-1].write_bytes(artifact.content)
    check(tmp_path, files)
