"""Emit a node's configuration as a PowerShell script that Windows PowerShell compiles to the same document.

One script per node. A secret is never in it: every credential is a mandatory parameter. What the language of
configurations cannot say is a diagnostic, at the position of what cannot be said.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provisioner.addresses import ResourceId
from provisioner.catalogue.registry import Registry
from provisioner.catalogue.schema import PAIR_CLASS, CimType, ResourceKind, ResourceType, module_version
from provisioner.configuration.emit import powershell_literals as literals
from provisioner.configuration.emit.layout import AUTHOR
from provisioner.configuration.emit.parameters import CredentialParameters, description
from provisioner.configuration.emit.resource_text import IN_BOX_MODULES, RUN_AS
from provisioner.configuration.model import Artifact, Configuration, Credential, Instance, Resource
from provisioner.diagnostics import Diagnostics, SourceRange

#: Names PowerShell accepts behind ``[Type]`` in DependsOn (mof-format, 3.4).
_DEPENDABLE = re.compile(r"\w[\w .\\-]*")
#: A resource with ``within`` is expressible as a member of one of these: ``[WindowsFeatureSet]tools``.
_ONE_COMPOSITE = re.compile(r"\[(?P<type>[A-Za-z]\w*)\](?P<name>[^\[\]]+)")
#: ModuleVersion values the in-box module has when Import-DscResource names no version (mof-format, 3.3).
_UNNAMED_VERSIONS = frozenset({"1.0", "0.0"})
_INDENT = "    "


def emit_powershell(configuration: Configuration, registry: Registry) -> tuple[Artifact, Diagnostics]:
    """Emit ``<node>.ps1``, UTF-8 with the byte order mark Windows PowerShell needs, and what it cannot say."""
    script = _Script(configuration, registry)
    content = "\ufeff".encode() + script.text().encode()
    artifact = Artifact(f"{configuration.node}.ps1", content, hashlib.sha256(content).hexdigest())
    return artifact, script.problems


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value was written, and the resource type whose property it is part of."""

    where: SourceRange
    owner: ResourceType


class _Script:
    """One script as it grows: parameters are found while the resources are written."""

    def __init__(self, configuration: Configuration, registry: Registry) -> None:
        self.problems = Diagnostics()
        self._configuration = configuration
        self._registry = registry
        self._parameters = CredentialParameters()
        self._refused: set[tuple[str, str, str]] = set()
        self._sets = _Sets(configuration, registry, self.problems)
        self._shared_keywords = _shared_keywords(configuration, registry)

    def text(self) -> str:
        """Return the whole script."""
        node = self._configuration.node
        body = [line for block in self._blocks() for line in block]
        lines = [
            f"# {_comment(node)}, written by {AUTHOR}. To change it, change what it was written from.",
            f"#   . .\\{_comment(node)}.ps1",
            f"#   {self._configuration.name} -OutputPath .{self._usage()}",
            f"Configuration {self._configuration.name}",
            "{",
            *_indented(self._param_block()),
            *_indented(self._imports()),
            "",
            f"{_INDENT}Node {literals.text(node)}",
            f"{_INDENT}{{",
            *_indented(body, 2),
            f"{_INDENT}}}",
            "}",
        ]
        return "\n".join(lines) + "\n"

    def _usage(self) -> str:
        if not self._parameters:
            return ""
        node = literals.text(_comment(self._configuration.node))
        return f" -ConfigurationData @{{ AllNodes = @(@{{ NodeName = {node}; CertificateFile = '...' }}) }}"

    def _param_block(self) -> list[str]:
        blocks = [
            [
                f"[Parameter(Mandatory, HelpMessage = {literals.text(description(credential))})]",
                "[PSCredential]",
                f"${name}",
            ]
            for name, credential in self._parameters
        ]
        if not blocks:
            return []
        inner = [line for block in blocks for line in (*block[:-1], f"{block[-1]},", "")][:-1]
        inner[-1] = inner[-1].removesuffix(",")
        return ["param", "(", *_indented(inner), ")", ""]

    def _imports(self) -> list[str]:
        spelled: dict[str, str] = {}
        found: dict[str, dict[str, SourceRange]] = {}
        for resource in self._configuration.resources:
            # The document has the name in the case it is imported in.
            module = resource.module or resource.type.module
            module = spelled.setdefault(module.casefold(), module)
            version = module_version(resource.version or resource.type.version)
            if module.casefold() in IN_BOX_MODULES and version in _UNNAMED_VERSIONS:
                version = ""
            found.setdefault(module, {}).setdefault(version, resource.where)
        lines = []
        for module, versions in found.items():
            if len(versions) > 1:
                named = ", ".join(version or "(none named)" for version in versions)
                self.problems.error(
                    "Script cannot hold several versions of a module",
                    f"Resources of module {module} are of the versions {named}, and a keyword belongs to one.",
                    list(versions.values())[1],
                    "Use one version of the module on this node.",
                )
            version = next(iter(versions))
            named = f" -ModuleVersion {literals.text(version)}" if version else ""
            lines.append(f"Import-DscResource -ModuleName {literals.text(module)}{named}")
        return lines

    def _blocks(self) -> Iterator[list[str]]:
        first = True
        for resource in self._configuration.resources:
            if (members := self._sets.members(resource)) is not None:
                if members[0] is not resource:
                    continue
                block = self._set(members)
            else:
                block = self._resource(resource)
            yield block if first else ["", *block]
            first = False

    def _resource(self, resource: Resource) -> list[str]:
        if resource.id.within:
            self.problems.error(
                "Script cannot place a resource in this composite",
                f"'{resource.id}' states that it came from {resource.id.within}, and a script gives a resource "
                "such an id only inside that composite.",
                resource.where,
                "Leave out 'within', or use MOF.",
            )
        keyword = resource.type.name
        if keyword.casefold() in self._shared_keywords:
            keyword = f"{resource.module or resource.type.module}\\{keyword}"
        lines = []
        for name, value in resource.properties.items():
            lines += self._property(name, value, resource)
        lines += self._depends_on(resource, resource)
        return [f"{keyword} {literals.text(resource.id.name)}", "{", *_indented(lines), "}"]

    def _set(self, members: tuple[Resource, ...]) -> list[str]:
        """Write the composite that expands to these members."""
        first = members[0]
        composite, kind = self._sets.composite(first)
        lines = []
        for name, value in first.properties.items():
            if name.casefold() == kind.split_by.casefold():
                lines += self._property(name, tuple(each.properties[name] for each in members), first)
            elif _is_passed_on(name, kind):
                lines += self._property(name, value, first)
        lines += self._depends_on(first, first)
        return [f"{kind.name} {literals.text(composite.name)}", "{", *_indented(lines), "}"]

    def _depends_on(self, resource: Resource, asking: Resource) -> list[str]:
        targets: dict[str, None] = {}
        for target in resource.depends_on:
            composite = self._sets.whole(target, resource.depends_on)
            written = str(composite or target)
            name = (composite or target).name
            if not _DEPENDABLE.fullmatch(name) or (target.within and not composite):
                self._refuse_target(target, asking)
            targets.setdefault(written)
        if not targets:
            return []
        return _array("DependsOn", [[literals.text(each)] for each in targets])

    def _refuse_target(self, target: ResourceId, asking: Resource) -> None:
        """Say once, where the resource is declared, that nothing can depend on it."""
        if target.folded in self._refused:
            return
        self._refused.add(target.folded)
        places = {each.id.folded: each.where for each in self._configuration.resources}
        if target.within:
            why = "names one member of a composite, and a script can name a composite only as a whole"
            help_ = "Depend on the whole composite, or use MOF."
        else:
            why = "is a name that DependsOn does not take in a script"
            help_ = (
                "Start the name with a letter, a digit or '_', and use only these, spaces, '.', '\\' and '-'."
            )
        self.problems.error(
            "Script cannot depend on this resource",
            f"'{asking.id}' at {asking.where} depends on it, and '{target}' {why}.",
            places.get(target.folded, asking.where),
            help_,
        )

    def _property(self, name: str, value: Any, resource: Resource) -> list[str]:
        prop = resource.type.property(name)
        where = resource.property_ranges.get(name, resource.where)
        kind = prop.type if prop else CimType.STRING
        if value == ():
            self.problems.warning(
                "Script loses an empty array",
                f"Windows PowerShell leaves '{name}' of '{resource.id}' out of its document, because the array "
                "has no elements.",
                where,
            )
        return self._setting(name, value, kind, _Place(where, resource.type))

    def _setting(self, name: str, value: Any, kind: CimType, place: _Place) -> list[str]:
        """Return the lines that set one property."""
        if isinstance(value, tuple) and not (value and all(_is_pair(each) for each in value)):
            return _array(name, [self._value(each, kind, place) for each in value])
        first, *rest = self._value(value, kind, place)
        return [f"{literals.name(name)} = {first}", *rest]

    def _pairs(self, pairs: tuple[Instance, ...], place: _Place) -> list[str]:
        keys = [str(pair.properties.get("Key", "")) for pair in pairs]
        if len({key.casefold() for key in keys}) < len(keys):
            self.problems.error(
                "Script cannot hold a key twice",
                f"The keys differ in case at most, and a hashtable has each once: {', '.join(keys)}.",
                place.where,
                "Use each key once.",
            )
        lines = [
            f"{literals.text(key)} = {self._value(pair.properties.get('Value'), CimType.STRING, place)[0]}"
            for key, pair in zip(keys, pairs, strict=True)
        ]
        return ["@{", *_indented(lines), "}"]

    def _value(self, value: Any, kind: CimType, place: _Place) -> list[str]:
        """Spell one value; an embedded instance takes several lines."""
        match value:
            case None:
                return ["$null"]
            case bool():
                return [literals.boolean(value=value)]
            case int() | float():
                return [literals.number(value)]
            case Credential():
                return [f"${self._parameters.name(value)}"]
            case Instance(class_name=each) if each == PAIR_CLASS:
                return self._pairs((value,), place)
            case Instance():
                return self._embedded(value, place)
            case tuple():
                return self._pairs(value, place)
            case _ if kind is CimType.CHAR16:
                return [literals.character(str(value))]
            case _ if kind is CimType.DATETIME:
                return [self._date(str(value), place)]
            case _:
                return [literals.text(str(value))]

    def _date(self, value: str, place: _Place) -> str:
        if value[14:15] != "." or value[21:22] not in {"+", "-"}:
            self.problems.error(
                "Script cannot hold an interval",
                f"'{value}' is no moment, and a script has values for moments only.",
                place.where,
            )
            return literals.text(value)
        self.problems.warning(
            "Script writes a date in another time zone",
            f"Windows PowerShell writes '{value}' with the offset of the machine that compiles the script: the "
            "same moment, other text.",
            place.where,
        )
        return literals.date(value)

    def _embedded(self, instance: Instance, place: _Place) -> list[str]:
        lines = []
        found = self._registry.embedded_class(place.owner.module, place.owner.version, instance.class_name)
        for name, value in instance.properties.items():
            prop = found.property(name) if found else None
            lines += self._setting(name, value, prop.type if prop else CimType.STRING, place)
        return [f"{instance.class_name} {{", *_indented(lines), "}"]


class _Sets:
    """Members of ``*Set`` composites, put together again: a script can only name the composite."""

    def __init__(self, configuration: Configuration, registry: Registry, problems: Diagnostics) -> None:
        self._kinds: dict[str, tuple[ResourceId, ResourceType]] = {}
        self._members: dict[str, tuple[Resource, ...]] = {}
        found: dict[str, list[Resource]] = {}
        for resource in configuration.resources:
            if resource.id.within:
                found.setdefault(resource.id.within.casefold(), []).append(resource)
        for within, members in found.items():
            composite = _composite(members, registry)
            if composite is not None and _is_expansion(members, composite[1]):
                self._kinds[within] = composite
                self._members[within] = tuple(sorted(members, key=_place))
        self._problems = problems

    def members(self, resource: Resource) -> tuple[Resource, ...] | None:
        """Return all members of the composite a resource came from, in order; None when it came from none."""
        return self._members.get(resource.id.within.casefold()) if resource.id.within else None

    def composite(self, resource: Resource) -> tuple[ResourceId, ResourceType]:
        """Return the composite of a member."""
        return self._kinds[resource.id.within.casefold()]

    def whole(self, target: ResourceId, among: tuple[ResourceId, ...]) -> ResourceId | None:
        """Return the composite to depend on instead of ``target``, if all members are ``among`` the targets."""
        within = target.within.casefold()
        if within not in self._members:
            return None
        wanted = {each.folded for each in among}
        is_whole = all(each.id.folded in wanted for each in self._members[within])
        return self._kinds[within][0] if is_whole else None


def _composite(members: list[Resource], registry: Registry) -> tuple[ResourceId, ResourceType] | None:
    found = _ONE_COMPOSITE.fullmatch(members[0].id.within)
    if found is None:
        return None
    module = members[0].type
    kind = registry.resource_type(module.module, found["type"], module.version)
    if kind is None or kind.kind is not ResourceKind.COMPOSITE or not kind.expands_to:
        return None
    return ResourceId(kind.name, found["name"]), kind


def _is_expansion(members: list[Resource], kind: ResourceType) -> bool:
    """Whether Windows PowerShell would make exactly these members of one block of the composite."""
    first = members[0]
    names = {each.id.name.casefold() for each in members}
    return names == {f"resource{number}" for number in range(len(members))} and all(
        each.type.name.casefold() == kind.expands_to.casefold()
        and all(_is_passed_on(name, kind) or value == "" for name, value in each.properties.items())
        and any(name.casefold() == kind.split_by.casefold() for name in each.properties)
        and each.depends_on == first.depends_on
        and _shared_part(each, kind) == _shared_part(first, kind)
        for each in members
    )


def _is_passed_on(name: str, kind: ResourceType) -> bool:
    """Whether a composite takes a property for its members; any other has its one value from the composite."""
    return name == RUN_AS or kind.property(name) is not None


def _shared_part(resource: Resource, kind: ResourceType) -> Mapping[str, Any]:
    split = kind.split_by.casefold()
    return {name: _wherever(value) for name, value in resource.properties.items() if name.casefold() != split}


def _wherever(value: Any) -> Any:
    """Return a credential without the place it was written at."""
    return (value.user, value.password, value.secrets) if isinstance(value, Credential) else value


def _place(resource: Resource) -> int:
    return int(resource.id.name[len("Resource") :])


def _shared_keywords(configuration: Configuration, registry: Registry) -> frozenset[str]:
    """Return the keywords that several of the imported modules have; only these need the module's name."""
    owners: dict[str, set[str]] = {}
    for name, version in {(each.type.module, each.type.version): None for each in configuration.resources}:
        module = registry.module(name, version)
        for kind in module.resources if module else ():
            owners.setdefault(kind.name.casefold(), set()).add(name.casefold())
    return frozenset(keyword for keyword, modules in owners.items() if len(modules) > 1)


def _is_pair(value: Any) -> bool:
    return isinstance(value, Instance) and value.class_name == PAIR_CLASS


def _array(name: str, items: list[list[str]]) -> list[str]:
    if all(len(item) == 1 for item in items):
        one_line = f"{literals.name(name)} = @({', '.join(item[0] for item in items)})"
        if len(one_line) <= 100 or len(items) < 2:  # noqa: PLR2004 - what reads well
            return [one_line]
        lines = [f"{item[0]}," for item in items]
        lines[-1] = lines[-1].removesuffix(",")
        return [f"{literals.name(name)} = @(", *_indented(lines), ")"]
    return [f"{literals.name(name)} = @(", *_indented([line for item in items for line in item]), ")"]


def _indented(lines: list[str], depth: int = 1) -> list[str]:
    return [f"{_INDENT * depth}{line}" if line else "" for line in lines]


def _comment(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)
