"""The schema of ``role.yaml``, and of the values that an inventory gives to the variables of roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from provisioner.editor.fragments import Schema, closed, document, list_of, nullable, suggested
from provisioner.inventory.strategies import Mode
from provisioner.roles.model import VariableType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provisioner.catalogue.registry import Registry
    from provisioner.roles.model import Role, Variable

_TEXT: Final[Schema] = {"type": "string", "minLength": 1}
_TEXTS: Final[Schema] = list_of({"type": "string"})
#: ``store:key``; which stores there are is known where secrets are read.
_REFERENCE: Final[Schema] = {"type": "string", "pattern": r"^[A-Za-z_][A-Za-z0-9_]*:[\s\S]*\S"}

#: Type of a variable -> what the inventory writes for it.
VALUES: Final[dict[VariableType, Schema]] = {
    VariableType.STRING: {"type": "string"},
    VariableType.INTEGER: {"type": "integer"},
    VariableType.NUMBER: {"type": "number"},
    VariableType.BOOLEAN: {"type": "boolean"},
    VariableType.LIST: {"type": "array"},
    VariableType.MAPPING: {"type": "object"},
    VariableType.SECRET: _REFERENCE,
    VariableType.CREDENTIAL: closed(
        {"user": {"type": "string"}, "password": _REFERENCE}, ["user", "password"]
    ),
}

#: How the values of several layers become one, as an author writes it.
MERGES: Final[Schema] = {
    "anyOf": [
        {"enum": [mode.value for mode in Mode]},
        closed(
            {
                "strategy": {"enum": [mode.value for mode in Mode]},
                "lists": {"enum": [mode.value for mode in Mode if mode is not Mode.DEEP]},
                "key": _TEXT,
            },
            ["strategy"],
        ),
        {"type": "null"},
    ],
    "description": "How the values of several layers become one.",
}


def role_schema(roles: Iterable[str], configurations: Iterable[str], registry: Registry) -> Schema:
    """Return the schema of a role that may require these roles and declare these configurations."""
    return document(
        "Role of provisioner",
        "What a node is to be: roles/<name>/role.yaml.",
        **closed(
            {
                "description": {**_TEXT, "description": "One sentence."},
                "variables": {
                    "type": ["object", "null"],
                    "propertyNames": {"pattern": "^[a-z][a-z0-9_]*$"},
                    "additionalProperties": _variable(),
                    "description": "What an inventory may say: name, then type, description, default or required.",
                },
                "requires": {
                    **list_of(suggested(roles, {"type": "string"})),
                    "description": "Roles that have to be in place first.",
                },
                "modules": {
                    "type": ["object", "null"],
                    "properties": _modules(registry),
                    "additionalProperties": {"type": "string"},
                    "description": "DSC modules, each in exactly one version, as text.",
                },
                "configurations": {
                    **list_of(suggested(configurations, {"type": "string"})),
                    "description": "Names of files in dsc_configs, without '.dsc.yaml'.",
                },
                "checks": {**_TEXTS, "description": "Files of checks, relative to the role."},
            },
            ["description"],
        ),
    )


def variable_values(roles: Iterable[Role]) -> Schema:
    """Return, for each variable of the roles, what an inventory may write; null means left to the default."""
    found: dict[str, list[Schema]] = {}
    for role in roles:
        for variable in role.variables.values():
            schema = _value(variable, str(role.name))
            if schema not in found.setdefault(variable.name, []):
                found[variable.name].append(schema)
    return {
        name: schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
        for name, schemas in sorted(found.items())
    }


def _value(variable: Variable, role: str) -> Schema:
    schema = dict(VALUES[variable.type])
    if variable.items and variable.type is VariableType.LIST:
        schema["items"] = VALUES[variable.items]
    elif variable.items:
        schema["additionalProperties"] = VALUES[variable.items]
    if variable.choices:
        schema = {"enum": list(variable.choices)}
    default = "required" if variable.is_required else f"default {_shown(variable.default)}"
    return {**nullable(schema), "description": f"{variable.description}\n\nRole {role}; {default}."}


def _shown(default: Any) -> str:
    match default:
        case bool():
            return str(default).lower()
        case None:
            return "null"
        case "":
            return "empty"
        case _:
            return str(default)


def _variable() -> Schema:
    words = [kind.value for kind in VariableType]
    return closed(
        {
            "type": {"enum": words, "description": "What the inventory may write."},
            "items": {
                **nullable({"enum": words}),
                "description": "Type of each item of a list, or of each value of a mapping.",
            },
            "default": {"description": "Taken where the inventory says nothing."},
            "required": {"type": ["boolean", "null"], "description": "Whether the inventory has to say it."},
            "description": {**_TEXT, "description": "One sentence."},
            "choices": {"type": ["array", "null"], "description": "The only values there may be."},
            "merge": MERGES,
        },
        ["type", "description"],
        allOf=[_typed(kind) for kind in VariableType],
    )


def _typed(kind: VariableType) -> Schema:
    """Ask that default and choices are of the variable's type."""
    value = VALUES[kind]
    return {
        "if": {"properties": {"type": {"const": kind.value}}, "required": ["type"]},
        "then": {"properties": {"default": nullable(value), "choices": {"items": value}}},
    }


def _modules(registry: Registry) -> Schema:
    return {
        name: suggested([version for version in versions if "-" not in version], {"type": "string"})
        for name, versions in registry.modules.items()
    }
