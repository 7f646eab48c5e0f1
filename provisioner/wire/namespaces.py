"""The names of WS-Management: namespaces, actions and well-known URIs.

Constants only. Prefixes are the ones Windows writes.

Source: DSP0226, MS-WSMV 2.2.1, recordings of real servers.
"""

from __future__ import annotations

from typing import Final

SOAP: Final = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
TRANSFER: Final = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
ENUMERATION: Final = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
EVENTING: Final = "http://schemas.xmlsoap.org/ws/2004/08/eventing"
WSMAN: Final = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
SHELL: Final = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
POWERSHELL: Final = "http://schemas.microsoft.com/powershell"
CONFIG: Final = "http://schemas.microsoft.com/wbem/wsman/1/config"
FAULT: Final = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
IDENTITY: Final = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"

ANONYMOUS: Final = ADDRESSING + "/role/anonymous"
FAULT_ACTION: Final = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
FAULT_DETAIL: Final = "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail"

#: Resource URI of all shells together, and of the classic command shell.
SHELLS_URI: Final = SHELL
CMD_URI: Final = SHELL + "/cmd"
#: Resource URIs of PowerShell session configurations begin so.
POWERSHELL_URI: Final = POWERSHELL + "/"
CONFIG_URI: Final = CONFIG

SIGNAL_TERMINATE: Final = SHELL + "/signal/terminate"
SIGNAL_CTRL_C: Final = SHELL + "/signal/ctrl_c"
SIGNAL_CTRL_BREAK: Final = SHELL + "/signal/ctrl_break"
#: PowerShell's own way to stop a pipeline; the first spelling is Microsoft's, the second that of other clients.
SIGNAL_POWERSHELL_STOP: Final = "powershell/signal/crtl_c"
SIGNAL_POWERSHELL_STOP_TOO: Final = "powershell/signal/ctrl_c"

#: Namespace declarations of a response, by prefix; the root element carries the ones its action needs.
PREFIXES: Final = {
    "s": SOAP,
    "a": ADDRESSING,
    "x": TRANSFER,
    "e": EVENTING,
    "n": ENUMERATION,
    "w": WSMAN,
    "rsp": SHELL,
    "p": "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd",
}
