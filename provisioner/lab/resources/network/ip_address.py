"""IPAddress of NetworkingDsc 9 (class DSC_IPAddress)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.network.ip import CIM_EXCEPTION, DEFAULT_ROUTES, Ip
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, invalid_argument, is_same, thrown
from provisioner.lab.resources.calls import must_work, stopping, works, works_silently
from provisioner.lab.resources.network.checks import (
    FAMILIES,
    bind_lists,
    check_address,
    has_interface,
    no_interface,
    not_found,
)

_RULES = (
    Rule("IPAddress", "strings", may_be_empty=False),
    Rule("InterfaceAlias", may_be_empty=False, is_mandatory=True),
    Rule("AddressFamily", allowed=FAMILIES, is_mandatory=True),
    Rule("KeepExistingAddress", "boolean"),
)
_WAIT_S, _PAUSE_S = 30.0, 0.2
_LONGEST = {"IPv4": 32, "IPv6": 128}
_CLASSES = ((127, "8"), (191, "16"), (223, "24"))
_BINDING = "System.Management.Automation.ParameterBindingException"
_LARGEST_UINT32 = 2**32 - 1


class IpAddress:
    """Stateless; addresses beyond the wanted ones are tolerated by Test and removed by Set."""

    class_name = "DSC_IPAddress"
    module = "NetworkingDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource; an interface without an address leaves an error and an empty list."""
        bound = bind_lists("Get-TargetResource", _RULES, properties)
        can_ask = works(context, "Get-NetIPAddress")
        addresses = _current(bound, context) if can_ask else []
        if can_ask and not addresses:
            context.nonterminating.append(not_found("MSFT_NetIPAddress", "Get-NetIPAddress"))
        return {
            "IPAddress": [f"{text}/{prefix}" for text, prefix in addresses],
            "AddressFamily": bound["AddressFamily"],
            "InterfaceAlias": bound["InterfaceAlias"],
            "KeepExistingAddress": bound.get("KeepExistingAddress", False),
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource; it waits for an interface that has no address yet."""
        bound = bind_lists("Test-TargetResource", _RULES, properties)
        _check(bound, context)
        waited = 0.0
        while not (current := _found(bound, context)) and waited < _WAIT_S:
            await context.sleep(_PAUSE_S)
            waited += _PAUSE_S
        # Every address is looked at, also behind a wrong one: a prefix that is no number leaves an error.
        found = [_is_there(text, prefix, current, context) for text, prefix in _wanted(bound, context)]
        return all(found)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: the default routes go first, in every case."""
        bound = bind_lists("Set-TargetResource", _RULES, properties)
        alias, family = bound["InterfaceAlias"], _family(bound)
        ip = context.machine.area(Ip)
        routes = []
        if must_work(context, "Get-NetRoute"):
            routes = [item for _, item in ip.routes(alias, family)]
            if not routes:
                raise not_found("MSFT_NetRoute", "Get-NetRoute")
        await context.sleep(context.machine.durations.other_s)
        for route in routes:
            if route.destination == DEFAULT_ROUTES[family]:
                act = partial(ip.remove_route, alias, route.destination, route.next_hop)
                stopping(context, "Remove-NetRoute", act)
        current = []
        if must_work(context, "Get-NetIPAddress"):
            current = _current(bound, context)
            if not current:
                raise not_found("MSFT_NetIPAddress", "Get-NetIPAddress")
        for text, prefix in current:
            if _has_to_go(text, prefix, bound):
                stopping(context, "Remove-NetIPAddress", partial(ip.remove, alias, text))
        for text, wanted_prefix in _wanted(bound, context):
            _add(ip, text, wanted_prefix, bound, context)


def _family(bound: Mapping[str, Any]) -> str:
    return next(item for item in FAMILIES if is_same(item, bound["AddressFamily"]))


def _current(bound: Mapping[str, Any], context: ResourceContext) -> list[tuple[str, int]]:
    shown = context.machine.area(Ip).addresses(bound["InterfaceAlias"], _family(bound))
    return [(item.text, item.prefix) for _, item in shown]


def _found(bound: Mapping[str, Any], context: ResourceContext) -> list[tuple[str, int]]:
    return _current(bound, context) if works_silently(context, "Get-NetIPAddress") else []


def _wanted(bound: Mapping[str, Any], context: ResourceContext) -> list[tuple[str, str]]:
    """Split addresses and prefix lengths; without one the class of the address decides, '' for no class."""
    if "IPAddress" not in bound:
        context.nonterminating.append(
            ResourceError(
                "Cannot bind argument to parameter 'IPAddress' because it is null.",
                "ParameterArgumentValidationErrorNullNotAllowed,Get-IPAddressPrefix",
                "InvalidData",
                "System.Management.Automation.ParameterBindingValidationException",
            )
        )
    wanted = []
    for item in bound.get("IPAddress", ()):
        text, prefix = _split(item)
        if not prefix:
            prefix = "64" if _family(bound) == "IPv6" else _of_class(text)
        wanted.append((text, prefix))
    return wanted


def _split(item: str) -> tuple[str, str]:
    """Give what is before the first slash, and what is between it and the next."""
    text, _, rest = item.partition("/")
    return text, rest.partition("/")[0]


def _is_there(text: str, prefix: str, current: list[tuple[str, int]], context: ResourceContext) -> bool:
    """Whether an address is among the current ones with its prefix; what is no prefix is not compared."""
    lengths = [length for address, length in current if is_same(address, text)]
    if not lengths:
        return False
    if prefix and not _is_byte(prefix):
        context.nonterminating.append(
            ResourceError(
                f'Cannot convert value "{prefix}" to type "System.Byte". Error: "Input string was not in a '
                'correct format."',
                "InvalidCastFromStringToInteger",
                "InvalidArgument",
                "System.Management.Automation.RuntimeException",
            )
        )
        return True
    return lengths == [int(prefix or 0)]


def _is_byte(text: str) -> bool:
    return re.fullmatch("[0-9]{1,3}", text) is not None and int(text) < 2**8


def _of_class(address: str) -> str:
    first = address.split(".", maxsplit=1)[0]
    number = int(first) if first.isdecimal() else _CLASSES[-1][0] + 1
    return next((prefix for last, prefix in _CLASSES if number <= last), "")


def _check(bound: Mapping[str, Any], context: ResourceContext) -> None:
    """Refuse what cannot be (Assert-ResourceProperty); a call without addresses does not bind, and is left out."""
    if "IPAddress" not in bound:
        context.nonterminating.append(
            ResourceError(
                "Cannot process command because of one or more missing mandatory parameters: IPAddress.",
                "MissingMandatoryParameter,Assert-ResourceProperty",
                "InvalidArgument",
                _BINDING,
            )
        )
        return
    addresses, family = bound["IPAddress"], _family(bound)
    if not has_interface(context, bound["InterfaceAlias"]):
        raise invalid_argument(no_interface(bound["InterfaceAlias"]), "InterfaceAlias")
    for item in addresses:
        check_address(_split(item)[0], family)
    for prefix in _prefixes_to_check(addresses):
        if _is_refused(prefix, _LONGEST[family], context):
            raise invalid_argument(
                f"A Prefix Length of {prefix} is not valid for {family} addresses. Please correct the Prefix "
                "Length and try again.",
                "IPAddress",
            )


def _prefixes_to_check(addresses: list[str]) -> list[str]:
    """Give the prefixes the module looks at: of a single address any text, else what begins with digits."""
    if len(addresses) == 1:
        return [_split(item)[1] for item in addresses if "/" in item]
    return [_split(item)[1] for item in addresses if re.search(r"/\d{1,3}", item)]


def _is_refused(prefix: str, longest: int, context: ResourceContext) -> bool:
    """Whether a prefix is out of range; what cannot be parsed leaves an error, and is compared as text."""
    found = re.fullmatch(r"\s*\+?([0-9]+)\s*", prefix)
    if found and int(found[1]) <= _LARGEST_UINT32:
        return int(found[1]) > longest
    is_number = re.fullmatch(r"\s*[+-]?[0-9]+\s*", prefix) is not None
    why = (
        "Value was either too large or too small for a UInt32."
        if is_number
        else "Input string was not in a correct format."
    )
    context.nonterminating.append(
        ResourceError(
            f'Exception calling "Parse" with "1" argument(s): "{why}"',
            "OverflowException" if is_number else "FormatException",
            "NotSpecified",
            "System.Management.Automation.MethodInvocationException",
        )
    )
    return prefix.casefold() < "0" or prefix.casefold() > str(longest)


def _has_to_go(text: str, prefix: int, bound: Mapping[str, Any]) -> bool:
    """Whether Set removes an address.

    The wanted entry is found with the address as a regular expression, and only a single one is compared as such.
    """
    addresses = bound.get("IPAddress", [])
    if not any(is_same(re.sub(r"/\S*", "", item), text) for item in addresses):
        return not bound.get("KeepExistingAddress", False)
    matching = [item for item in addresses if re.search(text, item, re.IGNORECASE)]
    return any(not is_same(item, f"{text}/{prefix}") for item in matching)


def _add(ip: Ip, text: str, prefix: str, bound: Mapping[str, Any], context: ResourceContext) -> None:
    alias = bound["InterfaceAlias"]
    if prefix and not _is_byte(prefix):
        context.nonterminating.append(
            ResourceError(
                f'Cannot bind parameter \'PrefixLength\'. Cannot convert value "{prefix}" to type "System.Byte". '
                'Error: "Input string was not in a correct format."',
                "CannotConvertArgumentNoMessage,New-NetIPAddress",
                "InvalidArgument",
                _BINDING,
            )
        )
        return
    try:
        ip.add(alias, text, int(prefix or 0))
    except MachineError as error:
        if error.exception_type != CIM_EXCEPTION:
            if not error.is_terminating:
                raise thrown(error, "New-NetIPAddress") from None
            context.nonterminating.append(thrown(error, "New-NetIPAddress"))
            return
        can_ask = works_silently(context, "Get-NetIPAddress")
        shown = [
            name
            for name, item in (ip.addresses() if can_ask else ())
            if is_same(item.text, text) and item.prefix == int(prefix or 0)
        ]
        if not any(is_same(name, alias) for name in shown):
            context.nonterminating.append(
                ResourceError(
                    f"Set-TargetResource: IP Address set on different InterfaceAlias. Expected {alias}, actual "
                    f"{' '.join(shown)}.",
                    "Microsoft.PowerShell.Commands.WriteErrorException,Set-TargetResource",
                    "NotSpecified",
                    "Microsoft.PowerShell.Commands.WriteErrorException",
                )
            )
