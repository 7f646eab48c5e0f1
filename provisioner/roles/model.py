"""Roles as frozen values: what stands in ``role.yaml`` and configuration files, and what a node gets from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from provisioner.addresses import NodeName, RoleName
from provisioner.diagnostics import SourceRange
from provisioner.documents import Scalar, Tree
from provisioner.inventory.schema import is_reference
from provisioner.inventory.strategies import Strategy


class VariableType(Enum):
    """Types a role variable may have; the value is the word in ``role.yaml``."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    LIST = "list"
    MAPPING = "mapping"
    SECRET = "secret"  # noqa: S105 - a word, and what stands there is a reference, never a secret
    CREDENTIAL = "credential"  #: ``{user: NAME, password: REFERENCE}``
    INSTALLER = (
        "installer"  #: which .msi file, ``{file: PATH, sha256: DIGEST}``; see ``checking.pinned_files``
    )
    PACKAGE = "package"  #: which file of any sort, in the same way

    def accepts(self, value: Any) -> bool:
        """Whether a plain YAML value is of this type. A boolean is never a number, an integer is one."""
        match self:
            case VariableType.STRING:
                return isinstance(value, str)
            case VariableType.INTEGER:
                return isinstance(value, int) and not isinstance(value, bool)
            case VariableType.NUMBER:
                return isinstance(value, int | float) and not isinstance(value, bool)
            case VariableType.BOOLEAN:
                return isinstance(value, bool)
            case VariableType.LIST:
                return isinstance(value, list)
            case VariableType.MAPPING | VariableType.INSTALLER | VariableType.PACKAGE:
                return isinstance(value, dict)
            case VariableType.SECRET:
                return isinstance(value, str) and is_reference(value)
            case VariableType.CREDENTIAL:
                return (
                    isinstance(value, dict)
                    and set(value) == {"user", "password"}
                    and VariableType.STRING.accepts(value["user"])
                    and VariableType.SECRET.accepts(value["password"])
                )


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of a role.

    ``items`` is the type of each item of a list or of each value of a mapping; None leaves them open.
    ``default`` counts only when ``is_required`` is false; it may be None (null), and ``default_tree`` is what it
    was read from. ``merge`` is how the values of several layers become one where the inventory does not say.

    ``pattern`` is a regular expression the whole of a text has to match, and ``form`` says in words what it asks;
    with ``minimum`` and ``maximum`` it counts for each item where there are any. ``fields`` are the keys of a
    mapping, or of each mapping in a list or mapping, by name; None leaves them open.
    """

    name: str
    type: VariableType
    description: str
    where: SourceRange
    is_required: bool = False
    default: Any = None
    choices: tuple[Any, ...] = ()
    items: VariableType | None = None
    merge: Strategy | None = None
    default_tree: Tree | None = None
    pattern: str = ""
    form: str = ""
    minimum: float | None = None
    maximum: float | None = None
    fields: Mapping[str, Variable] | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """A name written somewhere in a role, and where."""

    name: str
    where: SourceRange


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a role refuses to make of a node, evaluated there. ``variable`` is the one whose value is to blame."""

    when: Scalar
    reason: Scalar
    where: SourceRange
    variable: Reference | None = None
    help: Scalar | None = None
    for_each: Tree | None = None


@dataclass(frozen=True, slots=True)
class Unique:
    """A value no two nodes of an inventory may have. ``what`` names it in a sentence."""

    what: str
    value: Tree
    where: SourceRange
    variable: Reference | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Names of nodes and groups that have to be done before a node with the role; both are evaluated there."""

    nodes: Tree
    reason: Scalar
    where: SourceRange


@dataclass(frozen=True, slots=True)
class ModuleUse:
    """A module a role needs, in exactly this version. ``where`` is the position of the version."""

    name: str
    version: str
    where: SourceRange
    name_where: SourceRange


@dataclass(frozen=True, slots=True)
class OptionsUse:
    """Which service reads the file that a resource writes; both may be expressions."""

    service: Scalar
    release: Scalar


@dataclass(frozen=True, slots=True)
class ResourceTemplate:
    """One entry of ``resources:``, its expressions not yet evaluated.

    ``kind`` is ``Module/Type``; ``properties`` keep the position of each key; ``condition``, ``for_each`` and
    ``within`` (the composite it stands for a part of) are None when absent. ``unite`` names properties whose
    lists become one where several roles declare the resource. ``options`` says whose options the text it writes
    is held against.
    """

    name: Scalar
    kind: Scalar
    properties: tuple[tuple[Scalar, Tree], ...]
    depends_on: tuple[Scalar, ...]
    condition: Scalar | None
    for_each: Tree | None
    where: SourceRange
    within: Scalar | None = None
    unite: tuple[Scalar, ...] = ()
    options: OptionsUse | None = None


@dataclass(frozen=True, slots=True)
class Decommission:
    """How a role is undone: with these resources. ``leaves`` are sentences about what they do not undo."""

    resources: tuple[ResourceTemplate, ...]
    leaves: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Leftover:
    """A sentence of a role that is undone: what stays on the node all the same."""

    role: str
    what: str


@dataclass(frozen=True, slots=True)
class Role:
    """One role. ``folder`` holds its templates and checks; ``resources`` are those of all its configurations.

    ``preflight`` are checks that have to hold before anything is changed on a node. ``decommission`` is None
    where nobody said how the role is undone.
    """

    name: RoleName
    description: str
    folder: Path
    variables: Mapping[str, Variable]
    requires: tuple[Reference, ...]
    modules: Mapping[str, ModuleUse]
    resources: tuple[ResourceTemplate, ...]
    checks: tuple[Path, ...]
    refuse: tuple[Refusal, ...] = ()
    unique: tuple[Unique, ...] = ()
    after: tuple[Wait, ...] = ()
    preflight: tuple[Path, ...] = ()
    decommission: Decommission | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """A property's evaluated value: plain data, and where it was written.

    ``items`` holds the parts of a list written as a YAML list, each with its own position; it is empty for a
    scalar and for a list that came out of one expression. ``entries`` does the same for a mapping: key with its
    position, and value. ``text`` is a literal number or boolean as written (``1.10``), else empty.
    """

    data: Any
    where: SourceRange
    items: tuple[Value, ...] = ()
    text: str = ""
    entries: tuple[tuple[Reference, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class DeclaredProperty:
    """A property as the author spelled it."""

    name: Reference
    value: Value


@dataclass(frozen=True, slots=True)
class DeclaredOptions:
    """The service, and its release, that reads a resource's text; ``contents`` is that text as it was written."""

    service: str
    release: str
    service_where: SourceRange
    release_where: SourceRange
    contents: Scalar | None = None


@dataclass(frozen=True, slots=True)
class Declaration:
    """One resource a role wants on a node, evaluated but not yet held against its type.

    ``module``, ``type_name`` and ``name`` are as written; ``depends_on`` are texts of the form ``[Type]Name``.
    ``where`` is the entry in the configuration file, ``kind_where`` that of its ``type``. ``may_recur`` tells
    whether other nodes may get this very object, so that what is made of it is worth remembering. ``unite`` names
    the properties whose lists become one with those of other roles. ``options`` says whose options its text
    is held against.
    """

    role: RoleName
    module: str
    type_name: str
    name: str
    properties: tuple[DeclaredProperty, ...]
    depends_on: tuple[Reference, ...]
    where: SourceRange
    kind_where: SourceRange
    name_where: SourceRange
    within: str = ""
    within_where: SourceRange | None = None
    may_recur: bool = field(default=True, compare=False)
    unite: tuple[Reference, ...] = ()
    options: DeclaredOptions | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A resource whose condition is false for this node; kept so that messages can say so."""

    type_name: str
    name: str
    where: SourceRange


@dataclass(frozen=True, slots=True)
class Upload:
    """A file a node needs before its document.

    ``destination`` is a full path there, ``sha256`` is in small hexadecimal digits.
    """

    source: Path
    destination: str
    sha256: str


@dataclass(frozen=True, slots=True)
class RoleChecks:
    """The checks of one role. ``path`` is a check file or the folder that holds them."""

    role: RoleName
    path: Path


@dataclass(frozen=True, slots=True)
class After:
    """Another node that has to be done before this one, and why: part of a sentence, for whoever waits."""

    node: NodeName
    reason: str


@dataclass(frozen=True, slots=True)
class Expansion:
    """Everything the roles of one node ask for.

    ``roles`` is every role in an order in which required ones come first; ``requires`` names, per role, the
    roles it requires directly. ``modules`` maps module names to the one version all roles agree on.
    ``variables`` are the values the roles see, defaults included; ``checks`` come in role order, and so does
    ``preflight``: checks that have to hold before anything is changed. ``decommissioned`` are the roles that are
    undone here, and ``leaves`` what they say stays all the same. ``uploads`` are files that the node needs before
    its document.
    """

    roles: tuple[RoleName, ...]
    requires: Mapping[RoleName, tuple[Reference, ...]]
    declarations: tuple[Declaration, ...]
    left_out: tuple[LeftOut, ...]
    modules: Mapping[str, str]
    module_wheres: Mapping[str, SourceRange]
    variables: Mapping[str, Any]
    checks: tuple[RoleChecks, ...]
    preflight: tuple[RoleChecks, ...] = ()
    decommissioned: tuple[RoleName, ...] = ()
    leaves: tuple[Leftover, ...] = ()
    uploads: tuple[Upload, ...] = ()


def kind_of(value: Any) -> str:
    """Name the kind of a plain value for a message."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a decimal number"
        case str():
            return "text"
        case list() | tuple():
            return "a list"
        case _:
            return "a mapping"
