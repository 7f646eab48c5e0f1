"""Get-MpPreference and Get-WSManInstance: settings of Defender, settings and listeners of WinRM."""

from __future__ import annotations

from collections.abc import Mapping

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import instance
from provisioner.lab.commands.failure import reporting
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.security.defender import Defender
from provisioner.lab.machine.security.wsman_listeners import Listener, Listeners
from provisioner.lab.values import PsObject

_WSMAN = "Microsoft.WSMan.Management.GetWSManInstanceCommand"
_LISTENER = "winrm/config/listener"
_SERVICE = "winrm/config/service"
#: Settings that stand in the service's own element, by the names they have there.
_OF_SERVICE = {
    name: name
    for name in (
        "RootSDDL",
        "MaxConcurrentOperations",
        "MaxConcurrentOperationsPerUser",
        "EnumerationTimeoutMS",
        "MaxConnections",
        "MaxPacketRetrievalTimeSeconds",
        "AllowUnencrypted",
        "EnableCompatibilityHttpListener",
        "EnableCompatibilityHttpsListener",
        "CertificateThumbprint",
        "AllowRemoteAccess",
    )
}
_SCHEMES = ("Basic", "Kerberos", "Negotiate", "Certificate", "CredSSP", "CbtHardeningLevel")


async def get_mp_preference(invocation: Invocation) -> None:
    """Write the preferences."""
    with reporting(invocation, "Get-MpPreference"):
        preferences = invocation.node.machine.area(Defender).preferences()
        shown = {
            name: list(value) if isinstance(value, tuple) else value for name, value in preferences.items()
        }
        invocation.output.write(
            instance("MSFT_MpPreference", shown, namespace="ROOT/Microsoft/Windows/Defender")
        )


async def get_wsman_instance(invocation: Invocation) -> None:
    """Write listeners, or the settings of the service; this command simulates no other resource of WSMan."""
    uri = str(invocation.parameters.get("ResourceURI") or "")
    asked = uri.casefold().rpartition("wsman/")[2]
    with reporting(invocation, "Get-WSManInstance", _WSMAN, uri):
        listeners = invocation.node.machine.area(Listeners)
        if asked == _LISTENER:
            for listener in listeners.all():
                invocation.output.write(_object(listener, invocation.node.address))
        elif asked == _SERVICE:
            invocation.output.write(_settings("Service", "service", listeners.service(), _OF_SERVICE))
        elif asked == f"{_SERVICE}/auth":
            names = {f"Auth{name}": name for name in _SCHEMES}
            invocation.output.write(_settings("Auth", "service/auth", listeners.service(), names))
        else:
            raise MachineError(
                f"The service cannot process the request. The resource URI is missing or it has an incorrect "
                f"format: {uri}",
                "WsManError",
                "InvalidOperation",
                "System.InvalidOperationException",
            )


def _settings(element: str, path: str, settings: Mapping[str, str], names: Mapping[str, str]) -> PsObject:
    """Show settings as one element of XML; ``names`` are ours to those of the element."""
    return PsObject(
        (
            f"System.Xml.XmlElement#http://schemas.microsoft.com/wbem/wsman/1/config/{path}#{element}",
            "System.Xml.XmlElement",
            "System.Object",
        ),
        {shown: settings[name] for name, shown in names.items()},
        text=f"cfg:{element}",
    )


def _object(listener: Listener, address: str) -> PsObject:
    return PsObject(
        (
            "System.Xml.XmlElement#http://schemas.microsoft.com/wbem/wsman/1/config/listener#Listener",
            "System.Xml.XmlElement",
            "System.Object",
        ),
        {
            "Address": listener.address,
            "Transport": listener.transport,
            "Port": listener.port,
            "Hostname": listener.hostname,
            "Enabled": "true",
            "URLPrefix": "wsman",
            "CertificateThumbprint": listener.thumbprint,
            "ListeningOn": [address],
            "Source": listener.source or None,
        },
        text="cfg:Listener",
    )
