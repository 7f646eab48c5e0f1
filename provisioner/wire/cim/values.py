"""CIM instances as XML: elements of the class's namespace, one per property, sorted by name.

Values are None, bool, int, float, str, bytes, datetime, timedelta, ``Instance`` or lists of them; bytes are an
array of uint8, which travels as base64.

Source: recorded instances of real servers; DSP0230 for values.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from provisioner.wire import namespaces as ns
from provisioner.wire.xml_text import escaped

XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
CIM: Final = "http://schemas.dmtf.org/wbem/wscim/1/common"
WMI: Final = "http://schemas.microsoft.com/wbem/wsman/1/wmi"


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance. ``keys`` name the properties that tell it from others; a singleton has none."""

    namespace: str
    class_name: str
    properties: Mapping[str, Any]
    keys: tuple[str, ...] = ()

    @property
    def uri(self) -> str:
        """Resource URI of its class, as Windows writes it."""
        return f"{WMI}/{self.namespace}/{self.class_name}"


def instance_xml(instance: Instance) -> str:
    """Write a whole instance."""
    return (
        f'<p:{instance.class_name} xmlns:xsi="{XSI}" xmlns:p="{instance.uri}" xmlns:cim="{CIM}" '
        f'xsi:type="p:{instance.class_name}_Type">{_properties(instance, "p:")}</p:{instance.class_name}>'
    )


def fragment_xml(instance: Instance, names: Iterable[str]) -> str:
    """Write the chosen properties only, as the answer to a query that names them: without namespaces."""
    wanted = {name.casefold() for name in names}
    chosen = {name: value for name, value in instance.properties.items() if name.casefold() in wanted}
    inner = "".join(
        _element(name, value, "", "")
        for name, value in sorted(chosen.items(), key=lambda item: item[0].casefold())
    )
    return f'<w:XmlFragment xmlns:xsi="{XSI}">{inner}</w:XmlFragment>'


def reference_xml(instance: Instance) -> str:
    """Write the endpoint reference of an instance."""
    keys = {name: instance.properties.get(name) for name in instance.keys}
    selectors = "".join(
        f'<w:Selector Name="{name}">{escaped(_text(value))}</w:Selector>' for name, value in keys.items()
    )
    return (
        f"<a:EndpointReference><a:Address>{ns.ANONYMOUS}</a:Address><a:ReferenceParameters>"
        f"<w:ResourceURI>{instance.uri}</w:ResourceURI><w:SelectorSet>"
        f'<w:Selector Name="__cimnamespace">{instance.namespace}</w:Selector>{selectors}</w:SelectorSet>'
        "</a:ReferenceParameters></a:EndpointReference>"
    )


def output_xml(uri: str, method: str, values: Mapping[str, Any]) -> str:
    """Write what a method returned; ``uri`` is the one the client called it by."""
    inner = "".join(_element(name, value, "p:", "cim:") for name, value in values.items())
    declared = f'xmlns:xsi="{XSI}" xmlns:p={quoteattr(uri)} xmlns:cim="{CIM}"'
    return f"<p:{method}_OUTPUT {declared}>{inner}</p:{method}_OUTPUT>"


def _properties(instance: Instance, prefix: str) -> str:
    ordered = sorted(instance.properties.items(), key=lambda item: item[0].casefold())
    return "".join(_element(name, value, prefix, "cim:") for name, value in ordered)


def _element(name: str, value: Any, prefix: str, cim: str) -> str:
    match value:
        case None | [] | ():
            return f'<{prefix}{name} xsi:nil="true"/>'
        case list() | tuple():
            return "".join(_element(name, item, prefix, cim) for item in value)
        case Instance():
            return (
                f'<{prefix}{name} xmlns:e="{value.uri}" xsi:type="e:{value.class_name}_Type">'
                f"{_properties(value, 'e:')}</{prefix}{name}>"
            )
        case datetime():
            inner = f"<{cim}Datetime>{_moment(value)}</{cim}Datetime>"
        case timedelta():
            inner = f"<{cim}Interval>{_interval(value)}</{cim}Interval>"
        case _:
            inner = escaped(_text(value))
    return f"<{prefix}{name}>{inner}</{prefix}{name}>"


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case _:
            return str(value)


def _moment(value: datetime) -> str:
    text = value.isoformat()
    if "." in text:
        whole, _, rest = text.partition(".")
        digits = rest[:6].rstrip("0")
        text = f"{whole}.{digits}{rest[6:]}" if digits else whole + rest[6:]
    return text.replace("+00:00", "Z")


def _interval(value: timedelta) -> str:
    seconds = value.seconds
    return f"P{value.days}DT{seconds // 3600}H{seconds // 60 % 60}M{seconds % 60}S"
