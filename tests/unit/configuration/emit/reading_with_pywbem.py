"""An independent reader of MOF: pywbem's compiler, with classes declared from the facts of the catalogue.

Its grammar has no arrays of aliases, and no carriage return inside a string, which real documents have; nothing else
is kept from it. What an alias stands for it does not keep.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import pywbem

from provisioner.catalogue.registry import COMMON_CLASSES
from provisioner.catalogue.schema import EmbeddedClass, Property, Qualifier, ResourceType
from provisioner.configuration.model import Credential, Instance, Resource
from tests.unit.configuration.builders import REGISTRY

_QUALIFIERS = """
Qualifier Key : boolean = false, Scope(property, reference), Flavor(DisableOverride);
Qualifier EmbeddedInstance : string = null, Scope(property, method, parameter);
"""
_BASE = """
class OMI_BaseResource { string ResourceId; string SourceInfo; string DependsOn[]; string ModuleName;
  string ModuleVersion; string ConfigurationName;
  [EmbeddedInstance("MSFT_Credential")] string PsDscRunAsCredential; };
class OMI_ConfigurationDocument { string Version; string MinimumCompatibleVersion;
  string CompatibleVersionAdditionalProperties[]; string Author; string GenerationDate; string GenerationHost;
  string ContentType; string Name; };
"""


def read(text: str, kinds: Iterable[ResourceType]) -> list[Any]:
    """Compile a document together with the classes of its resources."""
    library: Any = pywbem  # its functions carry no types
    handle = library.MOFWBEMConnection()
    compiler = library.MOFCompiler(handle, log_func=None)
    classes: dict[str, str] = {}
    for each in COMMON_CLASSES:
        _declare_class(each, classes)
    classes["omi_baseresource"] = _BASE
    for kind in kinds:
        _declare_type(kind, classes)
    compiler.compile_string(_QUALIFIERS + "".join(classes.values()) + text, "root/test")
    return list(handle.instances["root/test"])


def can_read(resource: Resource) -> bool:
    """Whether the resource has nothing the reader's grammar lacks."""
    return all(can_read_value(each) for each in (resource.id.name, *resource.properties.values()))


def can_read_value(value: Any) -> bool:
    match value:
        case str():
            return "\r" not in value.replace("\r\n", "")
        case Credential():
            return can_read_value(value.user)
        case tuple():
            return all(not isinstance(each, Instance | Credential) and can_read_value(each) for each in value)
        case Instance():
            return all(can_read_value(each) for each in value.properties.values())
        case _:
            return True


def _declare_type(kind: ResourceType, classes: dict[str, str]) -> None:
    if kind.class_name.casefold() in classes:
        return
    _declare_embedded(kind.properties, kind, classes)
    classes[kind.class_name.casefold()] = _text(kind.class_name, ": OMI_BaseResource", kind.properties)


def _declare_embedded(properties: Iterable[Property], kind: ResourceType, classes: dict[str, str]) -> None:
    for prop in properties:
        found = REGISTRY.embedded_class(kind.module, kind.version, prop.embedded_class)
        if found and found.name.casefold() not in classes:
            classes[found.name.casefold()] = ""
            _declare_embedded(found.properties, kind, classes)
            del classes[found.name.casefold()]
            _declare_class(found, classes)


def _declare_class(found: EmbeddedClass, classes: dict[str, str]) -> None:
    classes[found.name.casefold()] = _text(found.name, "", found.properties)


@cache
def _text(name: str, base: str, properties: tuple[Property, ...]) -> str:
    lines = []
    for prop in properties:
        qualifiers = ["Key"] if prop.qualifier is Qualifier.KEY and base else []
        if prop.embedded_class:
            qualifiers.append(f'EmbeddedInstance("{prop.embedded_class}")')
        shown = f"[{', '.join(qualifiers)}] " if qualifiers else ""
        lines.append(f"  {shown}{prop.type.value} {prop.name}{'[]' if prop.is_array else ''};")
    return f"class {name} {base} {{\n" + "\n".join(lines) + "\n};\n"
