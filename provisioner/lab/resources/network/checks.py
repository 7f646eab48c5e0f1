"""What the resources of NetworkingDsc check in common: addresses as .NET parses them, interfaces by alias.

Errors of cmdlets that found nothing carry the id of a query with several conditions.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, invalid_argument, is_same
from provisioner.lab.resources.calls import works

FAMILIES = ("IPv4", "IPv6")
_PARTS = 4


def check_address(address: str, family: str) -> None:
    """Refuse what is no address, or one of the other family (Assert-IPAddress).

    Raises:
        ResourceError: the id is ``Address`` or ``AddressFamily``.
    """
    found = family_as_parsed(address)
    if not found:
        raise invalid_argument(
            f"Address '{address}' is not in the correct format. Please correct the Address parameter in the "
            "configuration and try again.",
            "Address",
        )
    if not is_same(found, family):
        raise invalid_argument(
            f"Address '{address}' is in {found} format, which does not match server address family {family}. "
            "Please correct either of them in the configuration and try again.",
            "AddressFamily",
        )


def family_as_parsed(address: str) -> str:
    """Give the family of an address as IPAddress.TryParse takes it (``10.1`` is 10.0.0.1); '' for none."""
    if ":" in address:
        bare = address[1:-1] if address[:1] == "[" and address[-1:] == "]" else address
        try:
            ipaddress.IPv6Address(bare.partition("%")[0])
        except ValueError:
            return ""
        return "IPv6"
    parts = address.split(".")
    numbers = [_number(part) for part in parts]
    if not 1 <= len(parts) <= _PARTS or None in numbers:
        return ""
    *leading, last = (number or 0 for number in numbers)
    fits = all(number < 2**8 for number in leading) and last < 2 ** (8 * (_PARTS - len(leading)))
    return "IPv4" if fits else ""


def _number(text: str) -> int | None:
    """Read a part of an IPv4 address: decimal, octal behind a 0, or hexadecimal behind 0x."""
    if found := re.fullmatch("0[xX]([0-9a-fA-F]+)", text):
        return int(found[1], 16)
    if re.fullmatch("0[0-7]*", text):
        return int(text, 8)
    return int(text) if re.fullmatch("[1-9][0-9]*", text) else None


def bind_lists(function: str, rules: Sequence[Rule], properties: Mapping[str, Any]) -> dict[str, Any]:
    """Bind as ``bind`` does, where lists that are not mandatory refuse to be empty or to hold nothing."""
    bound = bind(
        function,
        [replace(rule, may_be_empty=rule.kind == "strings" or rule.may_be_empty) for rule in rules],
        properties,
    )
    for rule in rules:
        value = bound.get(rule.name)
        if rule.kind != "strings" or rule.name not in bound or rule.may_be_empty:
            continue
        if not value or "" in value:
            raise ResourceError(
                f"Cannot validate argument on parameter '{rule.name}'. The argument is null, empty, or an "
                "element of the argument collection contains a null value. Supply a collection that does not "
                "contain any null values and then try the command again.",
                f"ParameterArgumentValidationError,{function}",
                "InvalidData",
                "System.Management.Automation.ParameterBindingValidationException",
            )
    return bound


def has_interface(context: ResourceContext, alias: str) -> bool:
    """Whether an adapter has the name; an error of Get-NetAdapter is written, and there is none then."""
    if not works(context, "Get-NetAdapter"):
        return False
    return any(is_same(item.name, alias) for item in context.machine.network.adapters)


def no_interface(alias: str) -> str:
    """Give the text about an interface that is not there."""
    return f'Interface "{alias}" is not available. Please select a valid interface and try again.'


def not_found(class_name: str, cmdlet: str) -> ResourceError:
    """Make the error of a cmdlet whose query with several conditions found nothing."""
    return ResourceError(
        f"No matching {class_name} objects found by CIM query for instances of the "
        f"ROOT/StandardCimv2/{class_name} class on the CIM server. Verify query parameters and retry.",
        f"CmdletizationQuery_NotFound,{cmdlet}",
        "ObjectNotFound",
    )
