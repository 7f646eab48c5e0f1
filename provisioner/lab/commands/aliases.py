"""Other names of commands that Windows PowerShell brings (``Get-Alias``), as far as the lab has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ALIASES: Final[Mapping[str, str]] = {
    "cat": "Get-Content",
    "dir": "Get-ChildItem",
    "del": "Remove-Item",
    "echo": "Write-Output",
    "erase": "Remove-Item",
    "gc": "Get-Content",
    "gcim": "Get-CimInstance",
    "gci": "Get-ChildItem",
    "gcm": "Get-Command",
    "gi": "Get-Item",
    "gp": "Get-ItemProperty",
    "gsv": "Get-Service",
    "icim": "Invoke-CimMethod",
    "iex": "Invoke-Expression",
    "ls": "Get-ChildItem",
    "rd": "Remove-Item",
    "ri": "Remove-Item",
    "rm": "Remove-Item",
    "rmdir": "Remove-Item",
    "sasv": "Start-Service",
    "select": "Select-Object",
    "sleep": "Start-Sleep",
    "spsv": "Stop-Service",
    "type": "Get-Content",
    "write": "Write-Output",
}
