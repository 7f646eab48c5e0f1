"""A resource declaration to start from: what a resource type cannot do without, with placeholders that compile."""

from __future__ import annotations

from typing import Any

from provisioner import documents
from provisioner.catalogue.registry import Registry
from provisioner.catalogue.schema import (
    CREDENTIAL_CLASS,
    PAIR_CLASS,
    CimType,
    Limits,
    Property,
    Qualifier,
    ResourceKind,
    ResourceType,
)

#: Classes hold classes: an access list holds entries. None goes deeper than two.
_DEEPEST = 4
_PLAIN = {CimType.BOOLEAN: True, CimType.CHAR16: "x", CimType.DATETIME: "2026-01-31T12:00:00Z"}


def is_compilable(resource: ResourceType) -> bool:
    """Whether a declaration of it can be compiled here: not for a composite whose body is PowerShell."""
    return resource.kind is not ResourceKind.COMPOSITE or bool(resource.expands_to)


def example(resource: ResourceType, registry: Registry) -> str:
    """Return one item of ``resources:`` as YAML. Empty when the type cannot be compiled here."""
    if not is_compilable(resource):
        return ""
    names = _needed(resource, registry)
    needed = [prop for prop in resource.properties if prop.name.casefold() in names]
    chosen = needed or [prop for prop in resource.properties if prop.is_settable][:1]
    properties = {prop.name: _value(prop, resource, registry, 0) for prop in chosen}
    declaration = {"name": "example", "type": f"{resource.module}/{resource.name}", "properties": properties}
    return documents.dump([declaration])


def _needed(resource: ResourceType, registry: Registry) -> set[str]:
    """Return the folded names of what a resource cannot do without, nor the members it expands to."""
    member = (
        registry.resource_type(resource.module, resource.expands_to, resource.version)
        if resource.expands_to
        else None
    )
    owners = [resource, *([member] if member else [])]
    return {prop.name.casefold() for owner in owners for prop in owner.properties if _is_needed(prop)}


def _is_needed(prop: Property) -> bool:
    return prop.qualifier in {Qualifier.KEY, Qualifier.REQUIRED} or prop.is_needed_on_node


def _value(prop: Property, resource: ResourceType, registry: Registry, depth: int) -> Any:
    if prop.embedded_class == PAIR_CLASS:
        return {"name": "value"}
    one = _one(prop, resource, registry, depth)
    count = prop.limits.count[0] if prop.limits and prop.limits.count else 1
    return [one] * max(1, count) if prop.is_array else one


def _one(prop: Property, resource: ResourceType, registry: Registry, depth: int) -> Any:
    if prop.is_secret_lines:
        return {"name": "env:NAME"}
    if prop.embedded_class == CREDENTIAL_CLASS:
        return {"user": "name", "password": "env:NAME"}
    if prop.embedded_class:
        return _instance(prop.embedded_class, resource, registry, depth)
    words = prop.values or prop.value_map
    if words:
        return words[0] if prop.values or prop.type is CimType.STRING else int(words[0])
    limits = prop.limits or Limits()
    if prop.type is CimType.STRING:
        return _text(limits)
    if prop.type in _PLAIN:
        return _PLAIN[prop.type]
    number = limits.range[0] if limits.range else 1
    return number if prop.type in {CimType.REAL32, CimType.REAL64} else int(number)


def _text(limits: Limits) -> str:
    if limits.values:
        return limits.values[0]
    if limits.range:
        return str(int(limits.range[0]))
    text = "E" if "[A-Za-z]$" in limits.pattern else "example"
    low, high = limits.length or (0, len(text))
    return text[:high].ljust(low, "x")


def _instance(class_name: str, resource: ResourceType, registry: Registry, depth: int) -> dict[str, Any]:
    found = registry.embedded_class(resource.module, resource.version, class_name)
    if found is None or depth > _DEEPEST:
        return {}
    settable = [prop for prop in found.properties if prop.is_settable]
    needed = [prop for prop in settable if _is_needed(prop)] or settable[:1]
    return {prop.name: _value(prop, resource, registry, depth + 1) for prop in needed}
