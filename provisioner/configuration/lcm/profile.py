"""Read an LCM profile: ``dsc_configs/lcm/<name>.yaml``, settings, servers and partial configurations.

The classes of the LCM say what may stand there; what only shows between the parts is checked here. Passwords and
registration keys are references to secrets, as everywhere. No expressions: a profile is the same for every node.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from provisioner import documents
from provisioner.catalogue.registry import Registry
from provisioner.catalogue.schema import EmbeddedClass, Qualifier, ResourceType
from provisioner.configuration.credentials import reference
from provisioner.configuration.embedded import Surroundings, fill
from provisioner.configuration.lcm.model import GROUPS, LcmPart, LcmProfile
from provisioner.configuration.shapes import Shape, Shapes
from provisioner.diagnostics import Diagnostics, SourceRange, did_you_mean
from provisioner.inventory.schema import is_reference
from provisioner.roles import masking
from provisioner.roles.model import Reference, Value, kind_of

#: The setting that lists the instances of a class, by the class it inherits from or its own name.
_GROUPS = {
    "OMI_ResourceModuleManager": "ResourceModuleManagers",
    "OMI_ReportManager": "ReportManagers",
    "OMI_ConfigurationDownloadManager": "ConfigurationDownloadManagers",
    "MSFT_PartialConfiguration": "PartialConfigurations",
    "MSFT_SignatureValidation": "SignatureValidations",
}
_PARTIAL = "PartialConfiguration"
_SECRET = "RegistrationKey"  # noqa: S105 - the name of a property
_KEYS = ("description", "settings", "managers", "partials", "beside_configuration")
_PART_KEYS = ("type", "name", "properties")


def load_lcm_profile(path: Path, registry: Registry) -> tuple[LcmProfile | None, Diagnostics]:
    """Return a profile and its problems; None beside errors."""
    tree, problems = _load(path)
    if tree is None or problems.has_errors:
        return None, problems
    reader = _Reader(registry, problems)
    profile = reader.profile(tree)
    return (None if problems.has_errors else profile), problems


def _load(path: Path) -> tuple[documents.Tree | None, Diagnostics]:
    """Read the file; what stands where a key should be referred to is starred out in all messages."""
    tree, problems = masking.load(path, str(path))
    hidden = list(_written_keys(tree)) if tree is not None else []
    if tree is None or not hidden:
        return tree, problems
    text, _, problems = documents.read_text(path)
    if text is None:
        return None, problems
    return documents.parse(text, masking.starred(tree.where, *hidden).source)


def _written_keys(tree: documents.Tree) -> Iterator[SourceRange]:
    match tree:
        case documents.Sequence():
            for item in tree.items:
                yield from _written_keys(item)
        case documents.Mapping():
            for entry in tree.entries:
                asks = difflib.get_close_matches(entry.name.casefold(), [_SECRET.casefold()], cutoff=0.6)
                if asks and not is_reference(str(documents.plain(entry.value))):
                    yield entry.value.where
                yield from _written_keys(entry.value)
        case _:
            pass


class _Reader:
    def __init__(self, registry: Registry, problems: Diagnostics) -> None:
        self._problems = problems
        self._registry = registry
        nothing = ResourceType("LocalConfigurationManager", "", "", "", ())
        self._around = Surroundings(Shapes(registry), nothing, problems)
        self._settings: dict[str, Any] = {}

    def profile(self, tree: documents.Tree) -> LcmProfile:
        found = dict(self._entries(tree, _KEYS, "An LCM profile"))
        if "settings" in found:
            self._read_settings(found["settings"])
        parts = [*self._parts(found.get("managers"), ""), *self._parts(found.get("partials"), _PARTIAL)]
        seen: dict[str, LcmPart] = {}
        for part in parts:
            earlier = seen.setdefault(str(part).casefold(), part)
            if earlier is not part:
                self._problems.error(
                    "Name is used twice", f"'{part}' stands at {earlier.where} already.", part.where
                )
        for part in parts:
            if part.keyword == _PARTIAL:
                self._check_partial(part, seen)
        return LcmProfile(self._settings, tuple(parts), self._flag(found.get("beside_configuration")))

    def _flag(self, tree: documents.Tree | None) -> bool:
        given = False if tree is None else documents.plain(tree)
        if tree is not None and not isinstance(given, bool):
            self._problems.error(
                "Wrong kind of value",
                f"'beside_configuration' is true or false, not {kind_of(given)}.",
                tree.where,
            )
        return given is True

    def _read_settings(self, tree: documents.Tree) -> None:
        value = _value(tree)
        kind = self._registry.meta_class("Settings")
        if kind is None or not self._is_mapping(value, "'settings' is"):
            return
        # The lists of servers are filled from what stands beside the settings.
        plain = [
            replace(prop, qualifier=Qualifier.READ) if prop.name in GROUPS else prop
            for prop in kind.properties
        ]
        shape = Shape.of(EmbeddedClass(kind.name, tuple(plain)), "The LCM")
        self._settings, ranges = fill(shape, value.entries, self._around)
        mode = self._settings.get("DebugMode")
        if isinstance(mode, tuple) and len(mode) > 1:
            self._problems.error(
                "LCM takes one debug mode",
                f"'DebugMode' is an array, and an LCM takes one value in it; these are {len(mode)}.",
                ranges["DebugMode"],
            )

    def _parts(self, tree: documents.Tree | None, keyword: str) -> Iterator[LcmPart]:
        if tree is None:
            return
        if not isinstance(tree, documents.Sequence):
            self._problems.error(
                "List expected",
                f"This is a list of mappings, not {kind_of(documents.plain(tree))}.",
                tree.where,
            )
            return
        for item in tree.items:
            part = self._part(item, keyword)
            if part is not None:
                yield part

    def _part(self, tree: documents.Tree, keyword: str) -> LcmPart | None:
        keys = _PART_KEYS[1:] if keyword else _PART_KEYS
        found = dict(self._entries(tree, keys, "An entry"))
        if not found:
            return None
        texts = {}
        for key in keys[:-1]:
            part = found.get(key)
            if not isinstance(part, documents.Scalar) or not isinstance(part.value, str) or not part.value:
                self._problems.error(
                    "Text expected",
                    f"An entry needs a text under '{key}'.",
                    part.where if part else tree.where,
                )
                return None
            texts[key] = part
        kind = self._kind(keyword or texts["type"].text, texts.get("type"))
        if kind is None:
            return None
        name = texts["name"]
        properties = self._properties(kind, found.get("properties"), name)
        group = _GROUPS.get(kind.base) or _GROUPS[kind.name]
        return LcmPart(kind.keyword, kind.name, group, name.text, properties, tree.where)

    def _kind(self, keyword: str, written: documents.Scalar | None) -> EmbeddedClass | None:
        kind = self._registry.meta_class(keyword)
        if kind is not None and (kind.base in _GROUPS or kind.name in _GROUPS):
            return kind
        if written is not None:
            known = [each for each in _keywords(self._registry) if each != _PARTIAL]
            self._problems.error(
                "Unknown kind of server",
                f"'{keyword}' is nothing an LCM works with.",
                written.where,
                did_you_mean(keyword, known),
            )
        return None

    def _properties(
        self, kind: EmbeddedClass, tree: documents.Tree | None, name: documents.Scalar
    ) -> dict[str, Any]:
        shape = Shape.of(kind, f"The {kind.keyword}")
        found: dict[str, Any] = {}
        ranges: dict[str, SourceRange] = {}
        if tree is not None:
            value = _value(tree)
            if not self._is_mapping(value, "'properties' is"):
                return {}
            secrets = [
                (key, part) for key, part in value.entries if key.name.casefold() == _SECRET.casefold()
            ]
            others = [entry for entry in value.entries if entry not in secrets]
            found, ranges = fill(shape, others, self._around)
            for key, part in secrets:
                slot = shape.slot(key.name)
                if slot is None:
                    fill(shape, [(key, part)], self._around)
                    continue
                found[slot.prop.name] = reference(slot.prop.name, part, self._problems)
                if found[slot.prop.name] is None:
                    continue
                self._problems.warning(
                    "Registration key stands in the document",
                    f"An LCM takes '{slot.prop.name}' in clear only, so whoever reads the document has it.",
                    part.where,
                    "Keep the document where only administrators read, and the key valid for a short time.",
                )
        for slot in shape.needed:
            if slot.prop.name not in ranges:
                self._problems.error(
                    "Missing property",
                    f"{shape.label} '{name.text}' needs a value for '{slot.prop.name}'.",
                    name.where,
                    f"Add '{slot.prop.name}' below 'properties'.",
                )
        return {prop.name: found[prop.name] for prop in kind.properties if prop.name in found}

    def _check_partial(self, part: LcmPart, known: dict[str, LcmPart]) -> None:
        mode = part.properties.get("RefreshMode") or self._settings.get("RefreshMode") or "Push"
        if part.properties.get("RefreshMode") == "Disabled":
            self._problems.error(
                "Partial configuration cannot be disabled",
                f"'{part}' has RefreshMode Disabled, which only the LCM as a whole may have.",
                part.where,
                "Use Push or Pull.",
            )
        if mode == "Pull" and not part.properties.get("ConfigurationSource"):
            self._problems.error(
                "Partial configuration has no source",
                f"'{part}' is pulled, and nothing says from where.",
                part.where,
                "Add 'ConfigurationSource' with '[ConfigurationRepositoryWeb]NAME'.",
            )
        for name in ("ConfigurationSource", "ResourceModuleSource", "DependsOn"):
            for target in part.properties.get(name) or ():
                if str(target).casefold() not in known:
                    self._problems.error(
                        "Reference not found",
                        f"'{name}' of '{part}' is '{target}', which the profile does not have.",
                        part.where,
                        did_you_mean(str(target), [str(each) for each in known.values()]),
                    )

    def _entries(
        self, tree: documents.Tree, known: tuple[str, ...], label: str
    ) -> Iterator[tuple[str, documents.Tree]]:
        if not isinstance(tree, documents.Mapping):
            self._problems.error(
                "Mapping expected",
                f"{label} is a mapping with the keys {', '.join(known)}.",
                tree.where,
            )
            return
        for entry in tree.entries:
            if entry.name in known:
                yield entry.name, entry.value
            else:
                self._problems.error(
                    "Unknown key",
                    f"{label} has no key '{entry.name}'.",
                    entry.key.where,
                    did_you_mean(entry.name, known),
                )

    def _is_mapping(self, value: Value, label: str) -> bool:
        if not isinstance(value.data, dict):
            self._problems.error(
                "Mapping expected",
                f"{label} a mapping of names to values, not {kind_of(value.data)}.",
                value.where,
            )
        return isinstance(value.data, dict)


def _keywords(registry: Registry) -> list[str]:
    names = (
        "ConfigurationRepositoryWeb",
        "ConfigurationRepositoryShare",
        "ResourceRepositoryWeb",
        "ResourceRepositoryShare",
        "ReportServerWeb",
        _PARTIAL,
        "SignatureValidation",
    )
    return [name for name in names if registry.meta_class(name)]


def _value(tree: documents.Tree) -> Value:
    match tree:
        case documents.Scalar():
            text = tree.text if tree.is_plain and not isinstance(tree.value, str) else ""
            return Value(tree.value, tree.where, text=text)
        case documents.Sequence():
            items = tuple(_value(item) for item in tree.items)
            return Value(tuple(item.data for item in items), tree.where, items)
        case documents.Mapping():
            entries = tuple(
                (Reference(entry.name, entry.key.where), _value(entry.value)) for entry in tree.entries
            )
            return Value({key.name: part.data for key, part in entries}, tree.where, entries=entries)
