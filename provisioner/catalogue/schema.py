"""The schema of DSC resources: what a MOF instance of each may contain. Values only.

Source of the facts: the schema files of the published modules; mof-format section 4 for the CIM types.
Look-ups by name ignore case, as DSC does, and cost one dictionary access: they run for every resource of
every node.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias, TypeVar

#: What a property takes when nobody sets it, as the module's source says.
Default: TypeAlias = "str | int | float | bool | tuple[str | int | float | bool, ...] | None"


class CimType(Enum):
    """CIM data types a DSC property may have; the value is the MOF keyword."""

    STRING = "string"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    UINT8 = "uint8"
    UINT16 = "uint16"
    UINT32 = "uint32"
    UINT64 = "uint64"
    SINT8 = "sint8"
    SINT16 = "sint16"
    SINT32 = "sint32"
    SINT64 = "sint64"
    REAL32 = "real32"
    REAL64 = "real64"
    CHAR16 = "char16"

    @property
    def integer_range(self) -> tuple[int, int] | None:
        """Smallest and largest value of an integer type; None for the others."""
        sign, _, bits = self.value.partition("int")
        if sign not in {"u", "s"} or not bits:
            return None
        width = int(bits)
        return (0, 2**width - 1) if sign == "u" else (-(2 ** (width - 1)), 2 ** (width - 1) - 1)


class Qualifier(Enum):
    """What the schema says of a property's use."""

    KEY = "Key"
    REQUIRED = "Required"
    WRITE = "Write"
    READ = "Read"


#: Class of a credential; an author writes ``{user: NAME, password: REFERENCE}`` for it.
CREDENTIAL_CLASS = "MSFT_Credential"
#: Class of one pair of a hashtable; an author writes an ordinary mapping for an array of it.
PAIR_CLASS = "MSFT_KeyValuePair"


class ResourceKind(Enum):
    """How a resource type is made."""

    MOF = "mof"  #: script module with a schema.mof
    CLASS = "class"  #: PowerShell class
    COMPOSITE = (
        "composite"  #: a configuration used as a resource: expands when compiling, no instance of its own
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """What else a value must be, beyond its CIM type; None or empty where nothing is asked.

    Ranges are inclusive; one on a string means the number it spells. ``pattern`` is a .NET regular expression,
    searched without regard to case, as ValidatePattern does. ``values`` are the only ones allowed, without
    regard to case, where the schema has no value map. ``is_checked_on_node`` tells what a node refuses when it
    runs (parameters of Set-TargetResource, attributes of a class) from what PowerShell refuses when it compiles
    (parameters of a composite).
    """

    range: tuple[float, float] | None = None
    length: tuple[int, int] | None = None
    count: tuple[int, int] | None = None
    pattern: str = ""
    refuses_empty: bool = False
    is_checked_on_node: bool = False
    values: tuple[str, ...] = ()

    @property
    def refuses_empty_surely(self) -> bool:
        """Whether an empty value is refused for sure.

        For parameters of Set-TargetResource the catalogue does not tell ValidateNotNull from
        ValidateNotNullOrEmpty, and the default value of a registry key, whose name is empty, is as good as any.
        """
        return self.refuses_empty and not self.is_checked_on_node

    @property
    def hold_items(self) -> bool:
        """Whether anything is asked of single values."""
        asks = self.range or self.length or self.pattern or self.values
        return bool(asks) or self.refuses_empty_surely


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a resource type or of an embedded class.

    ``values`` are the names an author writes, ``value_map`` what stands in the MOF, same order; ``values`` is
    empty where both are the same. ``embedded_class`` names the class of an embedded instance; ``type`` is then
    STRING. ``is_secret_lines`` marks a credential whose password carries named secrets, one ``name=base64`` a
    line; an author writes a mapping from name to secret reference for it. ``is_needed_on_node`` marks one that
    the schema leaves free but Set-TargetResource demands, so that a node fails without it.
    """

    name: str
    type: CimType
    is_array: bool = False
    qualifier: Qualifier = Qualifier.WRITE
    value_map: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    embedded_class: str = ""
    limits: Limits | None = None
    is_secret_lines: bool = False
    is_needed_on_node: bool = False
    default: Default = None

    @property
    def is_settable(self) -> bool:
        """Whether a configuration may contain it."""
        return self.qualifier is not Qualifier.READ


#: Accepted on every resource, by way of OMI_BaseResource. On a composite it is passed to the members.
RUN_AS_CREDENTIAL = Property("PsDscRunAsCredential", CimType.STRING, embedded_class=CREDENTIAL_CLASS)


@dataclass(frozen=True, slots=True)
class EmbeddedClass:
    """A class that occurs only inside properties of resources. Properties come in schema order.

    Classes of the metaconfiguration have the same form; ``keyword`` is what an author writes for one.
    ``base`` is the class it inherits from, whose properties are not repeated here.
    """

    name: str
    properties: tuple[Property, ...]
    keyword: str = ""
    base: str = ""
    _by_name: dict[str, Property] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", _by_name(self.properties))

    # Last in the class: below it the name would hide the decorator.
    def property(self, name: str) -> Property | None:
        """Look a property up without regard to case."""
        return self._by_name.get(name) or self._by_name.get(name.casefold())


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One resource type of one module version. ``name`` is the keyword, ``class_name`` the CIM class.

    A composite of the Set kind (``WindowsFeatureSet``) has no class; it becomes one ``expands_to`` of the same
    module for each value of its array property ``split_by``. Other composites are known by their parameters
    only and cannot be compiled here: their body is PowerShell. ``summary`` says in a few words what it is for.
    """

    name: str
    class_name: str
    module: str
    version: str
    properties: tuple[Property, ...]
    kind: ResourceKind = ResourceKind.MOF
    expands_to: str = ""
    split_by: str = ""
    summary: str = ""
    keys: tuple[Property, ...] = field(init=False, repr=False, compare=False)
    _by_name: dict[str, Property] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        keys = tuple(prop for prop in self.properties if prop.qualifier is Qualifier.KEY)
        object.__setattr__(self, "keys", keys)
        object.__setattr__(self, "_by_name", _by_name(self.properties))

    @property
    def module_version(self) -> str:
        """What stands as ModuleVersion in a document."""
        return module_version(self.version)

    # Last in the class: below it the name would hide the decorator.
    def property(self, name: str) -> Property | None:
        """Look a property up without regard to case."""
        return self._by_name.get(name) or self._by_name.get(name.casefold())


@dataclass(frozen=True, slots=True)
class Module:
    """One version of a DSC module.

    ``channel`` is stable, preview, older, development, vendored, in-box or project. ``source`` says where the
    facts come from, ``notes`` what is doubtful about them.
    """

    name: str
    version: str
    resources: tuple[ResourceType, ...]
    classes: tuple[EmbeddedClass, ...] = ()
    channel: str = "stable"
    source: str = ""
    licence: str = ""
    notes: tuple[str, ...] = ()
    _by_name: dict[str, ResourceType] = field(init=False, repr=False, compare=False)
    _by_class: dict[str, ResourceType] = field(init=False, repr=False, compare=False)
    _embedded: dict[str, EmbeddedClass] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", _by_name(self.resources))
        by_class = {each.class_name.casefold(): each for each in self.resources if each.class_name}
        object.__setattr__(self, "_by_class", by_class)
        object.__setattr__(self, "_embedded", _by_name(self.classes))

    @property
    def module_version(self) -> str:
        """What stands as ModuleVersion in a document."""
        return module_version(self.version)

    def resource(self, name: str) -> ResourceType | None:
        """Look a resource type up by its keyword, without regard to case."""
        return self._by_name.get(name) or self._by_name.get(name.casefold())

    def resource_of_class(self, class_name: str) -> ResourceType | None:
        """Look a resource type up by its CIM class, without regard to case. Composites have none."""
        return self._by_class.get(class_name.casefold())

    def embedded_class(self, name: str) -> EmbeddedClass | None:
        """Look an embedded class up without regard to case.

        A resource may be embedded too: the in-box File lists the files of a folder as instances of itself.
        """
        found = self._embedded.get(name.casefold())
        resource = None if found else self.resource_of_class(name)
        return EmbeddedClass(resource.class_name, resource.properties) if resource else found


def module_version(version: str) -> str:
    """Return what a module's manifest says for a version of the catalogue.

    A manifest has numbers only: ``6.7.1-preview0006`` says 6.7.1, and a development state such as
    ``5.0.0.0-dev`` still carries the number of the release before it.
    """
    return version.partition("-")[0]


_Named = TypeVar("_Named", Property, ResourceType, EmbeddedClass)


def _by_name(items: Iterable[_Named]) -> dict[str, _Named]:
    """Return the items under their own spelling, which is the usual one, and under the folded one."""
    found: dict[str, _Named] = {}
    for item in items:
        found.setdefault(item.name, item)
        found.setdefault(item.name.casefold(), item)
    return found
