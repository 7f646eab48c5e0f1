"""The faults of the WMI provider: what is wrong with a class, a selector, a query or a method.

Source: a recorded fault of a query (class missing), wsmerror.h for the codes, DSP0226 for subcodes. Wording marked
so is an assumption.
"""

from __future__ import annotations

from provisioner.wire.faults import WmiError, WSManFault

_WS: str = "The WS-Management service cannot process the request. "


def no_such_class(operation: str, what: str) -> WSManFault:
    """Get or Invoke on a class that is not there, or an instance that is not."""
    reason = f"{_WS}The service cannot find the resource identified by the resource URI and selectors. "
    return WSManFault(
        2150858752,
        "a:DestinationUnreachable",
        reason,
        detail="InvalidResourceURI",
        wmi=WmiError(6, "HRESULT 0x80338000", category=13, extended=(operation, what)),
    )


def no_such_class_in_query(what: str) -> WSManFault:
    """An Enumerate that names no class of this namespace, or no namespace."""
    return WSManFault(
        2150858778,
        "n:CannotProcessFilter",
        "The data source could not process the filter. The filter might be missing or it might be invalid. Change "
        "the filter and try the request again.  ",
        message="The specified class does not exist in the given namespace. ",
        wmi=WmiError(5, "HRESULT 0x8033801a", category=13, extended=("ExecQuery", what)),
    )


def no_such_namespace(what: str) -> WSManFault:
    """The namespace is not there (wording: assumption)."""
    return WSManFault(
        2150858778,
        "n:CannotProcessFilter",
        "The data source could not process the filter. The filter might be missing or it might be invalid. Change "
        "the filter and try the request again.  ",
        message="The WMI service reported an error: the namespace is not valid (WBEM_E_INVALID_NAMESPACE). ",
        wmi=WmiError(3, "HRESULT 0x8033801a", category=13, extended=("ConnectServer", what)),
    )


def bad_query(what: str) -> WSManFault:
    """The filter is no WQL, is missing where it is needed, or names an unknown property."""
    return WSManFault(
        2150858778,
        "n:CannotProcessFilter",
        "The data source could not process the filter. The filter might be missing or it might be invalid. Change "
        "the filter and try the request again.  ",
        wmi=WmiError(15, "HRESULT 0x8033801a", category=5, extended=("ExecQuery", what)),
    )


def unknown_dialect() -> WSManFault:
    """The filter is in a language WMI does not speak (wording: assumption)."""
    return WSManFault(
        2150858777,
        "n:FilterDialectRequestedUnavailable",
        f"{_WS}The requested filtering dialect is not supported. ",
    )


def wql_needs_star() -> WSManFault:
    """A WQL filter on a single class (code: wsmerror.h; wording: assumption)."""
    return WSManFault(
        2150859003,
        "w:InvalidParameter",
        f"{_WS}A WQL query is allowed on a resource URI that ends with an asterisk (*) instead of a class only. ",
    )


def access_denied() -> WSManFault:
    """The namespace admits others only (form: assumption, as the other errors of WMI)."""
    return WSManFault(
        0x80041003,
        "w:AccessDenied",
        "Access denied ",
        wmi=WmiError(2, "HRESULT 0x80041003", category=18),
    )


def different_namespaces() -> WSManFault:
    """URI and ``__cimnamespace`` do not agree."""
    return WSManFault(
        2150859067,
        "w:InternalError",
        f"{_WS}The resource URI and __cimnamespace selector attempted to use different namespaces. Try removing "
        "the __cimnamespace selector or using a DMTF resource URI. If a non-DMTF resource URI is used with a "
        "__cimnamespace selector, the namespaces must match. ",
        is_sender=False,
    )


def selectors_needed() -> WSManFault:
    """Get without selectors on a class that may have many instances (wording: assumption)."""
    return WSManFault(
        2150859002,
        "w:InvalidSelectors",
        f"{_WS}The class is no singleton: the request has to name one instance by its selectors. ",
        detail="InsufficientSelectors",
        wmi=WmiError(4, "HRESULT 0x803380fa", category=5),
    )


def wrong_selectors() -> WSManFault:
    """The selectors are not the keys of the class."""
    return WSManFault(
        2150858843,
        "w:InvalidSelectors",
        f"{_WS[:-2]} because the request contained invalid selectors for the resource. ",
        detail="UnexpectedSelectors",
    )


def no_such_context() -> WSManFault:
    """Pull or Release with a context that is not there, or no longer (wording: assumption)."""
    return WSManFault(
        2150858779,
        "n:InvalidEnumerationContext",
        f"{_WS}The supplied enumeration context is invalid. ",
        is_sender=False,
    )


def bad_batch() -> WSManFault:
    """MaxElements cannot be used."""
    return WSManFault(
        2150858799,
        "w:InvalidParameter",
        f"{_WS}The batch parameters are not valid. MaxElements has to be a number above 0. ",
    )


def unknown_mode() -> WSManFault:
    """EnumerationMode is none there is (wording: assumption)."""
    return WSManFault(
        2150858886,
        "w:UnsupportedFeature",
        f"{_WS}The enumeration mode is not supported. ",
        detail="EnumerationMode",
    )


def bad_arguments(what: str) -> WSManFault:
    """The method takes other parameters, or others' types."""
    return WSManFault(
        2150858817,
        "w:SchemaValidationError",
        "The SOAP XML in the message does not match the corresponding XML schema definition. Change the XML and "
        f"retry. {what} ",
        wmi=WmiError(4, "HRESULT 0x80338041", category=5),
    )


def method_failed(text: str, message_id: str, mi_result: int) -> WSManFault:
    """The provider itself refuses or fails."""
    return WSManFault(
        mi_result,
        "w:InternalError",
        text,
        is_sender=False,
        wmi=WmiError(mi_result, message_id, category=0, kind="MI"),
    )
