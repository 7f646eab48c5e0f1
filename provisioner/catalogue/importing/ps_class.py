"""Class based resources: PowerShell classes with ``[DscResource()]`` and their ``[DscProperty()]`` members.

A class may inherit from any other class of the module; its own properties come first, as PowerShell writes
them. Source: how PowerShell makes the MOF class of a class based resource.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from provisioner.catalogue.importing.declarations import (
    Attribute,
    ClassDeclaration,
    Declarations,
    EnumDeclaration,
    Variable,
)
from provisioner.catalogue.importing.ps_types import (
    MofType,
    Report,
    allowed_values,
    default_of,
    limits_of,
    mof_type,
)
from provisioner.catalogue.schema import (
    CREDENTIAL_CLASS,
    PAIR_CLASS,
    EmbeddedClass,
    Property,
    Qualifier,
    ResourceKind,
    ResourceType,
)
from provisioner.diagnostics import Diagnostics, SourceRange, did_you_mean

_UNREADABLE = "Class based resource cannot be read"


@dataclass(frozen=True, slots=True)
class ClassSet:
    """All classes and enumerations of a module, by folded name. The first of a name counts."""

    classes: dict[str, ClassDeclaration] = field(default_factory=dict)
    enums: dict[str, EnumDeclaration] = field(default_factory=dict)

    def add(self, declarations: Declarations) -> None:
        """Add what one script declares."""
        for each in declarations.classes:
            self.classes.setdefault(each.name.casefold(), each)
        for enum in declarations.enums:
            self.enums.setdefault(enum.name.casefold(), enum)

    @property
    def resources(self) -> list[ClassDeclaration]:
        """The classes that are resources, in the order they were declared."""
        return [each for each in self.classes.values() if each.is_resource]


def read_class_resources(
    found: ClassSet,
    module: str,
    version: str,
    problems: Diagnostics,
    *,
    limited_to: Iterable[str] | None = None,
) -> tuple[list[ResourceType], list[EmbeddedClass]]:
    """Return the class based resources and the classes they embed.

    Args:
        found: All declarations of the module.
        module: Name of the module.
        version: Its version.
        problems: Told of resources that cannot be read; they are left out.
        limited_to: Folded names, or patterns of names, of the resources the module exports; None for all.
    """
    reader = _Reader(found, problems)
    wanted = None if limited_to is None else tuple(limited_to)
    resources = []
    for declaration in found.resources:
        if wanted is not None and not any(fnmatchcase(declaration.name.casefold(), each) for each in wanted):
            continue
        properties = reader.properties(declaration)
        if properties is None:
            continue
        resource = ResourceType(
            declaration.name, declaration.name, module, version, properties, ResourceKind.CLASS
        )
        if not resource.keys:
            problems.error(
                _UNREADABLE,
                f"The class '{declaration.name}' has no key property, and PowerShell refuses such a resource.",
                declaration.where,
            )
            continue
        resources.append(resource)
    return resources, reader.embedded()


class _Reader:
    def __init__(self, found: ClassSet, problems: Diagnostics) -> None:
        self._found = found
        self._problems = problems
        self._spelling = {key: each.name for key, each in found.classes.items()}
        self._embedded: dict[str, EmbeddedClass | None] = {}

    def embedded(self) -> list[EmbeddedClass]:
        return [each for each in self._embedded.values() if each is not None]

    def properties(self, declaration: ClassDeclaration) -> tuple[Property, ...] | None:
        """Return the DSC properties of a class and its bases; None when one of them cannot be known."""
        chain = self._chain(declaration)
        if chain is None:
            return None
        properties: dict[str, Property] = {}
        is_known = True
        for each in chain:
            for variable in each.properties:
                attribute = None if variable.is_static else variable.attribute("dscproperty")
                if attribute is None or variable.name.casefold() in properties:
                    continue
                prop = self._property(declaration, variable, attribute)
                is_known &= prop is not None
                if prop:
                    properties[variable.name.casefold()] = prop
        return tuple(properties.values()) if is_known else None

    def _chain(self, declaration: ClassDeclaration) -> list[ClassDeclaration] | None:
        """Return a class and its bases, nearest first."""
        chain = [declaration]
        while base := next(self._bases(chain[-1]), None):
            following = self._found.classes.get(base.casefold())
            if following is None:
                self._problems.error(
                    _UNREADABLE,
                    f"The class '{chain[-1].name}' inherits from '{base}', which no script of the module "
                    f"declares; what properties '{declaration.name}' gets from it is unknown.",
                    chain[-1].where,
                    did_you_mean(base, self._spelling.values()),
                )
                return None
            if following in chain:
                self._problems.error(
                    _UNREADABLE, f"The class '{following.name}' inherits from itself.", following.where
                )
                return None
            chain.append(following)
        return chain

    def _bases(self, declaration: ClassDeclaration) -> Iterator[str]:
        """Give the class a class inherits from; interfaces have no properties."""
        for base in declaration.bases:
            short = base.rpartition(".")[2]
            is_interface = (
                short[:1] == "I" and short[1:2].isupper() and base.casefold() not in self._found.classes
            )
            if not is_interface and base.casefold() not in {"object", "system.object"}:
                yield base

    def _property(
        self, declaration: ClassDeclaration, variable: Variable, attribute: Attribute
    ) -> Property | None:
        kind = self._type(variable)
        if kind is None:
            shown = f"the type '{variable.type_name}'" if variable.type_name else "no type"
            self._problems.error(
                _UNREADABLE,
                f"The property '{variable.name}' of '{declaration.name}' has {shown}: it is neither a type "
                "of documents nor declared by a script of the module.",
                variable.where,
            )
            return None
        if kind.embedded_class and not self._embed(kind.embedded_class):
            return None
        report = self._report(variable)
        values = kind.value_map or allowed_values(variable, report)
        return Property(
            variable.name,
            kind.type,
            kind.is_array,
            _qualifier(attribute),
            values,
            embedded_class=kind.embedded_class,
            limits=limits_of(variable, report, is_checked_on_node=True),
            default=default_of(variable) if not attribute.named.get("notconfigurable") else None,
        )

    def _type(self, variable: Variable) -> MofType | None:
        found = mof_type(variable.type_name, self._found.enums, self._spelling)
        if found and found.value_map and variable.attribute("validateset"):
            return replace(found, value_map=())
        return found

    def _embed(self, name: str) -> bool:
        """Read a class that is a property's type; False when it cannot be known."""
        if name in {CREDENTIAL_CLASS, PAIR_CLASS}:
            return True
        if name not in self._embedded:
            self._embedded[name] = None  # a class may hold itself
            declaration = self._found.classes[name.casefold()]
            properties = self.properties(declaration)
            if properties is None:
                return False
            self._embedded[name] = EmbeddedClass(name, properties)
        return True

    def _report(self, variable: Variable) -> Report:
        def report(sentence: str, where: SourceRange) -> None:
            self._problems.warning("Limit is not known", f"Property '{variable.name}': {sentence}", where)

        return report


def _qualifier(attribute: Attribute) -> Qualifier:
    for name, qualifier in (
        ("key", Qualifier.KEY),
        ("mandatory", Qualifier.REQUIRED),
        ("notconfigurable", Qualifier.READ),
    ):
        if attribute.named.get(name):
            return qualifier
    return Qualifier.WRITE
