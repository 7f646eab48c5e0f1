"""The JSON form of one module version, ``Module@Version.json``, written from the schema.

One property stands on a line, so that two versions of a file can be compared; what equals the default is left
out. ``module_file`` reads it back equal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from provisioner.catalogue.schema import (
    CimType,
    EmbeddedClass,
    Limits,
    Module,
    Property,
    Qualifier,
    ResourceKind,
    ResourceType,
)


def write_module(module: Module) -> str:
    """Return the text of the file for a module version: one property a line, defaults left out."""
    head = {
        "module": module.name,
        "version": module.version,
        "channel": module.channel if module.channel != "stable" else "",
        "source": module.source,
        "licence": module.licence,
        "notes": list(module.notes),
    }
    lines = [f" {_json(name)}: {_json(value)}" for name, value in head.items() if value]
    lines.append(f' "resources": [{_block([_resource_text(each) for each in module.resources])}]')
    if module.classes:
        lines.append(f' "classes": [{_block([class_text(each) for each in module.classes])}]')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def class_text(embedded: EmbeddedClass) -> str:
    """Return the JSON text of one embedded class."""
    head = {"name": embedded.name, "keyword": embedded.keyword, "base": embedded.base}
    return _with_properties(head, embedded.properties)


def _resource_text(resource: ResourceType) -> str:
    head = {
        "name": resource.name,
        "class": resource.class_name,
        "kind": resource.kind.value if resource.kind is not ResourceKind.MOF else "",
        "expands_to": resource.expands_to,
        "split_by": resource.split_by,
        "summary": resource.summary,
    }
    return _with_properties(head, resource.properties)


def _with_properties(head: Mapping[str, str], properties: tuple[Property, ...]) -> str:
    fields = ", ".join(f"{_json(name)}: {_json(value)}" for name, value in head.items() if value)
    lines = ",".join(f"\n   {_json(plain_property(each))}" for each in properties)
    return f'{{{fields}, "properties": [{lines}]}}'


def _block(texts: list[str]) -> str:
    return ",".join(f"\n  {text}" for text in texts) + "\n "


def plain_property(prop: Property) -> dict[str, Any]:
    """Return the JSON object of one property."""
    limits = prop.limits or Limits()
    fields: dict[str, Any] = {
        "name": prop.name,
        "type": prop.type.value if prop.type is not CimType.STRING else "",
        "array": prop.is_array,
        "qualifier": prop.qualifier.value if prop.qualifier is not Qualifier.WRITE else "",
        "value_map": list(prop.value_map),
        "values": list(prop.values),
        "embedded_class": prop.embedded_class,
        "range": list(limits.range or ()),
        "length": list(limits.length or ()),
        "count": list(limits.count or ()),
        "pattern": limits.pattern,
        "not_empty": limits.refuses_empty,
        "allowed": list(limits.values),
        "needed_on_node": prop.is_needed_on_node,
        "secret_lines": prop.is_secret_lines,
    }
    found = {name: value for name, value in fields.items() if value}
    if prop.default is not None:
        found["default"] = list(prop.default) if isinstance(prop.default, tuple) else prop.default
    return found


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
