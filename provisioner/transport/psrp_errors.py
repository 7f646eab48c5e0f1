"""What pypsrp and the libraries below it raise, as errors of ours.

One table names every class; a test fails when a library gains one that is not in it. Texts of the libraries
are not passed on as they are: they may quote requests. Nothing here does I/O.
"""

from __future__ import annotations

import errno
import socket
import ssl
from enum import Enum, auto
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

import requests.exceptions
import spnego.exceptions
import urllib3.exceptions
from pypsrp import exceptions as pypsrp

from provisioner.errors import (
    AuthenticationError,
    ConnectError,
    LocalProtocolError,
    RemoteProtocolError,
    TransportError,
    TransportTimeout,
)
from provisioner.transport.base import ErrorRecord

if TYPE_CHECKING:
    from collections.abc import Iterator


class Meaning(Enum):
    """What an exception tells us."""

    REFUSED = auto()  #: the node refuses the credentials
    LOST = auto()  #: nothing answers, or the connection broke
    LATE = auto()  #: no answer in time
    CERTIFICATE = auto()  #: the node's certificate is not trusted
    HTTP = auto()  #: an HTTP status without a WSMan fault
    FAULT = auto()  #: a WSMan fault, told apart by its code
    REMOTE = auto()  #: the node broke the protocol
    LOCAL = auto()  #: we broke the protocol


#: Every exception class of the libraries; a class that is not here is looked up by its bases, in order.
MEANINGS: dict[type[BaseException], Meaning] = {
    pypsrp.WinRMError: Meaning.REMOTE,
    pypsrp.AuthenticationError: Meaning.REFUSED,
    pypsrp.WinRMTransportError: Meaning.HTTP,
    pypsrp.WSManFaultError: Meaning.FAULT,
    pypsrp.InvalidRunspacePoolStateError: Meaning.LOST,
    pypsrp.InvalidPipelineStateError: Meaning.LOCAL,
    pypsrp.InvalidPSRPOperation: Meaning.REMOTE,
    pypsrp.FragmentError: Meaning.REMOTE,
    pypsrp.SerializationError: Meaning.REMOTE,
    requests.exceptions.RequestException: Meaning.LOST,
    requests.exceptions.ConnectionError: Meaning.LOST,
    requests.exceptions.ProxyError: Meaning.LOST,
    requests.exceptions.SSLError: Meaning.CERTIFICATE,
    requests.exceptions.Timeout: Meaning.LATE,
    requests.exceptions.ConnectTimeout: Meaning.LOST,
    requests.exceptions.ReadTimeout: Meaning.LATE,
    requests.exceptions.ChunkedEncodingError: Meaning.LOST,
    requests.exceptions.RetryError: Meaning.LOST,
    requests.exceptions.HTTPError: Meaning.REMOTE,
    requests.exceptions.TooManyRedirects: Meaning.REMOTE,
    requests.exceptions.ContentDecodingError: Meaning.REMOTE,
    requests.exceptions.InvalidJSONError: Meaning.REMOTE,
    requests.exceptions.JSONDecodeError: Meaning.REMOTE,
    requests.exceptions.StreamConsumedError: Meaning.LOCAL,
    requests.exceptions.UnrewindableBodyError: Meaning.LOCAL,
    requests.exceptions.URLRequired: Meaning.LOCAL,
    requests.exceptions.MissingSchema: Meaning.LOCAL,
    requests.exceptions.InvalidSchema: Meaning.LOCAL,
    requests.exceptions.InvalidURL: Meaning.LOCAL,
    requests.exceptions.InvalidHeader: Meaning.LOCAL,
    requests.exceptions.InvalidProxyURL: Meaning.LOCAL,
    urllib3.exceptions.HTTPError: Meaning.LOST,
    # A broken NTLM answer, a bad signature on a message: the node, or someone between, broke the protocol.
    spnego.exceptions.SpnegoError: Meaning.REMOTE,
    spnego.exceptions.NoCredentialError: Meaning.REFUSED,
    spnego.exceptions.InvalidCredentialError: Meaning.REFUSED,
    spnego.exceptions.CredentialsExpiredError: Meaning.REFUSED,
    spnego.exceptions.FeatureMissingError: Meaning.LOCAL,
    spnego.exceptions.NativeError: Meaning.LOCAL,
    ParseError: Meaning.REMOTE,
    TimeoutError: Meaning.LOST,
    OSError: Meaning.LOST,
    TypeError: Meaning.LOCAL,
}

#: WSMan fault codes with a meaning of their own. Source: wire facts, 4.4.
OPERATION_TIMEOUT = 2150858793
FAULTS: dict[int, tuple[Meaning, str]] = {
    OPERATION_TIMEOUT: (Meaning.LATE, "the node did not finish in time"),
    2150858843: (Meaning.LOST, "the shell on the node is gone"),
    995: (Meaning.LOST, "the shell on the node is shutting down"),
    5: (Meaning.REFUSED, "the account may not use this session configuration"),
}

#: Complaints of MIT's Kerberos: what they mean here, and what to do. Source: krb5_err of MIT krb5.
KERBEROS: dict[int, tuple[str, str]] = {
    -1765328378: ("the KDC does not know this user", "Check the user and the realm, USER@REALM."),
    -1765328377: (
        "the KDC does not know this node by this name",
        "Give its name in the domain: 'service_principal: WSMAN/hv01.example.com'.",
    ),
    -1765328366: ("the account is locked or disabled, says the KDC", "Have the account unlocked."),
    -1765328361: ("the password has expired, says the KDC", "Change the password of the account."),
    -1765328360: (
        "the password does not fit, says the KDC",
        "Check the password reference in the inventory.",
    ),
    -1765328353: ("the password does not fit", "Check the password reference in the inventory."),
    -1765328352: ("the Kerberos ticket has expired", "Get a new one with 'kinit'."),
    -1765328347: ("the clocks here and there are too far apart for Kerberos", "Set the clocks by NTP."),
    -1765328243: ("there is no Kerberos ticket", "Get one with 'kinit USER@REALM'."),
    -1765328230: ("the realm is not known here", "Name its KDC in krb5.conf, or in DNS."),
    -1765328228: ("no KDC of the realm can be reached", "Check krb5.conf and the way to the KDC."),
    -1765328189: ("there is no Kerberos ticket", "Get one with 'kinit USER@REALM'."),
    -1765328164: ("the name of the KDC cannot be resolved", "Check krb5.conf."),
}

#: What a node tells CredSSP clients of a refusal. Source: MS-ERREF 2.3.1.
NT_STATUS: dict[int, str] = {
    0xC000006D: "the node refuses the user name or the password",
    0xC0000071: "the password has expired, says the node",
    0xC0000072: "the account is disabled, says the node",
    0xC0000234: "the account is locked, says the node",
}

#: What PowerShell says of a script where only commands are allowed.
_NO_LANGUAGE = "no-language mode"

_REFUSED = "the node refuses the user name or the password"
_CREDENTIALS_HELP = "Check the user and the password reference in the inventory."
_ACCESS_HELP = "The account must be an administrator of the node or be named in its session configuration."
_CERTIFICATE_HELP = "Give the node a certificate that names this address and whose issuer is trusted here."
_CLOSED_HELP = "Check the address and port in the inventory, and that WinRM is running on the node."
_SERVICE_UNAVAILABLE = 503


def copy_refusal(said: str) -> ErrorRecord:
    """Return what a node refused a copied file with; pypsrp keeps only the words of the records."""
    reason = said.removeprefix("Failed to copy file: ").strip()
    if _NO_LANGUAGE in reason.casefold():
        return ErrorRecord(
            "the node's session configuration runs no scripts (no-language mode), and copying a file takes one",
            "ScriptsNotAllowed",
            "PermissionDenied",
        )
    return ErrorRecord(reason or "the node gave no reason", "", "NotSpecified")


def translate(error: BaseException, node: str, endpoint: str, *, was_open: bool) -> TransportError:
    """Return our error for one that a library raised.

    ``was_open`` says whether the credentials had been accepted before: a refusal after that only means that
    the authenticated connection was replaced by a new one.
    """
    meaning = _meaning(error)
    reason = ""
    code: int | None = None
    if isinstance(error, pypsrp.WSManFaultError):
        code = error.code if isinstance(error.code, int) else None
        said = _one_line(error.reason or error.provider_fault or "")
        meaning, reason = FAULTS.get(code or 0, (Meaning.REMOTE, said))
    if found := _kerberos(error):
        return AuthenticationError(node, endpoint, *found)
    match meaning:
        case Meaning.REFUSED if was_open and not code:
            return ConnectError(node, endpoint, "the connection was broken")
        case Meaning.REFUSED:
            reason = reason or NT_STATUS.get(getattr(error, "status", 0)) or _REFUSED
            return AuthenticationError(node, endpoint, reason, _ACCESS_HELP if code else _CREDENTIALS_HELP)
        case Meaning.LOST:
            return ConnectError(node, endpoint, reason or broken(error), "" if was_open else _CLOSED_HELP)
        case Meaning.LATE:
            return TransportTimeout(node, endpoint, reason or "the node stopped answering")
        case Meaning.CERTIFICATE:
            return ConnectError(node, endpoint, _certificate(error), _CERTIFICATE_HELP)
        case Meaning.HTTP:
            return _http(error, node, endpoint)
        case Meaning.LOCAL:
            return LocalProtocolError(node, endpoint, f"this is a bug in provisioner: {_name(error)}")
        case _:
            return RemoteProtocolError(node, endpoint, reason or _answer(error), code=code)


def unusable_file(error: OSError, node: str, endpoint: str) -> TransportError:
    """Return our error for a file of certificates that cannot be read."""
    reason = f"the certificates in {error.filename} cannot be read: {error.strerror}"
    return ConnectError(node, endpoint, reason, "Check the paths under 'connection:' in the inventory.")


def _kerberos(error: BaseException) -> tuple[str, str] | None:
    """Find what Kerberos complained of; its libraries number their complaints."""
    for cause in _causes(error):
        for number in (getattr(cause, "min_code", None), getattr(cause, "err_code", None)):
            if isinstance(number, int):
                found = KERBEROS.get(number if number < 0 else number - 2**32)
                if found:
                    return found
    return None


def broken(error: BaseException) -> str:
    """Say in a few words why nothing answers, from the system error at the root of ``error``."""
    for cause in _causes(error):
        match cause:
            case socket.gaierror():
                return "the name cannot be resolved"
            case ConnectionRefusedError():
                return "nothing listens there"
            case TimeoutError() | urllib3.exceptions.ConnectTimeoutError():
                return "no answer"
            case OSError(errno=errno.EHOSTUNREACH | errno.ENETUNREACH):
                return "there is no route to it"
    return "the connection was broken"


def _meaning(error: BaseException) -> Meaning:
    if type(error).__module__.startswith("requests_credssp"):
        return Meaning.REFUSED  # an optional package, so its classes stand in no table
    for kind in type(error).__mro__:
        if found := MEANINGS.get(kind):
            return found
    # KeyError, ValueError, struct.error ...: pypsrp stumbled over an answer it did not expect.
    return Meaning.REMOTE


def _http(error: BaseException, node: str, endpoint: str) -> TransportError:
    status = getattr(error, "code", None)
    if status == _SERVICE_UNAVAILABLE:
        return ConnectError(node, endpoint, "the service is not available yet (HTTP 503)")
    return RemoteProtocolError(node, endpoint, f"the node answered with HTTP {status} and no WSMan fault")


def _answer(error: BaseException) -> str:
    if isinstance(error, pypsrp.InvalidPSRPOperation):
        return _one_line(str(error))
    return f"an answer could not be understood ({_name(error)})"


def _certificate(error: BaseException) -> str:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {cause.verify_message}"
    return "no TLS connection could be made"


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]


def _name(error: BaseException) -> str:
    return type(error).__name__


def _one_line(text: str) -> str:
    return " ".join(text.split())[:500]
