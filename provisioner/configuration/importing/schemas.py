"""Which catalogue entry describes the resources of a document: by module, version and class.

A development state carries the number of the release before it, so several versions of the catalogue may stand
for one number in a document; the one that knows the most of what is there is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from provisioner.addresses import ResourceId
from provisioner.catalogue.registry import COMMON_PROPERTIES, Registry, version_order
from provisioner.catalogue.schema import Module, ResourceType
from provisioner.configuration.importing.compiled import CompiledDocument, place
from provisioner.configuration.instances import MofInstance
from provisioner.diagnostics import Diagnostics

_COMMON = frozenset(name.casefold() for name in COMMON_PROPERTIES)
_WAY_OUT = (
    "Add the module with 'provision catalog import --project DIR MODULE', where DIR is the folder to import into, "
    "and import again."
)

_Uses = Sequence[tuple[ResourceId, MofInstance]]


@dataclass(frozen=True, slots=True)
class Schemas:
    """What the catalogue knows of one document. ``types`` come in the order of its resources.

    ``modules`` are the versions to name in a role.
    """

    modules: Mapping[str, str]
    types: tuple[ResourceType | None, ...]


def find_schemas(document: CompiledDocument, registry: Registry, problems: Diagnostics) -> Schemas:
    """Find the type of every resource; everything that is unknown is recorded, each class once."""
    uses: dict[str, list[tuple[ResourceId, MofInstance]]] = {}
    for resource_id, instance in document.resources:
        module = instance.get("ModuleName")
        if isinstance(module, str) and isinstance(instance.get("ModuleVersion"), str):
            uses.setdefault(module.casefold(), []).append((resource_id, instance))
        else:
            problems.error(
                "Resource names no module",
                f"'{resource_id}' lacks ModuleName or ModuleVersion, without which no LCM takes it.",
                instance.where,
                "Take the file as it was compiled.",
            )
    modules: dict[str, str] = {}
    chosen: dict[str, tuple[str, str]] = {}
    for folded, found in uses.items():
        module = str(found[0][1].get("ModuleName"))
        written = _version(module, found, problems)
        if not registry.versions(module):
            _refuse_classes(module, written, found, problems)
            continue
        version = _fitting(registry, module, written, found, problems)
        key = registry.find(module, version)
        assert key is not None, "the version is one of the catalogue's"
        chosen[folded] = key
        # A number that only stands for the catalogue's own, as the in-box 1.0 does, stays what was written.
        modules[key[0]] = written if registry.find(module, written) == key else version
    types = []
    missing: dict[tuple[str, str], list[tuple[ResourceId, MofInstance]]] = {}
    for use in document.resources:
        key = chosen.get(str(use[1].get("ModuleName")).casefold())
        kind = _type(use, registry.module(*key), problems) if key else None
        if key and kind is None:
            missing.setdefault(key, []).append(use)
        types.append(kind)
    for key, found in missing.items():
        _refuse_classes(*key, found, problems)
    return Schemas(modules, tuple(types))


def _version(module: str, uses: _Uses, problems: Diagnostics) -> str:
    first = str(uses[0][1].get("ModuleVersion"))
    for resource_id, instance in uses[1:]:
        version = str(instance.get("ModuleVersion"))
        if version != first:
            problems.error(
                "Module in two versions",
                f"'{resource_id}' needs {module} {version}, and '{uses[0][0]}' needs {first}; a role has one.",
                place(instance, "ModuleVersion"),
            )
            break
    return first


def _fitting(registry: Registry, module: str, written: str, uses: _Uses, problems: Diagnostics) -> str:
    """Return the version that knows the most of the resources; without the one written, the nearest."""
    same = registry.written_as(module, written)
    if same:
        return min(same, key=lambda version: _unknown(registry, module, version, uses))
    wanted = version_order(written)
    known = sorted(registry.versions(module), key=version_order)
    released = [version for version in known if "-" not in version] or known
    newer = [version for version in released if version_order(version) > wanted]
    version = newer[0] if newer else released[-1]
    problems.warning(
        "Version is not in the catalogue",
        f"The document was compiled with {module} {written}. The catalogue knows {', '.join(known)}, and "
        f"{version} is taken instead: the node must then have that one.",
        place(uses[0][1], "ModuleVersion"),
        f"To stay with {written}: a{_WAY_OUT[1:]}",
    )
    return version


def _unknown(registry: Registry, module: str, version: str, uses: _Uses) -> tuple[int, int]:
    """Count the classes and properties a version does not have."""
    found = registry.module(module, version)
    assert found is not None, "the version is one of the catalogue's"
    classes = properties = 0
    for _, instance in uses:
        kind = found.resource_of_class(instance.class_name)
        if kind is None:
            classes += 1
            continue
        properties += sum(
            kind.property(each.name) is None and each.name.casefold() not in _COMMON
            for each in instance.properties
        )
    return classes, properties


def _type(
    use: tuple[ResourceId, MofInstance], module: Module | None, problems: Diagnostics
) -> ResourceType | None:
    assert module is not None, "the version is one of the catalogue's"
    resource_id, instance = use
    # Class names change between versions, keywords hardly ever do.
    kind = module.resource_of_class(instance.class_name) or module.resource(resource_id.type)
    if kind and kind.name.casefold() != resource_id.type.casefold():
        problems.error(
            "ResourceID has another type than its class",
            f"{instance.class_name} is the class of '{kind.name}' in {module.name} {module.version}, and the "
            f"ResourceID says '{resource_id.type}'.",
            place(instance, "ResourceID"),
        )
    return kind


def _refuse_classes(module: str, version: str, uses: _Uses, problems: Diagnostics) -> None:
    first: dict[str, MofInstance] = {}
    for _, instance in uses:
        first.setdefault(instance.class_name.casefold(), instance)
    for instance in first.values():
        problems.error(
            "Class is not in the catalogue",
            f"The catalogue has no class {instance.class_name} of {module} {version}, so nothing is known of "
            "its properties.",
            instance.where,
            _WAY_OUT,
        )
