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

_CREDENTIALS_HELP = "Check the user and the password reference in the inventory."
_ACCESS_HELP = "The account must be an administrator of the node or be named in its session configuration."
_CERTIFICATE_HELP = "Give the node a certificate that names this address and whose issuer is trusted here."
_CLOSED_HELP = "Check the address and port in the inventory, and that WinRM is running on the node."
_SERVICE_UNAVAILABLE = 503


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
    match meaning:
        case Meaning.REFUSED if was_open and not code:
            return ConnectError(node, endpoint, "the connection was broken")
        case Meaning.REFUSED:
            reason = reason or "the node refuses the user name or the password"
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
