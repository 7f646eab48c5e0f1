"""Rules that hold a resource's schema, script and page together. Each returns what differs, in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pywbem

from tests.unit.modules.script_rules import PUBLIC, Script
from upkeep.documented import Documented, read_documented
from upkeep.module import PREFIX, schema_of, script_of
from upkeep.pages import DOCUMENTED, PAGES, SHARED, compiled_classes
from upkeep.powershell import command_name, functions, parameters, parse, text, walk

#: How PowerShell's engine hands values of CIM types to a script.
TYPES = {
    "string": "System.String",
    "boolean": "System.Boolean",
    "datetime": "System.DateTime",
    "uint8": "System.Byte",
    "uint16": "System.UInt16",
    "uint32": "System.UInt32",
    "uint64": "System.UInt64",
    "sint8": "System.SByte",
    "sint16": "System.Int16",
    "sint32": "System.Int32",
    "sint64": "System.Int64",
    "real32": "System.Single",
    "real64": "System.Double",
}
#: Properties that every resource has from the engine.
RESERVED = {
    "ResourceId",
    "SourceInfo",
    "ModuleName",
    "ModuleVersion",
    "ConfigurationName",
    "DependsOn",
    "PsDscRunAsCredential",
}


@dataclass(frozen=True)
class Resource:
    """One resource: its schema as compiled, its script and its page."""

    name: str
    classes: dict[str, pywbem.CIMClass]
    script: Script
    page: str

    @property
    def schema(self) -> pywbem.CIMClass:
        return self.classes[f"{PREFIX}{self.name}"]

    @property
    def properties(self) -> dict[str, pywbem.CIMProperty]:
        """The resource's own properties in the order of the schema."""
        return {name: each for name, each in self.schema.properties.items() if not each.propagated}

    def parameters_of(self, name: str) -> dict[str, str]:
        """Parameters of a public function with their whole source."""
        return {each: text(node) for each, node in parameters(self.script.functions[name]).items()}


@cache
def documented() -> Documented:
    return read_documented(DOCUMENTED)


def read_resource(
    name: str, *, script: str | None = None, schema: Path | None = None, page: str | None = None
) -> Resource:
    path = script_of(name)
    shared = functions(parse(SHARED))
    source = path.read_text("utf-8") if script is None else script
    page_path = PAGES / f"{name}.md"
    shown = page_path.read_text("utf-8") if page is None and page_path.exists() else page or ""
    return Resource(
        name,
        compiled_classes(schema or schema_of(name)),
        Script.of(path, source, documented(), shared),
        shown,
    )


def values_of(prop: pywbem.CIMProperty, qualifier: str) -> list[str]:
    found = prop.qualifiers.get(qualifier)
    return list(found.value) if found else []


def embedded_class(prop: pywbem.CIMProperty) -> str:
    found = prop.qualifiers.get("EmbeddedInstance")
    return str(found.value) if found else ""


def use_of(prop: pywbem.CIMProperty) -> list[str]:
    return [each for each in ("Key", "Required", "Write", "Read") if each in prop.qualifiers]


def script_type(prop: pywbem.CIMProperty) -> str:
    inside = embedded_class(prop)
    if inside == "MSFT_Credential":
        kind = "System.Management.Automation.PSCredential"
    else:
        kind = "Microsoft.Management.Infrastructure.CimInstance" if inside else TYPES[str(prop.type)]
    return f"{kind}[]" if prop.is_array else kind


def the_schema_is_one_of_a_resource(resource: Resource) -> list[str]:
    schema = resource.schema
    found = [] if schema.superclass == "OMI_BaseResource" else ["the class is not one of OMI_BaseResource"]
    if schema.qualifiers["FriendlyName"].value != resource.name:
        found.append("FriendlyName is not the name of the folder")
    if not re.fullmatch(r"\d+\.\d+\.\d+(\.\d+)?", str(schema.qualifiers["ClassVersion"].value)):
        found.append("ClassVersion is no version")
    keys = [name for name, prop in resource.properties.items() if "Key" in prop.qualifiers]
    found += [] if keys else ["there is no key"]
    for name, prop in resource.properties.items():
        if len(use_of(prop)) != 1:
            found.append(f"{name}: {use_of(prop)} where one of Key, Required, Write, Read is needed")
        if name in keys and (prop.is_array or embedded_class(prop)):
            found.append(f"{name}: a key holds one plain value")
        if not (description := prop.qualifiers.get("Description")) or not description.value:
            found.append(f"{name}: no Description")
        if values_of(prop, "ValueMap") != values_of(prop, "Values"):
            found.append(f"{name}: Values is not ValueMap")
        if name in RESERVED:
            found.append(f"{name}: the engine has a property of that name")
        if (inside := embedded_class(prop)) and inside not in {
            *resource.classes,
            "MSFT_Credential",
            "MSFT_KeyValuePair",
        }:
            found.append(f"{name}: class {inside} is not declared")
    return found


def the_schema_is_plain_text(resource: Resource) -> list[str]:
    content = schema_of(resource.name).read_bytes()
    return (
        [] if content.isascii() and b"\t" not in content and b"\r" not in content else ["not ASCII, or a tab"]
    )


def parameters_agree_with_the_schema(resource: Resource) -> list[str]:
    properties = resource.properties
    settable = [name for name, prop in properties.items() if "Read" not in prop.qualifiers]
    needed = [name for name, prop in properties.items() if {"Key", "Required"} & set(use_of(prop))]
    found = []
    for function in PUBLIC:
        if function not in resource.script.functions:
            found.append(f"{function} is missing")
            continue
        given = resource.parameters_of(function)
        if function == "Get-TargetResource":
            found += [f"{function}: no parameter {each}" for each in needed if each not in given]
            found += [f"{function}: {each} is no property" for each in given if each not in settable]
        elif list(given) != settable:
            found.append(f"{function}: parameters are {list(given)}, properties are {settable}")
        for name in set(given) & set(properties):
            found += [
                f"{function}: {name}: {each}"
                for each in _differences(given[name], properties[name], is_needed=name in needed)
            ]
    return found


def _differences(source: str, prop: pywbem.CIMProperty, *, is_needed: bool) -> list[str]:
    found = []
    types = re.findall(r"\[((?:System|Microsoft)\.[\w.]+(?:\[\])?)\]\s*\$", source)
    if types != [script_type(prop)]:
        found.append(f"type {types}, by the schema {script_type(prop)}")
    if ("Mandatory = $true" in source) != is_needed:
        found.append("mandatory in one place only" if not is_needed else "it is needed, so Mandatory = $true")
    allowed = re.search(r"\[ValidateSet\(([^)]*)\)\]", source)
    if re.findall(r"'([^']*)'", allowed[1] if allowed else "") != values_of(prop, "ValueMap"):
        found.append(f"ValidateSet is not ValueMap {values_of(prop, 'ValueMap')}")
    return found


def test_and_set_have_the_same_parameters(resource: Resource) -> list[str]:
    test, setter = (resource.parameters_of(name) for name in PUBLIC[1:])
    return [f"{name} differs between Test and Set" for name in test if test[name] != setter.get(name)]


def get_returns_every_property(resource: Resource) -> list[str]:
    """The table is written in Get or in a function that Get calls, and holds the schema's properties and no more."""
    getter = resource.script.functions["Get-TargetResource"]
    called = {command_name(node) for node in walk(getter) if node.type == "command"}
    best: set[str] = set()
    for scope in [getter, *(node for name, node in resource.script.functions.items() if name in called)]:
        for node in walk(scope):
            if node.type == "hash_literal_expression":
                keys = {text(each).strip("'") for each in walk(node) if each.type == "key_expression"}
                if keys == set(resource.properties):
                    return []
                best = max(best, keys, key=lambda keys: len(keys & set(resource.properties)))
    return [f"the table has {sorted(best)}, the schema {sorted(resource.properties)}"]


def public_functions_say_what_they_return(resource: Resource) -> list[str]:
    asked = {
        "Get-TargetResource": "[OutputType([System.Collections.Hashtable])]",
        "Test-TargetResource": "[OutputType([System.Boolean])]",
    }
    return [
        f"{name}: no {kind}"
        for name, kind in asked.items()
        if kind not in text(resource.script.functions[name])
    ]


def only_the_public_functions_are_exported(resource: Resource) -> list[str]:
    wanted = "Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'"
    return [] if resource.script.source.rstrip().endswith(wanted) else [f"the last line is not {wanted}"]


def the_page_tells_every_error(resource: Resource) -> list[str]:
    source = resource.script.source
    raised = set(re.findall(r"-Id '(\w+)'", source))
    with_category = dict(re.findall(r"-Id '(\w+)' -Category '(\w+)'", source))
    rows = dict(
        re.findall(r"^\| `(\w+)` \| ([A-Z]\w+) \|", resource.page.partition("## Errors")[2], re.MULTILINE)
    )
    found = [f"error {each} stands in the script only" for each in sorted(raised - set(rows))]
    found += [f"error {each} stands on the page only" for each in sorted(set(rows) - raised)]
    found += [
        f"error {each}: {category} in the script, {rows[each]} on the page"
        for each, category in with_category.items()
        if each in rows and rows[each] != category
    ]
    dynamic = re.findall(r"New-ResourceError -Id (\$\w+)", source)
    passed = len(re.findall(r"(?<!ResourceError) -Id '", source))
    return found + (["New-ResourceError gets an id nobody passes"] if dynamic and not passed else [])


def the_page_tells_what_there_is(resource: Resource) -> list[str]:
    asked = [
        "## Properties",
        "## Get",
        "## Test",
        "## Set",
        "**Reboot:**",
        "## Errors",
        "It has not run on Windows.",
    ]
    return [
        f"the page lacks {each!r}"
        for each in asked
        if not re.search(rf"{re.escape(each)}(?!\w)", resource.page)
    ]


def a_restart_is_asked_for_only_where_the_page_says_so(resource: Resource) -> list[str]:
    sentence = resource.page.partition("**Reboot:**")[2].strip().casefold()
    asks = "$global:DSCMachineStatus = 1" in resource.script.source
    if asks == sentence.startswith("never"):
        return [
            "the script asks for a restart, the page says never"
            if asks
            else "'**Reboot:** never' is missing: the script asks for none"
        ]
    return [
        f"{name} asks for a restart; only Set does"
        for name in PUBLIC[:2]
        if asks
        and any(
            "DSCMachineStatus" in text(resource.script.functions[each]) for each in _reached(resource, name)
        )
    ]


def _reached(resource: Resource, start: str) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in reached and name in resource.script.functions:
            reached.add(name)
            waiting += [
                command_name(node) for node in walk(resource.script.functions[name]) if node.type == "command"
            ]
    return reached


RULES: tuple[Callable[[Resource], list[str]], ...] = (
    the_schema_is_one_of_a_resource,
    the_schema_is_plain_text,
    parameters_agree_with_the_schema,
    test_and_set_have_the_same_parameters,
    get_returns_every_property,
    public_functions_say_what_they_return,
    only_the_public_functions_are_exported,
    the_page_tells_every_error,
    the_page_tells_what_there_is,
    a_restart_is_asked_for_only_where_the_page_says_so,
)
