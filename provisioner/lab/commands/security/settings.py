"""Get-MpPreference and Get-WSManInstance: settings of Defender and listeners of WinRM."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import instance
from provisioner.lab.commands.failure import reporting
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.security.defender import Defender
from provisioner.lab.machine.security.wsman_listeners import Listener, Listeners
from provisioner.lab.values import PsObject

_WSMAN = "Microsoft.WSMan.Management.GetWSManInstanceCommand"
_LISTENER = "winrm/config/listener"


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
    """Write the listeners; other resources of WSMan are not simulated by this command."""
    uri = str(invocation.parameters.get("ResourceURI") or "")
    with reporting(invocation, "Get-WSManInstance", _WSMAN, uri):
        if uri.casefold().rpartition("wsman/")[2] != _LISTENER:
            raise MachineError(
                f"The service cannot process the request. The resource URI is missing or it has an incorrect "
                f"format: {uri}",
                "WsManError",
                "InvalidOperation",
                "System.InvalidOperationException",
            )
        address = invocation.node.address
        for listener in invocation.node.machine.area(Listeners).all():
            invocation.output.write(_object(listener, address))


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
