"""Commands of items: files, registry keys, certificates; one line each."""

from __future__ import annotations

from provisioner.lab.commands.base import CommandSpec, Parameter
from provisioner.lab.commands.parameters import ASK, CMDLETS, FILTERS, MANAGEMENT, PATH

_HERE = "provisioner.lab.commands.items"

COMMANDS = (
    CommandSpec(
        "Get-Item",
        f"{_HERE}.get_item:run",
        MANAGEMENT,
        (*PATH, *FILTERS),
        type_name=f"{CMDLETS}.GetItemCommand",
    ),
    CommandSpec(
        "Get-ChildItem",
        f"{_HERE}.get_child_item:run",
        MANAGEMENT,
        (
            *PATH,
            Parameter("Filter", "string", 1),
            *FILTERS[1:],
            Parameter("Recurse", "switch", aliases=("s",)),
            Parameter("Name", "switch"),
            Parameter("File", "switch", aliases=("af",)),
            Parameter("Directory", "switch", aliases=("ad", "d")),
            # Of the certificate provider: real ones have it only where the path leads there.
            Parameter("DocumentEncryptionCert", "switch"),
        ),
        type_name=f"{CMDLETS}.GetChildItemCommand",
    ),
    CommandSpec(
        "Test-Path",
        f"{_HERE}.path_exists:run",
        MANAGEMENT,
        (
            *PATH,
            *FILTERS[:3],
            Parameter("PathType", "any", aliases=("Type",)),
            Parameter("IsValid", "switch"),
        ),
        type_name=f"{CMDLETS}.TestPathCommand",
    ),
    CommandSpec(
        "Get-Content",
        f"{_HERE}.get_content:run",
        MANAGEMENT,
        (
            *PATH,
            *FILTERS,
            Parameter("Raw", "switch"),
            Parameter("Encoding", "any"),
            Parameter("TotalCount", "int", aliases=("First", "Head")),
            Parameter("ReadCount", "int"),
        ),
        type_name=f"{CMDLETS}.GetContentCommand",
    ),
    CommandSpec(
        "Get-FileHash",
        f"{_HERE}.get_file_hash:run",
        "Microsoft.PowerShell.Utility",
        (*PATH, Parameter("Algorithm", "string")),
    ),
    CommandSpec(
        "Get-ItemProperty",
        f"{_HERE}.get_item_property:run",
        MANAGEMENT,
        (*PATH, Parameter("Name", "array", 1, aliases=("PSProperty",)), *FILTERS[:3]),
        type_name=f"{CMDLETS}.GetItemPropertyCommand",
    ),
    CommandSpec(
        "Get-Acl",
        f"{_HERE}.get_acl:run",
        "Microsoft.PowerShell.Security",
        (*PATH, *FILTERS[:3], Parameter("Audit", "switch")),
        type_name=f"{CMDLETS}.GetAclCommand",
    ),
    CommandSpec(
        "Remove-Item",
        f"{_HERE}.remove_item:run",
        MANAGEMENT,
        (*PATH, *FILTERS, Parameter("Recurse", "switch"), *ASK),
        type_name=f"{CMDLETS}.RemoveItemCommand",
    ),
)
