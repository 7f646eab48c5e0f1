"""MpioClaim of ProvisionerDsc (class PROV_MpioClaim): which disks Multipath I/O claims."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.storage.multipath import FEATURE, POLICIES, Multipath
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, calling, is_same, resource_error

_RULES: Final = (
    Rule("IsSingleInstance", allowed=("Yes",), is_mandatory=True),
    Rule("ClaimIscsi", "boolean"),
    Rule("ClaimSas", "boolean"),
    Rule("LoadBalancePolicy", allowed=POLICIES),
)
_BUSES: Final = {"ClaimIscsi": "iSCSI", "ClaimSas": "SAS"}


class MpioClaim:
    """Stateless; only what is given is compared and changed."""

    class_name = "PROV_MpioClaim"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bind("Get-TargetResource", _RULES[:1], properties)
        claims = _claims(context)
        return {
            "IsSingleInstance": "Yes",
            **{name: claims[bus] for name, bus in _BUSES.items()},
            "LoadBalancePolicy": _policy(context),
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource; throws while Multipath I/O does not work."""
        bound = bind("Test-TargetResource", _RULES, properties)
        claims = _claims(context)
        if any(claims[bus] != bound[name] for name, bus in _BUSES.items() if name in bound):
            return False
        return "LoadBalancePolicy" not in bound or is_same(_policy(context), bound["LoadBalancePolicy"])

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: the policy first, then the claims; disks that are there need a restart."""
        bound = bind("Set-TargetResource", _RULES, properties)
        claims, multipath = _claims(context), context.machine.area(Multipath)
        await context.sleep(context.machine.durations.other_s)
        if "LoadBalancePolicy" in bound and not is_same(_policy(context), bound["LoadBalancePolicy"]):
            with calling("Set-MSDSMGlobalDefaultLoadBalancePolicy"):
                multipath.set_policy(bound["LoadBalancePolicy"])
        for name, bus in _BUSES.items():
            if name not in bound or claims[bus] == bound[name]:
                continue
            with calling("Get-Disk"):
                disk_count = multipath.disks_on(bus)
            with calling(f"{'Enable' if bound[name] else 'Disable'}-MSDSMAutomaticClaim"):
                multipath.claim(bus, is_claimed=bound[name])
            if disk_count:
                context.verbose(f"Disks are on {bus} already: the node has to be restarted.")
                context.reboot_requested = True


def _claims(context: ResourceContext) -> dict[str, bool]:
    multipath = context.machine.area(Multipath)
    if not multipath.has_commands:
        raise resource_error(
            f"There are no cmdlets for Multipath I/O: the feature {FEATURE} is not installed.",
            "MpioNotInstalled",
            "NotInstalled",
        )
    try:
        return multipath.claims()
    except MachineError as error:
        raise resource_error(
            "Multipath I/O does not answer. It works after the restart that installing Multipath-IO needs. "
            f"{error.message}",
            "MpioNotReady",
            "ResourceUnavailable",
        ) from None


def _policy(context: ResourceContext) -> str:
    with calling("Get-MSDSMGlobalDefaultLoadBalancePolicy"):
        return context.machine.area(Multipath).policy()
