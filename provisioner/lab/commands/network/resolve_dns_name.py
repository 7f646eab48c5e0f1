"""Resolve-DnsName: names of the lab's nodes, of its domains, and of the hosts file."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.network.reaching import address_of
from provisioner.lab.values import EnumValue, ErrorRecord, PsObject, UInt32

_ENUM = "Microsoft.DnsClient.Commands"


async def run(invocation: Invocation) -> None:
    """Write an A record, or the error of a name nobody has."""
    name = str(invocation.parameters["Name"])
    address = address_of(invocation.node.machine, name)
    if address is None:
        invocation.output.error(
            ErrorRecord(
                f"{name} : DNS name does not exist",
                "DNS_ERROR_RCODE_NAME_ERROR,Microsoft.DnsClient.Commands.ResolveDnsName",
                "ResourceUnavailable",
                "System.ComponentModel.Win32Exception",
                "Resolve-DnsName",
                name,
            )
        )
        return
    invocation.output.write(
        PsObject(
            (f"{_ENUM}.DnsRecord_A", f"{_ENUM}.DnsRecord", "System.Object"),
            {
                "Address": address,
                "IPAddress": address,
                "IP4Address": address,
                "Name": name,
                "Type": EnumValue(f"{_ENUM}.RecordType", "A", 1),
                "Section": EnumValue(f"{_ENUM}.RecordSection", "Answer", 1),
                "TTL": UInt32(1200),
            },
        )
    )
