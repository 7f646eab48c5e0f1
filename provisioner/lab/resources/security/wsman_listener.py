"""WSManListener of WSManDsc 3.2 (class DSC_WSManListener): the old listener goes before the new one is sure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from provisioner.lab.machine.computer.identity import Identity
from provisioner.lab.machine.security.certificate_store import CertificateStore, StoredCertificate
from provisioner.lab.machine.security.wsman_listeners import Listener, Listeners
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, calling, invalid_argument, is_same
from provisioner.lab.resources.calls import works, written

_RULES = (
    Rule("Transport", is_mandatory=True, allowed=("HTTP", "HTTPS")),
    Rule("Ensure", is_mandatory=True, allowed=("Present", "Absent")),
    Rule("Port", "uint16"),
    Rule("Address"),
    Rule("Issuer"),
    Rule("SubjectFormat", allowed=("Both", "FQDNOnly", "NameOnly")),
    Rule("MatchAlternate", "boolean"),
    Rule("DN"),
    Rule("Hostname"),
    Rule("CertificateThumbprint"),
)
_DEFAULT_PORTS = {"http": 5985, "https": 5986}
_ANSWER = ("Port", "Address", "Issuer", "Hostname", "Enabled", "URLPrefix", "CertificateThumbprint")


class WSManListener:
    """Stateless. Two listeners of one transport are a list to the module, which it cannot handle."""

    class_name = "DSC_WSManListener"
    module = "WSManDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES[:2], properties)
        found = _existing(bound, context)
        answer: dict[str, Any] = {"Transport": bound["Transport"], "Ensure": "Absent"}
        if not found:
            return answer | dict.fromkeys(_ANSWER)
        if len(found) > 1:
            context.nonterminating.append(
                ResourceError(
                    "Cannot process argument transformation on parameter 'CertificateThumbprint'. Cannot convert "
                    "value to type System.String.",
                    "ParameterArgumentTransformationError,Find-Certificate",
                    "InvalidData",
                    "System.Management.Automation.ParameterBindingArgumentTransformationException",
                )
            )
        listener = found[0]
        asks = bool(listener.thumbprint) and len(found) == 1 and works(context, "Get-ChildItem")
        certificate = context.machine.area(CertificateStore).find(listener.thumbprint) if asks else None
        return answer | {
            "Ensure": "Present",
            "Port": listener.port,
            "Address": listener.address,
            "Issuer": certificate.issuer if certificate else None,
            "Hostname": listener.hostname,
            "Enabled": listener.enabled,
            "URLPrefix": listener.url_prefix,
            "CertificateThumbprint": listener.thumbprint,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: of a certificate only the thumbprint, and only when one is given."""
        bound = bind("Test-TargetResource", _RULES, properties)
        found = _existing(bound, context)
        if is_same(bound["Ensure"], "Absent"):
            return not found
        if len(found) != 1:
            return False
        listener = found[0]
        return (
            is_same(listener.port, _port(bound))
            and is_same(listener.address, bound.get("Address", "*"))
            and ("Hostname" not in bound or is_same(listener.hostname, bound["Hostname"]))
            and (
                "CertificateThumbprint" not in bound
                or is_same(listener.thumbprint, bound["CertificateThumbprint"])
            )
        )

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = bind("Set-TargetResource", _RULES, properties)
        await context.sleep(context.machine.durations.other_s)
        found = _existing(bound, context)
        listeners = context.machine.area(Listeners)
        if len(found) > 1:
            # What the module asks to be removed then does not exist.
            works(context, "Remove-WSManInstance")
        if len(found) == 1:
            gone = partial(listeners.remove, found[0])
            written(context, "Microsoft.WSMan.Management.RemoveWSManInstanceCommand", gone)
        if is_same(bound["Ensure"], "Absent"):
            return
        hostname, mark = "", ""
        if is_same(bound["Transport"], "HTTPS"):
            certificate = _certificate(bound, context)
            if certificate is None:
                raise invalid_argument(
                    f"Failed to create HTTPS Listener on port {_port(bound)} because an applicable certificate "
                    "could not be found.",
                    "Issuer",
                )
            hostname, mark = bound.get("Hostname") or _full_name(context), certificate.thumbprint
        with calling("Microsoft.WSMan.Management.NewWSManInstanceCommand"):
            listeners.add(
                Listener(bound.get("Address", "*"), bound["Transport"], str(_port(bound)), hostname, mark)
            )


def _existing(bound: Mapping[str, Any], context: ResourceContext) -> Sequence[Listener]:
    listeners = written(
        context,
        "Microsoft.WSMan.Management.GetWSManInstanceCommand",
        context.machine.area(Listeners).all,
    )
    return [
        item
        for item in listeners or ()
        if is_same(item.transport, bound["Transport"]) and not is_same(item.source, "Compatibility")
    ]


def _port(bound: Mapping[str, Any]) -> int:
    return bound.get("Port") or _DEFAULT_PORTS[bound["Transport"].casefold()]


def _full_name(context: ResourceContext) -> str:
    domain = context.machine.area(Identity).domain
    name = context.machine.computer_name
    return f"{name}.{domain}" if domain else name


def _certificate(bound: Mapping[str, Any], context: ResourceContext) -> StoredCertificate | None:
    """Find the certificate by its thumbprint, or by issuer and subject: the full name first, then the short.

    One that is named by its thumbprint may be for anything. Each search asks anew, and writes its error.
    """
    there = context.machine.area(CertificateStore).all()
    if "CertificateThumbprint" in bound:
        if not works(context, "Get-ChildItem"):
            return None
        marked = (item for item in there if is_same(item.thumbprint, bound["CertificateThumbprint"]))
        return next(marked, None)
    form = bound.get("SubjectFormat", "Both").casefold()
    names = []
    if form in {"both", "fqdnonly"}:
        names.append(bound.get("Hostname") or _full_name(context))
    if form in {"both", "nameonly"}:
        names.append(context.machine.computer_name)
    for name in names:
        if not works(context, "Get-ChildItem"):
            continue
        subject = f"CN={name}, {bound['DN']}" if "DN" in bound else f"CN={name}"
        for item in there:
            if (
                item.serves_tls
                and is_same(item.issuer, bound.get("Issuer", ""))
                and is_same(item.subject, subject)
                and (
                    not bound.get("MatchAlternate")
                    or name.casefold() in {alternate.casefold() for alternate in item.dns_names}
                )
            ):
                return item
    return None
