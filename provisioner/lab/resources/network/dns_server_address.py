"""DnsServerAddress of NetworkingDsc 9 (class DSC_DnsServerAddress)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.network.ip import CIM_EXCEPTION, Ip
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, invalid_argument, invalid_operation, thrown
from provisioner.lab.resources.network.checks import (
    FAMILIES,
    bind_lists,
    check_address,
    has_interface,
    no_interface,
)

_RULES = (
    Rule("InterfaceAlias", may_be_empty=False, is_mandatory=True),
    Rule("AddressFamily", allowed=FAMILIES, is_mandatory=True),
    Rule("Address", "strings", may_be_empty=False),
    Rule("Validate", "boolean"),
)


class DnsServerAddress:
    """Stateless; servers that DHCP gave are not seen, and the order counts."""

    class_name = "DSC_DnsServerAddress"
    module = "NetworkingDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind_lists("Get-TargetResource", _RULES, properties)
        return {
            "Address": _servers(bound, context) or None,
            "AddressFamily": bound["AddressFamily"],
            "InterfaceAlias": bound["InterfaceAlias"],
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind_lists("Test-TargetResource", _RULES, properties)
        wanted = bound.get("Address", [])
        for address in wanted:
            if not has_interface(context, bound["InterfaceAlias"]):
                raise invalid_argument(no_interface(bound["InterfaceAlias"]), "InterfaceAlias")
            check_address(address, bound["AddressFamily"])
        servers = _servers(bound, context)
        return [item.casefold() for item in servers] == [item.casefold() for item in wanted]

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource; without addresses the servers of both families are reset."""
        bound = bind_lists("Set-TargetResource", _RULES, properties)
        wanted = bound.get("Address", [])
        await context.sleep(context.machine.durations.other_s)
        try:
            context.machine.area(Ip).set_dns_servers(bound["InterfaceAlias"], wanted)
        except MachineError as error:
            listed = ",".join(wanted)
            raise invalid_operation(
                f'DNS server addresses "{listed}" failed validation.'
                if error.exception_type == CIM_EXCEPTION
                else f'Failed to set DNS server addresses "{listed}". Exception: {error.exception_type}: '
                f"{error.message}"
            ) from None


def _servers(bound: Mapping[str, Any], context: ResourceContext) -> list[str]:
    """Split what the registry holds at commas alone: a blank stays part of an address."""
    alias, machine = bound["InterfaceAlias"], context.machine
    adapter = machine.network.find(alias) if _answers(context, "Get-NetAdapter") else None
    if adapter is None:
        raise invalid_operation(f"A network adapter with the alias '{alias}' could not be found.")
    family = "IPv6" if bound["AddressFamily"].casefold() == "ipv6" else "IPv4"
    if not _answers(context, "Get-ItemProperty"):
        return []
    text = str(machine.registry.get(Ip.dns_key(adapter, family), "NameServer") or "")
    return text.split(",") if text.strip() else []


def _answers(context: ResourceContext, cmdlet: str) -> bool:
    """Whether a silenced cmdlet answers, in a function that any error ends.

    Raises:
        ResourceError: the cmdlet ended itself, which cannot be silenced.
    """
    try:
        context.machine.ledger.attempt(cmdlet)
    except MachineError as error:
        if error.is_terminating:
            raise thrown(error, cmdlet) from None
        return False
    return True
