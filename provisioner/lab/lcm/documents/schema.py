"""The classes an LCM knows: its own, and those of the DSC modules on the node.

Source: schema files of the modules (catalogue), the classes of the LCM namespace (LCM class facts 1.5).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from provisioner.catalogue.registry import Registry
from provisioner.catalogue.schema import CimType, Property, Qualifier, ResourceType

DOCUMENT_CLASS = "OMI_ConfigurationDocument"
META_CLASSES = frozenset({"msft_dscmetaconfiguration", "msft_dscmetaconfigurationv2"})


def _strings(*names: str) -> tuple[Property, ...]:
    return tuple(Property(name, CimType.STRING) for name in names)


#: What every resource inherits from OMI_BaseResource.
BASE_PROPERTIES = (
    *_strings("ResourceID", "SourceInfo", "ModuleName", "ModuleVersion", "ConfigurationName"),
    Property("DependsOn", CimType.STRING, is_array=True),
    Property("PsDscRunAsCredential", CimType.STRING, embedded_class="MSFT_Credential"),
)
_BASE = {prop.name.casefold(): prop for prop in BASE_PROPERTIES}

_OWN_CLASSES: dict[str, tuple[Property, ...]] = {
    "omi_configurationdocument": (
        *_strings(
            "Version",
            "MinimumCompatibleVersion",
            "Author",
            "Copyright",
            "HelpInfoUri",
            "ContentType",
            "GenerationDate",
            "GenerationHost",
            "Name",
        ),
        Property("CompatibleVersionAdditionalProperties", CimType.STRING, is_array=True),
        Property("UseCms", CimType.BOOLEAN),
    ),
    "msft_credential": _strings("UserName", "Password"),
    "msft_keyvaluepair": (Property("Key", CimType.STRING, qualifier=Qualifier.KEY), *_strings("Value")),
}


@dataclass(frozen=True, slots=True)
class ClassSchema:
    """What an instance of one class may hold. ``properties`` is None when nothing is known about them.

    ``is_value``: instances only stand inside others, or describe the document; none is a resource.
    """

    name: str
    properties: Mapping[str, Property] | None
    resource_type: ResourceType | None = None
    is_value: bool = False

    def property(self, name: str) -> Property | None:
        """Look a property up without regard to case."""
        return None if self.properties is None else self.properties.get(name.casefold())


class NodeClasses:
    """The classes of one node. ``has_module`` tells whether exactly this version of a module is there."""

    def __init__(self, has_module: Callable[[str, str], bool], registry: Registry | None = None) -> None:
        self.registry = registry or catalogue()
        self.has_module = has_module

    def find(self, class_name: str, module: str, version: str) -> ClassSchema | None:
        """Find a class; None when it is unknown.

        A class of a module the lab has no facts about is taken to exist, with properties nobody knows: running
        it is what fails then, loudly.
        """
        wanted = class_name.casefold()
        if wanted in _OWN_CLASSES:
            return ClassSchema(class_name, _by_name(_OWN_CLASSES[wanted]), is_value=True)
        if not module:
            return self._embedded(class_name)
        found = self.registry.module(module, version)
        if found is None:
            return ClassSchema(class_name, None)
        for resource_type in found.resources:
            if resource_type.class_name.casefold() == wanted:
                known = _by_name((*BASE_PROPERTIES, *resource_type.properties))
                return ClassSchema(resource_type.class_name, known, resource_type)
        return None

    def _embedded(self, class_name: str) -> ClassSchema | None:
        """Find a class that only stands inside other instances; the catalogue has their names alone."""
        wanted = class_name.casefold()
        if wanted in _resource_classes(self.registry):
            # A resource without ModuleName: the class is known, the mandatory property is what is missing.
            return ClassSchema(class_name, None)
        if wanted in _embedded_classes(self.registry):
            return ClassSchema(class_name, None, is_value=True)
        return None


def base_property(name: str) -> Property | None:
    """Find a property of OMI_BaseResource; such are for the LCM, not for the resource."""
    return _BASE.get(name.casefold())


@cache
def catalogue() -> Registry:
    """Give the shipped schemas, read once per process."""
    return Registry.builtin()


@cache
def _embedded_classes(registry: Registry) -> Collection[str]:
    return {
        prop.embedded_class.casefold()
        for resource_type in registry.resource_types()
        for prop in resource_type.properties
        if prop.embedded_class
    }


@cache
def _resource_classes(registry: Registry) -> Collection[str]:
    return {resource_type.class_name.casefold() for resource_type in registry.resource_types()}


def _by_name(properties: Iterable[Property]) -> dict[str, Property]:
    return {prop.name.casefold(): prop for prop in properties}
