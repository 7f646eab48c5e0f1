"""A configuration document as the LCM takes it, or the reason it refuses it.

What is refused, and what is let through although it is wrong (a value outside its ValueMap), follows what a real
LCM of the same origin did with good and bad documents. Nothing here runs a resource.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from provisioner.catalogue.schema import Qualifier
from provisioner.lab.lcm.documents.order import in_order
from provisioner.lab.lcm.documents.schema import (
    DOCUMENT_CLASS,
    META_CLASSES,
    ClassSchema,
    NodeClasses,
    base_property,
)
from provisioner.lab.lcm.errors import LcmError, LcmMessage
from provisioner.lab.lcm.host import LcmHost
from provisioner.lab.mof import conversion
from provisioner.lab.mof.lexer import MofError
from provisioner.lab.mof.reader import Instance, MofDocument, Value, read

_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")
_BRACKETED = re.compile(r"\[([^\]]*)\](.*)", re.DOTALL)
#: Resources whose instances may share their keys: they wait, they own nothing.
_MAY_SHARE_KEYS = ("msft_waitforall", "msft_waitforany", "msft_waitforsome")
_MANDATORY = ("ResourceID", "ModuleName", "ModuleVersion")


@dataclass(frozen=True, slots=True)
class RunAs:
    """The user of PsDscRunAsCredential. The password is as the document has it until it is decrypted."""

    user_name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DocumentResource:
    """One resource to run. ``properties`` are the bound ones in the spelling of the schema, without NULLs."""

    resource_id: str
    class_name: str
    module: str
    version: str
    properties: Mapping[str, Any] = field(repr=False)
    depends_on: tuple[str, ...] = ()
    source_info: str = ""
    configuration_name: str = ""
    run_as: RunAs | None = None

    @property
    def type_name(self) -> str:
        """The keyword between the brackets of the id; the class name when it has none."""
        found = _BRACKETED.fullmatch(self.resource_id)
        return found[1] if found else self.class_name

    @property
    def instance_name(self) -> str:
        """The part of the id after the brackets."""
        found = _BRACKETED.fullmatch(self.resource_id)
        return found[2] if found else self.resource_id


@dataclass(frozen=True, slots=True)
class ConfigurationDocument:
    """A document the LCM accepts; ``resources`` in the order it takes them, passwords as they stand there."""

    resources: tuple[DocumentResource, ...]
    metadata: str
    content_type: str = ""


def check(data: bytes, classes: NodeClasses) -> ConfigurationDocument:
    """Read and check a configuration document.

    Raises:
        LcmError: the LCM refuses it.
    """
    document = parse(data)
    _refuse_meta_configuration(document)
    _refuse_missing_modules(document, classes)
    schemas = [check_instance(document, instance, classes) for instance in document.instances]
    header = _header(document)
    held = _held(document)
    resources = [
        (instance, schema)
        for instance, schema in zip(document.instances, schemas, strict=True)
        if not schema.is_value and id(instance) not in held
    ]
    if not resources:
        raise LcmError.of(
            "The instance document does not specify any resource. Add at least one resource to the "
            "document and try "
            "again.",
            4,
        )
    for instance, schema in resources:
        _check_mandatory(instance, schema)
    _check_ids(instance for instance, _ in resources)
    _check_keys(resources)
    return ConfigurationDocument(
        _ordered([resource_of(instance) for instance, _ in resources]),
        _metadata(header),
        header.text("ContentType"),
    )


def record_refusal(host: LcmHost, error: LcmError) -> None:
    """Write into the node's journal which resources a document was refused for."""
    for message in (*error.errors, error.message):
        if message.resource_id:
            host.record(
                "resource-failed",
                job="",
                resource=message.resource_id,
                error_id=message.error_id,
                category=message.category,
                inner_error_id="",
                inner_category="",
            )


def parse(data: bytes) -> MofDocument:
    """Read a document of any kind.

    Raises:
        LcmError: it is no MOF.
    """
    try:
        return read(data)
    except MofError as error:
        raise LcmError.of(str(error), 1) from error


def is_meta_configuration(document: MofDocument) -> bool:
    """Whether a document holds settings of the LCM itself."""
    return any(instance.class_name.casefold() in META_CLASSES for instance in document.instances)


def header_of(document: MofDocument) -> Instance:
    """Give the one OMI_ConfigurationDocument.

    Raises:
        LcmError: there is none, more than one, or its version is no version.
    """
    return _header(document)


def _refuse_meta_configuration(document: MofDocument) -> None:
    if is_meta_configuration(document):
        raise LcmError.of(
            "The configuration document contains Local Configuration Manager settings, which is not "
            "supported by this "
            "operation. Use the Set-DscLocalConfigurationManager cmdlet to apply them.",
            4,
        )


def _header(document: MofDocument) -> Instance:
    found = [each for each in document.instances if each.class_name.casefold() == DOCUMENT_CLASS.casefold()]
    if len(found) != 1:
        count = "no" if not found else "more than one"
        raise LcmError.of(
            f"The configuration document has {count} {DOCUMENT_CLASS} instance; it needs one.", 4
        )
    if not _VERSION.fullmatch(found[0].text("Version")):
        raise LcmError.of(
            f"The Version property of {DOCUMENT_CLASS} is not valid: '{found[0].text('Version')}'. It "
            "must have the "
            "form a.b.c, in digits.",
            4,
        )
    return found[0]


def _refuse_missing_modules(document: MofDocument, classes: NodeClasses) -> None:
    errors = []
    for instance in document.instances:
        module, version = instance.text("ModuleName"), instance.text("ModuleVersion")
        if module and version and not classes.has_module(module, version):
            found = _BRACKETED.fullmatch(instance.text("ResourceID"))
            errors.append(
                LcmMessage(
                    f"The PowerShell DSC resource {found[1] if found else instance.class_name} from module "
                    f"<{module},{version}> does not exist at the PowerShell module path nor is it "
                    "registered as a WMI "
                    "DSC resource.",
                    "DscResourceNotFound",
                    "InvalidOperation",
                    instance.text("ResourceID"),
                )
            )
    if errors:
        raise LcmError(errors[-1], tuple(errors[:-1]))


def check_instance(document: MofDocument, instance: Instance, classes: NodeClasses) -> ClassSchema:
    """Check class, properties and types of one instance.

    Raises:
        LcmError: the node has no such class, or the class does not allow what stands there.
    """
    module, version = instance.text("ModuleName"), instance.text("ModuleVersion")
    schema = classes.find(instance.class_name, module, version)
    if schema is None:
        error = document.error(instance, "", f"Undefined class: {instance.class_name}")
        raise LcmError.of(str(error), 1)
    for name, value in instance.properties.items():
        prop = schema.property(name) or (None if schema.is_value else base_property(name))
        if prop is None and schema.properties is None:
            continue
        if prop is None:
            raise LcmError.of(str(document.error(instance, name, f"Undefined property {name}")), 1)
        try:
            conversion.check(value, prop)
        except conversion.ConversionError as error:
            raise LcmError.of(str(document.error(instance, name, str(error))), 1) from error
    return schema


def _held(document: MofDocument) -> set[int]:
    """Find the instances that stand inside others: those are values, not resources."""
    return {
        id(item)
        for instance in document.instances
        for value in instance.properties.values()
        for item in (value if isinstance(value, list) else [value])
        if isinstance(item, Instance)
    }


def _check_mandatory(instance: Instance, schema: ClassSchema) -> None:
    keys = schema.resource_type.properties if schema.resource_type else ()
    names = [
        *_MANDATORY,
        *(prop.name for prop in keys if prop.qualifier in {Qualifier.KEY, Qualifier.REQUIRED}),
    ]
    for name in names:
        if instance.get(name) is None:
            raise LcmError.of(
                f"Could not find mandatory property {name} in the instance of class {instance.class_name}"
                + (f" with ResourceId {instance.text('ResourceID')}" if instance.text("ResourceID") else "")
                + ". Add this property to the instance and try again.",
                6,
            )


def _check_ids(instances: Iterable[Instance]) -> None:
    seen: set[str] = set()
    for instance in instances:
        folded = instance.text("ResourceID").casefold()
        if folded in seen:
            raise LcmError.of(
                "Found more than one instance with the same ResourceId "
                f"{instance.text('ResourceID')}. Resource ids "
                "must be unique within a configuration document.",
                1,
            )
        seen.add(folded)


def _check_keys(resources: Sequence[tuple[Instance, ClassSchema]]) -> None:
    seen: dict[tuple[Any, ...], str] = {}
    for instance, schema in resources:
        if not schema.resource_type or instance.class_name.casefold() in _MAY_SHARE_KEYS:
            continue
        keys = tuple(
            value.casefold() if isinstance(value, str) else value
            for value in (instance.get(prop.name) for prop in schema.resource_type.keys)
        )
        identity = (instance.class_name.casefold(), repr(keys))
        if identity in seen:
            raise LcmError.of(
                f"The resources {seen[identity]} and {instance.text('ResourceID')} of class "
                f"{instance.class_name} have "
                "the same key property values. Key values must be unique within a configuration document.",
                11,
            )
        seen[identity] = instance.text("ResourceID")


def resource_of(instance: Instance) -> DocumentResource:
    """Give the resource that an instance describes, as it is handed to Get, Test and Set."""
    depends_on = instance.get("DependsOn")
    return DocumentResource(
        instance.text("ResourceID"),
        instance.class_name,
        instance.text("ModuleName"),
        instance.text("ModuleVersion"),
        {
            name: _plain(value)
            for name, value in instance.properties.items()
            if value is not None and base_property(name) is None
        },
        tuple(str(each) for each in depends_on) if isinstance(depends_on, list) else (),
        instance.text("SourceInfo"),
        instance.text("ConfigurationName"),
        _run_as(instance.get("PsDscRunAsCredential")),
    )


def _run_as(value: Value) -> RunAs | None:
    return RunAs(value.text("UserName"), value.text("Password")) if isinstance(value, Instance) else None


def _plain(value: Value) -> Any:
    """Turn embedded instances into dictionaries; nesting follows the aliases, which only point backwards."""
    match value:
        case list():
            return [_plain(item) for item in value]
        case Instance():
            return {name: _plain(item) for name, item in value.properties.items() if item is not None}
        case _:
            return value


def _ordered(resources: Sequence[DocumentResource]) -> tuple[DocumentResource, ...]:
    by_id = {resource.resource_id.casefold(): resource for resource in resources}
    edges: dict[str, list[str]] = {}
    for resource in resources:
        for wanted in resource.depends_on:
            if wanted.casefold() not in by_id:
                raise LcmError.of(
                    f"ResourceId {wanted} could not be found in the configuration document. Resource "
                    f"{resource.resource_id} names it in its DependsOn property.",
                    4,
                )
        edges[resource.resource_id.casefold()] = [wanted.casefold() for wanted in resource.depends_on]
    return tuple(by_id[folded] for folded in in_order(list(by_id), edges))


def _metadata(header: Instance) -> str:
    """Write the MetaData of a status record."""
    names = ("Author", "Name", "Version", "GenerationDate", "GenerationHost")
    return " ".join(f"{name}: {header.text(name)};" for name in names)
