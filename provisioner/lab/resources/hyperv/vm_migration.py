"""VMMigration of ProvisionerDsc (class PROV_VMMigration): live migration of a Hyper-V host and its networks."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Final

from provisioner.lab.machine.computer.identity import Identity
from provisioner.lab.machine.hyperv.host import VirtualizationHost
from provisioner.lab.machine.hyperv.migration import MigrationNetworks
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, calling, is_same, resource_error, spelled
from provisioner.lab.resources.hyperv.presence import demand_hyperv, is_at_work

_CMDLETS: Final = "Microsoft.HyperV.PowerShell.Commands."
_RULES = (
    Rule("IsSingleInstance", allowed=("Yes",), is_mandatory=True),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("AuthenticationType", allowed=("Kerberos", "CredSSP")),
    Rule("PerformanceOption", allowed=("TCPIP", "Compression", "SMB")),
    Rule("MaximumVirtualMachineMigrations", "uint32"),
    Rule("MaximumStorageMigrations", "uint32"),
    Rule("UseAnyNetwork", "boolean"),
    Rule("Networks", "strings", may_be_empty=False),
)
#: What Set-VMHost calls the properties that are handed on as they are.
_SETTINGS: Final = {
    "AuthenticationType": "VirtualMachineMigrationAuthenticationType",
    "PerformanceOption": "VirtualMachineMigrationPerformanceOption",
    "MaximumVirtualMachineMigrations": "MaximumVirtualMachineMigrations",
    "MaximumStorageMigrations": "MaximumStorageMigrations",
    "UseAnyNetwork": "UseAnyNetworkForMigration",
}
_ANY_NETWORK: Final = _SETTINGS["UseAnyNetwork"]
_ENABLED: Final = "VirtualMachineMigrationEnabled"


class VMMigration:
    """Stateless. Only bound properties are compared and changed; networks are compared in one spelling."""

    class_name = "PROV_VMMigration"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES[:1], properties)
        demand_hyperv(context)
        settings = _settings(context)
        shown = {name: settings[theirs] for name, theirs in _SETTINGS.items()}
        for rule in _RULES:
            if rule.name in shown and rule.allowed:
                shown[rule.name] = spelled(shown[rule.name], rule.allowed)
        return {
            "IsSingleInstance": bound["IsSingleInstance"],
            "Ensure": "Present" if settings[_ENABLED] else "Absent",
            **shown,
            "Networks": sorted({_shown(item) for item in _networks(context)}),
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        _check_wish(bound)
        is_absent = is_same(bound.get("Ensure", "Present"), "Absent")
        if not is_at_work(context):
            return is_absent
        settings = _settings(context)
        if settings[_ENABLED] is is_absent:
            return False
        if is_absent:
            return True
        if _differing(bound, settings):
            return False
        added, removed = _change(bound, context)
        return not added and not removed

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: networks that come, settings, networks that go, and at last the switch itself."""
        bound = bind("Set-TargetResource", _RULES, properties)
        _check_wish(bound)
        demand_hyperv(context)
        host = context.machine.area(VirtualizationHost)
        settings = _settings(context)
        await context.sleep(context.machine.durations.other_s)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            if settings[_ENABLED]:
                with calling(_CMDLETS + "DisableVMMigration"):
                    host.migrate(enabled=False)
            return
        _demand_domain(context)
        added, removed = _change(bound, context)
        differing = _differing(bound, settings)
        if added or removed or _ANY_NETWORK in differing:
            _demand_no_cluster(context)
        networks = context.machine.area(MigrationNetworks)
        for network in added:
            with calling(_CMDLETS + "AddVMMigrationNetwork"):
                networks.add(network)
        if differing:
            with calling(_CMDLETS + "SetVMHost"):
                host.change(differing)
        for network in removed:
            with calling(_CMDLETS + "RemoveVMMigrationNetwork"):
                networks.remove(network)
        if not settings[_ENABLED]:
            with calling(_CMDLETS + "EnableVMMigration"):
                host.migrate(enabled=True)


def _settings(context: ResourceContext) -> dict[str, Any]:
    with calling(_CMDLETS + "GetVMHost"):
        return context.machine.area(VirtualizationHost).settings()


def _networks(context: ResourceContext) -> list[str]:
    with calling(_CMDLETS + "GetVMMigrationNetwork"):
        return context.machine.area(MigrationNetworks).all()


def _check_wish(bound: Mapping[str, Any]) -> None:
    is_present = is_same(bound.get("Ensure", "Present"), "Present")
    if is_present and is_same(bound.get("AuthenticationType", ""), "CredSSP"):
        raise resource_error(
            "CredSSP needs somebody who is logged on to the source host, which a service that migrates is not, "
            "and Credential Guard, which Windows Server 2025 turns on in domains, breaks it. Use Kerberos with "
            "constrained delegation.",
            "CredSspRefused",
            "InvalidArgument",
        )
    if "Networks" in bound and bound.get("UseAnyNetwork"):
        raise resource_error(
            "Networks and UseAnyNetwork contradict each other: give the networks, or take any.",
            "NetworksContradictory",
            "InvalidArgument",
        )
    for item in bound.get("Networks", ()):
        _network(item)


def _differing(bound: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Give the wanted settings that the host does not have; listed networks count only where not any is taken."""
    wanted = {theirs: bound[name] for name, theirs in _SETTINGS.items() if name in bound}
    if "Networks" in bound:
        wanted[_ANY_NETWORK] = False
    return {name: value for name, value in wanted.items() if not is_same(settings[name], value)}


def _change(bound: Mapping[str, Any], context: ResourceContext) -> tuple[list[str], list[str]]:
    """Give the networks to add and those to remove, the latter as the host writes them."""
    if "Networks" not in bound:
        return [], []
    wanted = sorted({_network(item) for item in bound["Networks"]})
    present = _networks(context)
    known = {_shown(item) for item in present}
    return [item for item in wanted if item not in known], [
        item for item in present if _shown(item) not in wanted
    ]


def _shown(text: str) -> str:
    """Give a network of the host in the one spelling, or as it is when it is none."""
    try:
        return _network(text)
    except ResourceError:
        return text


def _network(text: str) -> str:
    address, slash, length = text.strip().partition("/")
    is_plain = not slash or re.fullmatch("[0-9]{1,3}", length) is not None
    try:
        base = ipaddress.ip_address(address if is_plain else "")
        network = ipaddress.ip_network((base, int(length or base.max_prefixlen)), strict=False)
    except ValueError:
        raise _malformed(f"'{text}' is no network. Write it as 192.0.2.0/24 or 2001:db8::/64.") from None
    if network.network_address != base:
        raise _malformed(f"'{text}' is an address within a network. Write the first address of the network.")
    return str(network)


def _malformed(message: str) -> ResourceError:
    return resource_error(message, "NetworkMalformed", "InvalidArgument")


def _demand_domain(context: ResourceContext) -> None:
    if not context.machine.area(Identity).domain:
        raise resource_error(
            "The machine is in a workgroup. Live migration needs Kerberos, and so a domain that all hosts are in.",
            "NotDomainMember",
            "InvalidOperation",
        )


def _demand_no_cluster(context: ResourceContext) -> None:
    service = context.machine.services.find("ClusSvc")
    if service is not None and service.start_mode != "Disabled":
        raise resource_error(
            "The machine is a node of a failover cluster: the cluster chooses the networks of live migration, and "
            "they cannot be set on its nodes. Leave out Networks and UseAnyNetwork, choose them there.",
            "NetworksOwnedByCluster",
            "InvalidOperation",
        )
