"""The records of a PowerShell pipeline as neutral CLIXML values: errors, texts, progress, states.

Values only; ``clixml.write`` serialises them. The layout is that of Windows PowerShell without invocation
information, which only script code has.

Source: MS-PSRP 2.2.2, 2.2.3.15, 2.2.3.16; recordings of real servers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from provisioner.wire.clixml import Primitive, Structure, enum_structure

_CATEGORY_NAMES: Final = """
    NotSpecified OpenError CloseError DeviceError DeadlockDetected InvalidArgument InvalidData InvalidOperation
    InvalidResult InvalidType MetadataError NotImplemented NotInstalled ObjectNotFound OperationStopped
    OperationTimeout SyntaxError ParserError PermissionDenied ResourceBusy ResourceExists ResourceUnavailable
    ReadError WriteError FromStdErr SecurityError ProtocolError ConnectionError AuthenticationError
    LimitsExceeded QuotaExceeded NotEnabled
"""
_CATEGORIES: Final = {name: number for number, name in enumerate(_CATEGORY_NAMES.split())}
_HRESULT: Final = -2146233087
#: Number of the host's method SetShouldExit, and the call id of a call that asks for no answer.
_SET_SHOULD_EXIT: Final = 6
_NO_ANSWER: Final = -100
_NAME_LIMIT: Final = 40
_NAME_PART: Final = 15

STATE_STOPPED: Final = 3
STATE_COMPLETED: Final = 4
STATE_FAILED: Final = 5


@dataclass(frozen=True, slots=True)
class ErrorDetails:
    """An error record before serialisation.

    ``exception_types``: .NET names, most derived first. ``category`` is the name of an ErrorCategory; an
    unknown one counts as NotSpecified. ``target`` is a neutral value; ``target_name`` and ``target_type`` are
    how the category line shows it.
    """

    message: str
    error_id: str
    category: str
    exception_types: tuple[str, ...] = ("System.Exception", "System.Object")
    activity: str = ""
    target: Any = None
    target_name: str = ""
    target_type: str = ""

    @property
    def reason(self) -> str:
        """Short name of the exception."""
        return self.exception_types[0].rpartition(".")[2]


STOPPED: Final = ErrorDetails(
    message="The pipeline has been stopped.",
    error_id="PipelineStopped",
    category="OperationStopped",
    exception_types=(
        "System.Management.Automation.PipelineStoppedException",
        "System.Management.Automation.RuntimeException",
        "System.SystemException",
        "System.Exception",
        "System.Object",
    ),
)


def _shorten(name: str) -> str:
    """Shorten a name as ErrorCategoryInfo.GetMessage does."""
    return name if len(name) <= _NAME_LIMIT else f"{name[:_NAME_PART]}...{name[-_NAME_PART:]}"


def error_record(error: ErrorDetails) -> Structure:
    """Build an ErrorRecord."""
    category = error.category if error.category in _CATEGORIES else "NotSpecified"
    shown = f"{_shorten(error.target_name)}:{_shorten(error.target_type)}"
    exception = Structure(
        error.exception_types,
        text=f"{error.exception_types[0]}: {error.message}",
        properties={
            "Message": error.message,
            "Data": Structure(("System.Collections.ListDictionaryInternal", "System.Object"), value={}),
            "InnerException": None,
            "TargetSite": None,
            "StackTrace": None,
            "HelpLink": None,
            "Source": None,
            "HResult": _HRESULT,
        },
    )
    return Structure(
        ("System.Management.Automation.ErrorRecord", "System.Object"),
        text=error.message,
        extended={
            "Exception": exception,
            "TargetObject": error.target,
            "FullyQualifiedErrorId": error.error_id,
            "InvocationInfo": None,
            "ErrorCategory_Category": _CATEGORIES[category],
            "ErrorCategory_Activity": error.activity,
            "ErrorCategory_Reason": error.reason,
            "ErrorCategory_TargetName": error.target_name,
            "ErrorCategory_TargetType": error.target_type,
            "ErrorCategory_Message": f"{category}: ({shown}) [{error.activity}], {error.reason}",
            "SerializeExtendedInfo": False,
        },
    )


def informational(kind: str, text: str) -> Structure:
    """Build a Verbose, Warning or Debug record; ``kind`` is that word."""
    return Structure(
        (
            f"System.Management.Automation.{kind}Record",
            "System.Management.Automation.InformationalRecord",
            "System.Object",
        ),
        text=text,
        extended={"InformationalRecord_Message": text, "InformationalRecord_SerializeInvocationInfo": False},
    )


def progress(activity: str, status: str, percent: int, *, is_completed: bool = False) -> Structure:
    """Build a progress record; ``percent`` -1 when unknown."""
    kind = ("Completed", 1) if is_completed else ("Processing", 0)
    return Structure(
        (),
        extended={
            "Activity": activity,
            "ActivityId": 0,
            "StatusDescription": status,
            "CurrentOperation": None,
            "ParentActivityId": -1,
            "PercentComplete": percent,
            "Type": enum_structure("System.Management.Automation.ProgressRecordType", *kind),
            "SecondsRemaining": -1,
        },
    )


def pipeline_state(state: int, error: ErrorDetails | None = None) -> Structure:
    """Build a PIPELINE_STATE message."""
    members: dict[str, Any] = {"PipelineState": state}
    if error is not None:
        members["ExceptionAsErrorRecord"] = error_record(error)
    return Structure((), extended=members)


def set_should_exit(code: int) -> Structure:
    """Build the PIPELINE_HOST_CALL that tells the client's host of a script's ``exit``; it asks for no answer."""
    method = enum_structure(
        "System.Management.Automation.Remoting.RemoteHostMethodId", "SetShouldExit", _SET_SHOULD_EXIT
    )
    parameters = Structure(("System.Collections.ArrayList", "System.Object"), value=[code])
    return Structure((), extended={"ci": Primitive("I64", _NO_ANSWER), "mi": method, "mp": parameters})


def pool_state(state: int) -> Structure:
    """Build a RUNSPACEPOOL_STATE message."""
    return Structure((), extended={"RunspaceState": state})


def pool_init_data(minimum: int, maximum: int) -> Structure:
    """Build a RUNSPACEPOOL_INIT_DATA message."""
    return Structure((), extended={"MinRunspaces": minimum, "MaxRunspaces": maximum})


def availability(call_id: int, answer: bool | int) -> Structure:  # noqa: FBT001 - it is the value sent
    """Build a RUNSPACE_AVAILABILITY message: whether it worked, or how many runspaces are free."""
    return Structure((), extended={"SetMinMaxRunspacesResponse": answer, "ci": Primitive("I64", call_id)})


def application_private_data(build: str) -> Structure:
    """Build APPLICATION_PRIVATE_DATA of Windows PowerShell 5.1; ``build`` is ``20348.2227``."""

    def version(text: str) -> Primitive:
        return Primitive("Version", text)

    known = ("1.0", "2.0", "3.0", "4.0", "5.0", f"5.1.{build}")
    types = (
        "System.Management.Automation.PSPrimitiveDictionary",
        "System.Collections.Hashtable",
        "System.Object",
    )
    table = {
        "PSVersion": version(f"5.1.{build}"),
        "PSEdition": "Desktop",
        "PSCompatibleVersions": Structure(
            ("System.Version[]", "System.Array", "System.Object"), value=[version(text) for text in known]
        ),
        "CLRVersion": version("4.0.30319.42000"),
        "BuildVersion": version(f"10.0.{build}"),
        "WSManStackVersion": version("3.0"),
        "PSRemotingProtocolVersion": version("2.3"),
        "SerializationVersion": version("1.1.0.1"),
    }
    data = Structure(types, value={"PSVersionTable": Structure(types, value=table)})
    return Structure((), extended={"ApplicationPrivateData": data})


def session_capability() -> Structure:
    """Build SESSION_CAPABILITY of Windows PowerShell 5.1."""
    return Structure(
        (),
        extended={
            "protocolversion": Primitive("Version", "2.3"),
            "PSVersion": Primitive("Version", "2.0"),
            "SerializationVersion": Primitive("Version", "1.1.0.1"),
        },
    )
