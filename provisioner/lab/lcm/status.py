"""Status records of the LCM: what one operation did to each resource. Values, and their plain form for files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from provisioner.lab.lcm.documents.document import DocumentResource
from provisioner.lab.lcm.errors import LcmMessage

#: Numbers of System.Management.Automation.ErrorCategory.
CATEGORY_NUMBERS = {
    name: number
    for number, name in enumerate(
        (
            "NotSpecified",
            "OpenError",
            "CloseError",
            "DeviceError",
            "DeadlockDetected",
            "InvalidArgument",
            "InvalidData",
            "InvalidOperation",
            "InvalidResult",
            "InvalidType",
            "MetadataError",
            "NotImplemented",
            "NotInstalled",
            "ObjectNotFound",
            "OperationStopped",
            "OperationTimeout",
            "SyntaxError",
            "ParserError",
            "PermissionDenied",
            "ResourceBusy",
            "ResourceExists",
            "ResourceUnavailable",
            "ReadError",
            "WriteError",
            "FromStdErr",
            "SecurityError",
            "ProtocolError",
            "ConnectionError",
            "AuthenticationError",
            "LimitsExceeded",
            "QuotaExceeded",
            "NotEnabled",
        )
    )
}


@dataclass(frozen=True, slots=True)
class ResourceRecord:
    """One resource in a status.

    ``start`` is an ISO time; ``error`` the JSON text of an error record, or empty.
    """

    resource_id: str
    resource_name: str
    instance_name: str
    module: str
    version: str
    in_desired_state: bool
    state_changed: bool
    reboot_requested: bool
    start: str
    duration_s: float
    error: str = ""
    depends_on: tuple[str, ...] = ()
    source_info: str = ""
    configuration_name: str = ""


@dataclass(frozen=True, slots=True)
class StatusRecord:
    """One MSFT_DSCConfigurationStatus. Resources the operation did not reach are in no list, only counted."""

    job_id: str
    type: str
    status: str
    reboot_requested: bool
    start: str
    duration_s: float
    number_of_resources: int = 0
    metadata: str = ""
    error: str = ""
    mode: str = "PUSH"
    resources: tuple[ResourceRecord, ...] = field(default=())

    def to_plain(self) -> dict[str, Any]:
        """Give the record as JSON values."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> StatusRecord:
        """Take what ``to_plain`` gave."""
        resources = tuple(
            ResourceRecord(**{**each, "depends_on": tuple(each["depends_on"])}) for each in plain["resources"]
        )
        return cls(**{**plain, "resources": resources})


def resource_record(
    resource: DocumentResource,
    start: datetime,
    end: datetime,
    *,
    in_desired_state: bool,
    error: LcmMessage | None = None,
) -> ResourceRecord:
    """Build the record of a resource that neither changed anything nor asked for a restart."""
    return ResourceRecord(
        resource.resource_id,
        resource.type_name,
        resource.instance_name,
        resource.module,
        resource.version,
        in_desired_state,
        state_changed=False,
        reboot_requested=False,
        start=start.isoformat(),
        duration_s=(end - start).total_seconds(),
        error="" if error is None else error_json(error),
        depends_on=resource.depends_on,
        source_info=resource.source_info,
        configuration_name=resource.configuration_name,
    )


def error_json(error: LcmMessage) -> str:
    """Write the text of the Error property.

    It is an error record as JSON; clients read ``FullyQualifiedErrorId`` and ``Exception.Message`` out of it.
    Source: the deployment scripts of microsoft/MemLabs, which do so on real nodes. The other members are those
    ConvertTo-Json gives for any error record.
    """
    return json.dumps(
        {
            "Exception": {"Message": error.text, "Data": {}, "InnerException": None, "HResult": -2146233079},
            "TargetObject": None,
            "CategoryInfo": {
                "Category": CATEGORY_NUMBERS[error.category],
                "Activity": "",
                "Reason": "InvalidOperationException",
                "TargetName": "",
                "TargetType": "",
            },
            "FullyQualifiedErrorId": error.error_id,
            "ErrorDetails": None,
            "InvocationInfo": None,
            "ScriptStackTrace": None,
            "PipelineIterationInfo": [],
        },
        separators=(",", ":"),
    )
