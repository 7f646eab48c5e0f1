"""Invoke-DscResource: Get and Test of one resource, by way of the LCM's ResourceGet and ResourceTest.

Properties may be texts, numbers, booleans and lists of texts, as the checks that ask this way need.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import record
from provisioner.lab.lcm.documents.schema import catalogue
from provisioner.lab.lcm.errors import LcmError
from provisioner.lab.machine.area import MachineError
from provisioner.lab.values import ErrorRecord, PsObject, TerminatingError
from provisioner.lab.wmi import errors as cim_errors

_NAME: Final = "Invoke-DscResource"
_METHODS: Final = {"get": "ResourceGet", "test": "ResourceTest"}


async def run(invocation: Invocation) -> None:
    """Ask the LCM and write its answer; its errors are non-terminating, as those of all functions over CIM."""
    parameters = invocation.parameters
    method = _METHODS.get(str(parameters["Method"]).casefold())
    if method is None:
        raise TerminatingError(
            _refusal("The lab only asks resources one by one; what shall be set comes in a document.")
        )
    name, (module, version) = str(parameters["Name"]), _module(parameters["ModuleName"])
    class_name = _class_name(name, module)
    if class_name is None:
        raise TerminatingError(_refusal(f"Resource {name} was not found."))
    document = _document(class_name, module, version, parameters["Property"] or {})
    arguments = {
        "ResourceType": class_name,
        "ModuleName": module,
        "resourceProperty": invocation.node.lcm.framed(document.encode()),
    }
    try:
        answer = await invocation.node.lcm.invoke(method, arguments)
    except LcmError as error:
        for message in (*error.errors, error.message):
            invocation.output.error(cim_errors.lcm_error(message, _NAME, _NAME, name))
        return
    if method == "ResourceGet":
        invocation.output.write(answer["configurations"])
    else:
        types = ("InvokeDscResourceTestResult", "System.Object")
        invocation.output.write(PsObject(types, dict(answer)))


def _module(given: Any) -> tuple[str, str]:
    """Read a name, or a table of name and version."""
    if isinstance(given, Mapping):
        values = {str(key).casefold(): str(value) for key, value in given.items()}
        return values["modulename"], values.get("requiredversion") or values.get("moduleversion", "")
    return str(given), ""


def _class_name(name: str, module: str) -> str | None:
    for kind in catalogue().resource_types():
        if kind.name.casefold() == name.casefold() and kind.module.casefold() == module.casefold():
            return kind.class_name
    return None


def _document(class_name: str, module: str, version: str, properties: Mapping[Any, Any]) -> str:
    """Write the document of one instance, as the cmdlet does."""
    values: dict[str, Any] = {"ResourceID": f"[{class_name}]DirectResourceAccess", "ModuleName": module}
    if version:
        values["ModuleVersion"] = version
    values |= {str(name): value for name, value in properties.items()}
    written = " ".join(f"{name} = {_value(value)};" for name, value in values.items())
    return (
        f"instance of {class_name} as $it {{ {written} }};\n"
        'instance of OMI_ConfigurationDocument { Version="2.0.0"; MinimumCompatibleVersion="1.0.0"; '
        'Name="DirectResourceAccess"; };\n'
    )


def _value(value: Any) -> str:
    match value:
        case bool():
            return str(value)
        case int():
            return str(value)
        case str():
            text = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{text}"'
        case list() | tuple():
            return f"{{{', '.join(_value(str(item)) for item in value)}}}"
        case _:
            raise TerminatingError(
                _refusal(f"The lab cannot hand over a property of type {type(value).__name__}.")
            )


def _refusal(message: str) -> ErrorRecord:
    error = MachineError(message, "InvokeDscResource", "InvalidOperation", "System.InvalidOperationException")
    return record(error, _NAME, _NAME)
