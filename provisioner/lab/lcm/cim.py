"""LCM values as the CIM objects PowerShell shows: class names, inheritance, properties, text.

Source of the shapes: a recorded CLIXML of TestConfiguration (microsoft/DSCEA), classes of the namespace as dumped
from real servers (LCM class facts 1.5). The class metadata of CIM objects is left out: nobody here reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from provisioner.lab.lcm.documents.document import DocumentResource
from provisioner.lab.lcm.errors import LcmMessage
from provisioner.lab.lcm.jobs.job_log import JobLine
from provisioner.lab.lcm.status import CATEGORY_NUMBERS, ResourceRecord, StatusRecord
from provisioner.lab.values import PsObject, UInt16, UInt32

NAMESPACE = "root/Microsoft/Windows/DesiredStateConfiguration"
LCM_CLASS = "MSFT_DSCLocalConfigurationManager"

_PREFIX = "Microsoft.Management.Infrastructure.CimInstance"
_RESULT = "Microsoft.Management.Infrastructure.CimMethodResult"
_CHANNELS = {"warning": 0, "verbose": 1, "debug": 2}


def cim_instance(
    namespace: str, classes: Iterable[str], properties: Mapping[str, Any], text: str | None = None
) -> PsObject:
    """Build a CimInstance. ``classes`` from the class itself up to its root."""
    chain = tuple(classes)
    names = (
        *(f"{_PREFIX}#{namespace}/{name}" for name in chain),
        *(f"{_PREFIX}#{name}" for name in chain),
        _PREFIX,
        "System.Object",
    )
    return PsObject(names, {**properties, "PSComputerName": None}, text=text or chain[0])


def method_result(class_name: str, method: str, values: Mapping[str, Any]) -> PsObject:
    """Build what Invoke-CimMethod gives: out parameters, ReturnValue and PSComputerName as note properties."""
    return PsObject(
        (
            f"{_RESULT}#{class_name}#{method}",
            _RESULT,
            "System.Management.Automation.PSCustomObject",
            "System.Object",
        ),
        extended={**values, "ReturnValue": UInt32(0), "PSComputerName": None},
        text="",
    )


def resource_instance(record: ResourceRecord) -> PsObject:
    """Build a MSFT_ResourceInDesiredState or MSFT_ResourceNotInDesiredState."""
    name = "MSFT_ResourceInDesiredState" if record.in_desired_state else "MSFT_ResourceNotInDesiredState"
    return _resource(name, record)


def resource_state(resource: DocumentResource, values: Mapping[str, Any]) -> PsObject:
    """Build what GetConfiguration gives for one resource: an instance of its own class."""
    base = {
        "ConfigurationName": resource.configuration_name or None,
        "DependsOn": list(resource.depends_on) or None,
        "ModuleName": resource.module,
        "ModuleVersion": resource.version,
        "ResourceId": resource.resource_id,
        "SourceInfo": resource.source_info or None,
    }
    classes = (resource.class_name, "OMI_BaseResource")
    return cim_instance(NAMESPACE, classes, {**base, **values}, resource.resource_id)


def configuration_status(record: StatusRecord, computer_name: str, meta: PsObject) -> PsObject:
    """Build a MSFT_DSCConfigurationStatus."""
    in_state = [resource_instance(each) for each in record.resources if each.in_desired_state]
    not_in_state = [resource_instance(each) for each in record.resources if not each.in_desired_state]
    changed = [_resource("MSFT_ResourceChanged", each) for each in record.resources if each.state_changed]
    return cim_instance(
        NAMESPACE,
        ("MSFT_DSCConfigurationStatus",),
        {
            "DurationInSeconds": UInt32(round(record.duration_s)),
            "Error": record.error or None,
            "HostName": computer_name,
            "IPV4Addresses": None,
            "IPV6Addresses": None,
            "JobID": record.job_id,
            "LCMVersion": "2.0",
            "Locale": "en-US",
            "MACAddresses": None,
            "MetaConfiguration": meta,
            "MetaData": record.metadata or None,
            "Mode": record.mode,
            "NumberOfResources": UInt32(record.number_of_resources),
            "RebootRequested": record.reboot_requested,
            "ResourcesChanged": changed or None,
            "ResourcesInDesiredState": in_state or None,
            "ResourcesNotInDesiredState": not_in_state or None,
            "StartDate": datetime.fromisoformat(record.start),
            "Status": record.status,
            "Type": record.type,
        },
    )


def meta_configuration(settings: Mapping[str, Any], state: str, state_detail: str, agent_id: str) -> PsObject:
    """Build the MSFT_DSCMetaConfiguration."""
    values: dict[str, Any] = {
        "AgentId": agent_id,
        "LCMCompatibleVersions": ["1.0", "2.0"],
        "LCMState": state,
        "LCMStateDetail": state_detail or None,
        "LCMVersion": "2.0",
    }
    for name, value in settings.items():
        is_number = isinstance(value, int) and not isinstance(value, bool)
        values[name] = UInt32(value) if is_number else value
    return cim_instance(NAMESPACE, ("MSFT_DSCMetaConfiguration",), dict(sorted(values.items())))


def job_output(line: JobLine, job_id: str, bookmark: bytes) -> PsObject:
    """Build the MSFT_DSCConfigurationOutput of a line, of the subclass for its type."""
    base = {"Bookmark": bookmark, "JobId": job_id}
    match line.type:
        case "error":
            error = line.error or LcmMessage(line.message, "MI RESULT 1", "NotSpecified")
            return _output("WriteError", {**base, "Error": _error(error)})
        case "progress":
            progress = {
                "Activity": "Applying Configuration",
                "CurrentOperation": line.message,
                "PercentComplete": UInt32(line.number),
                "SecondsRemaining": UInt32(0),
                "StatusDescription": "Test/Set",
            }
            return _output("WriteProgress", {**base, **progress})
        case "reboot":
            return _output("Reboot", {**base, "Automatic": bool(line.number)})
        case "result":
            return _output("Result", {**base, "Object": None, "Result": UInt32(line.number)})
        case _:
            message = {"Channel": UInt32(_CHANNELS[line.type]), "Message": line.message}
            return _output("WriteMessage", {**base, **message})


def _output(kind: str, properties: Mapping[str, Any]) -> PsObject:
    classes = (f"MSFT_DSCConfigurationOutput{kind}", "MSFT_DSCConfigurationOutput")
    return cim_instance(NAMESPACE, classes, properties)


def _error(error: LcmMessage) -> PsObject:
    return cim_instance(
        NAMESPACE,
        ("OMI_Error", "CIM_Error"),
        {
            "CIMStatusCode": UInt32(1),
            "Message": error.text,
            "MessageID": error.error_id,
            "error_Category": UInt16(CATEGORY_NUMBERS[error.category]),
            "error_Code": UInt32(1),
            "error_Type": "MI",
        },
    )


def _resource(class_name: str, record: ResourceRecord) -> PsObject:
    return cim_instance(
        NAMESPACE,
        (class_name, "MSFT_DSCResource", "OMI_BaseResource"),
        {
            "ConfigurationName": record.configuration_name or None,
            "DependsOn": list(record.depends_on) or None,
            "ModuleName": record.module,
            "ModuleVersion": record.version,
            "PsDscRunAsCredential": None,
            "ResourceId": record.resource_id,
            "SourceInfo": record.source_info or None,
            "DurationInSeconds": float(record.duration_s),
            "Error": record.error or None,
            "FinalState": None,
            "InDesiredState": record.in_desired_state,
            "InitialState": None,
            "InstanceName": record.instance_name,
            "RebootRequested": record.reboot_requested,
            "ResourceName": record.resource_name,
            "StartDate": datetime.fromisoformat(record.start),
            "StateChanged": record.state_changed,
        },
        record.resource_id,
    )
