"""Rules of the firewall as commands show and choose them: the rule, and its filters as objects of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import instance, query, value_of
from provisioner.lab.commands.failure import record, texts
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.network.firewall import Firewall
from provisioner.lab.values import EnumValue, PsObject, TerminatingError

CLASS: Final = "MSFT_NetFirewallRule"
_ENUM: Final = "Microsoft.PowerShell.Cmdletization.GeneratedTypes.NetSecurity"
_NUMBERS: Final[Mapping[str, tuple[str, Mapping[str, int]]]] = {
    "Enabled": ("Enabled", {"True": 1, "False": 2}),
    "Action": ("Action", {"NotConfigured": 0, "Allow": 2, "Block": 4}),
    "Direction": ("Direction", {"Inbound": 1, "Outbound": 2}),
    "EdgeTraversalPolicy": (
        "EdgeTraversal",
        {"Block": 0, "Allow": 1, "DeferToUser": 2, "DeferToApp": 3},
    ),
}
_PROFILES: Final = {"Any": 0, "Domain": 1, "Private": 2, "Public": 4, "NotApplicable": 65535}
#: Properties of each filter by the end of its command's name.
FILTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "PortFilter": ("Protocol", "LocalPort", "RemotePort", "IcmpType", "DynamicTarget", "DynamicTransport"),
    "AddressFilter": ("LocalAddress", "RemoteAddress"),
    "ApplicationFilter": ("Program", "Package"),
    "ServiceFilter": ("Service",),
    "InterfaceFilter": ("InterfaceAlias",),
    "InterfaceTypeFilter": ("InterfaceType",),
    "SecurityFilter": (
        "Authentication",
        "Encryption",
        "OverrideBlockRules",
        "LocalUser",
        "RemoteUser",
        "RemoteMachine",
    ),
}
_CLASSES: Final = {
    "PortFilter": "MSFT_NetProtocolPortFilter",
    "AddressFilter": "MSFT_NetAddressFilter",
    "ApplicationFilter": "MSFT_NetApplicationFilter",
    "ServiceFilter": "MSFT_NetServiceFilter",
    "InterfaceFilter": "MSFT_NetInterfaceFilter",
    "InterfaceTypeFilter": "MSFT_NetInterfaceTypeFilter",
    "SecurityFilter": "MSFT_NetNetworkLayerSecurityFilter",
}


def all_rules(invocation: Invocation, cmdlet: str) -> list[dict[str, Any]]:
    """Give all rules.

    Raises:
        TerminatingError: the service of the firewall does not run.
    """
    try:
        return invocation.node.machine.area(Firewall).rules()
    except MachineError as error:
        raise TerminatingError(record(error, cmdlet, cmdlet, CLASS)) from None


def chosen(invocation: Invocation, cmdlet: str) -> list[dict[str, Any]]:
    """Give the rules that the parameters choose."""
    return query(
        invocation,
        cmdlet,
        CLASS,
        all_rules(invocation, cmdlet),
        {
            name: lambda rule, name=name: rule[name] or ""  # type: ignore[misc]
            for name in ("Name", "DisplayName", "DisplayGroup", "Group", "Enabled", "Direction", "Action")
        },
    )


async def meant(invocation: Invocation, cmdlet: str) -> list[dict[str, Any]]:
    """Give the rules that the parameters choose, or that come down the pipeline."""
    objects = invocation.parameters.get("InputObject")
    found = list(objects) if isinstance(objects, list | tuple) else [objects] if objects is not None else []
    if not found and not {"Name", "DisplayName", "DisplayGroup", "Group"} & invocation.parameters.keys():
        found = [item async for item in invocation.input]
    if not found:
        return chosen(invocation, cmdlet)
    wanted = {str(value_of(item, "Name")).casefold() for item in found}
    return [rule for rule in all_rules(invocation, cmdlet) if rule["Name"].casefold() in wanted]


def shown(rule: Mapping[str, Any]) -> PsObject:
    """Make the object of a rule, without its filters."""
    numbers = {
        name: EnumValue(f"{_ENUM}.{kind}", rule[name], values.get(rule[name], 0))
        for name, (kind, values) in _NUMBERS.items()
    }
    profiles = ", ".join(rule["Profile"])
    number = sum(_PROFILES.get(item, 0) for item in rule["Profile"])
    return instance(
        CLASS,
        {
            "Name": rule["Name"],
            "ID": rule["Name"],
            "InstanceID": rule["Name"],
            "DisplayName": rule["DisplayName"],
            "Group": rule["Group"],
            "Description": rule["Description"],
            "DisplayGroup": rule["DisplayGroup"],
            "LocalOnlyMapping": rule["LocalOnlyMapping"],
            "LooseSourceMapping": rule["LooseSourceMapping"],
            "Owner": rule["Owner"],
            "Platform": rule["Platform"],
            "PolicyStoreSource": "PersistentStore",
        },
        {
            **numbers,
            "Profile": EnumValue(f"{_ENUM}.Profile", profiles, number),
            "PrimaryStatus": EnumValue(f"{_ENUM}.PrimaryStatus", "OK", 1),
            "PolicyStoreSourceType": EnumValue(f"{_ENUM}.PolicyStoreType", rule["PolicyStoreSourceType"], 1),
        },
        key=rule["Name"],
    )


def shown_filter(rule: Mapping[str, Any], kind: str) -> PsObject:
    """Make the object of one filter of a rule; a list of one shows as its value."""
    values = {name: _single(rule[name]) for name in FILTERS[kind]}
    return instance(_CLASSES[kind], {**values, "InstanceID": rule["Name"]}, key=rule["Name"])


def _single(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def given(invocation: Invocation) -> dict[str, Any]:
    """Give the values of a rule that are among the parameters, in the forms the firewall keeps."""
    lists = {
        "Profile",
        "RemotePort",
        "LocalPort",
        "InterfaceAlias",
        "LocalAddress",
        "RemoteAddress",
        "IcmpType",
    }
    names = {
        *lists,
        *_NUMBERS,
        "Description",
        "Protocol",
        "Program",
        "Service",
        "Authentication",
        "Encryption",
    }
    names |= {"InterfaceType", "LocalUser", "RemoteUser", "RemoteMachine", "Package", "Platform", "Owner"}
    values: dict[str, Any] = {}
    for name in names & invocation.parameters.keys():
        value = invocation.parameters[name]
        if name in lists:
            values[name] = [part.strip() for item in texts(value) for part in _text(item).split(",")]
        else:
            values[name] = value if isinstance(value, list) else _spelled(name, _text(value))
    return values


def _text(value: Any) -> str:
    return value.text if isinstance(value, EnumValue) else str(value)


def _spelled(name: str, value: str) -> str:
    known = _NUMBERS[name][1] if name in _NUMBERS else {}
    return next((item for item in known if item.casefold() == value.casefold()), value)
