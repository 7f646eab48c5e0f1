"""Turn a metaconfiguration into an LCM profile: settings, servers and partial configurations.

Registration keys are secrets and become references, as passwords do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from provisioner.addresses import ResourceId
from provisioner.catalogue.registry import Registry
from provisioner.catalogue.schema import EmbeddedClass, Qualifier, ResourceType
from provisioner.configuration.importing.compiled import META_CLASSES, CompiledDocument
from provisioner.configuration.importing.resources import ImportedResource, Resources
from provisioner.configuration.importing.secret_names import SecretNames
from provisioner.configuration.instances import Alias, MofInstance
from provisioner.configuration.lcm.model import GROUPS
from provisioner.diagnostics import Diagnostics

_PARTIAL = "PartialConfiguration"
_KEY = "RegistrationKey"


@dataclass(frozen=True, slots=True)
class LcmImport:
    """One metaconfiguration as plain data of a profile."""

    document: CompiledDocument
    profile: Mapping[str, Any]


def import_settings(
    document: CompiledDocument, registry: Registry, secrets: SecretNames, problems: Diagnostics
) -> LcmImport | None:
    """Make a profile of a metaconfiguration; None when there are no settings, or more than one."""
    found = [each for each in document.others if each.class_name.casefold() in META_CLASSES]
    for each in found[1:]:
        problems.error(
            "Document has settings twice",
            f"The settings of the LCM stand at {found[0].where} already, and an LCM takes one set.",
            each.where,
        )
    return _Settings(document, registry, secrets, problems).profile(found[0]) if len(found) == 1 else None


class _Settings:
    def __init__(
        self, document: CompiledDocument, registry: Registry, secrets: SecretNames, problems: Diagnostics
    ) -> None:
        self._document = document
        self._registry = registry
        self._secrets = secrets
        self._problems = problems
        self._maker = Resources(document, registry, secrets, problems)

    def profile(self, settings: MofInstance) -> LcmImport:
        parts = [
            self._part(self._document.instance(alias))
            for group in GROUPS
            for alias in settings.get(group) or ()
            if isinstance(alias, Alias)
        ]
        plain = replace(
            settings, properties=tuple(each for each in settings.properties if each.name not in GROUPS)
        )
        kind = self._registry.meta_class("Settings")
        assert kind is not None, "the catalogue has the classes of the LCM"
        data: dict[str, Any] = {
            "description": f"Imported from {PurePath(self._document.path).name}.",
            "settings": self._properties(plain, kind, ResourceId("Settings", "Settings")).properties,
        }
        managers = [each for keyword, each in parts if keyword and keyword != _PARTIAL]
        partials = [
            {key: value for key, value in each.items() if key != "type"}
            for keyword, each in parts
            if keyword == _PARTIAL
        ]
        data |= {"managers": managers} if managers else {}
        data |= {"partials": partials} if partials else {}
        data |= {"beside_configuration": True} if self._document.is_beside_configuration else {}
        return LcmImport(self._document, data)

    def _part(self, instance: MofInstance) -> tuple[str, dict[str, Any]]:
        """Return the keyword of a server or partial configuration, and its entry; no keyword when unknown."""
        kind = self._registry.meta_class(instance.class_name)
        name = instance.get("ResourceID")
        resource_id = ResourceId.parse(name) if isinstance(name, str) else None
        if kind is None or not kind.keyword or resource_id is None:
            self._problems.error(
                "Class is not one of the LCM's",
                f"The settings list this {instance.class_name}, and nothing is known of it, or it has no name.",
                instance.where,
            )
            return "", {}
        found = self._properties(instance, kind, resource_id)
        properties = dict(found.properties)
        if isinstance(properties.get(_KEY), str):
            properties[_KEY] = self._secrets.key(properties[_KEY], str(resource_id))
        if found.depends_on:
            properties["DependsOn"] = list(found.depends_on)
        entry = {"type": kind.keyword, "name": resource_id.name}
        return kind.keyword, entry | ({"properties": properties} if properties else {})

    def _properties(
        self, instance: MofInstance, kind: EmbeddedClass, resource_id: ResourceId
    ) -> ImportedResource:
        as_type = ResourceType(kind.keyword, kind.name, "", "", kind.properties)
        found = self._maker.resource(resource_id, instance, as_type)
        for name in found.properties:
            prop = kind.property(name)
            if prop is None or prop.qualifier is Qualifier.READ:
                self._problems.error(
                    "Unknown property",
                    f"{kind.keyword} of an LCM has no property '{name}' that can be set.",
                    found.places[name],
                )
        return found
