"""Writes a module of the catalogue as a vendor would publish it: manifest, schemas, scripts, classes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from provisioner.catalogue.schema import (
    CREDENTIAL_CLASS,
    PAIR_CLASS,
    CimType,
    Default,
    EmbeddedClass,
    Module,
    Property,
    Qualifier,
    ResourceKind,
    ResourceType,
)

POWERSHELL = {
    CimType.STRING: "System.String",
    CimType.BOOLEAN: "System.Boolean",
    CimType.DATETIME: "System.DateTime",
    CimType.UINT8: "System.Byte",
    CimType.UINT16: "System.UInt16",
    CimType.UINT32: "Nullable[System.UInt32]",
    CimType.UINT64: "System.UInt64",
    CimType.SINT8: "sbyte",
    CimType.SINT16: "System.Int16",
    CimType.SINT32: "int",
    CimType.SINT64: "System.Int64",
    CimType.REAL32: "single",
    CimType.REAL64: "System.Double",
    CimType.CHAR16: "char",
}

SET_HELPER = """
    $newResourceSetConfigurationParams = @{{
        ResourceName = '{member}'
        ModuleName = 'Any'
        KeyParameterName = '{key}'
        Parameters = $PSBoundParameters
    }}

    $configurationScriptBlock = New-ResourceSetConfigurationScriptBlock @newResourceSetConfigurationParams

    . $configurationScriptBlock
"""


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def literal(value: Default) -> str:
    match value:
        case bool():
            return "$true" if value else "$false"
        case str():
            return quoted(value)
        case tuple():
            return f"@({', '.join(map(literal, value))})"
    return str(value)


def manifest(module: Module, *, prerelease: bool = True) -> str:
    number, _, suffix = module.version.partition("-")
    names = ", ".join(quoted(each.name) for each in module.resources)
    return f"""#
# Module manifest
#
@{{
    RootModule           = '{module.name}.psm1'
    ModuleVersion        = '{number}'
    GUID                 = '00000000-0000-0000-0000-000000000000'
    DscResourcesToExport = @({names})
    PrivateData          = @{{ PSData = @{{ Tags = 'DSC', "Windows"; Prerelease = '{suffix if prerelease else ""}' }} }}
}}
"""


def schema(resource: ResourceType, classes: Iterable[EmbeddedClass]) -> str:
    parts = [_class(each.name, "", "", each.properties) for each in classes]
    parts.append(_class(resource.class_name, resource.name, "OMI_BaseResource", resource.properties))
    return "\n".join(parts)


def _class(name: str, friendly: str, base: str, properties: Iterable[Property]) -> str:
    head = '[ClassVersion("1.0.0.0")' + (f', FriendlyName("{friendly}")]' if friendly else "]")
    body = "".join(f"    {_mof_property(each)}\n" for each in properties)
    return f"{head}\nclass {name}{f' : {base}' if base else ''}\n{{\n{body}}};\n"


def _mof_property(prop: Property) -> str:
    qualifiers = [prop.qualifier.value, 'Description("Says \\"why\\", \\\\ and what.")']
    if prop.embedded_class:
        qualifiers.append(f'EmbeddedInstance("{prop.embedded_class}")')
    if prop.value_map:
        qualifiers.append(f"ValueMap{{{', '.join(map(json.dumps, prop.value_map))}}}")
        qualifiers.append(f"Values{{{', '.join(map(json.dumps, prop.values or prop.value_map))}}}")
    name = prop.type.value.capitalize()
    return f"[{', '.join(qualifiers)}] {name} {prop.name}{'[]' if prop.is_array else ''};"


def type_name(prop: Property, spelled: str = "") -> str:
    if prop.embedded_class == PAIR_CLASS:
        return "System.Collections.Hashtable"
    name = spelled or POWERSHELL[prop.type]
    if prop.embedded_class == CREDENTIAL_CLASS:
        name = "System.Management.Automation.PSCredential"
    elif prop.embedded_class:
        name = prop.embedded_class
    return f"{name}[]" if prop.is_array else name


def attributes(prop: Property, *, with_values: bool) -> list[str]:
    found = []
    if limits := prop.limits:
        if limits.refuses_empty:
            found.append("[ValidateNotNullOrEmpty()]")
        for name, pair in (("Range", limits.range), ("Length", limits.length), ("Count", limits.count)):
            if pair:
                found.append(f"[Validate{name}({pair[0]}, {pair[1]})]")
        if limits.pattern:
            found.append(f"[ValidatePattern({quoted(limits.pattern)})]")
    if with_values and prop.value_map:
        found.append(f"[ValidateSet({', '.join(map(quoted, prop.values or prop.value_map))})]")
    return found


def parameters(properties: Iterable[Property], *, is_composite: bool = False) -> str:
    parts = []
    for prop in properties:
        if prop.qualifier is Qualifier.READ:
            continue
        is_mandatory = prop.is_needed_on_node or prop.qualifier is not Qualifier.WRITE
        lines = [
            f"[Parameter({'Mandatory = $true' if is_mandatory else ''})]",
            *attributes(prop, with_values=True),
            f"[{'CimInstance[]' if prop.embedded_class and not is_composite else type_name(prop)}]",
            f"${prop.name}" + ("" if prop.default is None else f" = {literal(prop.default)}"),
        ]
        parts.append("\n".join(f"        {line}" for line in lines))
    return ",\n\n".join(parts)


def script(resource: ResourceType) -> str:
    return f"""
$script:text = @'
function Set-TargetResource {{ param ([Parameter(Mandatory = $true)] $Wrong) }} it's }}
'@

function Get-TargetResource {{ param ($Other) return @{{ A = "$($Other['}}'])" }} }}

<#
    .SYNOPSIS
        function Set-TargetResource {{
#>
function Set-TargetResource
{{
    [System.Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSDSCUseVerboseMessageInDSCResource', '')]
    [CmdletBinding()]
    param
    (
{parameters(resource.properties)}
    )

    # a comment with one ' quote
    Write-Verbose -Message ("It is `"{{0}}`" }}" -f $Name)
}}

Export-ModuleMember -Function *-TargetResource
"""


def composite(resource: ResourceType) -> str:
    helper = SET_HELPER.format(member=resource.expands_to, key=resource.split_by) if resource.split_by else ""
    return f"""
Configuration {resource.name}
{{
    [CmdletBinding()]
    param
    (
{parameters(resource.properties, is_composite=True)}
    )
{helper}
}}
"""


def powershell_class(name: str, properties: Iterable[Property], *, is_resource: bool, base: str = "") -> str:
    lines = []
    enums: list[str] = []
    for prop in properties:
        words = {Qualifier.KEY: "Key", Qualifier.REQUIRED: "Mandatory", Qualifier.READ: "NotConfigurable"}
        lines.append(f"    [DscProperty({words.get(prop.qualifier, '')})]")
        spelled = ""
        if (
            prop.value_map
            and not prop.is_array
            and len(enums) % 2 == 0
            and all(each.isalpha() for each in prop.value_map)
        ):
            spelled = f"{name}{prop.name}Values"
            enums.append(f"enum {spelled}\n{{\n    " + "\n    ".join(prop.value_map) + "\n}\n")
        lines += [f"    {each}" for each in attributes(prop, with_values=not spelled)]
        default = "" if prop.default is None else f" = {literal(prop.default)}"
        lines += [f"    [{type_name(prop, spelled)}]", f"    ${prop.name}{default}", ""]
    head = "[DscResource()]\n" if is_resource else ""
    body = "\n".join(lines)
    return (
        "".join(enums)
        + f"""{head}class {name}{f" : {base}" if base else ""}
{{
{body}
    hidden [System.String] $cache = "a $($this.b) }}"

    {name}() {"" if not base else ": base()"}
    {{
        $this.cache = 'x {{'
    }}

    [{name}] Get() {{ return $this }}

    [System.Boolean] Test()
    {{
        return $true
    }}

    hidden [void] Helper([System.Collections.Hashtable] $properties) {{ }}
}}

"""
    )


def embedded_by(properties: Iterable[Property], module: Module) -> list[EmbeddedClass]:
    """The classes that properties need, those they need in turn first."""
    found: dict[str, EmbeddedClass] = {}

    def add(prop: Property) -> None:
        known = next((each for each in module.classes if each.name == prop.embedded_class), None)
        if known and known.name not in found:
            for inner in known.properties:
                add(inner)
            found[known.name] = known

    for prop in properties:
        add(prop)
    return list(found.values())


def write_vendor_module(module: Module, folder: Path, *, encoding: str = "utf-8") -> Path:
    """Write all files of a module into a folder."""
    files = {f"{module.name}.psd1": manifest(module)}
    classes: dict[str, str] = {}
    for resource in module.resources:
        base = f"DSCResources/{resource.class_name or resource.name}/{resource.class_name or resource.name}"
        if resource.kind is ResourceKind.MOF:
            files[f"{base}.schema.mof"] = schema(resource, embedded_by(resource.properties, module))
            files[f"{base}.psm1"] = script(resource)
        elif resource.kind is ResourceKind.COMPOSITE:
            files[f"{base}.schema.psm1"] = composite(resource)
        else:
            for each in embedded_by(resource.properties, module):
                classes[each.name] = powershell_class(each.name, each.properties, is_resource=False)
            # Its own properties first, half of them inherited: as PowerShell writes them.
            half = len(resource.properties) // 2 + 1
            parent = f"{resource.name}Parent"
            classes[parent] = powershell_class(parent, resource.properties[half:], is_resource=False)
            classes[resource.name] = powershell_class(
                resource.name, resource.properties[:half], is_resource=True, base=parent
            )
    if classes:
        files[f"{module.name}.psm1"] = "using namespace System.Management.Automation\n" + "".join(
            classes.values()
        )
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    return folder
