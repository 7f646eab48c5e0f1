"""Make a configuration out of a document that was read, with types that know only what the document shows."""

from __future__ import annotations

from typing import Any

from provisioner.addresses import NodeName, ResourceId, SecretRef
from provisioner.catalogue.schema import CimType, Property, ResourceType
from provisioner.configuration.instances import Alias, MofDocument, MofInstance
from provisioner.configuration.model import Configuration, Credential, Instance, Resource
from provisioner.diagnostics import SourceFile, SourceRange

_WRITTEN_BY_THE_COMPILER = frozenset(
    {"ResourceID", "SourceInfo", "ModuleName", "ModuleVersion", "DependsOn", "ConfigurationName"}
)


class KnownTexts:
    """A sealer that gives back the texts a document held."""

    def __init__(self, *, is_encrypted: bool = True) -> None:
        self.is_encrypted = is_encrypted
        self.texts: dict[SecretRef, str] = {}

    def keep(self, text: str) -> SecretRef:
        reference = SecretRef("env", f"P{len(self.texts)}")
        self.texts[reference] = text
        return reference

    def seal(self, credential: Credential) -> str:
        assert credential.password is not None
        return self.texts[credential.password]


def configuration_of(document: MofDocument, sealer: KnownTexts, node: str = "localhost") -> Configuration:
    """Return a configuration whose document has the same resources."""
    aliases = {each.alias: each for each in document.instances if each.alias}
    resources = [
        _resource(each, aliases, sealer) for each in document.instances if each.get("ResourceID") is not None
    ]
    name = next(each for each in document.instances if each.class_name == "OMI_ConfigurationDocument").get(
        "Name"
    )
    modules = {each.type.module: each.version for each in resources}
    return Configuration(NodeName(node), name, tuple(resources), modules)


def _resource(instance: MofInstance, aliases: dict[str, MofInstance], sealer: KnownTexts) -> Resource:
    keyword, _, rest = instance.get("ResourceID").removeprefix("[").partition("]")
    name, _, within = rest.partition("::")
    path, line, column, _ = (instance.get("SourceInfo") or "x::1::1::x").rsplit("::", 3)
    where = SourceRange(SourceFile(path, ""), int(line), int(column), int(line), int(column))
    own = {
        each.name: _value(each.value, aliases, sealer)
        for each in instance.properties
        if each.name not in _WRITTEN_BY_THE_COMPILER
    }
    properties = tuple(Property(each, CimType.STRING) for each in own)
    version = instance.get("ModuleVersion")
    kind = ResourceType(keyword, instance.class_name, instance.get("ModuleName"), version, properties)
    targets = tuple(ResourceId(*_parts(each)) for each in instance.get("DependsOn") or ())
    return Resource(ResourceId(keyword, name, within), kind, own, targets, where, {}, version=version)


def _parts(text: str) -> tuple[str, str, str]:
    keyword, _, rest = text.removeprefix("[").partition("]")
    name, _, within = rest.partition("::")
    return keyword, name, within


def _value(value: Any, aliases: dict[str, MofInstance], sealer: KnownTexts) -> Any:
    if isinstance(value, tuple):
        return tuple(_value(each, aliases, sealer) for each in value)
    if not isinstance(value, Alias):
        return value
    inner = aliases[value.name]
    if inner.class_name == "MSFT_Credential":
        where = SourceRange(SourceFile("x", ""), 1, 1, 1, 1)
        return Credential(inner.get("UserName"), sealer.keep(inner.get("Password")), where)
    return Instance(
        inner.class_name, {each.name: _value(each.value, aliases, sealer) for each in inner.properties}
    )
