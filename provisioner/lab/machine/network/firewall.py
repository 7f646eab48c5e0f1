"""Windows Firewall: rules with their filters in one record, and the three profiles.

A rule is kept as what differs from a rule made with nothing but a name, so a fresh machine shares its rules with
all others. Roles bring rules of their own.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area, MachineError

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

Values = Mapping[str, Any]

#: What New-NetFirewallRule gives a rule unless it is told otherwise. A single value stands for a list of one.
DEFAULTS: Final[Values] = {
    "Group": None,
    "DisplayGroup": None,
    "Enabled": "True",
    "Action": "Allow",
    "Profile": ["Any"],
    "Direction": "Inbound",
    "Description": None,
    "RemotePort": ["Any"],
    "LocalPort": ["Any"],
    "Protocol": "Any",
    "Program": "Any",
    "Service": "Any",
    "Authentication": "NotRequired",
    "Encryption": "NotRequired",
    "InterfaceAlias": ["Any"],
    "InterfaceType": "Any",
    "LocalAddress": ["Any"],
    "LocalUser": "Any",
    "Package": None,
    "Platform": [],
    "RemoteAddress": ["Any"],
    "RemoteMachine": "Any",
    "RemoteUser": "Any",
    "DynamicTarget": "Any",
    "DynamicTransport": "Any",
    "EdgeTraversalPolicy": "Block",
    "IcmpType": ["Any"],
    "LocalOnlyMapping": False,
    "LooseSourceMapping": False,
    "OverrideBlockRules": False,
    "Owner": None,
    "PolicyStoreSourceType": "Local",
}
_CIM: Final = "Microsoft.Management.Infrastructure.CimException"
_LARGEST_LOG_KB: Final = 32767
_WITH_PORTS: Final = frozenset({"tcp", "udp", "6", "17"})
_WITH_ICMP: Final = frozenset({"icmpv4", "icmpv6", "1", "58"})
_LAST_PORT: Final = 65535
_NOTHING: Final = object()
_PROFILE_NAMES: Final = frozenset({"any", "domain", "private", "public", "notapplicable"})
_PROFILES: Final = ("Domain", "Private", "Public")
_FRESH_PROFILE: Final[Values] = {
    "Enabled": "True",
    "DefaultInboundAction": "NotConfigured",
    "DefaultOutboundAction": "NotConfigured",
    "AllowInboundRules": "NotConfigured",
    "AllowLocalFirewallRules": "NotConfigured",
    "AllowLocalIPsecRules": "NotConfigured",
    "AllowUserApps": "NotConfigured",
    "AllowUserPorts": "NotConfigured",
    "AllowUnicastResponseToMulticast": "NotConfigured",
    "NotifyOnListen": "False",
    "EnableStealthModeForIPsec": "NotConfigured",
    "LogFileName": "%systemroot%\\system32\\LogFiles\\Firewall\\pfirewall.log",
    "LogMaxSizeKilobytes": 4096,
    "LogAllowed": "False",
    "LogBlocked": "False",
    "LogIgnored": "NotConfigured",
    "DisabledInterfaceAliases": ["NotConfigured"],
}
_SVCHOST: Final = "%SystemRoot%\\system32\\svchost.exe"
_TRUSTED: Final = ["Domain", "Private"]


def _rule(name: str, display: str, group: str, port: str = "", **more: Any) -> Values:
    """Make a rule of Windows itself: for a TCP port, and switched off, unless it says something else."""
    given: dict[str, Any] = {
        "Name": name,
        "DisplayName": display,
        "DisplayGroup": group,
        "Group": group,
        "Enabled": "False",
    }
    if port:
        given |= {"Protocol": "TCP", "LocalPort": [port]}
    return {**given, **more}


_REMOTING, _SHARING = "Windows Remote Management", "File and Printer Sharing"
_DESKTOP, _WMI = "Remote Desktop", "Windows Management Instrumentation (WMI)"
_FRESH: Final = (
    _rule(
        "WINRM-HTTP-In-TCP",
        "Windows Remote Management (HTTP-In)",
        _REMOTING,
        "5985",
        Enabled="True",
        Profile=_TRUSTED,
        Program="System",
    ),
    _rule(
        "WINRM-HTTP-In-TCP-PUBLIC",
        "Windows Remote Management (HTTP-In)",
        _REMOTING,
        "5985",
        Enabled="True",
        Profile=["Public"],
        Program="System",
        RemoteAddress=["LocalSubnet"],
    ),
    _rule(
        "RemoteDesktop-UserMode-In-TCP",
        "Remote Desktop - User Mode (TCP-In)",
        _DESKTOP,
        "3389",
        Program=_SVCHOST,
        Service="termservice",
    ),
    _rule(
        "RemoteDesktop-UserMode-In-UDP",
        "Remote Desktop - User Mode (UDP-In)",
        _DESKTOP,
        "3389",
        Protocol="UDP",
        Program=_SVCHOST,
        Service="termservice",
    ),
    _rule("RemoteDesktop-Shadow-In-TCP", "Remote Desktop - Shadow (TCP-In)", _DESKTOP, Protocol="TCP"),
    _rule("FPS-SMB-In-TCP", "File and Printer Sharing (SMB-In)", _SHARING, "445", Program="System"),
    _rule("FPS-NB_Session-In-TCP", "File and Printer Sharing (NB-Session-In)", _SHARING, "139"),
    _rule(
        "FPS-ICMP4-ERQ-In",
        "File and Printer Sharing (Echo Request - ICMPv4-In)",
        _SHARING,
        Protocol="ICMPv4",
        IcmpType=["8"],
    ),
    _rule(
        "FPS-ICMP6-ERQ-In",
        "File and Printer Sharing (Echo Request - ICMPv6-In)",
        _SHARING,
        Protocol="ICMPv6",
        IcmpType=["128"],
    ),
    _rule("MsiScsi-In-TCP", "iSCSI Service (TCP-In)", "iSCSI Service", Protocol="TCP", Service="Msiscsi"),
    _rule("WMI-RPCSS-In-TCP", f"{_WMI} (DCOM-In)", _WMI, "135", Program=_SVCHOST, Service="rpcss"),
    _rule(
        "WMI-WINMGMT-In-TCP", f"{_WMI} (WMI-In)", _WMI, Protocol="TCP", Program=_SVCHOST, Service="winmgmt"
    ),
    _rule("WMI-WINMGMT-Out-TCP", f"{_WMI} (WMI-Out)", _WMI, Protocol="TCP", Direction="Outbound"),
    _rule(
        "CoreNet-DHCP-In",
        "Core Networking - Dynamic Host Configuration Protocol (DHCP-In)",
        "Core Networking",
        "68",
        Protocol="UDP",
        Enabled="True",
        Program=_SVCHOST,
        Service="dhcp",
    ),
    _rule(
        "CoreNet-DNS-Out-UDP",
        "Core Networking - DNS (UDP-Out)",
        "Core Networking",
        Protocol="UDP",
        RemotePort=["53"],
        Direction="Outbound",
        Enabled="True",
        Program=_SVCHOST,
        Service="dnscache",
    ),
)
#: Rules that a role or feature brings, switched on.
_OF_FEATURES: Final[Mapping[str, tuple[Values, ...]]] = {
    "Hyper-V": (
        _rule("VIRT-MIGL-In-TCP-NoScope", "Hyper-V (MIG-TCP-In)", "Hyper-V", "6600", Enabled="True"),
        _rule(
            "VIRT-REMOTEDESKTOP-In-TCP-NoScope",
            "Hyper-V (REMOTE_DESKTOP_TCP_IN)",
            "Hyper-V",
            "2179",
            Enabled="True",
        ),
        _rule("VIRT-WMI-RPCSS-In-TCP-NoScope", "Hyper-V - WMI (DCOM-In)", "Hyper-V", "135", Enabled="True"),
        _rule(
            "VIRT-WMI-WINMGMT-In-TCP-NoScope",
            "Hyper-V - WMI (TCP-In)",
            "Hyper-V",
            Protocol="TCP",
            Enabled="True",
        ),
        _rule(
            "VIRT-WMI-ASYNC-In-TCP-NoScope",
            "Hyper-V - WMI (Async-In)",
            "Hyper-V",
            Protocol="TCP",
            Enabled="True",
        ),
        _rule("VIRT-VMMS-RPC-EPMAP-In-NoScope", "Hyper-V (RPC-EPMAP)", "Hyper-V", "RPCEPMap", Enabled="True"),
        _rule("VIRT-VMMS-RPC-In-NoScope", "Hyper-V (RPC)", "Hyper-V", "RPC", Enabled="True"),
        _rule(
            "VIRT-HVRHTTPL-In-TCP-NoScope",
            "Hyper-V Replica HTTP Listener (TCP-In)",
            "Hyper-V Replica HTTP",
            "80",
        ),
        _rule(
            "VIRT-HVRHTTPSL-In-TCP-NoScope",
            "Hyper-V Replica HTTPS Listener (TCP-In)",
            "Hyper-V Replica HTTPS",
            "443",
        ),
    ),
    "FS-iSCSITarget-Server": (
        _rule("iSCSITarget-In-TCP", "iSCSI Target (TCP-In)", "iSCSI Target Group", "3260", Enabled="True"),
    ),
    "Failover-Clustering": (
        _rule(
            "FailoverCluster-UDP-In",
            "Failover Clusters (UDP-In)",
            "Failover Clusters",
            "3343",
            Protocol="UDP",
            Enabled="True",
        ),
        _rule(
            "FailoverCluster-TCP-In",
            "Failover Clusters (TCP-In)",
            "Failover Clusters",
            "3343",
            Enabled="True",
        ),
    ),
}


class Firewall(Area["Machine"]):
    """Rules in the order Windows lists them, and profiles by name."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        #: Rules that are not as Windows made them, by what they replace; a rule of ours replaces nothing.
        self._own: list[Values] = []
        self._gone: set[str] = set()
        self._profiles: dict[str, dict[str, Any]] = {}

    # -- rules ----------------------------------------------------------------------------------------------

    def rules(self) -> list[dict[str, Any]]:
        """Give all rules with all their values.

        Raises:
            MachineError: the firewall's service does not run.
        """
        self._check_service()
        return [{**DEFAULTS, **item} for item in self._kept()]

    def find(self, name: str) -> list[dict[str, Any]]:
        """Give the rules of a name (several when a policy has one of the same name)."""
        return [item for item in self.rules() if item["Name"].casefold() == name.casefold()]

    def add(self, values: Values) -> None:
        """Make a rule.

        Raises:
            MachineError: a rule of that name exists, or the values do not go together.
        """
        self.owner.ledger.attempt("New-NetFirewallRule")
        self._check_service()
        name = values["Name"]
        if any(item["Name"].casefold() == name.casefold() for item in self._kept()):
            raise MachineError(
                "Cannot create a file when that file already exists.",
                "Windows System Error 183",
                "ResourceExists",
                _CIM,
            )
        made = _checked({"DisplayName": name, **values})
        self._own.append(made)
        self.owner.ledger.changed("firewall", f"rule {name} made")

    def change(self, name: str, values: Values) -> None:
        """Change values of every rule of a name."""
        self.owner.ledger.attempt("Set-NetFirewallRule")
        self._check_service()
        kept = self._kept()
        for index, item in enumerate(kept):
            if item["Name"].casefold() == name.casefold():
                kept[index] = _checked({**item, **values})
        self._keep(kept)
        self.owner.ledger.changed("firewall", f"rule {name} set")

    def remove(self, name: str) -> None:
        """Remove the rules of a name."""
        self.owner.ledger.attempt("Remove-NetFirewallRule")
        self._check_service()
        self._keep([item for item in self._kept() if item["Name"].casefold() != name.casefold()])
        self.owner.ledger.changed("firewall", f"rule {name} removed")

    def adopt(self, rules: Iterable[Values]) -> None:
        """Take these rules for all there are; names may repeat."""
        self._keep(list(rules))

    def _kept(self) -> list[Values]:
        fresh = [item for item in self._fresh() if item["Name"] not in self._gone]
        return [*fresh, *self._own]

    def _fresh(self) -> Iterable[Values]:
        yield from _FRESH
        for feature, rules in _OF_FEATURES.items():
            if self.owner.features.is_installed(feature):
                yield from rules

    def _keep(self, rules: list[Values]) -> None:
        fresh = list(self._fresh())
        self._own = [item for item in rules if item not in fresh]
        self._gone |= {item["Name"] for item in fresh if item not in rules}

    def _check_service(self) -> None:
        service = self.owner.services.find("mpssvc")
        if service and service.status != "Running":
            raise MachineError(
                "There are no more endpoints available from the endpoint mapper.",
                "Windows System Error 1753",
                "NotSpecified",
                _CIM,
            )

    # -- profiles -------------------------------------------------------------------------------------------

    def profiles(self) -> dict[str, dict[str, Any]]:
        """Give the settings of all profiles by name."""
        self._check_service()
        return {name: {**_FRESH_PROFILE, **self._profiles.get(name, {})} for name in _PROFILES}

    def change_profile(self, name: str, values: Values) -> None:
        """Change settings of a profile.

        Raises:
            MachineError: there is no such profile, or a value is out of range.
        """
        self.owner.ledger.attempt("Set-NetFirewallProfile")
        self._check_service()
        known = next((item for item in _PROFILES if item.casefold() == name.casefold()), None)
        if known is None:
            raise MachineError(
                f"No MSFT_NetFirewallProfile objects found with property 'Name' equal to '{name}'.  Verify the "
                "value of the property and retry.",
                "CmdletizationQuery_NotFound_Name",
                "ObjectNotFound",
                "Microsoft.PowerShell.Cmdletization.Cim.CimJobException",
            )
        size = values.get("LogMaxSizeKilobytes")
        if size is not None and not 1 <= int(size) <= _LARGEST_LOG_KB:
            raise _wrong("The log file size is invalid.")
        self._profiles.setdefault(known, {}).update(values)
        self.owner.ledger.changed("firewall", f"profile {known} set")

    def to_plain(self) -> dict[str, Any]:
        """Give what is not as Windows made it."""
        return {
            "rules": [dict(item) for item in self._own],
            "removed": sorted(self._gone),
            "profiles": self._profiles,
        }

    def load(self, plain: dict[str, Any]) -> None:
        """Take over what ``to_plain`` gave; parts may be left out."""
        self._own = [dict(item) for item in plain.get("rules", ())]
        self._gone = set(plain.get("removed", ()))
        self._profiles = {name: dict(item) for name, item in plain.get("profiles", {}).items()}


def _wrong(text: str) -> MachineError:
    return MachineError(text, "Windows System Error 87", "InvalidArgument", _CIM)


def _checked(values: Values) -> dict[str, Any]:
    """Give a rule as the firewall keeps it: addresses with masks, nothing that equals a default."""
    rule = {
        name: value for name, value in values.items() if name in {"Name", "DisplayName"} or value is not None
    }
    protocol = str(rule.get("Protocol", "Any")).casefold()
    for name in ("LocalPort", "RemotePort"):
        ports = _listed(rule.get(name, DEFAULTS[name]))
        if ports != ["Any"] and protocol not in _WITH_PORTS:
            raise _wrong("The port is only valid for the protocols TCP and UDP.")
        if not all(_is_port(port) for port in ports):
            raise _wrong("The port is invalid.")
    if _listed(rule.get("IcmpType", "Any")) != ["Any"] and protocol not in _WITH_ICMP:
        raise _wrong("The ICMP type is only valid for the protocols ICMPv4 and ICMPv6.")
    if not {item.casefold() for item in _listed(rule.get("Profile", "Any"))} <= _PROFILE_NAMES:
        raise _wrong("The profile is invalid.")
    for name in ("LocalAddress", "RemoteAddress"):
        if name in rule:
            rule[name] = [_with_mask(item) for item in _listed(rule[name])]
    listed = {
        name: _listed(value) if isinstance(DEFAULTS.get(name), list) else value
        for name, value in rule.items()
    }
    return {name: value for name, value in listed.items() if DEFAULTS.get(name, _NOTHING) != value}


def _listed(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list | tuple) else [str(value)]


def _is_port(text: str) -> bool:
    first, _, last = text.partition("-")
    numbers = [first, last or first]
    if all(item.isdecimal() for item in numbers):
        return int(numbers[0]) <= int(numbers[1]) <= _LAST_PORT
    return not any(item.isdecimal() for item in numbers)


def _with_mask(address: str) -> str:
    try:
        network = ipaddress.ip_network(address, strict=False)
    except ValueError:
        return address
    return network.with_netmask if "/" in address and network.version == 4 else address  # noqa: PLR2004
