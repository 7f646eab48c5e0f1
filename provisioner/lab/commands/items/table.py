"""Commands of items: files, registry keys, certificates; one line each."""

from __future__ import annotations

from provisioner.lab.commands.base import CommandSpec, Parameter
from provisioner.lab.commands.parameters import ASK, CMDLETS, FILTERS, FORCE, MANAGEMENT, PATH

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
        "Get-AuthenticodeSignature",
        f"{_HERE}.get_authenticode_signature:run",
        "Microsoft.PowerShell.Security",
        (
            Parameter("FilePath", "array", 0, aliases=("Path",)),
            Parameter("LiteralPath", "array", aliases=("PSPath",)),
        ),
        type_name=f"{CMDLETS}.GetAuthenticodeSignatureCommand",
    ),
    CommandSpec(
        "Get-Acl",
        f"{_HERE}.get_acl:run",
        "Microsoft.PowerShell.Security",
        (*PATH, *FILTERS[:3], Parameter("Audit", "switch")),
        type_name=f"{CMDLETS}.GetAclCommand",
    ),
    CommandSpec(
        "New-Item",
        f"{_HERE}.new_item:run",
        MANAGEMENT,
        (
            Parameter("Path", "array", 0),
            Parameter("Name", "string"),
            Parameter("ItemType", "string", aliases=("Type",)),
            Parameter("Value", "any", aliases=("Target",)),
            FORCE,
            *ASK,
        ),
        type_name=f"{CMDLETS}.NewItemCommand",
    ),
    *(
        CommandSpec(
            name,
            f"{_HERE}.write_content:{function}",
            MANAGEMENT,
            (
                *PATH,
                Parameter("Value", "any", 1),
                *FILTERS,
                Parameter("Encoding", "any"),
                Parameter("NoNewline", "switch"),
                Parameter("PassThru", "switch"),
                *ASK,
            ),
            type_name=f"{CMDLETS}.{name.replace('-', '')}Command",
        )
        for name, function in (("Set-Content", "set_content"), ("Add-Content", "add_content"))
    ),
    CommandSpec(
        "Out-File",
        f"{_HERE}.write_content:out_file",
        "Microsoft.PowerShell.Utility",
        (
            Parameter("FilePath", "string", 0),
            Parameter("Encoding", "any", 1),
            Parameter("LiteralPath", "string", aliases=("PSPath",)),
            Parameter("Append", "switch"),
            FORCE,
            Parameter("NoClobber", "switch", aliases=("NoOverwrite",)),
            Parameter("Width", "int"),
            Parameter("NoNewline", "switch"),
            Parameter("InputObject", "any"),
            *ASK,
        ),
        type_name=f"{CMDLETS}.OutFileCommand",
    ),
    CommandSpec(
        "Copy-Item",
        f"{_HERE}.relocate_items:copy",
        MANAGEMENT,
        (
            *PATH,
            Parameter("Destination", "string", 1),
            *FILTERS,
            Parameter("Recurse", "switch"),
            Parameter("Container", "switch"),
            Parameter("PassThru", "switch"),
            *ASK,
        ),
        type_name=f"{CMDLETS}.CopyItemCommand",
    ),
    CommandSpec(
        "Move-Item",
        f"{_HERE}.relocate_items:move",
        MANAGEMENT,
        (*PATH, Parameter("Destination", "string", 1), *FILTERS, Parameter("PassThru", "switch"), *ASK),
        type_name=f"{CMDLETS}.MoveItemCommand",
    ),
    CommandSpec(
        "Rename-Item",
        f"{_HERE}.relocate_items:rename",
        MANAGEMENT,
        (
            *PATH,
            Parameter("NewName", "string", 1, mandatory=True),
            FORCE,
            Parameter("PassThru", "switch"),
            *ASK,
        ),
        type_name=f"{CMDLETS}.RenameItemCommand",
    ),
    CommandSpec(
        "New-ItemProperty",
        f"{_HERE}.item_properties:new",
        MANAGEMENT,
        (
            *PATH,
            Parameter("Name", "string", 1, mandatory=True, aliases=("PSProperty",)),
            Parameter("PropertyType", "any", aliases=("Type",)),
            Parameter("Value", "any"),
            *FILTERS,
            *ASK,
        ),
        type_name=f"{CMDLETS}.NewItemPropertyCommand",
    ),
    CommandSpec(
        "Set-ItemProperty",
        f"{_HERE}.item_properties:set_",
        MANAGEMENT,
        (
            *PATH,
            Parameter("Name", "string", 1, mandatory=True, aliases=("PSProperty",)),
            Parameter("Value", "any", 2),
            Parameter("Type", "any"),
            Parameter("PassThru", "switch"),
            *FILTERS,
            *ASK,
        ),
        type_name=f"{CMDLETS}.SetItemPropertyCommand",
    ),
    CommandSpec(
        "Remove-ItemProperty",
        f"{_HERE}.item_properties:remove",
        MANAGEMENT,
        (*PATH, Parameter("Name", "array", 1, mandatory=True, aliases=("PSProperty",)), *FILTERS, *ASK),
        type_name=f"{CMDLETS}.RemoveItemPropertyCommand",
    ),
    CommandSpec(
        "Remove-Item",
        f"{_HERE}.remove_item:run",
        MANAGEMENT,
        (*PATH, *FILTERS, Parameter("Recurse", "switch"), *ASK),
        type_name=f"{CMDLETS}.RemoveItemCommand",
    ),
)
