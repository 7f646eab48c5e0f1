"""Get-Date: the time of the node, by its own clock."""

from __future__ import annotations

import re
from datetime import datetime

from provisioner.lab.commands.base import Invocation
from provisioner.lab.values import ErrorRecord, TerminatingError

TYPE = "Microsoft.PowerShell.Commands.GetDateCommand"
#: Letters of the formats of .NET that the lab knows.
_FORMATS = {
    "yyyy": "%Y",
    "yy": "%y",
    "MM": "%m",
    "dd": "%d",
    "HH": "%H",
    "mm": "%M",
    "ss": "%S",
    "s": "%Y-%m-%dT%H:%M:%S",
}
_PART = re.compile(r"(y+|M+|d+|H+|m+|s+|f+)|'([^']*)'|(.)", re.DOTALL)
_DIGITS_OF_SECOND = 6


async def run(invocation: Invocation) -> None:
    """Write the time; with -Format or -UFormat as text."""
    now = invocation.node.clock.now()
    pattern = invocation.parameters.get("Format")
    unix = invocation.parameters.get("UFormat")
    if unix is not None:
        invocation.output.write(now.strftime(str(unix).lstrip("+")))
    elif pattern is None:
        invocation.output.write(now)
    elif pattern in {"o", "O"}:
        invocation.output.write(now.isoformat(timespec="microseconds"))
    elif pattern == "s":
        invocation.output.write(now.strftime(_FORMATS["s"]))
    else:
        invocation.output.write("".join(_shown(found, now) for found in _PART.finditer(str(pattern))))


def _shown(found: re.Match[str], now: datetime) -> str:
    letters, quoted, other = found.groups()
    if letters and letters in _FORMATS and letters != "s":
        return now.strftime(_FORMATS[letters])
    if letters and letters.startswith("f") and len(letters) <= _DIGITS_OF_SECOND:
        return now.strftime("%f")[: len(letters)]
    if letters or (other or "").isalpha():
        raise TerminatingError(
            ErrorRecord(
                f"Input string was not in a correct format. (The lab does not know '{letters or other}'.)",
                f"System.FormatException,{TYPE}",
                "InvalidOperation",
                "System.FormatException",
                "Get-Date",
            )
        )
    return quoted or other or ""
