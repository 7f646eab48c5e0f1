"""The records of a PowerShell pipeline as neutral CLIXML values: errors, texts, progress, states.

Values only; ``clixml.write`` serialises them. The layout is that of Windows PowerShell 5.1. Which command wrote a
record is always told with an error, and told again in single fields when the client asked for it.

Source: MS-PSRP 2.2.2, 2.2.3.15, 2.2.3.16; recordings of real servers.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
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
_SET_SHOULD_EXIT: Final = 6
#: The call id of a host call that asks for no answer.
NO_ANSWER: Final = -100
_RUNTIME_EXCEPTION: Final = "System.Management.Automation.RuntimeException"
_LIBRARY: Final = "mscorlib, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089"
_BOUND_TYPES: Final = (
    f"System.Collections.Generic.Dictionary`2[[System.String, {_LIBRARY}],[System.Object, {_LIBRARY}]]",
    "System.Object",
)
_BOUND_PARAMETERS_TYPES: Final = ("System.Management.Automation.PSBoundParametersDictionary", *_BOUND_TYPES)
_UNBOUND_TYPES: Final = (f"System.Collections.Generic.List`1[[System.Object, {_LIBRARY}]]", "System.Object")
_TAGS_TYPES: Final = (f"System.Collections.Generic.List`1[[System.String, {_LIBRARY}]]", "System.Object")
_ITERATION_TYPES: Final = (
    f"System.Collections.ObjectModel.ReadOnlyCollection`1[[System.Int32, {_LIBRARY}]]",
    "System.Object",
)
_INT_ARRAY_TYPES: Final = ("System.Int32[]", "System.Array", "System.Object")
_COMMAND_TYPES: Final = {"Function": 2, "Cmdlet": 8, "Script": 64}
_ORIGINS: Final = {"Runspace": 0, "Internal": 1}
#: What 5.1 marks a record with: by this a formatter knows it among the output.
_MARKS: Final = {
    "error": "writeErrorStream",
    "warning": "WriteWarningStream",
    "verbose": "WriteVerboseStream",
    "debug": "WriteDebugStream",
    "information": "WriteInformationStream",
}
_NAME_LIMIT: Final = 40
_NAME_PART: Final = 15

STATE_STOPPED: Final = 3
STATE_COMPLETED: Final = 4
STATE_FAILED: Final = 5


@dataclass(frozen=True, slots=True)
class Invocation:
    """Who wrote a record: a command (``kind`` Cmdlet or Function), or a script, whose text is ``definition``.

    An empty ``kind`` is the engine itself: no command of that name was found, or none was running. ``iteration``
    counts the input objects of each command so far. ``bound`` and ``arguments`` are what was bound to its
    parameters and what was left over.
    """

    name: str
    kind: str = "Cmdlet"
    definition: str = ""
    origin: str = "Internal"
    iteration: tuple[int, ...] = (0, 1)
    line: str = ""
    line_number: int = 0
    offset: int = 0
    position: str = ""
    pipeline_length: int = 0
    pipeline_position: int = 0
    expects_input: bool = False
    history_id: int = 1
    bound: tuple[tuple[str, Any], ...] = ()
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class InformationDetails:
    """An information record. ``data`` is a neutral value, ``when`` an aware time."""

    data: Any
    source: str
    when: datetime
    user: str
    computer: str
    process_id: int
    thread_id: int
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventDetails:
    """An event that a client is told of. ``sender``, ``arguments`` and ``data`` are neutral values."""

    number: int
    source: str
    when: datetime
    runspace_id: uuid.UUID
    sender: Any = None
    arguments: tuple[Any, ...] = ()
    data: Any = None


@dataclass(frozen=True, slots=True)
class ErrorDetails:
    """An error record before serialisation.

    ``exception_types``: .NET names, most derived first. ``category`` is the name of an ErrorCategory; an
    unknown one counts as NotSpecified. ``target`` is a neutral value; ``target_name`` and ``target_type`` are
    how the category line shows it. ``invocation`` is the command that wrote it, ``stack`` where in a script that
    was, ``details`` a text that is shown in place of the message.
    """

    message: str
    error_id: str
    category: str
    exception_types: tuple[str, ...] = ("System.Exception", "System.Object")
    activity: str = ""
    target: Any = None
    target_name: str = ""
    target_type: str = ""
    invocation: Invocation | None = None
    stack: str = ""
    details: str | None = None

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


def error_record(error: ErrorDetails, *, is_final: bool = False, is_extended: bool = False) -> Structure:
    """Build an ErrorRecord.

    ``is_final`` is the error that ended a pipeline; ``is_extended`` adds the invocation in single fields.
    """
    category = error.category if error.category in _CATEGORIES else "NotSpecified"
    shown = f"{_shorten(error.target_name)}:{_shorten(error.target_type)}"
    is_extended = is_extended and error.invocation is not None
    who = error.invocation or Invocation("")
    bound = Structure(_BOUND_TYPES, value=dict(who.bound))
    unbound = Structure(_UNBOUND_TYPES, value=list(who.arguments))
    members: dict[str, Any] = {} if is_final else {_MARKS["error"]: True}
    members |= {
        "Exception": _exception(error),
        "TargetObject": error.target,
        "FullyQualifiedErrorId": error.error_id,
        "InvocationInfo": _invocation_info(who, bound, unbound) if error.invocation else None,
        "ErrorCategory_Category": _CATEGORIES[category],
        "ErrorCategory_Activity": error.activity,
        "ErrorCategory_Reason": error.reason,
        "ErrorCategory_TargetName": error.target_name,
        "ErrorCategory_TargetType": error.target_type,
        "ErrorCategory_Message": f"{category}: ({shown}) [{error.activity}], {error.reason}",
    }
    if error.details is not None:
        members |= {"ErrorDetails_Message": error.details, "ErrorDetails_RecommendedAction": ""}
    members["SerializeExtendedInfo"] = is_extended
    if is_extended:
        members |= _invocation_fields(who, bound, unbound, ())
        members["PipelineIterationInfo"] = Structure(_ITERATION_TYPES, value=list(who.iteration))
    if error.stack:
        members["ErrorDetails_ScriptStackTrace"] = error.stack
    if not is_final:
        members["PSMessageDetails"] = None
    return Structure(
        ("System.Management.Automation.ErrorRecord", "System.Object"), text=error.message, extended=members
    )


def _exception(error: ErrorDetails) -> Structure:
    own: dict[str, Any] = {}
    if _RUNTIME_EXCEPTION in error.exception_types:
        own = {"ErrorRecord": error.message, "WasThrownFromThrowStatement": False}
    return Structure(
        error.exception_types,
        text=f"{error.exception_types[0]}: {error.message}",
        properties=own
        | {
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


def _invocation_info(who: Invocation, bound: Structure, unbound: Structure) -> Structure:
    """Build the InvocationInfo that is part of every error."""
    name = "System.Management.Automation.InvocationInfo"
    return Structure(
        (name, "System.Object"),
        text=name,
        properties={
            "MyCommand": (who.name or who.definition) if who.kind else None,
            "BoundParameters": bound,
            "UnboundArguments": unbound,
            "ScriptLineNumber": who.line_number,
            "OffsetInLine": who.offset,
            "HistoryId": Primitive("I64", who.history_id),
            "ScriptName": "",
            "Line": who.line,
            "PositionMessage": who.position,
            "PSScriptRoot": "",
            "PSCommandPath": None,
            "InvocationName": who.name,
            "PipelineLength": who.pipeline_length,
            "PipelinePosition": who.pipeline_position,
            "ExpectingInput": who.expects_input,
            "CommandOrigin": who.origin,
            "DisplayScriptPosition": None,
        },
    )


def _invocation_fields(
    who: Invocation, bound: Structure, unbound: Structure, iteration: tuple[int, ...]
) -> dict[str, Any]:
    """Build the fields that a client gets who asked for AddInvocationInfo."""
    automation = "System.Management.Automation"
    fields = {
        "InvocationInfo_BoundParameters": bound,
        "InvocationInfo_CommandOrigin": enum_structure(
            f"{automation}.CommandOrigin", who.origin, _ORIGINS.get(who.origin, 0)
        ),
        "InvocationInfo_ExpectingInput": who.expects_input,
        "InvocationInfo_InvocationName": who.name,
        "InvocationInfo_Line": who.line,
        "InvocationInfo_OffsetInLine": who.offset,
        "InvocationInfo_HistoryId": Primitive("I64", who.history_id),
        "InvocationInfo_PipelineIterationInfo": Structure(_INT_ARRAY_TYPES, value=list(iteration)),
        "InvocationInfo_PipelineLength": who.pipeline_length,
        "InvocationInfo_PipelinePosition": who.pipeline_position,
        "InvocationInfo_PSScriptRoot": "",
        "InvocationInfo_PSCommandPath": None,
        "InvocationInfo_PositionMessage": who.position,
        "InvocationInfo_ScriptLineNumber": who.line_number,
        "InvocationInfo_ScriptName": "",
        "InvocationInfo_UnboundArguments": unbound,
        "SerializeExtent": False,
    }
    if not who.kind:
        return fields
    return fields | {
        "CommandInfo_CommandType": enum_structure(
            f"{automation}.CommandTypes", who.kind, _COMMAND_TYPES.get(who.kind, 0)
        ),
        "CommandInfo_Definition": who.definition,
        "CommandInfo_Name": who.name,
        "CommandInfo_Visibility": enum_structure(f"{automation}.SessionStateEntryVisibility", "Public", 0),
    }


def informational(
    kind: str, text: str, invocation: Invocation | None = None, *, is_merged: bool = False
) -> Structure:
    """Build a Verbose, Warning or Debug record; ``kind`` is that word.

    ``invocation`` is given when the client asked for it; ``is_merged`` is a record among the output.
    """
    members: dict[str, Any] = {_MARKS[kind.casefold()]: True} if is_merged else {}
    members |= {
        "InformationalRecord_Message": text,
        "InformationalRecord_SerializeInvocationInfo": invocation is not None,
    }
    if invocation is not None:
        members |= _invocation_fields(
            invocation,
            Structure(_BOUND_PARAMETERS_TYPES, value=dict(invocation.bound)),
            Structure(_UNBOUND_TYPES, value=list(invocation.arguments)),
            invocation.iteration,
        )
        members["InformationalRecord_PipelineIterationInfo"] = Structure(
            _ITERATION_TYPES, value=list(invocation.iteration)
        )
    return Structure(
        (
            f"System.Management.Automation.{kind}Record",
            "System.Management.Automation.InformationalRecord",
            "System.Object",
        ),
        text=text,
        extended=members,
    )


def information(record: InformationDetails, *, is_merged: bool = False) -> Structure:
    """Build an information record; ``is_merged`` is one among the output, an object with a class."""
    members = {
        "MessageData": record.data,
        "Source": record.source,
        "TimeGenerated": record.when,
        "Tags": Structure(_TAGS_TYPES, value=list(record.tags)),
        "User": record.user,
        "Computer": record.computer,
        "ProcessId": Primitive("U32", record.process_id),
        "NativeThreadId": Primitive("U32", record.thread_id),
        "ManagedThreadId": Primitive("U32", record.thread_id),
    }
    if is_merged:
        types = ("System.Management.Automation.InformationRecord", "System.Object")
        text = record.data if isinstance(record.data, str) else getattr(record.data, "text", None)
        marks = {_MARKS["information"]: True}
        return Structure(types, properties=members, extended=marks, text=text or "")
    return Structure((), extended=members)


def progress(
    activity: str, status: str, percent: int, *, operation: str | None = None, is_completed: bool = False
) -> Structure:
    """Build a progress record; ``percent`` -1 when unknown."""
    kind = ("Completed", 1) if is_completed else ("Processing", 0)
    return Structure(
        (),
        extended={
            "Activity": activity,
            "ActivityId": 0,
            "StatusDescription": status,
            "CurrentOperation": operation,
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
        members["ExceptionAsErrorRecord"] = error_record(error, is_final=True)
    return Structure((), extended=members)


def host_call(call_id: int, method: str, number: int, parameters: list[Any]) -> Structure:
    """Build a host call; ``method`` and ``number`` name a RemoteHostMethodId."""
    kind = "System.Management.Automation.Remoting.RemoteHostMethodId"
    return Structure(
        (),
        extended={
            "ci": Primitive("I64", call_id),
            "mi": enum_structure(kind, method, number),
            "mp": Structure(("System.Collections.ArrayList", "System.Object"), value=parameters),
        },
    )


def set_should_exit(code: int) -> Structure:
    """Build the host call that tells the client's host of a script's ``exit``; it asks for no answer."""
    return host_call(NO_ANSWER, "SetShouldExit", _SET_SHOULD_EXIT, [code])


def encrypted_session_key(text: str) -> Structure:
    """Build ENCRYPTED_SESSION_KEY; ``text`` is the wrapped key in base64."""
    return Structure((), extended={"EncryptedSessionKey": text})


def user_event(event: EventDetails) -> Structure:
    """Build a USER_EVENT."""
    members = {
        "EventIdentifier": event.number,
        "SourceIdentifier": event.source,
        "TimeGenerated": event.when,
        "Sender": event.sender,
        "SourceArgs": list(event.arguments),
        "MessageData": event.data,
        "ComputerName": None,
        "RunspaceId": event.runspace_id,
    }
    return Structure((), extended={f"PSEventArgs.{name}": value for name, value in members.items()})


def pool_state(state: int) -> Structure:
    """Build a RUNSPACEPOOL_STATE message."""
    return Structure((), extended={"RunspaceState": state})


def pool_init_data(minimum: int, maximum: int) -> Structure:
    """Build a RUNSPACEPOOL_INIT_DATA message."""
    return Structure((), extended={"MinRunspaces": minimum, "MaxRunspaces": maximum})


def availability(call_id: int, answer: bool | int) -> Structure:  # noqa: FBT001 - it is the value sent
    """Build a RUNSPACE_AVAILABILITY message: whether it worked, or how many runspaces are free."""
    return Structure((), extended={"SetMinMaxRunspacesResponse": answer, "ci": Primitive("I64", call_id)})


def application_private_data(build: str, protocol: str = "2.3") -> Structure:
    """Build APPLICATION_PRIVATE_DATA of Windows PowerShell 5.1; ``build`` is ``20348.2227``.

    ``protocol`` is the version both ends speak, whatever the server's own is.
    """

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
        "PSRemotingProtocolVersion": version(protocol),
        "SerializationVersion": version("1.1.0.1"),
    }
    data = Structure(types, value={"PSVersionTable": Structure(types, value=table)})
    return Structure((), extended={"ApplicationPrivateData": data})


def session_capability(version: str) -> Structure:
    """Build SESSION_CAPABILITY of Windows PowerShell 5.1; ``version`` is the protocol version both ends speak."""
    return Structure(
        (),
        extended={
            "protocolversion": Primitive("Version", version),
            "PSVersion": Primitive("Version", "2.0"),
            "SerializationVersion": Primitive("Version", "1.1.0.1"),
        },
    )
