"""Emit a node's configuration as a document of Microsoft DSC v3, in YAML or JSON.

Every resource of the catalogue is one of Windows PowerShell, so each stands in an adapter instance of its own:
there it may have any type name, dependencies stay between single resources, and each is reported alone. Names are
mapped one to one to what v3 allows; ``metadata`` tells which is which. Secrets are parameters.
Sources: the bundled schema v3.1.0; the expression grammar and the Windows PowerShell adapter of DSC itself.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from provisioner import documents
from provisioner.addresses import ResourceId
from provisioner.catalogue.registry import Registry
from provisioner.catalogue.schema import PAIR_CLASS, CimType, ResourceKind, ResourceType
from provisioner.configuration.emit.layout import AUTHOR
from provisioner.configuration.emit.parameters import CredentialParameters, description
from provisioner.configuration.emit.resource_text import RUN_AS
from provisioner.configuration.model import Artifact, Configuration, Credential, Instance, Resource
from provisioner.diagnostics import Diagnostics, SourceRange

SCHEMA = "https://aka.ms/dsc/schemas/v3.1/bundled/config/document.json"
#: Runs resources of Windows PowerShell, those in the box included.
ADAPTER = "Microsoft.Windows/WindowsPowerShell"

_PLAIN_NAME = re.compile("[A-Za-z0-9]+(?: [A-Za-z0-9]+)*")
_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d\.\d{6})([+-]\d{3})")


def emit_dsc3_yaml(configuration: Configuration, registry: Registry) -> tuple[Artifact, Diagnostics]:
    """Emit ``<node>.dsc.config.yaml`` and what v3 cannot express."""
    problems = Diagnostics()
    text = documents.dump(document(configuration, registry, problems))
    return _artifact(f"{configuration.node}.dsc.config.yaml", text), problems


def emit_dsc3_json(configuration: Configuration, registry: Registry) -> tuple[Artifact, Diagnostics]:
    """Emit ``<node>.dsc.config.json`` and what v3 cannot express."""
    problems = Diagnostics()
    text = json.dumps(document(configuration, registry, problems), indent=2, ensure_ascii=False) + "\n"
    return _artifact(f"{configuration.node}.dsc.config.json", text), problems


def document(configuration: Configuration, registry: Registry, problems: Diagnostics) -> dict[str, Any]:
    """Return the document as plain data; ``problems`` gets what it cannot express."""
    names = map_names(each.id for each in configuration.resources)
    values = _Values(problems, registry)
    resources = [_resource(each, names, values) for each in configuration.resources]
    parameters = {
        name: {"type": "secureObject", "metadata": {"description": description(credential)}}
        for name, credential in values.parameters
    }
    return {
        "$schema": SCHEMA,
        "metadata": {
            "Microsoft.DSC": {"securityContext": "elevated"},
            AUTHOR: {
                "node": str(configuration.node),
                "configuration": configuration.name,
                "modules": dict(configuration.modules),
                "names": {names[each.id.folded]: str(each.id) for each in configuration.resources},
            },
        },
        **({"parameters": parameters} if parameters else {}),
        "resources": resources,
    }


def map_names(ids: Iterable[ResourceId]) -> dict[tuple[str, str, str], str]:
    """Give every resource a name of letters, digits and single spaces, all different; found by its folded id.

    ``[Service]W3SVC`` is ``Service W3SVC``. A name that has to lose characters gets the start of a digest, so
    that it does not change when other resources come and go.
    """
    found: dict[tuple[str, str, str], str] = {}
    taken: set[str] = set()
    for each in ids:
        readable = " ".join(re.findall("[A-Za-z0-9]+", str(each)))
        plain = f"{each.type} {each.name}"
        name = readable
        if each.within or not each.type.isalnum() or plain != readable or not _PLAIN_NAME.fullmatch(plain):
            name = f"{readable} {hashlib.sha256(repr(each.folded).encode()).hexdigest()[:8]}"
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{readable} {number}"
        taken.add(name.casefold())
        found[each.folded] = name
    return found


def expression_free(text: str) -> str:
    """Return what stands for ``text`` in a document, where a bracket at the start begins an expression.

    One more bracket is enough on one line only: the grammar ends such a text at the first line break. White
    space before the bracket does not protect it.
    """
    if not text.lstrip(" \n").startswith("["):
        return text
    if text.startswith("[") and "\n" not in text:
        return f"[{text}"
    place = text.index("[")
    cut = place + 1 if place + 1 < len(text) else place
    first, rest = (part.replace("'", "''") for part in (text[:cut], text[cut:]))
    return f"[concat('{first}','{rest}')]"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value was written, and the resource type whose property it is part of."""

    where: SourceRange
    owner: ResourceType


class _Values:
    """Turns values into plain data and remembers the credentials among them."""

    def __init__(self, problems: Diagnostics, registry: Registry) -> None:
        self._registry = registry
        self.parameters = CredentialParameters()
        self.problems = problems

    def plain(self, value: Any, kind: CimType, place: _Place) -> Any:
        """Return text, number, boolean, list or mapping."""
        match value:
            case Credential():
                return f"[parameters('{self.parameters.name(value)}')]"
            case Instance(class_name=each) if each == PAIR_CLASS:
                return self._pairs((value,), place)
            case Instance():
                return self._object(value, place)
            case tuple() if value and all(_is_pair(each) for each in value):
                return self._pairs(value, place)
            case tuple():
                return [self.plain(each, kind, place) for each in value]
            case str() if kind is CimType.DATETIME:
                return _moment(value)
            case str():
                return expression_free(value)
            case _:
                return value

    def _object(self, instance: Instance, place: _Place) -> dict[str, Any]:
        found = self._registry.embedded_class(place.owner.module, place.owner.version, instance.class_name)
        plain = {}
        for name, value in instance.properties.items():
            if value is not None:
                prop = found.property(name) if found else None
                plain[name] = self.plain(value, prop.type if prop else CimType.STRING, place)
        return plain

    def _pairs(self, pairs: tuple[Instance, ...], place: _Place) -> dict[str, Any]:
        keys = [str(pair.properties.get("Key", "")) for pair in pairs]
        if len({key.casefold() for key in keys}) < len(keys):
            self.problems.error(
                "Document cannot hold a key twice",
                f"The keys differ in case at most, and a mapping of DSC v3 has each once: {', '.join(keys)}.",
                place.where,
                "Use each key once.",
            )
        values = [self.plain(pair.properties.get("Value"), CimType.STRING, place) for pair in pairs]
        return dict(zip(keys, values, strict=True))


def _resource(
    resource: Resource, names: Mapping[tuple[str, str, str], str], values: _Values
) -> dict[str, Any]:
    kind = resource.type
    if RUN_AS in resource.properties and kind.kind is ResourceKind.CLASS:
        values.problems.error(
            "Document cannot run this resource as another user",
            f"'{resource.id}' has {RUN_AS}, and the adapter of DSC v3 gives it to resources made of scripts only.",
            resource.property_ranges.get(RUN_AS, resource.where),
            "Use MOF, or leave it out.",
        )
    properties = {}
    for name, value in resource.properties.items():
        if value is None:
            continue
        prop = kind.property(name)
        where = resource.property_ranges.get(name, resource.where)
        properties[name] = values.plain(value, prop.type if prop else CimType.STRING, _Place(where, kind))
    name = names[resource.id.folded]
    inner = {"name": name, "type": f"{kind.module}/{kind.name}", "properties": properties}
    targets = [f"[resourceId('{ADAPTER}','{names[target.folded]}')]" for target in resource.depends_on]
    return {
        "name": name,
        "type": ADAPTER,
        **({"dependsOn": targets} if targets else {}),
        "properties": {"resources": [inner]},
    }


def _is_pair(value: Any) -> bool:
    return isinstance(value, Instance) and value.class_name == PAIR_CLASS


def _moment(text: str) -> str:
    """Return a MOF date in the form .NET reads; an interval stays as it is."""
    found = _DATE.fullmatch(text)
    if found is None:
        return text
    year, month, day, hour, minute, second, offset = found.groups()
    hours, minutes = divmod(abs(int(offset)), 60)
    return f"{year}-{month}-{day}T{hour}:{minute}:{second}{offset[0]}{hours:02}:{minutes:02}"


def _artifact(file_name: str, text: str) -> Artifact:
    content = text.encode()
    return Artifact(file_name, content, hashlib.sha256(content).hexdigest())
