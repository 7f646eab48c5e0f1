"""What requests on CIM classes ask for: values read from envelopes.

Source: DSP0226 8 (enumeration) and 9 (invoke), DSP0227 5 (resource URIs), MS-WSMV 2.2.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias
from xml.etree import ElementTree as ET

from provisioner.wire import faults as wsman_faults
from provisioner.wire import namespaces as ns
from provisioner.wire.cim import faults
from provisioner.wire.cim.values import WMI
from provisioner.wire.envelope import Request

DMTF: Final = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2"
WQL: Final = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
SELECTOR_FILTER: Final = "http://schemas.dmtf.org/wbem/wsman/1/wsman/SelectorFilter"
_NAMESPACE_SELECTOR: Final = "__cimnamespace"
_DEFAULT_NAMESPACE: Final = "root/cimv2"
_N: Final = f"{{{ns.ENUMERATION}}}"
_W: Final = f"{{{ns.WSMAN}}}"
_MODES: Final = {"": "object", "EnumerateEPR": "reference", "EnumerateObjectAndEPR": "both"}
_MAX_ELEMENTS_DIGITS: Final = 10
ENUMERATE: Final = f"{ns.ENUMERATION}/Enumerate"
GET: Final = f"{ns.TRANSFER}/Get"


@dataclass(frozen=True, slots=True)
class Target:
    """A class by namespace and name (``*``: whatever the query names). ``uri`` as the client wrote it."""

    namespace: str
    class_name: str
    uri: str


@dataclass(frozen=True, slots=True)
class EnumerateClass:
    """Give instances: all of them, those of a WQL query, or those with certain keys."""

    target: Target
    query: str = ""
    selectors: Mapping[str, str] | None = None
    mode: str = "object"
    max_elements: int = 1
    is_optimized: bool = False


@dataclass(frozen=True, slots=True)
class GetInstance:
    """Give the one instance with these keys."""

    target: Target
    selectors: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class InvokeMethod:
    """Call a method. ``arguments``: names to the texts of their elements; None is a null."""

    target: Target
    selectors: Mapping[str, str]
    method: str
    arguments: Mapping[str, tuple[str | None, ...]]


Operation: TypeAlias = EnumerateClass | GetInstance | InvokeMethod


def is_cim(uri: str) -> bool:
    """Tell whether a resource URI is that of a CIM class."""
    return uri.startswith((WMI + "/", DMTF + "/"))


def read_operation(request: Request) -> Operation:
    """Read a request on a CIM class.

    Raises:
        WSManFault: It asks for what cannot be.
    """
    target, selectors = _target(request)
    if request.action == ENUMERATE:
        if selectors:
            raise faults.wrong_selectors()
        return _enumerate(target, request.payload("Enumerate", ns.ENUMERATION))
    if target.class_name == "*":
        raise wsman_faults.action_not_supported(request.action)
    if request.action == GET:
        return GetInstance(target, selectors)
    base, _, method = request.action.rpartition("/")
    dmtf = f"{DMTF}/{target.class_name}"
    if not method or base.casefold() not in {target.uri.casefold(), dmtf.casefold()}:
        raise wsman_faults.action_not_supported(request.action)
    return InvokeMethod(target, selectors, method, _arguments(request.body, method))


def read_max_elements(element: ET.Element, tag: str) -> int:
    """Read how many items a response may have; 1 when nothing is said (DSP0226 8.2)."""
    text = element.findtext(tag)
    if text is None:
        return 1
    text = text.strip()
    if not text.isascii() or not text.isdigit() or len(text) > _MAX_ELEMENTS_DIGITS or int(text) == 0:
        raise faults.bad_batch()
    return int(text)


def _target(request: Request) -> tuple[Target, dict[str, str]]:
    uri = request.resource_uri
    selectors = dict(request.selectors)
    name = next((key for key in selectors if key.casefold() == _NAMESPACE_SELECTOR), None)
    chosen = selectors.pop(name).replace("\\", "/").strip("/") if name else None
    if uri.startswith(DMTF + "/"):
        return Target(chosen or _DEFAULT_NAMESPACE, uri[len(DMTF) + 1 :], uri), selectors
    namespace, _, class_name = uri[len(WMI) + 1 :].rpartition("/")
    if not namespace or not class_name:
        raise wsman_faults.no_such_resource(uri)
    if chosen is not None and chosen.casefold() != namespace.casefold():
        raise faults.different_namespaces()
    return Target(namespace, class_name, uri), selectors


def _enumerate(target: Target, element: ET.Element) -> EnumerateClass:
    found = element.find(f"{_W}Filter")
    if found is None:
        found = element.find(f"{_N}Filter")
    query, selectors = "", None
    if found is not None:
        dialect = found.get("Dialect") or ""
        if dialect == WQL:
            query = (found.text or "").strip()
            if target.class_name != "*":
                raise faults.wql_needs_star()
        elif dialect == SELECTOR_FILTER:
            selectors = {
                item.get("Name") or "": (item.text or "").strip() for item in found.iter(f"{_W}Selector")
            }
        else:
            raise faults.unknown_dialect()
    if target.class_name == "*" and not query:
        raise faults.bad_query("")
    mode = _MODES.get((element.findtext(f"{_W}EnumerationMode") or "").strip())
    if mode is None:
        raise faults.unknown_mode()
    is_optimized = element.find(f"{_W}OptimizeEnumeration") is not None
    return EnumerateClass(
        target, query, selectors, mode, read_max_elements(element, f"{_W}MaxElements"), is_optimized
    )


def _arguments(body: ET.Element, method: str) -> dict[str, tuple[str | None, ...]]:
    """Read the parameters of a call; a method without any may be called with an empty body."""
    elements = list(body)
    if not elements:
        return {}
    if len(elements) > 1 or elements[0].tag.rpartition("}")[2].casefold() != f"{method}_INPUT".casefold():
        raise wsman_faults.schema_violation(f"The body has no element {method}_INPUT.")
    found: dict[str, list[str | None]] = {}
    for item in elements[0]:
        is_nil = (item.get("{http://www.w3.org/2001/XMLSchema-instance}nil") or "").casefold() in {
            "true",
            "1",
        }
        found.setdefault(item.tag.rpartition("}")[2], []).append(None if is_nil else item.text or "")
    return {name: tuple(values) for name, values in found.items()}
