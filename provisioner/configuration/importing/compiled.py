"""A document Windows PowerShell compiled, taken apart: which instance is what, and what is wrong with the whole.

What an LCM refuses about a document as a whole is refused here. Source: real LCM behaviour.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from provisioner.addresses import ResourceId
from provisioner.configuration.instances import Alias, MofInstance, MofProperty
from provisioner.configuration.reading.parser import Reading
from provisioner.diagnostics import Diagnostics, SourceRange, did_you_mean

DOCUMENT_CLASS = "OMI_ConfigurationDocument"
META_CLASSES = frozenset({"msft_dscmetaconfiguration", "msft_dscmetaconfigurationv2"})
_ADDITIONAL = "CompatibleVersionAdditionalProperties"
#: A guess compares with every name of the document; so many comparisons may all guesses together cost.
_MOST_COMPARISONS = 10_000
_SUFFIXES = re.compile(r"(?:\.meta)?\.mof(?:\.error)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CompiledDocument:
    """One document.

    ``embedded`` are its instances by alias, folded; ``resources`` have a ResourceID; ``others`` are those of a
    metaconfiguration. ``configuration`` is the name of what it was compiled from; empty when it does not say.
    ``is_beside_configuration`` tells settings that stood in an ordinary configuration: their closing block lists
    nothing (mof-format, section 6).
    """

    path: str
    node: str
    configuration: str
    is_meta: bool
    is_encrypted: bool
    is_beside_configuration: bool
    resources: tuple[tuple[ResourceId, MofInstance], ...]
    others: tuple[MofInstance, ...]
    embedded: Mapping[str, MofInstance]

    def instance(self, alias: Alias) -> MofInstance:
        """Return what an alias stands for; the reader has seen to it that there is one."""
        return self.embedded[alias.name.casefold()]


def take_apart(path: str, reading: Reading, problems: Diagnostics) -> CompiledDocument:
    """Find out what each instance is; everything that is wrong is recorded."""
    instances = reading.document.instances
    blocks = [each for each in instances if _is(each, DOCUMENT_CLASS)]
    _check_blocks(blocks, instances, problems)
    is_meta = any(each.class_name.casefold() in META_CLASSES for each in instances)
    used = {
        alias.name.casefold()
        for each in instances
        for prop in each.properties
        for alias in aliases(prop.value)
    }
    resources = []
    for each in instances:
        if _is(each, DOCUMENT_CLASS) or each.alias.casefold() in used or is_meta:
            continue
        resource_id = _resource_id(each, problems)
        if resource_id:
            resources.append((resource_id, each))
    _check_names(resources, problems)
    name = blocks[0].get("Name") if blocks else None
    first = next((each.get("ConfigurationName") for _, each in resources), None)
    return CompiledDocument(
        path=path,
        node=reading.target_node or _SUFFIXES.sub("", PurePath(path).name),
        configuration=next((each for each in (name, first) if isinstance(each, str)), ""),
        is_meta=is_meta,
        is_encrypted=any(each.get("ContentType") == "PasswordEncrypted" for each in blocks),
        is_beside_configuration=any(each.get(_ADDITIONAL) == () for each in blocks),
        resources=tuple(resources),
        others=instances if is_meta else (),
        embedded={each.alias.casefold(): each for each in instances if each.alias},
    )


def aliases(value: object) -> Iterator[Alias]:
    """Yield the aliases in a value."""
    for item in value if isinstance(value, tuple) else (value,):
        if isinstance(item, Alias):
            yield item


def place(instance: MofInstance, name: str) -> SourceRange | None:
    """Return where the value of a property stands; where the instance stands when it has none."""
    found = _property(instance, name)
    return found.where if found else instance.where


def _is(instance: MofInstance, class_name: str) -> bool:
    return instance.class_name.casefold() == class_name.casefold()


def _property(instance: MofInstance, name: str) -> MofProperty | None:
    wanted = name.casefold()
    return next((each for each in instance.properties if each.name.casefold() == wanted), None)


def _check_blocks(
    blocks: list[MofInstance], instances: tuple[MofInstance, ...], problems: Diagnostics
) -> None:
    if not blocks:
        problems.error(
            "Document has no closing block",
            f"There is no instance of {DOCUMENT_CLASS}, without which no LCM takes a document.",
            instances[-1].where,
            "Take the file as it was compiled.",
        )
    for block in blocks[1:]:
        problems.error(
            "Document has two closing blocks",
            f"{DOCUMENT_CLASS} stands at {blocks[0].where} already, and a document has one.",
            block.where,
            "Keep one of the two.",
        )


def _resource_id(instance: MofInstance, problems: Diagnostics) -> ResourceId | None:
    written = instance.get("ResourceID")
    if not isinstance(written, str):
        problems.error(
            "Instance is no resource",
            f"This {instance.class_name} has no ResourceID, and no other instance uses it.",
            instance.where,
            "Take the file as it was compiled.",
        )
        return None
    found = ResourceId.parse(written)
    if found is None:
        problems.error(
            "ResourceID has another form",
            "A resource is named '[Type]Name', and this is not.",
            place(instance, "ResourceID"),
        )
    return found


def _check_names(resources: list[tuple[ResourceId, MofInstance]], problems: Diagnostics) -> None:
    seen: dict[tuple[str, str, str], MofInstance] = {}
    for resource_id, instance in resources:
        first = seen.setdefault(resource_id.folded, instance)
        if first is not instance:
            problems.error(
                "Resource is declared twice",
                f"'{resource_id}' stands at {first.where} already; names ignore case.",
                place(instance, "ResourceID"),
            )
    missing = [
        (resource_id, target, instance)
        for resource_id, instance in resources
        for target in targets(instance)
        if (wanted := ResourceId.parse(target)) is None or wanted.folded not in seen
    ]
    names = [str(each) for each, _ in resources]
    for number, (resource_id, target, instance) in enumerate(missing):
        problems.error(
            "Dependency not found",
            f"'{resource_id}' depends on '{target}', which the document does not have.",
            place(instance, "DependsOn"),
            did_you_mean(target, names) if number * len(names) < _MOST_COMPARISONS else "",
        )


def targets(instance: MofInstance) -> tuple[str, ...]:
    """Return the entries of DependsOn; a single text counts as one."""
    written = instance.get("DependsOn")
    items = written if isinstance(written, tuple) else (written,)
    return tuple(each for each in items if isinstance(each, str))
