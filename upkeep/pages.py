"""What pages say of our module that its files say already: tables of properties, the list of calls."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pywbem

from provisioner.catalogue.schema import Module, Property, ResourceType
from upkeep.calls import Calls, calls_of
from upkeep.documented import Documented, net_address
from upkeep.module import MODULE, NAME, ROOT, resource_names, schema_of, script_of
from upkeep.powershell import functions, parse

PAGES = ROOT / "docs/resources"
COMMANDS = PAGES / "commands.md"
DOCUMENTED = PAGES / "documented.yaml"
SHARED = MODULE / "Modules" / f"{NAME}.Common" / f"{NAME}.Common.psm1"
# pywbem types nothing of its MOF compiler.
_Connection: Any = pywbem.MOFWBEMConnection
_Compiler: Any = pywbem.MOFCompiler

FIRST_CONTACT = ROOT / "provisioner/bootstrap/first_contact.ps1"
_START, _END = "<!-- properties -->", "<!-- end of properties -->"

#: What the MOF compiler has to know before it reads a schema of a resource.
_PREAMBLE = """
Qualifier Key : boolean = false, Scope(property, reference), Flavor(DisableOverride, ToSubclass);
Qualifier Required : boolean = false, Scope(property), Flavor(EnableOverride, ToSubclass);
Qualifier Write : boolean = false, Scope(property), Flavor(EnableOverride, ToSubclass);
Qualifier Read : boolean = true, Scope(property), Flavor(EnableOverride, ToSubclass);
Qualifier Description : string = null, Scope(any), Flavor(EnableOverride, ToSubclass, Translatable);
Qualifier ValueMap : string[], Scope(property), Flavor(EnableOverride, ToSubclass);
Qualifier Values : string[], Scope(property), Flavor(EnableOverride, ToSubclass, Translatable);
Qualifier EmbeddedInstance : string = null, Scope(property, method, parameter), Flavor(EnableOverride);
Qualifier ClassVersion : string = null, Scope(class), Flavor(EnableOverride, Restricted);
Qualifier FriendlyName : string = null, Scope(class), Flavor(EnableOverride, Restricted);
class OMI_BaseResource { string ResourceId; string SourceInfo; string ModuleName; string ModuleVersion; };
class MSFT_Credential { string UserName; string Password; };
class MSFT_KeyValuePair { [Key] string Key; string Value; };
"""


def compiled_classes(schema: Path) -> dict[str, pywbem.CIMClass]:
    """Return the classes of a schema file by name, as pywbem's MOF compiler reads them."""
    handle = _Connection()
    before = set(_compile(handle, _PREAMBLE))
    found = _compile(handle, schema.read_text(encoding="ascii"))
    return {name: each for name, each in found.items() if name not in before}


def _compile(handle: Any, source: str) -> Mapping[str, pywbem.CIMClass]:
    _Compiler(handle, log_func=None).compile_string(source, "root/resources")
    classes: Mapping[str, pywbem.CIMClass] = handle.classes["root/resources"]
    return classes


def page_text(page: str, resource: ResourceType) -> str:
    """Return the page of a resource with its table of properties.

    Raises:
        ValueError: The page has no place for the table.
    """
    before, start, rest = page.partition(f"{_START}\n")
    _, end, after = rest.partition(_END)
    if not start or not end:
        raise ValueError(
            f"the page needs the lines '{_START}' and '{_END}', where the table of properties goes"
        )
    table = properties_table(resource, descriptions(resource))
    return f"{before}{start}{table}{end}{after}"


def descriptions(resource: ResourceType) -> dict[str, str]:
    """Return what the schema says of each property."""
    compiled = compiled_classes(schema_of(resource.name))[resource.class_name]
    found = {}
    for name, prop in compiled.properties.items():
        description = prop.qualifiers.get("Description")
        found[name] = str(description.value) if description else ""
    return found


def properties_table(resource: ResourceType, meanings: Mapping[str, str]) -> str:
    """Return the rows of a page: one for each property, in the order of the schema."""
    lines = ["| Property | Type | Use | Meaning |", "|---|---|---|---|"]
    for prop in resource.properties:
        kind = prop.embedded_class or prop.type.value
        shown = f"{kind}[]" if prop.is_array else kind
        lines.append(f"| `{prop.name}` | {shown} | {_use(prop)} | {_meaning(prop, meanings[prop.name])} |")
    return "\n".join(lines) + "\n"


def _use(prop: Property) -> str:
    use = prop.qualifier.value.lower()
    return {"write": "", "read": "returned by Get"}.get(use, use)


def _meaning(prop: Property, sentence: str) -> str:
    allowed = f" One of {', '.join(f'`{each}`' for each in prop.value_map)}." if prop.value_map else ""
    return f"{sentence}{allowed}".replace("|", "\\|")


def script_calls(path: Path) -> Calls:
    """Return everything a script calls that is neither its own nor of the part that scripts share."""
    root = parse(path)
    shared = functions(parse(SHARED))
    return calls_of(root, root, frozenset(functions(root)) | frozenset(shared))


def commands_text(module: Module, documented: Documented) -> str:
    """Return the page that lists the calls of every resource with their documentation."""
    parts = [
        f"# Calls of the module {NAME} {module.version}",
        "",
        "Every cmdlet with the parameters passed to it, every method of .NET, CIM class and program that scripts",
        "of the module call, with the place where it is documented. `make module` writes this page from the",
        "scripts and [documented.yaml](documented.yaml); a call that is not documented there fails the tests.",
        "Methods of values stand with the types that have them: a script does not say which type a value has.",
        "Common parameters such as `ErrorAction` are documented at",
        "<https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_commonparameters?view=powershell-5.1>.",
        "",
    ]
    sources = [(name, script_of(name)) for name in resource_names()]
    for name, path in [*sources, ("Shared by the resources", SHARED), ("First contact", FIRST_CONTACT)]:
        parts += [f"## {name}", "", *_rows(script_calls(path), documented), ""]
    return "\n".join(parts)


def _rows(calls: Calls, documented: Documented) -> Iterable[str]:
    yield "| Call | Parameters | Documentation |"
    yield "|---|---|---|"
    for name in sorted(calls.cmdlets):
        shown = ", ".join(f"`{each}`" for each in sorted(calls.cmdlets[name]))
        yield f"| `{name}` | {shown} | <{documented.cmdlet_addresses.get(name, 'unknown')}> |"
    for each in sorted(calls.methods):
        kind, _, method = each.partition("::")
        yield f"| `[{kind}]::{method}` | | <{net_address(kind, method)}> |"
    for method in sorted(calls.instance_methods):
        addresses = ", ".join(f"<{net_address(kind, method)}>" for kind in documented.types_with(method))
        yield f"| `.{method}()` | | {addresses} |"
    for each in sorted(calls.cim):
        yield f"| CIM `{each}` | | <{documented.cim.get(each, 'unknown')}> |"
    for each in sorted(calls.com):
        members = sorted(
            name for method in calls.instance_methods for name in documented.com_members(calls, method)
        )
        for name in (each, *(name for name in members if name.startswith(f"{each}."))):
            yield f"| COM `{name}` | | <{documented.com.get(name, 'unknown')}> |"
    for each in sorted(calls.programs):
        yield f"| `{each}` | | <{documented.programs.get(each, 'unknown')}> |"


def modules_row(page: str, module: Module) -> str:
    """Return the page of the catalogue with the number of resources of our module."""
    return re.sub(
        rf"(?m)^\| {NAME} \|.*$",
        f"| {NAME} | {module.version} | {len(module.resources)} | {module.source} |",
        page,
    )
