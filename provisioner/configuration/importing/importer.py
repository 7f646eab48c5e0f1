"""Make a project of documents that Windows PowerShell compiled.

Pure: bytes in, texts of files out. Everything that is wrong is told at its position in the document, what the
compiler would refuse included, so that what is written compiles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from provisioner.addresses import RoleName
from provisioner.catalogue.registry import Registry
from provisioner.configuration.check import Checker
from provisioner.configuration.importing.compiled import CompiledDocument, take_apart
from provisioner.configuration.importing.lcm_settings import LcmImport, import_settings
from provisioner.configuration.importing.project_files import Part, lcm_files, project_files
from provisioner.configuration.importing.resources import ImportedResource, Resources
from provisioner.configuration.importing.schemas import find_schemas
from provisioner.configuration.importing.secret_names import SecretNames, WantedSecret
from provisioner.configuration.reading.parser import read_mof
from provisioner.diagnostics import Diagnostics
from provisioner.roles.model import Declaration, DeclaredProperty, Reference, Value


@dataclass(frozen=True, slots=True)
class Import:
    """What an import would write.

    ``files`` are texts by their path below the project, ``nodes`` the role of each node, ``profiles`` those of the
    files that hold settings of an LCM.
    """

    files: Mapping[Path, str]
    nodes: Mapping[str, str]
    profiles: Sequence[Path]
    resources: int
    secrets: Sequence[WantedSecret]


def import_documents(
    documents: Sequence[tuple[str, bytes]], registry: Registry
) -> tuple[Import | None, Diagnostics]:
    """Turn documents, each with the path that messages show, into the files of a project.

    Returns:
        The files and all problems; None beside errors.
    """
    problems = Diagnostics()
    secrets = SecretNames()
    parts: list[Part] = []
    profiles: list[LcmImport] = []
    seen: dict[str, CompiledDocument] = {}
    checker = Checker(registry)
    for path, data in documents:
        reading, found = read_mof(data, path)
        problems.extend(found)
        if reading is None:
            continue
        document = take_apart(path, reading, problems)
        if document.is_meta:
            profile = import_settings(document, registry, secrets, problems)
            profiles.extend([profile] if profile else [])
            continue
        first = seen.setdefault(document.node.casefold(), document)
        if first is not document:
            problems.error(
                "Two documents for one node",
                f"{first.path} is for the node '{document.node}' already.",
                reading.document.instances[0].where,
                "Import them one after the other, into different folders.",
            )
        schemas = find_schemas(document, registry, problems)
        maker = Resources(document, registry, secrets, problems)
        resources = [
            maker.resource(resource_id, instance, kind)
            for (resource_id, instance), kind in zip(document.resources, schemas.types, strict=True)
            if kind is not None
        ]
        for each in resources:
            _check(each, schemas.modules, checker, problems)
        parts.append(Part(document, schemas.modules, resources))
    if problems.has_errors:
        return None, problems
    nodes, files = project_files(parts, has_credentials=secrets.has_credentials)
    profile_files = lcm_files(profiles)
    count = sum(len(part.resources) for part in parts)
    return Import({**files, **profile_files}, nodes, tuple(profile_files), count, secrets.wanted), problems


def _check(
    resource: ImportedResource, modules: Mapping[str, str], checker: Checker, problems: Diagnostics
) -> None:
    """Hold a resource against its type as the compiler will, with the positions of the document."""
    where = resource.where
    declaration = Declaration(
        role=RoleName("imported"),
        module=resource.module,
        type_name=resource.type.name,
        name=resource.id.name,
        properties=tuple(
            DeclaredProperty(Reference(name, resource.places[name]), Value(data, resource.places[name]))
            for name, data in resource.properties.items()
        ),
        depends_on=tuple(Reference(target, where) for target in resource.depends_on),
        where=where,
        kind_where=where,
        name_where=where,
        within=resource.id.within,
        within_where=where if resource.id.within else None,
    )
    checker.check(declaration, modules, problems)
