"""The schema of ``role.yaml``, and of the values that an inventory gives to the variables of roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from provisioner.editor.fragments import Schema, closed, document, list_of, nullable, suggested
from provisioner.inventory.strategies import Mode
from provisioner.roles.model import VariableType

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from provisioner.catalogue.registry import Registry
    from provisioner.roles.model import Role, Variable

_TEXT: Final[Schema] = {"type": "string", "minLength": 1}
_VALUE: Final[Schema] = {"type": ["string", "number", "boolean"]}
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
    VariableType.INSTALLER: {"type": "object"},
    VariableType.PACKAGE: {"type": "object"},
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


def role_schema(roles: Iterable[str], configurations: Sequence[str], registry: Registry) -> Schema:
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
                "preflight": {
                    **_TEXTS,
                    "description": "Files of checks that have to hold before anything is changed on a node.",
                },
                **_statements(),
                "decommission": _decommission(configurations),
            },
            ["description"],
        ),
        definitions={"field": _field()},
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
    schema = _shape(variable)
    default = "required" if variable.is_required else f"default {_shown(variable.default)}"
    return {**nullable(schema), "description": f"{variable.description}\n\nRole {role}; {default}."}


def _shape(variable: Variable) -> Schema:
    """Return what may be written for a variable or a field, null apart."""
    chosen: Schema | None = {"enum": list(variable.choices)} if variable.choices else None
    if variable.items is None:
        return chosen or dict(VALUES[variable.type]) | _limits(variable)
    schema = dict(VALUES[variable.type])
    parts = chosen or dict(VALUES[variable.items]) | _limits(variable)
    return schema | {"items" if variable.type is VariableType.LIST else "additionalProperties": parts}


def _limits(variable: Variable) -> Schema:
    """Return what is asked of a value beyond its type, or of each item where there are any.

    A pattern is in Python's language, which is not that of schemas: its words are told instead.
    """
    found: Schema = {}
    if variable.form:
        found["description"] = f"{variable.form[0].upper()}{variable.form[1:]}."
    if variable.minimum is not None:
        found["minimum"] = variable.minimum
    if variable.maximum is not None:
        found["maximum"] = variable.maximum
    if variable.fields is not None:
        fields = {
            name: {**nullable(_shape(field)), "description": _told(field)}
            for name, field in variable.fields.items()
        }
        found |= closed(fields, [name for name, field in variable.fields.items() if field.is_required])
    return found


def _told(field: Variable) -> str:
    form = f" It is {field.form}." if field.form else ""
    return f"{field.description}{form}" + (
        "" if field.is_required else f"\n\nDefault {_shown(field.default)}."
    )


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
    return closed({**_declared("inventory"), "merge": MERGES}, ["type", "description"], allOf=_all_typed())


def _field() -> Schema:
    return closed(_declared("mapping"), ["type", "description"], allOf=_all_typed())


def _declared(giver: str) -> Schema:
    """Return the keys of a variable, which the inventory gives, or of a field, which a mapping has."""
    words = [kind.value for kind in VariableType]
    return {
        "type": {"enum": words, "description": f"What the {giver} may hold."},
        "items": {
            **nullable({"enum": words}),
            "description": "Type of each item of a list, or of each value of a mapping.",
        },
        "default": {"description": f"Taken where the {giver} says nothing."},
        "required": {"type": ["boolean", "null"], "description": f"Whether the {giver} has to say it."},
        "description": {**_TEXT, "description": "One sentence."},
        "choices": {"type": ["array", "null"], "description": "The only values there may be."},
        "pattern": {
            "type": ["string", "null"],
            "description": "Regular expression (Python's) that the whole of a text has to match.",
        },
        "form": {"type": ["string", "null"], "description": "What the pattern asks, in words."},
        "minimum": {"type": ["number", "null"], "description": "The smallest number there may be."},
        "maximum": {"type": ["number", "null"], "description": "The largest number there may be."},
        "fields": {
            "type": ["object", "null"],
            "propertyNames": {"pattern": "^[A-Za-z][A-Za-z0-9_]*$"},
            "additionalProperties": {"$ref": "#/definitions/field"},
            "description": "The keys of the mapping, or of each mapping in it.",
        },
    }


def _statements() -> Schema:
    """Return what a role says beyond its resources."""
    blamed = {"type": ["string", "null"], "description": "The variable whose place the message shows."}
    return {
        "refuse": list_of(
            closed(
                {
                    "when": {
                        **_VALUE,
                        "description": "Whether this is refused: true, false or an expression.",
                    },
                    "reason": {**_TEXT, "description": "Why, as a sentence; may hold expressions."},
                    "help": {"type": ["string", "null"], "description": "What to do instead."},
                    "variable": blamed,
                    "forEach": {"description": "A list; the entry is asked once per 'item'."},
                },
                ["when", "reason"],
            ),
            description="What the role refuses to make of a node.",
        ),
        "unique": list_of(
            closed(
                {
                    "what": {**_TEXT, "description": "What the value is, such as 'computer name'."},
                    "value": {
                        "description": "A text or a list of texts; null and the empty text do not count."
                    },
                    "variable": blamed,
                },
                ["what", "value"],
            ),
            description="Values no two nodes of an inventory may have.",
        ),
        "after": list_of(
            closed(
                {
                    "nodes": {"description": "Name of a node or group, a list of names, or null."},
                    "reason": {**_TEXT, "description": "Why, as a part of a sentence."},
                },
                ["nodes", "reason"],
            ),
            description="Nodes that are done before a node with this role.",
        ),
    }


def _decommission(configurations: Sequence[str]) -> Schema:
    return {
        **closed(
            {
                "configurations": {
                    **list_of(suggested(configurations, {"type": "string"})),
                    "description": "Names of files in dsc_configs that undo the role.",
                },
                "leaves": {**_TEXTS, "description": "What is not undone and why, in sentences."},
            }
        ),
        "type": ["object", "null"],
        "description": "How the role is undone.",
    }


def _all_typed() -> list[Schema]:
    return [_typed(kind) for kind in VariableType]


def _typed(kind: VariableType) -> Schema:
    """Ask that default and choices are of the variable's type; those of a collection are of its items."""
    value = VALUES[kind]
    if kind in {VariableType.LIST, VariableType.MAPPING}:
        return {
            "if": {"properties": {"type": {"const": kind.value}}, "required": ["type"]},
            "then": {"properties": {"default": nullable(value)}},
        }
    return {
        "if": {"properties": {"type": {"const": kind.value}}, "required": ["type"]},
        "then": {"properties": {"default": nullable(value), "choices": {"items": value}}},
    }


def _modules(registry: Registry) -> Schema:
    return {
        name: suggested([version for version in versions if "-" not in version], {"type": "string"})
        for name, versions in registry.modules.items()
    }
