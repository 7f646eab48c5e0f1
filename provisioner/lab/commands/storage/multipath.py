"""Commands of Multipath I/O: claims of the Microsoft device specific module and its default policy."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import reporting
from provisioner.lab.machine.storage.multipath import Multipath


async def get_claims(invocation: Invocation) -> None:
    """Write for each bus type whether it is claimed."""
    with reporting(invocation, "Get-MSDSMAutomaticClaimSettings"):
        invocation.output.write(invocation.node.machine.area(Multipath).claims())


async def enable_claim(invocation: Invocation) -> None:
    """Claim disks of a bus type."""
    _claim(invocation, "Enable-MSDSMAutomaticClaim", is_claimed=True)


async def disable_claim(invocation: Invocation) -> None:
    """Claim disks of a bus type no longer."""
    _claim(invocation, "Disable-MSDSMAutomaticClaim", is_claimed=False)


async def get_policy(invocation: Invocation) -> None:
    """Write the default policy."""
    with reporting(invocation, "Get-MSDSMGlobalDefaultLoadBalancePolicy"):
        invocation.output.write(invocation.node.machine.area(Multipath).policy())


async def set_policy(invocation: Invocation) -> None:
    """Set the default policy."""
    with reporting(invocation, "Set-MSDSMGlobalDefaultLoadBalancePolicy"):
        invocation.node.machine.area(Multipath).set_policy(str(invocation.parameters.get("Policy")))


def _claim(invocation: Invocation, cmdlet: str, *, is_claimed: bool) -> None:
    with reporting(invocation, cmdlet):
        bus = str(invocation.parameters.get("BusType"))
        invocation.node.machine.area(Multipath).claim(bus, is_claimed=is_claimed)
