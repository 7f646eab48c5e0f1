"""The shape of ``inventory.yaml`` and the sentences for everything that does not have it.

The rule of the room: values are validated strictly, all problems are found in one pass, and no message
repeats what was written, since it may be a password in the wrong place.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from provisioner.addresses import SecretRef
from provisioner.diagnostics import Diagnostics, did_you_mean
from provisioner.documents import Mapping, Scalar, Sequence, Tree, locate, plain, step_into
from provisioner.secrets.stores import STORES

if TYPE_CHECKING:
    from provisioner.diagnostics import SourceRange

_HOST: Final = re.compile(r"(?!-)[A-Za-z0-9_.-]{1,253}")
_PRINCIPAL: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*/(?!-)[A-Za-z0-9_.-]{1,253}")
_NUMBERS: Final = re.compile(r"[0-9.]+")
_URL: Final = re.compile(r"https?://[A-Za-z0-9._~:\[\]-]+(?:/[A-Za-z0-9._~/-]*)?")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
_VARIABLE_OF_ENVIRONMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HELP_REFERENCE: Final = (
    "Write 'env:NAME' for an environment variable or 'file:PATH' for a file beside the inventory."
)
_WEEK_S: Final = 7 * 24 * 3600


def _refused(summary: str, detail: str, help: str = "") -> PydanticCustomError:
    return PydanticCustomError("form", "{detail}", {"summary": summary, "detail": detail, "help": help})


def is_address(text: str) -> bool:
    """Return whether a text is a host name or an IP address; numbers with dots have to be one."""
    try:
        if ":" in text:
            IPv6Address(text)
        elif _NUMBERS.fullmatch(text):
            IPv4Address(text)
        else:
            return _HOST.fullmatch(text) is not None
    except AddressValueError:
        return False
    return True


def _address(text: str) -> str:
    if not is_address(text):
        raise _refused(
            "Address has a wrong form",
            "An address is a host name or an IP address, without scheme, port and spaces.",
            "The port has a key of its own: 'port:' under 'connection:'.",
        )
    return text


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise _refused(
            "Name has a wrong form",
            "A name starts with a letter and goes on with letters, digits, '_' and '-', up to 63 in all.",
        )
    return text


def _filled(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise _refused("Value is empty", "A text of printable characters is needed here.")
    return text


def _service_principal(text: str) -> str:
    if not _PRINCIPAL.fullmatch(text):
        raise _refused(
            "Service principal has a wrong form",
            "A service principal is a service and a host with a stroke between, without a realm.",
            "Write 'service_principal: WSMAN/hv01.example.com'.",
        )
    return text


def is_reference(text: str) -> bool:
    """Return whether a text is a usable reference to a secret."""
    ref = SecretRef.parse(text)
    return (
        ref is not None
        and ref.store in STORES
        and (ref.store != "env" or _VARIABLE_OF_ENVIRONMENT.fullmatch(ref.key) is not None)
    )


def _secret_reference(text: str) -> str:
    if is_reference(text):
        return text
    if text.startswith("env:"):
        raise _refused(
            "Secret reference has a wrong form",
            "After 'env:' stands the name of an environment variable: letters, digits and '_'.",
        )
    raise _refused(
        "Password is written in the inventory",
        "An inventory says where a password is, never the password itself.",
        _HELP_REFERENCE,
    )


def _url(text: str) -> str:
    if not _URL.fullmatch(text):
        raise _refused(
            "Address of Keystone has a wrong form",
            "It is a whole URL without a user in it, such as 'https://keystone.example:5000/v3'.",
            "The user has a key of its own: 'user:'.",
        )
    return text


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise _refused(
            "Host name has a wrong form",
            "A host is written as Nova writes it: letters, digits, '-', '_' and '.', without '@' and spaces.",
            "'openstack compute service list' shows the names.",
        )
    return text


def _nothing_is_empty(value: Any) -> Any:
    """Take ``hv01:`` without a value as an empty mapping: a node may need no more than its name."""
    return {} if value is None else value


_Seconds = Annotated[float, Field(gt=0, le=_WEEK_S, allow_inf_nan=False)]
_Name = Annotated[str, AfterValidator(_name)]
_Text = Annotated[str, AfterValidator(_filled)]
_Variables = Annotated[dict[str, Any], BeforeValidator(_nothing_is_empty)]


class _Model(BaseModel):
    """Models are for checking alone: values are read from the tree, which knows where they stand."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)


class ConnectionModel(_Model):
    """Settings of a connection; each may be left out and come from a wider place."""

    transport: _Name = ""
    port: Annotated[int, Field(ge=1, le=65535)] = 5985
    tls: bool = False
    user: _Text = ""
    password: Annotated[str, AfterValidator(_secret_reference)] = ""
    authentication: Literal["auto", "kerberos", "certificate", "negotiate", "ntlm", "basic", "credssp"] = (
        "auto"
    )
    ca_certificates: _Text = ""
    client_certificate: _Text = ""
    client_key: _Text = ""
    service_principal: Annotated[str, AfterValidator(_service_principal)] = ""
    configuration_name: _Text = "Microsoft.PowerShell"
    framing: Literal["auto", "big-endian", "raw", "little-endian"] = "auto"
    encoding: Literal["utf-16", "utf-8"] = "utf-16"
    connect_timeout: _Seconds = 10.0
    reconnect_timeout: _Seconds = 240.0
    reboot_timeout: _Seconds = 900.0
    job_timeout: _Seconds = 7200.0
    lcm_timeout: _Seconds = 900.0


class AggregateModel(_Model):
    """A host aggregate of Nova."""

    zone: _Text = ""
    properties: _Variables = Field(default_factory=dict)


class CloudModel(_Model):
    """The OpenStack cloud the nodes serve."""

    cloud: _Text = ""
    auth_url: Annotated[str, AfterValidator(_url)] = ""
    user: _Text = ""
    password: Annotated[str, AfterValidator(_secret_reference)] = ""
    project: _Text = ""
    user_domain: _Text = "Default"
    project_domain: _Text = "Default"
    region: _Text = ""
    interface: Literal["public", "internal", "admin"] = "public"
    ca_certificates: _Text = ""
    aggregates: Annotated[
        dict[str, Annotated[AggregateModel, BeforeValidator(_nothing_is_empty)]],
        BeforeValidator(_nothing_is_empty),
    ] = Field(default_factory=dict)
    flavors: Annotated[dict[str, _Variables], BeforeValidator(_nothing_is_empty)] = Field(
        default_factory=dict
    )
    images: Annotated[dict[str, _Variables], BeforeValidator(_nothing_is_empty)] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_one_way_in(self) -> CloudModel:
        logon = {
            "auth_url",
            "user",
            "password",
            "project",
            "user_domain",
            "project_domain",
            "ca_certificates",
        }
        said = sorted(logon & self.model_fields_set)
        if self.cloud and said:
            raise _refused(
                "Cloud is said twice",
                f"clouds.yaml says how to log on to '{self.cloud}', and '{said[0]}' says it here.",
                "Keep 'cloud:' or the keys of the log-on.",
            )
        missing = [key for key in ("auth_url", "user", "password", "project") if not getattr(self, key)]
        if not self.cloud and missing:
            raise _refused(
                "Cloud is not named",
                "Without 'cloud:' a log-on needs 'auth_url', 'user', 'password' and 'project'; "
                f"'{missing[0]}' is missing.",
                "Write 'cloud: NAME' with a name of clouds.yaml, or add what is missing.",
            )
        return self


class MembershipModel(_Model):
    """What Nova is told of the nodes of a group."""

    aggregates: list[str] = Field(default_factory=list)


class HostModel(MembershipModel):
    """What Nova is told of a node."""

    host: Annotated[str, AfterValidator(_host)] = ""


class EncryptionModel(_Model):
    """How credentials reach a node; one of the two."""

    certificate: _Text = ""
    plain_text: bool = False

    @model_validator(mode="after")
    def _is_one_of_two(self) -> EncryptionModel:
        if self.plain_text and self.certificate:
            raise _refused(
                "Encryption says two things",
                "With a certificate passwords are encrypted, and 'plain_text: true' says they are not.",
                "Keep one of the two.",
            )
        if not self.model_fields_set:
            raise _refused(
                "Encryption says nothing",
                "Neither a certificate nor plain text is named here.",
                "Write 'certificate: PATH', a file or a folder beside the inventory, or 'plain_text: true'.",
            )
        return self


_Connection = Annotated[ConnectionModel | None, BeforeValidator(_nothing_is_empty)]
_Encryption = Annotated[EncryptionModel | None, BeforeValidator(_nothing_is_empty)]
_Names = list[_Name]


class _PlaceModel(_Model):
    """What may be said of all nodes, of those of a group and of one. Nothing is made for what is left out."""

    connection: _Connection = None
    encryption: _Encryption = None
    management_adapter: _Text = ""
    variables: _Variables = Field(default_factory=dict)
    lab: Any = None


class GroupModel(_PlaceModel):
    """What nodes of a group share."""

    roles: _Names = Field(default_factory=list)
    decommission: _Names = Field(default_factory=list)
    after: list[str] = Field(default_factory=list)
    children: list[str] = Field(default_factory=list)
    openstack: Annotated[MembershipModel | None, BeforeValidator(_nothing_is_empty)] = None


class NodeModel(_PlaceModel):
    """One machine."""

    address: Annotated[str, AfterValidator(_address)] = ""
    groups: list[str] = Field(default_factory=list)
    roles: _Names = Field(default_factory=list)
    decommission: _Names = Field(default_factory=list)
    after: list[str] = Field(default_factory=list)
    openstack: Annotated[HostModel | None, BeforeValidator(_nothing_is_empty)] = None


class InventoryModel(_PlaceModel):
    """A whole file."""

    site: _Name
    merge: _Variables = Field(default_factory=dict)
    openstack: CloudModel | None = None
    groups: Annotated[
        dict[str, Annotated[GroupModel, BeforeValidator(_nothing_is_empty)]],
        BeforeValidator(_nothing_is_empty),
    ] = Field(default_factory=dict)
    nodes: Annotated[
        dict[str, Annotated[NodeModel, BeforeValidator(_nothing_is_empty)]],
        BeforeValidator(_nothing_is_empty),
    ]


CONNECTION_KEYS: Final = tuple(ConnectionModel.model_fields)
_ENCRYPTION_KEYS: Final = tuple(EncryptionModel.model_fields)


def check(tree: Tree) -> Diagnostics:
    """Return everything in the tree that does not have the shape of an inventory."""
    problems = Diagnostics()
    try:
        InventoryModel.model_validate(plain(tree))
    except ValidationError as error:
        for found in error.errors(include_url=False, include_input=False):
            _explain(found, tree, problems)
    return problems


def _explain(found: ErrorDetails, tree: Tree, problems: Diagnostics) -> None:
    path = found["loc"]
    where = locate(tree, path)
    name = _shown(path)
    context = found.get("ctx", {})
    match found["type"]:
        case "extra_forbidden":
            known = _known_keys(path)
            detail = f"'{path[-1]}' means nothing {_place(path[:-1])}."
            problems.error("Unknown key", detail, _key_of(tree, path), did_you_mean(str(path[-1]), known))
        case "missing":
            problems.error(
                "Key is missing",
                f"'{path[-1]}' is needed {_place(path[:-1])}.",
                where,
                _HELP_MISSING[str(path[-1])],
            )
        case "form":
            problems.error(context["summary"], context["detail"], where, context["help"])
        case "literal_error":
            help_ = _options_help(tree, path, context["expected"])
            problems.error(
                "Value is not one of the known ones", f"{name} must be {context['expected']}.", where, help_
            )
        case kind if kind in _TYPES:
            wanted, help_ = _TYPES[kind]
            if path[-1:] == ("password",):
                wanted, help_ = "a reference to a secret", _HELP_REFERENCE
            seen = _seen(step_into(tree, path))
            problems.error("Wrong type", f"{name} must be {wanted}, and {seen} stands here.", where, help_)
        case _:
            said = found["msg"].removeprefix("Input should be ")
            problems.error("Value is out of range", f"{name} must be {said}.", where)


_HELP_MISSING: Final = {
    "site": "Write 'site: NAME' at the top; it names the whole of this inventory.",
    "nodes": "Write 'nodes:' and below it one key for each machine.",
}

_QUOTES: Final = "Put it in quotes."
_BOOLEAN: Final = "Write true or false; YAML 1.2 reads yes, no, on and off as text."
_TYPES: Final = {
    "string_type": ("text", _QUOTES),
    "int_type": ("a whole number", "Write it without quotes."),
    "int_from_float": ("a whole number", "Write it without a point."),
    "float_type": ("a number", "Write it without quotes, in seconds."),
    "bool_type": ("true or false", _BOOLEAN),
    "list_type": ("a list", "Write [one, two], or one item per line with '- ' before it."),
    "dict_type": ("a mapping", "Write 'key: value' lines, indented below it."),
    "model_type": ("a mapping", "Write 'key: value' lines, indented below it."),
    "model_attributes_type": ("a mapping", "Write 'key: value' lines, indented below it."),
}


def _shown(path: tuple[int | str, ...]) -> str:
    if not path:
        return "An inventory"
    if isinstance(path[-1], int):
        return f"An item of '{path[-2]}'"
    return f"'{path[-1]}'"


def _place(path: tuple[int | str, ...]) -> str:
    match path:
        case ():
            return "at the top of an inventory"
        case ("groups", name):
            return f"in the group '{name}'"
        case ("nodes", name):
            return f"in the node '{name}'"
        case _:
            return f"under '{path[-1]}'"


def _known_keys(path: tuple[int | str, ...]) -> tuple[str, ...]:
    match path[:-1]:
        case (*_, "connection") if len(path) in {2, 4}:
            return CONNECTION_KEYS
        case (*_, "encryption") if len(path) in {2, 4}:
            return _ENCRYPTION_KEYS
        case ("openstack",):
            return tuple(CloudModel.model_fields)
        case ("openstack", "aggregates", _):
            return tuple(AggregateModel.model_fields)
        case ("groups", _, "openstack"):
            return tuple(MembershipModel.model_fields)
        case ("nodes", _, "openstack"):
            return tuple(HostModel.model_fields)
        case ("groups", _):
            return tuple(GroupModel.model_fields)
        case ("nodes", _):
            return tuple(NodeModel.model_fields)
        case _:
            return tuple(InventoryModel.model_fields)


def _key_of(tree: Tree, path: tuple[int | str, ...]) -> SourceRange:
    parent = step_into(tree, path[:-1])
    entry = parent.entry(str(path[-1])) if isinstance(parent, Mapping) else None
    return entry.key.where if entry else locate(tree, path)


def _options_help(tree: Tree, path: tuple[int | str, ...], expected: str) -> str:
    value = step_into(tree, path)
    options = re.findall(r"'([^']+)'", expected)
    if isinstance(value, Scalar) and isinstance(value.value, str):
        guess = did_you_mean(value.value, options)
        return guess if guess.startswith("Did") else ""
    return ""


def _seen(value: Tree | None) -> str:
    match value:
        case None:
            return "something else"
        case Mapping():
            return "a mapping"
        case Sequence():
            return "a list"
        case Scalar(value=None):
            return "nothing"
        case Scalar(value=bool()):
            return "a boolean"
        case Scalar(value=str()):
            return "text"
        case Scalar():
            return "a number"
