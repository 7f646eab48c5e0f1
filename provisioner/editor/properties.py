"""One property of a resource type as an author writes it: its type, its allowed values, and its description.

Every value may be an expression and every value may be empty, which means not set. How many items a list needs
and what a pattern of .NET asks stands in the description only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from provisioner.catalogue.schema import CREDENTIAL_CLASS, PAIR_CLASS, CimType, Qualifier
from provisioner.editor.fragments import (
    EXPRESSION,
    EXPRESSION_SCHEMA,
    SECRET,
    Schema,
    any_case,
    closed,
    without_case,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from provisioner.catalogue.schema import Limits, Property

#: How an author writes a credential, and named secrets.
CREDENTIAL: Final[Schema] = closed(
    {
        "user": {"type": "string", "minLength": 1, "description": "Who: NAME or DOMAIN\\NAME."},
        "password": {**SECRET, "pattern": f"{SECRET['pattern']}|{EXPRESSION}"},
    },
    ["user", "password"],
    description="A credential: {user: NAME, password: env:NAME}.",
)
NAMED_SECRETS: Final[Schema] = {
    "type": "object",
    "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_-]*$"},
    "additionalProperties": {
        **SECRET,
        "type": ["string", "null"],
        "pattern": f"{SECRET['pattern']}|{EXPRESSION}",
    },
    "description": "Secrets by name; @{secret:NAME} in the contents stands for one.",
}
_PAIRS: Final[Schema] = {
    "type": "object",
    "additionalProperties": {"type": ["string", "number", "null"]},
    "description": "Names with their texts.",
}
_DEFINED: Final = {"credential": CREDENTIAL, "secrets": NAMED_SECRETS, "pairs": _PAIRS}
DEFINITIONS: Final[Schema] = {"expression": EXPRESSION_SCHEMA, **_DEFINED}


def value_schema(prop: Property, embedded: Callable[[str], Schema]) -> Schema:
    """Return the schema of a property's value.

    Args:
        prop: The property.
        embedded: Gives the schema of an embedded class by its name.
    """
    item = _item(prop, embedded)
    if prop.is_array and prop.embedded_class != PAIR_CLASS:
        schema: Schema = {"anyOf": [{"type": "array", "items": _or_null(item)}, _or_null(item)]}
    else:
        schema = _or_null(item)
    return {**schema, "description": describe(prop)}


def object_schema(pointer: str, properties: Iterable[Property], embedded: Callable[[str], Schema]) -> Schema:
    """Return the schema of a mapping from properties to values; names are found without regard to case.

    Args:
        pointer: Where the schema will stand, as a reference.
        properties: What there is.
        embedded: Gives the schema of an embedded class by its name.
    """
    settable = [prop for prop in properties if prop.is_settable]
    needed = [prop.name for prop in settable if prop.qualifier in {Qualifier.KEY, Qualifier.REQUIRED}]
    schemas = {prop.name: value_schema(prop, embedded) for prop in settable}
    others = {f"^(?!{name}$){any_case(name)}$": {"$ref": f"{pointer}/properties/{name}"} for name in schemas}
    found: Schema = closed(schemas, patternProperties=others)
    if needed:
        found["allOf"] = [_needed(name) for name in needed]
    return found


def describe(prop: Property) -> str:
    """Say in a line what a property is; the catalogue has facts, not prose."""
    parts = [f"{prop.embedded_class or prop.type.value}{'[]' if prop.is_array else ''}"]
    if prop.qualifier is Qualifier.KEY:
        parts.append("identifies the resource")
    elif prop.qualifier is Qualifier.REQUIRED:
        parts.append("required")
    elif prop.is_needed_on_node:
        parts.append("needed on the node")
    words = prop.values or prop.value_map
    if words:
        parts.append(f"one of {', '.join(words)}")
    limits = prop.limits
    if limits and limits.range:
        parts.append(f"from {limits.range[0]:g} to {limits.range[1]:g}")
    if limits and limits.length:
        parts.append(f"{limits.length[0]} to {limits.length[1]} characters")
    if limits and limits.count:
        parts.append(f"{limits.count[0]} to {limits.count[1]} items")
    if limits and limits.pattern:
        parts.append(f"matches {limits.pattern}")
    if prop.default is not None:
        parts.append(f"default {prop.default}")
    return "; ".join(parts)


def _needed(name: str) -> Schema:
    """Ask for a key in any case; the message names the usual spelling."""
    return {
        "if": {"propertyNames": {"not": {"pattern": f"^{any_case(name)}$"}}},
        "then": {"required": [name]},
    }


def _or_null(schema: Schema) -> Schema:
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return {**schema, "type": [*kinds, "null"]}
    alternatives = schema.get("anyOf", [schema])
    return {"anyOf": [*alternatives, {"type": "null"}]}


def _item(prop: Property, embedded: Callable[[str], Schema]) -> Schema:
    if prop.embedded_class:
        return {"anyOf": [_instance(prop, embedded), {"$ref": "#/definitions/expression"}]}
    if prop.value_map:
        return _one_of(prop)
    limits = prop.limits
    match prop.type:
        case CimType.BOOLEAN:
            return _or_expression("boolean", "true or false")
        case CimType.REAL32 | CimType.REAL64:
            return _or_expression("number", "a number")
        case CimType.STRING if limits and limits.values:
            return {"anyOf": [{"enum": list(limits.values)}, {"type": ["string", "number"]}]}
        case CimType.STRING:
            return _text(limits)
        case CimType.DATETIME | CimType.CHAR16:
            return {"type": ["string"]}
        case _:
            return _integer(prop)


def _text(limits: Limits | None) -> Schema:
    """Return a text, or a number, which becomes one.

    Lengths count UTF-16 units, so a schema can only bound the longest.
    """
    text: Schema = {"type": ["string", "number"]}
    if limits and limits.refuses_empty and not limits.is_checked_on_node:
        text["minLength"] = 1
    if limits and limits.length:
        return {"anyOf": [text | {"maxLength": limits.length[1]}, {"$ref": "#/definitions/expression"}]}
    return text


def _instance(prop: Property, embedded: Callable[[str], Schema]) -> Schema:
    if prop.embedded_class == CREDENTIAL_CLASS:
        return {"$ref": f"#/definitions/{'secrets' if prop.is_secret_lines else 'credential'}"}
    if prop.embedded_class == PAIR_CLASS:
        return {"$ref": "#/definitions/pairs"}
    return embedded(prop.embedded_class)


def _integer(prop: Property) -> Schema:
    lowest, highest = prop.type.integer_range or (0, 0)
    if prop.limits and prop.limits.range:
        lowest = max(lowest, int(prop.limits.range[0]))
        highest = min(highest, int(prop.limits.range[1]))
    bounds = {"minimum": lowest, "maximum": highest}
    return _or_expression("integer", "a whole number without quotes") | bounds


def _or_expression(kind: str, wanted: str) -> Schema:
    """Return a value of a kind, or an expression. The message is one that the language server shows."""
    message = f"Write {wanted}, or an expression in quotes."
    return {"type": [kind, "string"], "pattern": EXPRESSION, "patternErrorMessage": message}


def _one_of(prop: Property) -> Schema:
    """Return the allowed words as the schema spells them, in any other case, and as the numbers they are."""
    words = list(prop.values or prop.value_map)
    numbers = [int(word) for word in dict.fromkeys([*words, *prop.value_map]) if _is_whole(word)]
    kinds = ["string", "number"] if any("." in word for word in words) else ["string"]
    offered: list[str | int] = [*words, *numbers] if prop.type is CimType.STRING else [*numbers, *words]
    return {
        "anyOf": [
            {"enum": list(dict.fromkeys(offered))},
            {"type": kinds, "pattern": without_case(words, or_expression=True)},
        ]
    }


def _is_whole(word: str) -> bool:
    return word.removeprefix("-").isdecimal() and word.isascii()
