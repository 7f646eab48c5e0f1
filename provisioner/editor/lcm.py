"""The schema of LCM profiles, ``dsc_configs/lcm/<name>.yaml``, made from the catalogue's classes of the LCM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from provisioner.catalogue.schema import CREDENTIAL_CLASS
from provisioner.editor.fragments import SECRET, Schema, closed, document, list_of, nullable
from provisioner.editor.properties import DEFINITIONS, object_schema

if TYPE_CHECKING:
    from provisioner.catalogue.registry import Registry
    from provisioner.catalogue.schema import EmbeddedClass

#: What an LCM works with besides its settings: keyword -> where it stands.
MANAGERS: Final = (
    "ConfigurationRepositoryWeb",
    "ConfigurationRepositoryShare",
    "ResourceRepositoryWeb",
    "ResourceRepositoryShare",
    "ReportServerWeb",
    "SignatureValidation",
)
_PARTIAL: Final = "PartialConfiguration"
#: A text in the schema of the LCM, a reference to a secret for an author.
_KEY: Final = "RegistrationKey"
_NAME: Final[Schema] = {"type": "string", "minLength": 1, "description": "Name of the entry."}


def lcm_schema(registry: Registry) -> Schema:
    """Return the schema of an LCM profile."""
    definitions: Schema = dict(DEFINITIONS)
    known = [keyword for keyword in MANAGERS if _define(keyword, registry, definitions)]
    partial = _define(_PARTIAL, registry, definitions)
    settings = _define("Settings", registry, definitions)
    cases = [_case(keyword, definitions) for keyword in known]
    return document(
        "LCM profile of provisioner",
        "How the LCM of a node works: dsc_configs/lcm/<name>.yaml.",
        **closed(
            {
                "description": {"description": "What the profile is for."},
                "settings": {"$ref": "#/definitions/Settings"} if settings else {"type": "object"},
                "managers": {
                    **list_of(
                        closed(
                            {
                                "type": {"enum": known, "description": "What it is."},
                                "name": _NAME,
                                "properties": {"type": "object"},
                            },
                            ["type", "name"],
                            allOf=cases,
                        )
                    ),
                    "type": "array",
                    "description": "Servers and shares the LCM works with.",
                },
                "partials": {
                    "type": "array",
                    "items": closed(
                        {
                            "name": _NAME,
                            "properties": {"$ref": f"#/definitions/{_PARTIAL}"}
                            if partial
                            else {"type": "object"},
                        },
                        ["name"],
                    ),
                    "description": "Partial configurations.",
                },
                "beside_configuration": {
                    "type": "boolean",
                    "description": "Write what Windows does of a block in an ordinary configuration.",
                },
            },
        ),
        definitions=definitions,
    )


def _define(keyword: str, registry: Registry, definitions: Schema) -> EmbeddedClass | None:
    """Add the class behind a keyword to the definitions."""
    found = registry.meta_class(keyword)
    if found is None:
        return None
    # Lists of servers stand beside the settings, not in them.
    own = [prop for prop in found.properties if prop.embedded_class in {"", CREDENTIAL_CLASS}]
    schema = object_schema(f"#/definitions/{keyword}", own, lambda _: {"type": "object"})
    if _KEY in schema["properties"]:
        schema["properties"][_KEY] = nullable(SECRET)
    definitions[keyword] = schema
    return found


def _case(keyword: str, definitions: Schema) -> Schema:
    """Return the part of an entry's schema that counts for one keyword."""
    body: Schema = {"properties": {"properties": {"$ref": f"#/definitions/{keyword}"}}}
    if "allOf" in definitions[keyword]:
        body["required"] = ["properties"]
    return {"if": {"properties": {"type": {"const": keyword}}, "required": ["type"]}, "then": body}
