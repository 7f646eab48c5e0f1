"""Whether an imported module holds all it names: embedded classes, members of composites, exported resources.

What is left of a module after this can be written and read back, however much of it could not be read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from provisioner.catalogue.registry import COMMON_CLASSES
from provisioner.catalogue.schema import EmbeddedClass, Module, Property, ResourceType
from provisioner.diagnostics import Diagnostics, SourceRange

_COMMON = {each.name.casefold() for each in COMMON_CLASSES}


def without_gaps(module: Module, where: SourceRange, problems: Diagnostics) -> Module:
    """Return a module without the resources that embed a class nobody declares.

    Args:
        module: What was read.
        where: The manifest, for problems that have no better place.
        problems: Told of each resource that is left out and of each composite that does not expand.
    """
    classes = list(module.classes)
    while gaps := {each.name for each in classes if _missing(each.properties, module, classes)}:
        classes = [each for each in classes if each.name not in gaps]
    kept: list[ResourceType] = []
    for resource in module.resources:
        if missing := _missing(resource.properties, module, classes):
            problems.error(
                "Embedded class is not declared",
                f"The resource '{resource.name}' embeds '{missing}', which the module does not declare.",
                where,
            )
        else:
            kept.append(resource)
    names = {each.name.casefold() for each in kept}
    whole = [_expandable(each, names, where, problems) for each in kept]
    return replace(module, resources=tuple(whole), classes=tuple(classes))


def check_exports(module: Module, exported: Iterable[str], where: SourceRange, problems: Diagnostics) -> None:
    """Tell of a module without resources, and of resources that the manifest exports and nothing declares."""
    if not module.resources:
        problems.error("Module has no DSC resources", f"No resource of '{module.name}' could be read.", where)
    for name in exported:
        is_pattern = any(each in name for each in "*?[")
        if not is_pattern and module.resource(name) is None:
            problems.error(
                "Exported resource is not there",
                f"The manifest exports the DSC resource '{name}', but it is in no schema, class or composite.",
                where,
            )


def _missing(properties: Iterable[Property], module: Module, classes: Iterable[EmbeddedClass]) -> str:
    """Return the first class that properties embed and nobody declares; empty when all are there."""
    known = _COMMON | {each.name.casefold() for each in classes}
    for prop in properties:
        name = prop.embedded_class
        if name and name.casefold() not in known and module.resource_of_class(name) is None:
            return name
    return ""


def _expandable(
    resource: ResourceType, names: set[str], where: SourceRange, problems: Diagnostics
) -> ResourceType:
    if not resource.expands_to or resource.expands_to.casefold() in names:
        return resource
    problems.warning(
        "Composite is known by its parameters only",
        f"'{resource.name}' makes resources of the type '{resource.expands_to}', which the module does not have, "
        "so a configuration that uses it cannot be compiled.",
        where,
    )
    return replace(resource, expands_to="", split_by="")
