"""What the catalogue knows of a resource type, as text for a terminal and as plain data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from provisioner.catalogue.example import example, is_compilable
from provisioner.catalogue.module_text import plain_property
from provisioner.catalogue.registry import Registry
from provisioner.catalogue.schema import (
    CREDENTIAL_CLASS,
    PAIR_CLASS,
    EmbeddedClass,
    Limits,
    Module,
    Property,
    Qualifier,
    ResourceKind,
    ResourceType,
)

_USES = {
    Qualifier.KEY: "key",
    Qualifier.REQUIRED: "required",
    Qualifier.WRITE: "",
    Qualifier.READ: "read only",
}
#: Longest column of names that the others are lined up behind.
_WIDEST = 44


def facts(resource: ResourceType, module: Module, registry: Registry) -> dict[str, Any]:
    """Return everything known of a resource type as plain data."""
    return {
        "module": module.name,
        "version": module.version,
        "module_version": module.module_version,
        "channel": module.channel,
        "resource": resource.name,
        "class": resource.class_name or None,
        "kind": resource.kind.value,
        "summary": resource.summary,
        "expands_to": resource.expands_to or None,
        "split_by": resource.split_by or None,
        "properties": [plain_property(prop) for prop in resource.properties],
        "classes": {
            each.name: [plain_property(prop) for prop in each.properties]
            for each in _classes(resource, registry)
        },
        "notes": list(module.notes),
        "example": example(resource, registry) or None,
    }


def describe(resource: ResourceType, module: Module, registry: Registry) -> str:
    """Return everything known of a resource type as lines for a terminal."""
    lines = [f"{module.name}/{resource.name} {module.version} ({module.channel})"]
    if resource.summary:
        lines.append(f"  {resource.summary}")
    lines.append(f"  {_made_of(resource)}")
    lines += [f"  note: {note}" for note in module.notes]
    lines += ["", *_table(resource.properties)]
    for each in _classes(resource, registry):
        lines += ["", f"{each.name}, embedded:", *_table(each.properties)]
    if shown := example(resource, registry):
        lines += [
            "",
            f"Example (with '{module.name}: \"{module.version}\"' below 'modules' in role.yaml):",
            "",
        ]
        lines += [f"  {line}" for line in shown.splitlines()]
    return "\n".join(lines)


def _made_of(resource: ResourceType) -> str:
    if resource.kind is not ResourceKind.COMPOSITE:
        made = {ResourceKind.MOF: "script based", ResourceKind.CLASS: "class based"}[resource.kind]
        return f"{made}, class {resource.class_name}"
    if is_compilable(resource):
        return f"composite: one {resource.expands_to} for each item of {resource.split_by}"
    return "composite whose body is PowerShell: known by its parameters only, cannot be compiled here"


def _classes(resource: ResourceType, registry: Registry) -> list[EmbeddedClass]:
    """Return the embedded classes a resource uses, in the order they occur; credentials and pairs aside."""
    found: dict[str, EmbeddedClass] = {}
    waiting = list(resource.properties)
    while waiting:
        name = waiting.pop(0).embedded_class
        is_own = (
            name and name not in {CREDENTIAL_CLASS, PAIR_CLASS, resource.class_name} and name not in found
        )
        known = registry.embedded_class(resource.module, resource.version, name) if is_own else None
        if known:
            found[name] = known
            waiting += known.properties
    return list(found.values())


def _table(properties: Iterable[Property]) -> list[str]:
    rows = [(prop.name, _type(prop), _rest(prop)) for prop in properties]
    names = min(_WIDEST, max((len(name) for name, _, _ in rows), default=0))
    types = max((len(kind) for _, kind, _ in rows), default=0)
    return [f"  {name:<{names}}  {kind:<{types}}  {rest}".rstrip() for name, kind, rest in rows]


def _type(prop: Property) -> str:
    if prop.embedded_class == PAIR_CLASS:
        return "mapping"
    if prop.is_secret_lines:
        return "named secrets"
    name = "credential" if prop.embedded_class == CREDENTIAL_CLASS else prop.embedded_class or prop.type.value
    return f"{name}[]" if prop.is_array else name


def _rest(prop: Property) -> str:
    words = prop.values or prop.value_map
    parts = [_USES[prop.qualifier], " | ".join(words), *_limits(prop.limits or Limits())]
    if prop.is_needed_on_node:
        parts.append("needed, says the script")
    if prop.default is not None:
        parts.append(f"default {_plain(prop.default)}")
    return "; ".join(part for part in parts if part)


def _limits(limits: Limits) -> list[str]:
    found = [" | ".join(limits.values)]
    if limits.range:
        found.append(f"{limits.range[0]} to {limits.range[1]}")
    if limits.length:
        found.append(f"{limits.length[0]} to {limits.length[1]} characters")
    if limits.count:
        found.append(f"{limits.count[0]} to {limits.count[1]} items")
    if limits.pattern:
        found.append(f"matches {limits.pattern}")
    if limits.refuses_empty:
        found.append("not empty" if limits.refuses_empty_surely else "perhaps not empty")
    return found


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_plain, value))}]"
    return f"'{value}'" if value == "" else str(value)
