"""Get- and Set-HgsClientConfiguration: how a host proves itself for shielded virtual machines."""

from __future__ import annotations

from typing import Final

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import instance
from provisioner.lab.commands.failure import reporting
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.security.host_guardian import HostGuardian

_NAMESPACE: Final = "ROOT/Microsoft/Windows/Hgs"
_URLS: Final = ("AttestationServerUrl", "KeyProtectionServerUrl")


async def get(invocation: Invocation) -> None:
    """Write the configuration."""
    with reporting(invocation, "Get-HgsClientConfiguration"):
        _show(invocation)


async def change(invocation: Invocation) -> None:
    """Turn to a service, or to local mode; the new configuration is written."""
    parameters = invocation.parameters
    with reporting(invocation, "Set-HgsClientConfiguration"):
        urls = [str(parameters.get(name, "")) for name in _URLS]
        if bool(parameters.get("EnableLocalMode")) is all(urls):
            raise MachineError(
                "Parameter set cannot be resolved using the specified named parameters.",
                "AmbiguousParameterSet",
                "InvalidArgument",
                "System.Management.Automation.ParameterBindingException",
                is_terminating=True,
            )
        invocation.node.machine.area(HostGuardian).turn_to(*urls)
        _show(invocation)


def _show(invocation: Invocation) -> None:
    shown = invocation.node.machine.area(HostGuardian).configuration()
    invocation.output.write(instance("MSFT_HgsClientConfiguration", shown, namespace=_NAMESPACE))
