"""DefaultGatewayAddress of NetworkingDsc 9 (class DSC_DefaultGatewayAddress)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from provisioner.lab.machine.network.ip import DEFAULT_ROUTES, Ip
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, invalid_operation, is_same
from provisioner.lab.resources.calls import must_work, stopping
from provisioner.lab.resources.network.checks import (
    FAMILIES,
    check_address,
    has_interface,
    no_interface,
    not_found,
)

_RULES = (
    Rule("InterfaceAlias", may_be_empty=False, is_mandatory=True),
    Rule("AddressFamily", allowed=FAMILIES, is_mandatory=True),
    Rule("Address"),
)


class DefaultGatewayAddress:
    """Stateless; more than one default route is tolerated when the wanted one is among them."""

    class_name = "DSC_DefaultGatewayAddress"
    module = "NetworkingDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource: one address, a list of several, or none."""
        bound = bind("Get-TargetResource", _RULES, properties)
        gateways = _gateways(bound, context)
        return {
            "Address": gateways[0] if len(gateways) == 1 else gateways or None,
            "AddressFamily": bound["AddressFamily"],
            "InterfaceAlias": bound["InterfaceAlias"],
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        address = bound.get("Address", "")
        if not has_interface(context, bound["InterfaceAlias"]):
            raise invalid_operation(no_interface(bound["InterfaceAlias"]))
        if address:
            check_address(address, bound["AddressFamily"])
        gateways = _gateways(bound, context)
        return any(is_same(item, address) for item in gateways) if address else not gateways

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: all default routes go before the wanted one comes."""
        bound = bind("Set-TargetResource", _RULES, properties)
        alias, family = bound["InterfaceAlias"], bound["AddressFamily"]
        ip = context.machine.area(Ip)
        gateways = _gateways(bound, context)
        await context.sleep(context.machine.durations.other_s)
        route = DEFAULT_ROUTES[_spelled(family)]
        for gateway in gateways:
            stopping(context, "Remove-NetRoute", partial(ip.remove_route, alias, route, gateway))
        if bound.get("Address"):
            stopping(context, "New-NetRoute", partial(ip.add_route, alias, route, bound["Address"]))


def _spelled(family: str) -> str:
    return next(item for item in FAMILIES if is_same(item, family))


def _gateways(bound: Mapping[str, Any], context: ResourceContext) -> list[str]:
    """Give the default gateways; an interface without any route is an error."""
    family = _spelled(bound["AddressFamily"])
    if not must_work(context, "Get-NetRoute"):
        return []
    routes = context.machine.area(Ip).routes(bound["InterfaceAlias"], family)
    if not routes:
        raise not_found("MSFT_NetRoute", "Get-NetRoute")
    return [item.next_hop for _, item in routes if item.destination == DEFAULT_ROUTES[family]]
