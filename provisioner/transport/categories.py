"""Names of System.Management.Automation.ErrorCategory, which travels as a number. Pure."""

from __future__ import annotations

_NAMES = tuple(
    """
    NotSpecified OpenError CloseError DeviceError DeadlockDetected InvalidArgument InvalidData InvalidOperation
    InvalidResult InvalidType MetadataError NotImplemented NotInstalled ObjectNotFound OperationStopped
    OperationTimeout SyntaxError ParserError PermissionDenied ResourceBusy ResourceExists ResourceUnavailable
    ReadError WriteError FromStdErr SecurityError ProtocolError ConnectionError AuthenticationError
    LimitsExceeded QuotaExceeded NotEnabled
    """.split()  # noqa: SIM905 - shorter than a column of 32 names
)


def category_name(number: object) -> str:
    """Return the name of a category; a number without one is NotSpecified, which also is number 0."""
    if isinstance(number, int) and number in range(len(_NAMES)):
        return _NAMES[number]
    return _NAMES[0]
