"""The schema of ``inventory.yaml``, made from the models that check it and the variables of the roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from provisioner.editor.fragments import SECRET, Schema, document, suggested
from provisioner.editor.role import MERGES
from provisioner.inventory.schema import InventoryModel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic_core import core_schema

#: Check of a value, by the name of its function -> what JSON Schema can say of it.
CHECKS: Final[dict[str, Schema]] = {
    "_service_principal": {"pattern": "^[A-Za-z][A-Za-z0-9_-]*/(?!-)[A-Za-z0-9_.-]{1,253}$"},
    "_address": {"pattern": "^[A-Za-z0-9_.:%-]{1,253}$"},
    "_name": {"pattern": "^[A-Za-z][A-Za-z0-9_-]{0,62}$"},
    "_filled": {"pattern": r"\S"},
    "_secret_reference": {key: SECRET[key] for key in ("pattern", "patternErrorMessage")},
    "_is_one_of_two": {"minProperties": 1},
    "_has_one_way_in": {"minProperties": 1},
    "_url": {"pattern": "^https?://"},
    "_host": {"pattern": "^(?!-)[A-Za-z0-9_.-]{1,253}$"},
}
_NODE: Final = "^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$"
_GROUP: Final = "^[A-Za-z][A-Za-z0-9_-]{0,62}$"
_VARIABLE: Final = "^[A-Za-z][A-Za-z0-9_]*$"

#: What an editor shows beside a key.
DESCRIPTIONS: Final = {
    "site": "Name of the site, also the default name of its lab.",
    "connection": "How nodes are reached; the nearest place wins, key by key.",
    "variables": "Values for the variables of roles. Plain data, never evaluated.",
    "groups": "Groups: a node names those it is in.",
    "nodes": "The machines, by name.",
    "lab": "What the simulated machine behind a node is made of.",
    "encryption": "How credentials in documents reach the node.",
    "management_adapter": "Name of the network adapter that carries the node's address.",
    "merge": "How the values of several layers become one, by the path of the value.",
    "children": "Groups that are a part of this one; what they say wins over this.",
    "roles": "What the node is to be.",
    "decommission": "Roles that are undone: what they did is taken back, as far as they say how.",
    "after": "Nodes and groups that are done first.",
    "address": "Host name or IP address; the name of the node when left out.",
    "openstack": "The OpenStack cloud, and what the nodes are in it.",
    "cloud": "Name of the cloud in clouds.yaml.",
    "auth_url": "URL of Keystone, where clouds.yaml is not used.",
    "project": "Project to log on to; the user needs the role admin in it.",
    "user_domain": "Domain of the user.",
    "project_domain": "Domain of the project.",
    "region": "Region of the cloud.",
    "interface": "Which endpoints of the cloud are used.",
    "aggregates": "Host aggregates: at the top what they are; elsewhere names of those the node is in.",
    "flavors": "Extra specs of flavors that are there, by name or id; nothing takes one away.",
    "images": "Properties of images that are there, by name or id; nothing takes one away.",
    "zone": "Availability zone that the aggregate makes.",
    "properties": "Metadata of the aggregate; nothing takes one away.",
    "host": "Nova's name of the node, where it is not the computer name.",
    "transport": "How the node is spoken to; psrp is PowerShell remoting over WinRM.",
    "port": "5985, with tls 5986.",
    "tls": "https; the certificate is verified.",
    "user": "Who logs on: local, DOMAIN\\user, or a user of Keystone.",
    "password": "Where the password is, never the password itself: env:NAME or file:PATH.",
    "authentication": "How to log on; auto takes a certificate or Kerberos where it can, NTLM last.",
    "ca_certificates": "PEM file of the authorities whose certificates are trusted; else the system's.",
    "client_certificate": "PEM file with our certificate, for logging on with it.",
    "client_key": "PEM file with the key of the certificate, if it is not in the same file.",
    "service_principal": "Name of the node in Kerberos, SERVICE/HOST; WSMAN and the address when left out.",
    "configuration_name": "PowerShell session configuration.",
    "framing": "Layout of documents for the LCM; auto asks the node once.",
    "encoding": "Bytes of the MOF.",
    "connect_timeout": "Seconds for first contact.",
    "reconnect_timeout": "Seconds a lost connection may take to come back while a job is followed.",
    "reboot_timeout": "Seconds a reboot may take.",
    "job_timeout": "Seconds one job of the LCM may take.",
    "lcm_timeout": "Seconds to wait for an LCM that is busy with something else.",
    "certificate": "File or folder with the document-encryption certificates, beside the inventory.",
    "plain_text": "Whether passwords may stand in documents as they are.",
}


class _Generator(GenerateJsonSchema):
    """Says what pydantic cannot know of functions that check: what they take, and that nothing is allowed too."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        inner = super().function_before_schema(schema)
        function: Any = schema["function"]["function"]
        nothing = {"type": "null"}
        is_told = nothing in inner.get("anyOf", ())
        return {"anyOf": [inner, nothing]} if function(None) == {} and not is_told else inner

    def function_after_schema(self, schema: core_schema.AfterValidatorFunctionSchema) -> JsonSchemaValue:
        inner = super().function_after_schema(schema)
        return {**inner, **CHECKS[schema["function"]["function"].__name__]}


def inventory_schema(roles: Iterable[str], variables: Schema) -> Schema:
    """Return the schema of an inventory that may give these roles to nodes and these variables values."""
    made = InventoryModel.model_json_schema(schema_generator=_Generator)
    definitions = made.pop("$defs")
    models = [made, *definitions.values()]
    for model in models:
        _settle(model, list(roles))
    definitions["variables"] = {
        "type": "object",
        "properties": variables,
        "propertyNames": {"pattern": _VARIABLE},
    }
    _name_keys(made, "nodes", _NODE)
    _name_keys(made, "groups", _GROUP)
    made["properties"]["nodes"]["minProperties"] = 1
    body = {key: value for key, value in made.items() if key not in {"title", "description"}}
    return document(
        "Inventory of provisioner",
        "Which nodes there are, how they are reached, and what they shall be.",
        **_moved(body),
        definitions=_moved(definitions),
    )


def _settle(model: Schema, roles: list[str]) -> None:
    """Give the keys of a model their descriptions, and take away what says nothing to an author."""
    for noise in ("title", "description"):
        model.pop(noise, None)
    for name, schema in model.get("properties", {}).items():
        default = schema.pop("default", None)
        schema.pop("title", None)
        description = DESCRIPTIONS[name]
        if isinstance(default, bool | int | float) or (isinstance(default, str) and default):
            description += f" Default {str(default).lower() if isinstance(default, bool) else default}."
        if name == "variables":
            schema.clear()
            schema["anyOf"] = [{"$ref": "#/$defs/variables"}, {"type": "null"}]
        elif name == "merge":
            schema["anyOf"][0]["additionalProperties"] = MERGES
        elif name in {"roles", "decommission"}:
            schema["items"] = suggested(roles, schema["items"])
        schema["description"] = description


def _name_keys(made: Schema, section: str, pattern: str) -> None:
    """Ask the names below a section for their form."""
    schema = made["properties"][section]
    for part in schema.get("anyOf", [schema]):
        if part.get("type") == "object":
            part["propertyNames"] = {"pattern": pattern}


def _moved(part: Any) -> Any:
    """Return the same with draft 7's word for definitions, and without titles made of Python names."""
    match part:
        case dict():
            return {
                key: value.replace("#/$defs/", "#/definitions/") if key == "$ref" else _moved(value)
                for key, value in part.items()
            }
        case list():
            return [_moved(item) for item in part]
        case _:
            return part
