"""Commands of network adapters, addresses, the firewall and names, one line each."""

from __future__ import annotations

from typing import Final

from provisioner.lab.commands.base import CommandSpec, Parameter
from provisioner.lab.commands.parameters import ASK

_HERE: Final = "provisioner.lab.commands.network"
_ALIAS: Final = Parameter("InterfaceAlias", "array", aliases=("ifAlias",))
_INDEX: Final = Parameter("InterfaceIndex", "array", aliases=("ifIndex",))
_FAMILY: Final = Parameter("AddressFamily", "array")
_STORE: Final = Parameter("PolicyStore", "string")
_INPUT: Final = Parameter("InputObject", "array")
_PASS: Final = Parameter("PassThru", "switch")
_NAME: Final = Parameter("Name", "array", 0, aliases=("ifAlias", "InterfaceAlias"))
_DESCRIPTION: Final = Parameter("InterfaceDescription", "array", aliases=("ifDesc",))
_CHANGE: Final = (_INPUT, _PASS, *ASK)
_RULE_NAMES: Final = (
    Parameter("Name", "array", 0, aliases=("ID",)),
    Parameter("DisplayName", "array"),
    Parameter("DisplayGroup", "array"),
    Parameter("Group", "array"),
)
_RULE_VALUES: Final = tuple(
    Parameter(name)
    for name in (
        "Enabled",
        "Action",
        "Profile",
        "Direction",
        "RemotePort",
        "LocalPort",
        "Protocol",
        "Description",
        "Program",
        "Service",
        "Authentication",
        "Encryption",
        "InterfaceAlias",
        "InterfaceType",
        "LocalAddress",
        "LocalUser",
        "Package",
        "Platform",
        "RemoteAddress",
        "RemoteMachine",
        "RemoteUser",
        "EdgeTraversalPolicy",
        "IcmpType",
        "Owner",
        "PolicyStore",
    )
)
_PROFILE_VALUES: Final = tuple(
    Parameter(name)
    for name in (
        "Enabled",
        "DefaultInboundAction",
        "DefaultOutboundAction",
        "AllowInboundRules",
        "AllowLocalFirewallRules",
        "AllowLocalIPsecRules",
        "AllowUserApps",
        "AllowUserPorts",
        "AllowUnicastResponseToMulticast",
        "NotifyOnListen",
        "EnableStealthModeForIPsec",
        "LogFileName",
        "LogMaxSizeKilobytes",
        "LogAllowed",
        "LogBlocked",
        "LogIgnored",
        "DisabledInterfaceAliases",
    )
)


def _command(name: str, function: str, module: str, *parameters: Parameter) -> CommandSpec:
    return CommandSpec(name, f"{_HERE}.{function}", module, parameters)


def _filter(kind: str, function: str) -> CommandSpec:
    return _command(
        f"Get-NetFirewall{kind}",
        f"get_net_firewall_filter:{function}",
        "NetSecurity",
        Parameter("AssociatedNetFirewallRule", "any"),
        Parameter("All", "switch"),
        _STORE,
    )


_ADAPTERS: Final = (
    _command(
        "Get-NetAdapter",
        "get_net_adapter:run",
        "NetAdapter",
        _NAME,
        _DESCRIPTION,
        _INDEX,
        Parameter("IncludeHidden", "switch"),
        Parameter("Physical", "switch"),
    ),
    _command(
        "Rename-NetAdapter",
        "rename_net_adapter:run",
        "NetAdapter",
        _NAME,
        Parameter("NewName", "string", 1, mandatory=True),
        _DESCRIPTION,
        *_CHANGE,
    ),
    _command("Enable-NetAdapter", "enable_net_adapter:run", "NetAdapter", _NAME, _DESCRIPTION, *_CHANGE),
    _command("Disable-NetAdapter", "disable_net_adapter:run", "NetAdapter", _NAME, _DESCRIPTION, *_CHANGE),
    _command(
        "Get-NetAdapterBinding",
        "get_net_adapter_binding:run",
        "NetAdapter",
        _NAME,
        Parameter("ComponentID", "array"),
        Parameter("DisplayName", "array"),
    ),
    _command(
        "Enable-NetAdapterBinding",
        "set_net_adapter_binding:run_enable",
        "NetAdapter",
        _NAME,
        Parameter("ComponentID", "array"),
        _PASS,
        *ASK,
    ),
    _command(
        "Disable-NetAdapterBinding",
        "set_net_adapter_binding:run_disable",
        "NetAdapter",
        _NAME,
        Parameter("ComponentID", "array"),
        _PASS,
        *ASK,
    ),
    _command(
        "Get-NetAdapterAdvancedProperty",
        "get_net_adapter_advanced_property:run",
        "NetAdapter",
        _NAME,
        Parameter("DisplayName", "array"),
        Parameter("RegistryKeyword", "array"),
        Parameter("AllProperties", "switch"),
    ),
    _command(
        "Set-NetAdapterAdvancedProperty",
        "set_net_adapter_advanced_property:run",
        "NetAdapter",
        _NAME,
        Parameter("RegistryKeyword", "array", mandatory=True),
        Parameter("RegistryValue", "array", mandatory=True),
        Parameter("NoRestart", "switch"),
        _PASS,
        *ASK,
    ),
    _command("Get-NetLbfoTeam", "get_net_lbfo_team:run", "NetLbfo", Parameter("Name", "array", 0)),
)
_ADDRESSES: Final = (
    _command(
        "Get-NetIPAddress",
        "get_net_ip_address:run",
        "NetTCPIP",
        Parameter("IPAddress", "array", 0, aliases=("LocalAddress",)),
        _ALIAS,
        _INDEX,
        _FAMILY,
        Parameter("PrefixLength", "array"),
        Parameter("PrefixOrigin", "array"),
    ),
    _command(
        "New-NetIPAddress",
        "new_net_ip_address:run",
        "NetTCPIP",
        Parameter("IPAddress", "string", 0, mandatory=True, aliases=("LocalAddress",)),
        _ALIAS,
        _INDEX,
        Parameter("PrefixLength", "int"),
        Parameter("DefaultGateway", "string"),
        Parameter("AddressFamily", "string"),
        Parameter("SkipAsSource"),
        Parameter("Type", "string"),
        _STORE,
        *ASK,
    ),
    _command(
        "Remove-NetIPAddress",
        "remove_net_ip_address:run",
        "NetTCPIP",
        Parameter("IPAddress", "array", 0, aliases=("LocalAddress",)),
        _ALIAS,
        _INDEX,
        _FAMILY,
        Parameter("PrefixLength", "array"),
        *_CHANGE,
    ),
    _command(
        "Get-NetRoute",
        "get_net_route:run",
        "NetTCPIP",
        Parameter("DestinationPrefix", "array", 0),
        _ALIAS,
        _INDEX,
        _FAMILY,
        Parameter("NextHop", "array"),
        _STORE,
    ),
    _command(
        "New-NetRoute",
        "new_net_route:run",
        "NetTCPIP",
        Parameter("DestinationPrefix", "string", 0, mandatory=True),
        _ALIAS,
        _INDEX,
        Parameter("NextHop", "string"),
        Parameter("RouteMetric", "int"),
        Parameter("AddressFamily", "string"),
        _STORE,
        *ASK,
    ),
    _command(
        "Remove-NetRoute",
        "remove_net_route:run",
        "NetTCPIP",
        Parameter("DestinationPrefix", "array", 0),
        _ALIAS,
        _INDEX,
        _FAMILY,
        Parameter("NextHop", "array"),
        *_CHANGE,
    ),
    _command(
        "Get-NetIPConfiguration",
        "get_net_ip_configuration:run",
        "NetTCPIP",
        Parameter("InterfaceAlias", "array", 0, aliases=("ifAlias",)),
        _INDEX,
        Parameter("All", "switch"),
        Parameter("Detailed", "switch"),
    ),
    _command(
        "Get-NetIPInterface",
        "get_net_ip_interface:run",
        "NetTCPIP",
        Parameter("InterfaceAlias", "array", 0, aliases=("ifAlias",)),
        _INDEX,
        _FAMILY,
    ),
    _command(
        "Set-NetIPInterface",
        "set_net_ip_interface:run",
        "NetTCPIP",
        Parameter("InterfaceAlias", "array", 0, aliases=("ifAlias",)),
        _INDEX,
        _FAMILY,
        Parameter("Dhcp"),
        Parameter("Forwarding"),
        Parameter("AutomaticMetric"),
        Parameter("InterfaceMetric", "int"),
        Parameter("NlMtuBytes", "int", aliases=("NlMtu",)),
        *_CHANGE,
    ),
    _command(
        "Get-NetConnectionProfile",
        "get_net_connection_profile:run",
        "NetConnection",
        _ALIAS,
        _INDEX,
    ),
    _command(
        "Get-DnsClientServerAddress",
        "get_dns_client_server_address:run",
        "DnsClient",
        Parameter("InterfaceAlias", "array", 0, aliases=("ifAlias",)),
        _INDEX,
        _FAMILY,
    ),
    _command(
        "Set-DnsClientServerAddress",
        "set_dns_client_server_address:run",
        "DnsClient",
        Parameter("InterfaceAlias", "array", 0, aliases=("ifAlias",)),
        _INDEX,
        Parameter("ServerAddresses", "array", aliases=("Addresses",)),
        Parameter("ResetServerAddresses", "switch", aliases=("ResetAddresses",)),
        Parameter("Validate", "switch"),
        *_CHANGE,
    ),
)
_FIREWALL: Final = (
    _command(
        "Get-NetFirewallRule",
        "get_net_firewall_rule:run",
        "NetSecurity",
        *_RULE_NAMES,
        *(Parameter(name, "array") for name in ("Enabled", "Direction", "Action")),
        Parameter("All", "switch"),
        _STORE,
    ),
    _command(
        "New-NetFirewallRule",
        "new_net_firewall_rule:run",
        "NetSecurity",
        Parameter("Name", "string", aliases=("ID",)),
        Parameter("DisplayName", "string", mandatory=True),
        Parameter("Group", "string"),
        *_RULE_VALUES,
        *ASK,
    ),
    _command(
        "Set-NetFirewallRule",
        "set_net_firewall_rule:run",
        "NetSecurity",
        *_RULE_NAMES,
        Parameter("NewDisplayName", "string"),
        *_RULE_VALUES,
        *_CHANGE,
    ),
    _command(
        "Enable-NetFirewallRule", "set_net_firewall_rule:run_enable", "NetSecurity", *_RULE_NAMES, *_CHANGE
    ),
    _command(
        "Disable-NetFirewallRule", "set_net_firewall_rule:run_disable", "NetSecurity", *_RULE_NAMES, *_CHANGE
    ),
    _command("Remove-NetFirewallRule", "remove_net_firewall_rule:run", "NetSecurity", *_RULE_NAMES, *_CHANGE),
    _filter("PortFilter", "run_port"),
    _filter("AddressFilter", "run_address"),
    _filter("ApplicationFilter", "run_application"),
    _filter("ServiceFilter", "run_service"),
    _filter("InterfaceFilter", "run_interface"),
    _filter("InterfaceTypeFilter", "run_interface_type"),
    _filter("SecurityFilter", "run_security"),
    _command(
        "Get-NetFirewallProfile",
        "get_net_firewall_profile:run",
        "NetSecurity",
        Parameter("Name", "array", 0, aliases=("Profile",)),
        Parameter("All", "switch"),
        _STORE,
    ),
    _command(
        "Set-NetFirewallProfile",
        "set_net_firewall_profile:run",
        "NetSecurity",
        Parameter("Name", "array", 0, aliases=("Profile",)),
        Parameter("All", "switch"),
        *_PROFILE_VALUES,
        _PASS,
        *ASK,
    ),
)
_REACHING: Final = (
    CommandSpec(
        "Resolve-DnsName",
        f"{_HERE}.resolve_dns_name:run",
        "DnsClient",
        (
            Parameter("Name", "string", 0, mandatory=True),
            Parameter("Type", "any", 1),
            Parameter("Server", "array"),
            Parameter("DnsOnly", "switch"),
        ),
        type_name="Microsoft.DnsClient.Commands.ResolveDnsName",
    ),
    CommandSpec(
        "Test-Connection",
        f"{_HERE}.test_connection:run",
        "Microsoft.PowerShell.Management",
        (
            Parameter("ComputerName", "array", 0, mandatory=True, aliases=("CN", "IPAddress", "Destination")),
            Parameter("Count", "int"),
            Parameter("BufferSize", "int"),
            Parameter("Delay", "int"),
            Parameter("Quiet", "switch"),
        ),
        type_name="Microsoft.PowerShell.Commands.TestConnectionCommand",
    ),
    _command(
        "Test-NetConnection",
        "test_net_connection:run",
        "NetTCPIP",
        Parameter("ComputerName", "string", 0, aliases=("RemoteAddress", "cn")),
        Parameter("CommonTCPPort", "string", 1),
        Parameter("Port", "int", aliases=("RemotePort",)),
        Parameter("InformationLevel", "string"),
    ),
)

#: A program, whose arguments have no names.
_PROGRAMS: Final = (
    CommandSpec(
        "ovs-vsctl.exe",
        f"{_HERE}.ovs_vsctl:run",
        "",
        tuple(Parameter(name, "string", number) for number, name in enumerate(("One", "Two", "Three"))),
    ),
)

COMMANDS: Final = (*_ADAPTERS, *_ADDRESSES, *_FIREWALL, *_REACHING, *_PROGRAMS)
