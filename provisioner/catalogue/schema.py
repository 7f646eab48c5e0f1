"""The schema of DSC resources: what a MOF instance of each may contain. Values only.

Source of the facts: the schema files of the published modules; mof-format section 4 for the CIM types.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


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

    Ranges are inclusive. ``pattern`` is a .NET regular expression, searched without regard to case, as
    ValidatePattern does. ``is_checked_on_node`` tells parameters of Set-TargetResource, which a node refuses
    when it runs, from attributes that PowerShell refuses when it compiles.
    """

    range: tuple[float, float] | None = None
    length: tuple[int, int] | None = None
    count: tuple[int, int] | None = None
    pattern: str = ""
    refuses_empty: bool = False
    is_checked_on_node: bool = False


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a resource type or of an embedded class.

    ``values`` are the names an author writes, ``value_map`` what stands in the MOF, same order.
    ``embedded_class`` names the class of an embedded instance; ``type`` is then STRING.
    ``is_secret_lines`` marks a credential whose password carries named secrets, one ``name=base64`` a line;
    an author writes a mapping from name to secret reference for it.
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

    @property
    def is_settable(self) -> bool:
        """Whether a configuration may contain it."""
        return self.qualifier is not Qualifier.READ


@dataclass(frozen=True, slots=True)
class EmbeddedClass:
    """A class that occurs only inside properties of resources. Properties come in schema order."""

    name: str
    properties: tuple[Property, ...]

    # Last in the class: below it the name would hide the decorator.
    def property(self, name: str) -> Property | None:
        """Look a property up without regard to case."""
        wanted = name.casefold()
        return next((prop for prop in self.properties if prop.name.casefold() == wanted), None)


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One resource type of one module version. ``name`` is the keyword, ``class_name`` the CIM class.

    A composite of the Set kind (``WindowsFeatureSet``) has no class; it becomes one ``expands_to`` of the same
    module for each value of its array property ``split_by``. Other composites are known by their parameters
    only and cannot be compiled here: their body is PowerShell.
    """

    name: str
    class_name: str
    module: str
    version: str
    properties: tuple[Property, ...]
    kind: ResourceKind = ResourceKind.MOF
    expands_to: str = ""
    split_by: str = ""

    @property
    def keys(self) -> tuple[Property, ...]:
        """Properties that identify an instance, in schema order."""
        return tuple(prop for prop in self.properties if prop.qualifier is Qualifier.KEY)

    # Last in the class: below it the name would hide the decorator.
    def property(self, name: str) -> Property | None:
        """Look a property up without regard to case."""
        wanted = name.casefold()
        return next((prop for prop in self.properties if prop.name.casefold() == wanted), None)


@dataclass(frozen=True, slots=True)
class Module:
    """One version of a DSC module. ``channel`` is stable, preview, older, in-box or project."""

    name: str
    version: str
    resources: tuple[ResourceType, ...]
    classes: tuple[EmbeddedClass, ...] = ()
    channel: str = "stable"
