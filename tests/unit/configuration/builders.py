"""Small builders for values the tests of this package need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.addresses import NodeName, ResourceId
from provisioner.catalogue.registry import Registry
from provisioner.catalogue.schema import ResourceType
from provisioner.configuration.model import Configuration, Resource
from provisioner.diagnostics import SourceFile, SourceRange

REGISTRY = Registry.builtin()


def at(line: int = 1, column: int = 1, path: str = "dsc_configs/test.dsc.yaml") -> SourceRange:
    return SourceRange(SourceFile(path, ""), line, column, line, column)


def resource_type(name: str) -> ResourceType:
    module, _, keyword = name.partition("/")
    found = REGISTRY.resource_type(module, keyword)
    assert found is not None, name
    return found


def resource(
    kind: str | ResourceType,
    name: str,
    properties: Mapping[str, Any],
    depends_on: tuple[str, ...] = (),
    where: SourceRange | None = None,
) -> Resource:
    found = resource_type(kind) if isinstance(kind, str) else kind
    targets = tuple(target for text in depends_on if (target := ResourceId.parse(text)))
    place = where or at()
    return Resource(
        ResourceId(found.name, name), found, properties, targets, place, dict.fromkeys(properties, place)
    )


def configuration(*resources: Resource, node: str = "hv01", name: str = "C0") -> Configuration:
    modules = {each.type.module: each.type.version for each in resources}
    return Configuration(NodeName(node), name, resources, modules)
