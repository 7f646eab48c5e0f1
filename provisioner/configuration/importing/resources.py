"""Turn the instances of a document into resources as an author would write them.

Embedded instances become mappings, pairs become the mapping they are, credentials keep their user and get a
reference in place of the password, and names stand where a document has numbers for them. NULL is not set.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisioner.addresses import ResourceId
from provisioner.catalogue.registry import COMMON_PROPERTIES, Registry
from provisioner.catalogue.schema import (
    CREDENTIAL_CLASS,
    PAIR_CLASS,
    RUN_AS_CREDENTIAL,
    Property,
    ResourceType,
)
from provisioner.configuration.importing.compiled import CompiledDocument, targets
from provisioner.configuration.importing.secret_names import SecretNames
from provisioner.configuration.instances import Alias, MofInstance
from provisioner.diagnostics import Diagnostics, SourceRange

_WRITTEN_BY_COMPILER = frozenset(name.casefold() for name in COMMON_PROPERTIES) - {
    RUN_AS_CREDENTIAL.name.casefold()
}
_PLACEHOLDER = re.compile(r"@\{secret:([^}\r\n]*)\}")


@dataclass(frozen=True, slots=True)
class ImportedResource:
    """A resource in the author's form, its texts not yet escaped.

    ``module`` is in the case of the document; ``places`` are those of the properties.
    """

    id: ResourceId
    type: ResourceType
    module: str
    properties: Mapping[str, Any]
    depends_on: tuple[str, ...]
    where: SourceRange
    places: Mapping[str, SourceRange]


class Resources:
    """Makes resources of the instances of one document."""

    def __init__(
        self, document: CompiledDocument, registry: Registry, secrets: SecretNames, problems: Diagnostics
    ) -> None:
        self._document = document
        self._registry = registry
        self._secrets = secrets
        self._problems = problems

    def resource(
        self, resource_id: ResourceId, instance: MofInstance, kind: ResourceType
    ) -> ImportedResource:
        """Return one resource; what cannot be expressed is recorded."""
        assert instance.where is not None, "what was read has a place"
        found: dict[str, Any] = {}
        places: dict[str, SourceRange] = {}
        for each in instance.properties:
            if each.name.casefold() in _WRITTEN_BY_COMPILER or each.value is None:
                continue
            prop = kind.property(each.name)
            if prop is None and each.name.casefold() == RUN_AS_CREDENTIAL.name.casefold():
                prop = RUN_AS_CREDENTIAL
            name = prop.name if prop else each.name
            place = each.where or instance.where
            places[name] = place
            if prop is not None and prop.is_secret_lines and isinstance(each.value, Alias):
                found[name] = self._named_secrets(instance, resource_id)
            else:
                found[name] = self._value(prop, each.value, _Use(kind, str(resource_id), place))
        module = str(instance.get("ModuleName") or kind.module)
        return ImportedResource(resource_id, kind, module, found, targets(instance), instance.where, places)

    def _named_secrets(self, instance: MofInstance, resource_id: ResourceId) -> dict[str, str]:
        """Name the secrets by the places that wait for them: what they are called may be encrypted too."""
        contents = instance.get("Contents")
        names = _PLACEHOLDER.findall(contents) if isinstance(contents, str) else []
        return {name: self._secrets.secret(name, str(resource_id)) for name in names}

    def _value(self, prop: Property | None, value: Any, use: _Use) -> Any:
        if isinstance(value, tuple):
            if prop is not None and prop.embedded_class == PAIR_CLASS:
                return self._pairs(prop, value, use)
            return [self._value(prop, item, use) for item in value if item is not None]
        if isinstance(value, Alias):
            if prop is not None and prop.embedded_class == PAIR_CLASS:
                return self._pairs(prop, (value,), use)
            return self._embedded(prop, self._document.instance(value), use)
        return _named(prop, value)

    def _pairs(self, prop: Property, items: tuple[Any, ...], use: _Use) -> Any:
        found: dict[str, Any] = {}
        for item in items:
            pair = self._document.instance(item) if isinstance(item, Alias) else None
            key = pair.get("Key") if pair and self._is_of(pair, PAIR_CLASS, prop, use) else None
            if pair is None or not isinstance(key, str):
                self._problems.error(
                    "Pair has another form",
                    f"'{prop.name}' takes pairs, each with a Key and a Value, and here is one without.",
                    use.where,
                )
                continue
            if key in found:
                self._problems.error(
                    "Pair is there twice", f"'{prop.name}' has two pairs for '{key}'.", use.where
                )
            found[key] = pair.get("Value")
        return found

    def _embedded(self, prop: Property | None, instance: MofInstance, use: _Use) -> Any:
        if instance.class_name.casefold() == CREDENTIAL_CLASS.casefold():
            self._check_credential(instance, use)
            user = instance.get("UserName")
            owner = user if isinstance(user, str) else ""
            reference = self._secrets.password(
                owner,
                instance.get("Password"),
                use.resource_id,
                is_encrypted=self._document.is_encrypted,
            )
            return {"user": owner, "password": reference}
        if (
            prop is not None
            and prop.embedded_class
            and not self._is_of(instance, prop.embedded_class, prop, use)
        ):
            return {}
        kind = self._registry.embedded_class(use.kind.module, use.kind.version, instance.class_name)
        found: dict[str, Any] = {}
        for each in instance.properties:
            if each.value is not None:
                inner = kind.property(each.name) if kind else None
                found[inner.name if inner else each.name] = self._value(inner, each.value, use)
        return found

    def _check_credential(self, instance: MofInstance, use: _Use) -> None:
        """Refuse what an LCM would refuse as an undefined property or a wrong type. No message shows a value."""
        for each in instance.properties:
            if each.name.casefold() not in {"username", "password"}:
                why = f"this one has '{each.name}'"
            elif each.value is not None and not isinstance(each.value, str):
                why = f"the {each.name} of this one is none"
            else:
                continue
            self._problems.error(
                "Credential has another form",
                f"A credential has a UserName and a Password, both text, and {why}.",
                use.where,
            )

    def _is_of(self, instance: MofInstance, class_name: str, prop: Property, use: _Use) -> bool:
        if instance.class_name.casefold() == class_name.casefold():
            return True
        self._problems.error(
            "Instance is of another class",
            f"'{prop.name}' takes an instance of {class_name}, and this is one of {instance.class_name}.",
            use.where,
        )
        return False


@dataclass(frozen=True, slots=True)
class _Use:
    """Whose property is being made, and where its value stands."""

    kind: ResourceType
    resource_id: str
    where: SourceRange


def _named(prop: Property | None, value: Any) -> Any:
    """Return the name an author uses for a value of a ValueMap that has names."""
    if prop is None or not prop.values or isinstance(value, bool):
        return value
    entries = [entry.casefold() for entry in prop.value_map]
    written = str(value).casefold()
    return prop.values[entries.index(written)] if entries.count(written) == 1 else value
