"""Every exception of the libraries has a meaning, and no text of theirs leaks."""

from __future__ import annotations

import inspect
import socket
import ssl
from types import ModuleType

import pypsrp.exceptions
import pytest
import requests.exceptions
import spnego.exceptions

from provisioner.errors import (
    AuthenticationError,
    ConnectError,
    LocalProtocolError,
    RemoteProtocolError,
    TransportError,
    TransportTimeout,
)
from provisioner.transport.psrp_errors import MEANINGS, OPERATION_TIMEOUT, translate


def exceptions_of(module: ModuleType) -> list[type[BaseException]]:
    return [
        kind
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Exception)
        and not issubclass(kind, Warning)
        and kind.__module__ == module.__name__
        and not kind.__name__.startswith("_")
    ]


@pytest.mark.parametrize(
    "kind",
    exceptions_of(pypsrp.exceptions) + exceptions_of(requests.exceptions),
    ids=lambda kind: kind.__name__,
)
def test_every_exception_class_is_in_the_table(kind: type[BaseException]) -> None:
    assert kind in MEANINGS


@pytest.mark.parametrize("kind", exceptions_of(spnego.exceptions), ids=lambda kind: kind.__name__)
def test_every_exception_of_the_authentication_has_a_base_in_the_table(kind: type[BaseException]) -> None:
    assert any(base in MEANINGS for base in kind.__mro__ if base not in {Exception, BaseException, object})


def told(error: BaseException, *, was_open: bool = False) -> TransportError:
    return translate(error, "n1", "http://n1:5985/wsman", was_open=was_open)


def fault(code: int, reason: str = "reason") -> pypsrp.exceptions.WSManFaultError:
    return pypsrp.exceptions.WSManFaultError(code, "n1", reason, None, None, None)


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (
            pypsrp.exceptions.AuthenticationError("user bob"),
            AuthenticationError,
            "refuses the user name or the password",
        ),
        (fault(5, "Access is denied."), AuthenticationError, "may not use this session configuration"),
        (fault(2150858843), ConnectError, "the shell on the node is gone"),
        (fault(995), ConnectError, "shutting down"),
        (fault(OPERATION_TIMEOUT), TransportTimeout, "did not finish in time"),
        (fault(87, "The parameter\n is incorrect."), RemoteProtocolError, "The parameter is incorrect."),
        (pypsrp.exceptions.WinRMTransportError("http", 503, "busy"), ConnectError, "HTTP 503"),
        (pypsrp.exceptions.WinRMTransportError("http", 404, "<html>"), RemoteProtocolError, "HTTP 404"),
        (requests.exceptions.ReadTimeout(), TransportTimeout, "stopped answering"),
        (requests.exceptions.ConnectTimeout(TimeoutError()), ConnectError, "no answer"),
        (
            requests.exceptions.ConnectionError(ConnectionResetError()),
            ConnectError,
            "the connection was broken",
        ),
        (
            requests.exceptions.ConnectionError(ConnectionRefusedError()),
            ConnectError,
            "nothing listens there",
        ),
        (socket.gaierror(-2, "unknown"), ConnectError, "cannot be resolved"),
        (OSError(113, "No route to host"), ConnectError, "no route"),
        (spnego.exceptions.BadMICError(), RemoteProtocolError, "could not be understood (BadMICError)"),
        (KeyError("x"), RemoteProtocolError, "could not be understood (KeyError)"),
        (TypeError("a value of type set cannot be sent"), LocalProtocolError, "a bug in provisioner"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_an_exception_becomes_an_error_of_ours(
    error: BaseException, kind: type[TransportError], text: str
) -> None:
    ours = told(error)
    assert type(ours) is kind
    assert text in str(ours)


def test_the_fault_code_is_kept() -> None:
    ours = told(fault(2150858817))
    assert isinstance(ours, RemoteProtocolError)
    assert ours.code == 2150858817


def test_a_refusal_on_an_open_conversation_means_that_the_connection_was_replaced() -> None:
    assert type(told(pypsrp.exceptions.AuthenticationError("x"), was_open=True)) is ConnectError


def test_an_untrusted_certificate_says_why_and_what_to_do() -> None:
    cause = ssl.SSLCertVerificationError(1, "[SSL] x")
    cause.verify_message = "self-signed certificate"
    ours = told(requests.exceptions.SSLError(cause))
    assert "its certificate is not trusted: self-signed certificate" in str(ours)
    assert "issuer is trusted" in ours.help


def test_texts_of_the_libraries_that_may_quote_a_request_are_not_passed_on() -> None:
    for kind in (
        pypsrp.exceptions.AuthenticationError,
        requests.exceptions.ConnectionError,
        pypsrp.exceptions.WinRMError,
    ):
        assert "canary" not in str(told(kind("canary")))
    assert "canary" not in str(told(pypsrp.exceptions.WinRMTransportError("http", 500, "canary")))
