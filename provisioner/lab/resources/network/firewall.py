"""Firewall of NetworkingDsc 9 (class DSC_Firewall)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.network.firewall import Firewall as Rules
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import (
    Rule,
    bind,
    calling,
    invalid_operation,
    is_same,
    is_same_bag,
)
from provisioner.lab.resources.calls import silenced, works, works_silently, written
from provisioner.lab.resources.network.checks import bind_lists

_NAME = Rule("Name", may_be_empty=False, is_mandatory=True)
_TRAFFIC = ("Block", "Allow", "DeferToUser", "DeferToApp")
_TRANSPORTS = (
    "Any",
    "ProximityApps",
    "ProximitySharing",
    "WifiDirectPrinting",
    "WifiDirectDisplay",
    "WifiDirectDevices",
)
_RULES = (
    _NAME,
    Rule("DisplayName", may_be_empty=False),
    Rule("Group", may_be_empty=False),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("Enabled", allowed=("True", "False")),
    Rule("Action", allowed=("NotConfigured", "Allow", "Block")),
    Rule("Profile", "strings"),
    Rule("Direction", allowed=("Inbound", "Outbound")),
    Rule("RemotePort", "strings", may_be_empty=False),
    Rule("LocalPort", "strings", may_be_empty=False),
    Rule("Protocol", may_be_empty=False),
    Rule("Description"),
    Rule("Program", may_be_empty=False),
    Rule("Service", may_be_empty=False),
    Rule("Authentication", allowed=("NotRequired", "Required", "NoEncap")),
    Rule("Encryption", allowed=("NotRequired", "Required", "Dynamic")),
    Rule("InterfaceAlias", "strings", may_be_empty=False),
    Rule("InterfaceType", allowed=("Any", "Wired", "Wireless", "RemoteAccess")),
    Rule("LocalAddress", "strings", may_be_empty=False),
    Rule("LocalUser", may_be_empty=False),
    Rule("Package", may_be_empty=False),
    Rule("Platform", "strings", may_be_empty=False),
    Rule("RemoteAddress", "strings", may_be_empty=False),
    Rule("RemoteMachine", may_be_empty=False),
    Rule("RemoteUser", may_be_empty=False),
    Rule("DynamicTransport", allowed=_TRANSPORTS),
    Rule("EdgeTraversalPolicy", allowed=_TRAFFIC),
    Rule("IcmpType", "strings", may_be_empty=False),
    Rule("LocalOnlyMapping", "boolean"),
    Rule("LooseSourceMapping", "boolean"),
    Rule("OverrideBlockRules", "boolean"),
    Rule("Owner", may_be_empty=False),
)
#: What Get answers of a rule, and Test compares unless it is the display group.
_SHOWN = ("Name", "DisplayName", "Group", "DisplayGroup", *(rule.name for rule in _RULES[4:]))
_OCTETS, _BITS = 4, 32
_ADDRESSES = frozenset({"LocalAddress", "RemoteAddress"})
#: What is read from each filter of a rule.
_FILTERS: Mapping[str, tuple[str, ...]] = {
    "Get-NetFirewallAddressFilter": ("LocalAddress", "RemoteAddress"),
    "Get-NetFirewallApplicationFilter": ("Program", "Package"),
    "Get-NetFirewallInterfaceFilter": ("InterfaceAlias",),
    "Get-NetFirewallInterfaceTypeFilter": ("InterfaceType",),
    "Get-NetFirewallPortFilter": ("RemotePort", "LocalPort", "Protocol", "DynamicTransport", "IcmpType"),
    "Get-NetFirewallProfile": (),
    "Get-NetFirewallSecurityFilter": (
        "Authentication",
        "Encryption",
        "LocalUser",
        "RemoteMachine",
        "RemoteUser",
        "OverrideBlockRules",
    ),
    "Get-NetFirewallServiceFilter": ("Service",),
}
#: What is part of the rule itself; the rest is in its filters, which go with it.
_OF_RULE = (
    "DisplayName",
    "Enabled",
    "Action",
    "Profile",
    "Direction",
    "Description",
    "Platform",
    "EdgeTraversalPolicy",
    "LocalOnlyMapping",
    "LooseSourceMapping",
    "Owner",
)


class Firewall:
    """Stateless; a Boolean False and an empty text are never enforced."""

    class_name = "DSC_Firewall"
    module = "NetworkingDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        name = bind("Get-TargetResource", (_NAME,), properties)["Name"]
        rule = _find(name, context)
        if rule is None:
            return {"Ensure": "Absent", "Name": name}
        for cmdlet in _FILTERS:
            with calling(cmdlet):
                context.machine.ledger.attempt(cmdlet)
        return {"Ensure": "Present", **{item: rule[item] for item in _SHOWN}}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind_lists("Test-TargetResource", _RULES, properties)
        rule = _find(bound["Name"], context)
        is_wanted = is_same(bound.get("Ensure", "Present"), "Present")
        if rule is None:
            return not is_wanted
        return _fits(rule, bound, context) and is_wanted

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: errors of the cmdlets are written, not thrown."""
        bound = bind_lists("Set-TargetResource", _RULES, properties)
        rule = _find(bound["Name"], context)
        wanted = {name: value for name, value in bound.items() if name != "Ensure"}
        rules = context.machine.area(Rules)
        await context.sleep(context.machine.durations.other_s)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            if rule is not None:
                written(context, "Remove-NetFirewallRule", lambda: rules.remove(rule["Name"]))
        elif rule is None:
            written(context, "New-NetFirewallRule", lambda: rules.add(wanted))
        elif not _fits(rule, bound, context):
            _change(rule, wanted, rules, context)


def _change(
    rule: Mapping[str, Any], wanted: Mapping[str, Any], rules: Rules, context: ResourceContext
) -> None:
    """Change a rule; one that belongs to another group is made anew, without its old filters."""
    if "Group" in wanted and not is_same(wanted["Group"], rule["Group"]):
        written(context, "Remove-NetFirewallRule", lambda: rules.remove(rule["Name"]))
        kept = {name: rule[name] for name in _OF_RULE if rule[name] and name not in wanted}
        written(context, "New-NetFirewallRule", lambda: rules.add({**kept, **wanted}))
        return
    changes = {name: value for name, value in wanted.items() if name not in {"Name", "Group"}}
    if "DisplayName" in changes and is_same(changes["DisplayName"], rule["DisplayName"]):
        del changes["DisplayName"]
    written(context, "Set-NetFirewallRule", lambda: rules.change(rule["Name"], changes))


def _find(name: str, context: ResourceContext) -> dict[str, Any] | None:
    """Find the rule; errors of Get-NetFirewallRule count as none.

    Raises:
        ResourceError: there are several of the name.
    """
    if not works_silently(context, "Get-NetFirewallRule"):
        return None
    found = silenced(lambda: context.machine.area(Rules).find(name)) or []
    if len(found) > 1:
        raise invalid_operation(
            f"{len(found)} Firewall Rules with the Name '{name}' were found. Only one expected."
        )
    return found[0] if found else None


def _fits(rule: Mapping[str, Any], bound: Mapping[str, Any], context: ResourceContext) -> bool:
    """Compare what is bound and neither false nor empty; a filter that cannot be read has no values."""
    unread = {name for cmdlet, names in _FILTERS.items() if not works(context, cmdlet) for name in names}
    for name in _SHOWN:
        wanted = bound.get(name)
        if not wanted or wanted == [""]:
            continue
        actual = None if name in unread else rule[name]
        if isinstance(wanted, list):
            listed = [_with_mask(item) for item in wanted] if name in _ADDRESSES else wanted
            if not is_same_bag(actual or (), listed):
                return False
        elif actual is None or not is_same(actual, wanted):
            return False
    return True


def _with_mask(address: str) -> str:
    """Write a network of IPv4 as the firewall shows it: masked, and with its mask for its prefix length."""
    text, slash, mask = address.partition("/")
    if not slash or not mask or ":" in address or "-" in address:
        return address
    octets, masks = text.split("."), _octets(mask) if mask.isdecimal() else mask.split(".")
    if not len(octets) == len(masks) == _OCTETS or not all(item.isdecimal() for item in (*octets, *masks)):
        return address
    masked = [str(int(octet) & int(bits)) for octet, bits in zip(octets, masks, strict=True)]
    return f"{'.'.join(masked)}/{'.'.join(masks)}"


def _octets(prefix: str) -> list[str]:
    """Give the mask of a prefix length; nothing when it is too long."""
    length = int(prefix)
    if length > _BITS:
        return []
    bits = (2**_BITS - 1) << (_BITS - length)
    return [str((bits >> shift) % 2**8) for shift in (24, 16, 8, 0)]
