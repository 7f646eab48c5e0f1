"""WS-Management faults with the codes, subcodes and wording Windows has.

Values only: a fault is raised by the protocol code and rendered by ``envelope``.

Source: recordings of real servers where there is one, else MS-WSMV 2.2.4.43 and the message table of
winrm (wsmerror.h).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from provisioner.wire import namespaces as ns
from provisioner.wire.xml_text import escaped


@dataclass(frozen=True, slots=True)
class WmiError:
    """How a fault looks that newer servers describe by an instance of MSFT_WmiError instead of a WSManFault.

    ``cim_status`` is the number of an MI result, ``category`` that of an ErrorCategory. ``extended`` is the
    operation and what it was about, of an ``__ExtendedStatus``.
    """

    cim_status: int
    message_id: str
    category: int
    kind: str = "HRESULT"
    extended: tuple[str, str] | None = None

    def xml(self, code: int, text: str) -> str:
        """Write the instance. ``text`` is escaped."""
        values = (
            ("CIMStatusCode", "UnsignedInt", str(self.cim_status)),
            ("CIMStatusCodeDescription", "String", None),
            ("ErrorSource", "String", None),
            ("ErrorSourceFormat", "UnsignedShort", "0"),
            ("ErrorType", "UnsignedShort", "0"),
            ("Message", "String", text),
            ("MessageID", "String", self.message_id),
            ("OtherErrorSourceFormat", "String", None),
            ("OtherErrorType", "String", None),
            ("OwningEntity", "String", None),
            ("PerceivedSeverity", "UnsignedShort", "0"),
            ("ProbableCause", "UnsignedShort", "0"),
            ("ProbableCauseDescription", "String", None),
            ("error_Category", "UnsignedInt", str(self.category)),
            ("error_Code", "UnsignedInt", str(code)),
            ("error_Type", "String", self.kind),
            ("error_WindowsErrorMessage", "String", text),
        )
        inner = "".join(
            f'<p:{name} xsi:type="cim:cim{kind}" xsi:nil="true"/>'
            if value is None
            else f'<p:{name} xsi:type="cim:cim{kind}">{value}</p:{name}>'
            for name, kind, value in values
        )
        return (
            '<p:MSFT_WmiError xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            'xmlns:p="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError" '
            'xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common" '
            'xmlns:b="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd" '
            f'xsi:type="p:MSFT_WmiError_Type" b:IsCIM_Error="true">{inner}</p:MSFT_WmiError>'
        )


_FAULT_ACTIONS: Final = {"a": f"{ns.ADDRESSING}/fault", "n": f"{ns.ENUMERATION}/fault"}


@dataclass(eq=False)
class WSManFault(Exception):
    """One fault.

    ``reason`` ends with the blank Windows puts there; ``detail`` is the fault detail's last part. ``message`` is
    what Windows says more precisely than in the reason, where it does. ``provider`` is the plug-in that failed,
    with its file; ``repeats_code``: whether its part is a whole fault again, as most write it. ``wmi`` is how
    the detail looks when it is no WSManFault.
    """

    code: int
    subcode: str
    reason: str
    is_sender: bool = True
    detail: str = ""
    provider: tuple[str, str] | None = None
    message: str = ""
    repeats_code: bool = True
    wmi: WmiError | None = None

    @property
    def action(self) -> str:
        """Action of the response: each specification has its own for the faults it defines."""
        return _FAULT_ACTIONS.get(self.subcode.partition(":")[0], ns.FAULT_ACTION)

    def body(self, machine: str) -> str:
        """Render ``<s:Fault>``. ``machine`` is the address the client used."""
        reason = escaped(self.reason)
        detail = f"<w:FaultDetail>{ns.FAULT_DETAIL}/{self.detail}</w:FaultDetail>" if self.detail else ""
        return (
            f"<s:Fault><s:Code><s:Value>s:{'Sender' if self.is_sender else 'Receiver'}</s:Value>"
            f"<s:Subcode><s:Value>{self.subcode}</s:Value></s:Subcode></s:Code>"
            f'<s:Reason><s:Text xml:lang="en-US">{reason}</s:Text></s:Reason>'
            f"<s:Detail>{detail}{self._wsman_fault(machine)}</s:Detail></s:Fault>"
        )

    def _wsman_fault(self, machine: str) -> str:
        text = escaped(self.message or self.reason)
        if self.wmi is not None:
            return self.wmi.xml(self.code, text)
        opening = (
            f'<f:WSManFault xmlns:f="{ns.FAULT}" Code="{self.code}" Machine="{escaped(machine)}"><f:Message>'
        )
        closing = "</f:Message></f:WSManFault>"
        if self.provider is None:
            return opening + text + closing
        name, path = self.provider
        inner = f"{opening}{text}{closing}" if self.repeats_code else text
        provider = f'<f:ProviderFault provider="{name}" path="{path}">'
        return f"{opening}{provider}{inner}</f:ProviderFault>{closing}"


_SHELL_PROVIDER: Final = ("Shell provider", r"%systemroot%\system32\WsmSvc.dll")
_CLASSIC_PROVIDER: Final = ("Shell cmd plugin", r"%systemroot%\system32\winrscmd.dll")


def timed_out() -> WSManFault:
    """Nothing came within OperationTimeout; the client repeats the Receive."""
    return WSManFault(
        2150858793,
        "w:TimedOut",
        "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.  ",
        is_sender=False,
    )


def no_such_shell() -> WSManFault:
    """The shell is not there, or no longer."""
    return WSManFault(
        2150858843,
        "w:InvalidSelectors",
        "The WS-Management service cannot process the request because the request contained invalid selectors "
        "for the resource. ",
        detail="UnexpectedSelectors",
        provider=_SHELL_PROVIDER,
    )


def no_such_command() -> WSManFault:
    """The command of this shell is not there, or no longer."""
    return WSManFault(
        2150858843,
        "w:InvalidSelectors",
        "The WS-Management service cannot process the request because the request contained invalid selectors "
        "for the resource. ",
        detail="UnexpectedSelectors",
        message="The Windows Remote Shell received a request to perform an operation on a command identifier that "
        "does not exist. Either the command has completed execution or the client specified an invalid command "
        "identifier. ",
    )


def aborted() -> WSManFault:
    """A pending Receive whose shell or command went away."""
    return WSManFault(
        995,
        "w:InternalError",
        "The I/O operation has been aborted because of either a thread exit or an application request. ",
        is_sender=False,
    )


def disconnected() -> WSManFault:
    """The shell is disconnected; only Connect, Reconnect and Delete make sense."""
    return WSManFault(
        2150859230,
        "w:InternalError",
        "The WS-Management service cannot process the request because the stream is currently disconnected. ",
        is_sender=False,
    )


def session_unusable() -> WSManFault:
    """The shell was there before the service restarted (code: assumption; text: LCM wire facts 4.5)."""
    return WSManFault(
        2150859206,
        "w:InternalError",
        "The WS-Management service cannot process the operation. The operation is being attempted on a client "
        "session that is unusable. This may be related to a recent restart of the WS-Management service. ",
        is_sender=False,
    )


def action_not_supported(action: str) -> WSManFault:
    """The action does not exist for this resource."""
    return WSManFault(
        2150858771,
        "a:ActionNotSupported",
        f"The WS-Management service does not support the action {action} for this resource. ",
    )


def no_such_resource(uri: str) -> WSManFault:
    """The resource URI names nothing here."""
    return WSManFault(
        2150858752,
        "a:DestinationUnreachable",
        "The WS-Management service cannot process the request. The service cannot find the resource identified "
        f"by the resource URI and selectors. Resource URI: {uri} ",
        detail="InvalidResourceURI",
    )


def no_such_endpoint(uri: str) -> WSManFault:
    """No session configuration of PowerShell has this resource URI."""
    return WSManFault(
        2150858811,
        "a:DestinationUnreachable",
        f"The WS-Management service cannot process the request. The resource URI ({uri}) was not found in the "
        "WS-Management catalog. The catalog contains the metadata that describes resources, or logical "
        "endpoints. ",
        detail="InvalidResourceURI",
    )


def schema_violation(what: str) -> WSManFault:
    """The envelope is XML, but not the message its action asks for."""
    return WSManFault(
        2150858817,
        "w:SchemaValidationError",
        "The SOAP XML in the message does not match the corresponding XML schema definition. Change the XML and "
        f"retry. {what} ",
    )


def invalid_timeout(text: str) -> WSManFault:
    """OperationTimeout is no time that could pass."""
    return WSManFault(
        2150858767,
        "a:InvalidMessageInformationHeader",
        "The WS-Management service cannot process the request. The request contains one or more invalid SOAP "
        "headers. ",
        message="The WS-Management service cannot process the request. The XML contains an invalid timeout field "
        f"in the SOAP header: {text}. ",
    )


def invalid_parameter(what: str) -> WSManFault:
    """A value of the message cannot be used."""
    return WSManFault(87, "w:InvalidParameter", f"The parameter is incorrect. {what} ")


def response_too_large() -> WSManFault:
    """One item does not fit into the MaxEnvelopeSize of the client."""
    return WSManFault(
        2150858824,
        "w:EncodingLimit",
        "The WS-Management service cannot process the request. The response that the service computed exceeds the "
        "maximum envelope size in the request. ",
        detail="MaxEnvelopeSize",
    )


def envelope_too_small() -> WSManFault:
    """The MaxEnvelopeSize of the client leaves no room for a response."""
    return WSManFault(
        2150858878,
        "w:EncodingLimit",
        "The WS-Management service cannot process the request because the MaxEnvelopeSize value is too small. ",
        detail="MinimumEnvelopeLimit",
    )


def access_denied() -> WSManFault:
    """The shell is another user's (assumption: as every refusal of access)."""
    return WSManFault(5, "w:AccessDenied", "Access is denied. ")


def endpoint_failed(text: str) -> WSManFault:
    """PowerShell gave up on what the client sent (code: WSManPluginErrorCodes; its form: assumption)."""
    return WSManFault(
        2152992672,
        "w:InternalError",
        text,
        is_sender=False,
        provider=("microsoft.powershell", r"C:\Windows\system32\pwrshplugin.dll"),
        repeats_code=False,
    )


def folder_is_invalid() -> WSManFault:
    """The folder of a classic shell is not there (code: CreateProcess; form: as for a missing program)."""
    return WSManFault(
        2147942667,
        "w:InternalError",
        "The directory name is invalid. ",
        is_sender=False,
        provider=_CLASSIC_PROVIDER,
        repeats_code=False,
    )


def nothing_to_receive() -> WSManFault:
    """A classic shell has no stream of its own: a Receive has to name a command."""
    return WSManFault(
        87,
        "w:InvalidParameter",
        "The parameter is incorrect. ",
        detail="InvalidValue",
        provider=_CLASSIC_PROVIDER,
        repeats_code=False,
    )


def no_command_id() -> WSManFault:
    """A Send to a classic shell names no command (code: wsmerror.h; wording: assumption)."""
    return WSManFault(
        2150859141,
        "w:InvalidParameter",
        "The WS-Management service cannot process the request because the request has no command identifier. ",
    )


def no_such_program() -> WSManFault:
    """A command that is started without cmd.exe names no program by its full path."""
    return WSManFault(
        2147942402,
        "w:InternalError",
        "The system cannot find the file specified. ",
        is_sender=False,
        provider=_CLASSIC_PROVIDER,
        repeats_code=False,
    )


def codepage_not_supported(codepage: str) -> WSManFault:
    """The client asks for a code page Windows does not have (code: wsmerror.h; wording: assumption)."""
    return WSManFault(
        2150859072,
        "w:InvalidOptions",
        f"The WinRS service does not support the code page {codepage} that the client requested. ",
        detail="InvalidValue",
    )


def idle_timeout_out_of_bounds(asked_s: float, least_s: float, most_s: float) -> WSManFault:
    """The idle time-out is outside what the service allows (code: wsmerror.h; wording: assumption)."""
    return WSManFault(
        2150859250,
        "w:InvalidParameter",
        f"The requested IdleTimeout of {asked_s * 1000:.0f} ms is outside the allowed bounds. It has to be "
        f"between {least_s * 1000:.0f} and {most_s * 1000:.0f} ms. ",
    )


def _quota(code: int) -> WmiError:
    """ServerLimitsExceeded, QuotaExceeded."""
    return WmiError(27, f"HRESULT {code:#x}", category=30)


def too_many_shells(allowed: int) -> WSManFault:
    """MaxShellsPerUser."""
    return WSManFault(
        2150859173,
        "w:QuotaLimit",
        "The WS-Management service cannot process the request. The maximum number of concurrent shells for this "
        "user has been exceeded. Close existing shells or raise the quota for this user. ",
        message="The WS-Management service cannot process the request. This user is allowed a maximum number of "
        f"{allowed} concurrent shells, which has been exceeded. Close existing shells or raise the quota for this "
        "user. ",
        wmi=_quota(2150859173),
    )


def too_many_users() -> WSManFault:
    """MaxConcurrentUsers."""
    return WSManFault(
        2150859179,
        "w:QuotaLimit",
        "The WS-Management service cannot process the request. The maximum number of users executing shell "
        "operations has been exceeded. Retry after sometime or raise the quota for concurrent shell users. ",
        wmi=_quota(2150859179),
    )


def too_many_operations(allowed: int) -> WSManFault:
    """MaxConcurrentOperationsPerUser."""
    return WSManFault(
        2150859174,
        "w:QuotaLimit",
        "The WS-Management service cannot process the request. The maximum number of concurrent operations for "
        "this user has been exceeded. Close existing operations for this user, or raise the quota for this user. ",
        message="The WS-Management service cannot process the request. This user is allowed a maximum number of "
        f"{allowed} concurrent operations, which has been exceeded. Close existing operations for this user, or "
        "raise the quota for this user. ",
        wmi=_quota(2150859174),
    )


def too_many_commands(allowed: int) -> WSManFault:
    """MaxProcessesPerShell (assumption: as the quota of commands per shell; wording: assumption)."""
    return WSManFault(
        2150859241,
        "w:QuotaLimit",
        "The WS-Management service cannot process the request. The maximum number of concurrent commands per "
        "shell has been exceeded. Retry later or raise the quota. ",
        message="The WS-Management service cannot process the request. This shell is allowed a maximum number of "
        f"{allowed} concurrent commands, which has been exceeded. Retry later or raise the quota. ",
        wmi=_quota(2150859241),
    )


def internal_error() -> WSManFault:
    """Something of ours went wrong while the request was served."""
    return WSManFault(
        1359,
        "w:InternalError",
        "An internal error occurred. ",
        is_sender=False,
    )
