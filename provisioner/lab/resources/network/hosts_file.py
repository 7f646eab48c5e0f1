"""HostsFile of NetworkingDsc 9 (class DSC_HostsFile)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, invalid_argument, is_same

HOSTS: Final = r"C:\Windows\System32\drivers\etc\hosts"
_END = "\r\n"
_RULES = (
    Rule("HostName", is_mandatory=True),
    Rule("IPAddress"),
    Rule("Ensure", allowed=("Present", "Absent")),
)


class HostsFile:
    """Stateless; Test reads the first line of a name, Set works on every line that holds its text."""

    class_name = "DSC_HostsFile"
    module = "NetworkingDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES, properties)
        address = _address(bound["HostName"], context)
        return {
            "HostName": bound["HostName"],
            "IPAddress": address,
            "Ensure": "Absent" if address is None else "Present",
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        wanted = _wanted(bound)
        address = _address(bound["HostName"], context)
        return address is None if wanted is None else is_same(address, wanted)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: the whole file is written again."""
        bound = bind("Set-TargetResource", _RULES, properties)
        host, wanted = bound["HostName"], _wanted(bound)
        lines = _lines(context)
        touched = [line for line in lines if host.casefold() in line.casefold()]
        if not touched and wanted is not None:
            lines.append(f"{wanted}\t{host}")
        elif len(touched) == 1:
            new = _changed(touched[0], host, wanted)
            lines = [new if line == touched[0] else line for line in lines]
        elif touched and wanted is not None and any(_names(line)[1:] != [host] for line in touched):
            # Several lines make one text that no line equals: nothing is replaced, the new line comes anyway.
            lines.append(f"{wanted}\t{host}")
        await context.sleep(context.machine.durations.other_s)
        text = _END.join(lines) + _END
        # Every Windows has the folder and the file; a machine of the lab gets them when they are first needed.
        context.machine.files.seed(HOSTS, text.encode("cp1252", "replace"))


def _wanted(bound: Mapping[str, Any]) -> str | None:
    """Give the address that should stand there; None when none should."""
    if is_same(bound.get("Ensure", "Present"), "Absent"):
        return None
    if not bound.get("IPAddress"):
        raise invalid_argument(
            "The IPAddress parameter must be given if Ensure is set to Present.", "IPAddress"
        )
    return str(bound["IPAddress"])


def _lines(context: ResourceContext) -> list[str]:
    files = context.machine.files
    data = files.read(HOSTS) if files.is_file(HOSTS) else b""
    return data.decode("cp1252").splitlines()


def _names(line: str) -> list[str]:
    """Give the fields of a line: an address and names, up to a comment."""
    fields: list[str] = []
    for item in line.split():
        if item.startswith("#"):
            break
        fields.append(item)
    return fields


def _address(host: str, context: ResourceContext) -> str | None:
    for line in _lines(context):
        fields = _names(line)
        if any(is_same(name, host) for name in fields[1:]):
            return fields[0]
    return None


def _changed(line: str, host: str, wanted: str | None) -> str:
    """Give the line with the name at another address, or without it; its own line is emptied."""
    fields = _names(line)
    if len(fields) == 2:  # noqa: PLR2004 - an address and one name
        return "" if wanted is None else f"{wanted}\t{host}"
    rest = re.sub(host, "", line, flags=re.IGNORECASE).rstrip()
    return rest if wanted is None else f"{rest}{_END}{wanted}\t{host}"
