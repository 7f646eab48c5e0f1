"""The files of an imported project: one inventory, and a role with its configuration file for each document.

Documents of one configuration with the same content share a role.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path, PurePath
from typing import Any

from provisioner import documents
from provisioner.configuration.importing.compiled import CompiledDocument
from provisioner.configuration.importing.escaping import literal, literals
from provisioner.configuration.importing.lcm_settings import LcmImport
from provisioner.configuration.importing.resources import ImportedResource

INVENTORY = Path("inventories", "imported", "inventory.yaml")
#: Folder of LCM profiles.
PROFILES = Path("dsc_configs", "lcm")
#: What a node's own account and password are called; an inventory cannot do without them.
USER = "Administrator"
PASSWORD = "env:WINDOWS_PASSWORD"  # noqa: S105 - a reference
#: Folder of the certificates that 'provision certificate fetch' pins, beside the inventory.
CERTIFICATES = "certificates/"

_NO_ROLE = re.compile(r"[^A-Za-z0-9_-]+")
_NO_NODE = re.compile(r"[^A-Za-z0-9.-]+")
_LONGEST_NAME = 63


@dataclass(frozen=True, slots=True)
class Part:
    """One document with what was made of it."""

    document: CompiledDocument
    modules: Mapping[str, str]
    resources: Sequence[ImportedResource]


def project_files(
    parts: Sequence[Part], *, has_credentials: bool
) -> tuple[Mapping[str, str], Mapping[Path, str]]:
    """Return the role of each node, and the texts by their path below the project."""
    files: dict[Path, str] = {}
    nodes: dict[str, str] = {}
    addresses: dict[str, str] = {}
    known: dict[str, str] = {}
    taken: set[str] = set()
    for part in parts:
        configuration = _configuration(part)
        role = _unique(part.document, f"{dict(part.modules)}\n{configuration}", known)
        path = Path("roles", role, "role.yaml")
        if path not in files:
            files[path] = _role_file(part, role)
            files[Path("dsc_configs", f"{role}.dsc.yaml")] = configuration
        node = _node(part.document.node, taken)
        nodes[node] = role
        addresses[node] = part.document.node
    if nodes:
        files = {INVENTORY: _inventory(nodes, addresses, has_credentials=has_credentials), **files}
    return nodes, files


def lcm_files(profiles: Sequence[LcmImport]) -> Mapping[Path, str]:
    """Return the texts of LCM profiles by their path below the project; equal ones share a file."""
    files: dict[Path, str] = {}
    known: dict[str, str] = {}
    for each in profiles:
        data = {key: value for key, value in each.profile.items() if key != "description"}
        name = _unique(each.document, documents.dump(data), known)
        files.setdefault(PROFILES / f"{name}.yaml", documents.dump(dict(each.profile)))
    return files


def _inventory(nodes: Mapping[str, str], addresses: Mapping[str, str], *, has_credentials: bool) -> str:
    data: dict[str, Any] = {
        "site": "imported",
        "connection": {"transport": "psrp", "user": USER, "password": PASSWORD},
    }
    if has_credentials:
        data["encryption"] = {"certificate": CERTIFICATES}
    data["nodes"] = {
        node: {"address": _address(addresses[node], node), "roles": [role]} for node, role in nodes.items()
    }
    return documents.dump(data)


def _role_file(part: Part, role: str) -> str:
    name = PurePath(part.document.path).name
    origin = f" of the configuration {part.document.configuration}" if part.document.configuration else ""
    return documents.dump(
        {
            "description": f"Imported from {name}{origin}.",
            "modules": dict(part.modules),
            "configurations": [role],
        }
    )


def _configuration(part: Part) -> str:
    return documents.dump({"resources": [_resource(each) for each in part.resources]})


def _resource(resource: ImportedResource) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": literal(resource.id.name),
        "type": f"{resource.module}/{resource.type.name}",
    }
    if resource.id.within:
        found["within"] = literal(resource.id.within)
    if resource.properties:
        found["properties"] = literals(resource.properties)
    if resource.depends_on:
        found["dependsOn"] = literals(resource.depends_on)
    return found


def _unique(document: CompiledDocument, content: str, known: dict[str, str]) -> str:
    """Return the name of what a document becomes: that of its configuration, with the node's where several differ.

    ``known`` maps each folded name to its content and grows.
    """
    base = _name(document.configuration or document.node)
    wishes = chain(
        (base, _name(f"{base}_{document.node}")),
        (_name(f"{base}_{number}", str(number)) for number in count(2)),
    )
    name = next(wish for wish in wishes if known.get(wish.casefold(), content) == content)
    known[name.casefold()] = content
    return name


def _name(wish: str, ending: str = "") -> str:
    """Return a name for a role: it starts with a letter and has no more than 63 characters."""
    found = _NO_ROLE.sub("_", wish).strip("_-") or "imported"
    found = found if found[0].isalpha() else f"r{found}"
    if len(found) <= _LONGEST_NAME:
        return found
    return found[: _LONGEST_NAME - len(ending)] + ending


def _node(wish: str, taken: set[str]) -> str:
    """Return a name for a node, as an inventory takes them; ``taken`` holds the folded ones and grows."""
    base = _NO_NODE.sub("-", wish)[:_LONGEST_NAME].strip("-.") or "node"
    wishes = chain((base,), (f"{base[: _LONGEST_NAME - 4]}-{number}" for number in count(2)))
    name = next(each for each in wishes if each.casefold() not in taken)
    taken.add(name.casefold())
    return name


def _address(original: str, node: str) -> str:
    """Return where the node is reached: by the name the document was made for, if that is one."""
    return original if re.fullmatch(r"[A-Za-z0-9_.:-]{1,253}", original) else node
