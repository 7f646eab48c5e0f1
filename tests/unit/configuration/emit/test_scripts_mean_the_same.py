"""What PowerShell would have in hand after reading a script is what the configuration says."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hypothesis import HealthCheck, given, settings

from provisioner.catalogue.schema import PAIR_CLASS, CimType, Property, module_version
from provisioner.configuration.emit.powershell import emit_powershell
from provisioner.configuration.model import Configuration, Credential, Instance
from tests.unit.configuration.builders import REGISTRY
from tests.unit.configuration.emit.generated import configurations
from tests.unit.configuration.emit.running_scripts import Block, Cast, Variable, run


def expected(value: Any, prop: Property | None, names: dict[Any, set[str]], read: Any) -> Any:
    """The value as the reader of scripts gives it."""
    match value:
        case Credential():
            key = (value.user, value.password, str(value.secrets))
            assert isinstance(read, Variable)
            names.setdefault(key, set()).add(read.name)
            return read
        case Instance():
            inner = read.properties if isinstance(read, Block) else {}
            values = {
                name: expected(each, None, names, inner.get(name)) for name, each in value.properties.items()
            }
            return Block(value.class_name, "", values)
        case tuple() if value and all(
            isinstance(each, Instance) and each.class_name == PAIR_CLASS for each in value
        ):
            return {each.properties["Key"]: each.properties["Value"] for each in value}
        case tuple():
            return [expected(each, prop, names, part) for each, part in zip(value, read, strict=True)]
        case str() if prop and prop.type is CimType.CHAR16:
            return Cast("char", value)
        case str() if prop and prop.type is CimType.DATETIME:
            assert isinstance(read, Cast)
            assert read.type == "datetime"
            assert datetime.fromisoformat(read.text) == moment(value)
            return read
        case _:
            return value


def moment(value: str) -> datetime:
    sign, minutes = value[21], int(value[22:])
    return datetime.strptime(f"{value[:21]}{sign}{minutes // 60:02}{minutes % 60:02}", "%Y%m%d%H%M%S.%f%z")


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(configurations())
def test_a_script_means_its_configuration(found: Configuration) -> None:
    artifact, problems = emit_powershell(found, REGISTRY)
    script = run(artifact.content.decode("utf-8-sig"))
    assert (script.name, script.node) == (found.name, found.node)
    names: dict[Any, set[str]] = {}
    for block, resource in zip(script.resources, found.resources, strict=True):
        assert block.keyword.rpartition("\\")[2] == resource.type.name
        assert block.name == resource.id.name
        targets = block.properties.pop("DependsOn", [])
        assert targets == [str(each) for each in resource.depends_on]
        assert block.properties == {
            name: expected(value, resource.type.property(name), names, block.properties.get(name))
            for name, value in resource.properties.items()
        }
        version = module_version(resource.version)
        is_in_box = resource.type.module == "PSDesiredStateConfiguration"
        if not any(each.summary.startswith("Script cannot hold several") for each in problems):
            assert script.imports[resource.type.module] == ("" if is_in_box and version == "1.0" else version)
    # One parameter for each user and secret, and each parameter is declared.
    assert all(len(each) == 1 for each in names.values())
    used = {name for each in names.values() for name in each}
    assert used == set(script.parameters)
    assert len(used) == len(names)
