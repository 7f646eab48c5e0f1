"""Get, Test and Set of one resource, past all documents, and the debugging of resources.

``ResourceType`` is the CIM class; ``resourceProperty`` a document with one instance of it. Nothing is stored and
no record is left. Source: LCM class facts 1.2; order of calls: exactly the one asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.lcm import cim
from provisioner.lab.lcm.documents.credentials import decrypted
from provisioner.lab.lcm.documents.document import (
    ConfigurationDocument,
    DocumentResource,
    check_instance,
    header_of,
    parse,
    resource_of,
)
from provisioner.lab.lcm.documents.schema import DOCUMENT_CLASS
from provisioner.lab.lcm.engine import Engine
from provisioner.lab.lcm.errors import LcmError, LcmMessage
from provisioner.lab.lcm.jobs.run import ResourceFailure
from provisioner.lab.machine.powershell import modules

Out = dict[str, Any]

_CMDLET = "Invoke-DscResource"


async def resource_get(engine: Engine, arguments: Mapping[str, Any]) -> Out:
    """Give the actual state of one resource."""
    with engine.busy(_CMDLET, ""):
        resource = _resource(engine, arguments)
        try:
            found = await engine.new_pass().get(resource)
        except ResourceFailure as failure:
            raise LcmError(failure.message) from failure
    return {"configurations": cim.resource_state(resource, found)}


async def resource_test(engine: Engine, arguments: Mapping[str, Any]) -> Out:
    """Ask one resource whether it is in its desired state."""
    with engine.busy(_CMDLET, ""):
        resource = _resource(engine, arguments)
        try:
            return {"InDesiredState": await engine.new_pass().test_one(resource)}
        except ResourceFailure as failure:
            raise LcmError(failure.message) from failure


async def resource_set(engine: Engine, arguments: Mapping[str, Any]) -> Out:
    """Set one resource without a Test before; tell whether it wants a restart."""
    with engine.busy(_CMDLET, ""):
        resource = _resource(engine, arguments)
        try:
            return {"RebootRequired": await engine.new_pass().set_one(resource)}
        except ResourceFailure as failure:
            raise LcmError(failure.message) from failure
        finally:
            engine.host.save()


async def enable_debug_configuration(engine: Engine, arguments: Mapping[str, Any]) -> Out:
    """Switch the debugging of resources on. It shows in the settings; no resource waits for a debugger."""
    mode = "ResourceScriptBreakAll" if arguments.get("BreakAll") else "ResourceScriptBreakpoint"
    return _debug(engine, "Enable-DscDebug", mode)


async def disable_debug_configuration(engine: Engine, _arguments: Mapping[str, Any]) -> Out:
    """Switch the debugging of resources off."""
    return _debug(engine, "Disable-DscDebug", "NONE")


def _debug(engine: Engine, cmdlet: str, mode: str) -> Out:
    with engine.busy(cmdlet, ""):
        engine.store.settings = {**engine.store.settings, "DebugMode": [mode]}
        engine.host.save()
    return {}


def _resource(engine: Engine, arguments: Mapping[str, Any]) -> DocumentResource:
    """Read the one instance a call is about.

    Raises:
        LcmError: it is none, or the node has no such resource.
    """
    class_name, module = str(arguments["ResourceType"]), str(arguments["ModuleName"])
    document = parse(engine.payload(arguments["resourceProperty"]))
    header = header_of(document)
    found = [each for each in document.instances if each.class_name.casefold() == class_name.casefold()]
    if len(found) != 1:
        raise LcmError.of(
            f"The properties of the resource must be one instance of class {class_name}; there are {len(found)}.",
            4,
        )
    instance = found[0]
    version = instance.text("ModuleVersion") or _newest(engine, module)
    if not version or not engine.classes.has_module(module, version):
        raise LcmError(
            LcmMessage(
                f"The PowerShell DSC resource {class_name} from module <{module},{version}> does not exist at the "
                "PowerShell module path nor is it registered as a WMI DSC resource.",
                "DscResourceNotFound",
                "InvalidOperation",
            )
        )
    instance.properties.setdefault("ModuleName", module)
    instance.properties.setdefault("ModuleVersion", version)
    for each in document.instances:
        if each.class_name.casefold() != DOCUMENT_CLASS.casefold():
            check_instance(document, each, engine.classes)
    whole = ConfigurationDocument((resource_of(instance),), "", header.text("ContentType"))
    certificates = engine.host.machine.certificates
    return decrypted(whole, engine.store.settings["CertificateID"], certificates).resources[0]


def _newest(engine: Engine, module: str) -> str:
    if module.casefold() == modules.IN_BOX.casefold():
        return "1.1"
    found = modules.versions(engine.host.machine.files, module)
    return max(found, key=lambda text: [int(part) for part in text.split(".") if part], default="")
