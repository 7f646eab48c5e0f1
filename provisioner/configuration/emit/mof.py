"""Emit a node's configuration as a MOF document, byte by byte as Windows PowerShell 5.1 writes it.

Pure: the same configuration gives the same bytes in any process. Two things differ from Windows on purpose:
there is no date, and author and host are constant. Source of every rule: mof-format.
"""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath
from typing import TYPE_CHECKING

from provisioner.catalogue.registry import Registry
from provisioner.configuration.emit import layout
from provisioner.configuration.emit.layout import DOUBLE
from provisioner.diagnostics import Diagnostics

if TYPE_CHECKING:
    from provisioner.configuration.model import Artifact, Configuration, Resource
    from provisioner.diagnostics import SourceRange
    from provisioner.inventory.model import MofEncoding

#: Size up to which the LCM takes a document. Source: LCM class, 1.3 number 5.
LARGEST_DOCUMENT_BYTES = 10 * 1024 * 1024
#: Modules that come with Windows; they write ModuleVersion after everything else (mof-format, 3.3).
IN_BOX_MODULES = frozenset({"psdesiredstateconfiguration"})


def emit_mof(
    configuration: Configuration, encoding: MofEncoding, registry: Registry | None = None
) -> Artifact:
    """Emit ``<node>.mof``.

    Args:
        configuration: What to write; resources come in its order.
        encoding: UTF-16LE with byte order mark is what Windows writes.
        registry: Where known property orders come from; None takes the shipped ones.
    """
    orders = registry or Registry.builtin()
    counters: Counter[str] = Counter()
    parts = [layout.header(configuration.node)]
    for resource in configuration.resources:
        class_name = resource.type.class_name
        counters[class_name] += 1
        parts.append(f"instance of {class_name} as ${class_name}{counters[class_name]}ref\n{{\n")
        parts.append(_body(resource, configuration.name, orders))
        parts.append("};\n")
    parts.append(_document(configuration.name))
    return layout.artifact(f"{configuration.node}.mof", "".join(parts), encoding)


def size_problems(document: Artifact, where: SourceRange) -> Diagnostics:
    """Refuse a document no LCM would take. ``where`` is the node in the inventory."""
    problems = Diagnostics()
    if len(document.content) > LARGEST_DOCUMENT_BYTES:
        problems.error(
            "Document too large",
            f"{document.file_name} has {len(document.content):,} bytes; an LCM takes "
            f"{LARGEST_DOCUMENT_BYTES:,} at most.",
            where,
            "Give the node fewer roles or smaller files, or set its encoding to utf-8, which halves the size.",
        )
    return problems


def source_info(where: SourceRange, keyword: str) -> str:
    """Return ``folder/file::line::column::Keyword``: never an absolute path, whoever compiles, and where."""
    path = "/".join(PurePath(where.source.path.replace("\\", "/")).parts[-2:])
    return f"{path}::{where.line}::{where.column}::{keyword}"


def _body(resource: Resource, configuration_name: str, orders: Registry) -> str:
    kind = resource.type
    in_box = kind.module.casefold() in IN_BOX_MODULES
    spelled = {"ResourceID": layout.quoted(str(resource.id))}
    for each in kind.properties:
        if each.name in resource.properties:
            spelled[each.name] = layout.value(resource.properties[each.name])
    spelled["SourceInfo"] = layout.quoted(source_info(resource.where, kind.name))
    spelled["ModuleName"] = layout.quoted(kind.module)
    version = layout.quoted(kind.version)
    spelled["ModuleVersion"] = version
    known = orders.property_order(spelled)
    if known:
        by_name = {name.casefold(): name for name in spelled}
        spelled = {by_name[name.casefold()]: spelled[by_name[name.casefold()]] for name in known}
    if in_box:
        del spelled["ModuleVersion"]
    text = layout.properties(spelled.items())
    tail = []
    if in_box:
        tail.append(f"\nModuleVersion = {version};")
    if resource.depends_on:
        entries = f",{DOUBLE}     ".join(layout.quoted(str(target)) for target in resource.depends_on)
        # The blank line stands once, before whichever of the two comes first.
        lead = "" if in_box else "\n"
        tail.append(f"{lead}DependsOn = {{{DOUBLE}    {entries}}};")
    tail.append(f" ConfigurationName = {layout.quoted(configuration_name)};")
    first_break = DOUBLE if len(tail) == 1 else "\n"
    return text + first_break + DOUBLE.join(tail) + DOUBLE


def _document(name: str) -> str:
    """Return the OMI_ConfigurationDocument instance in the layout of 5.x (mof-format, 2.4)."""
    indent = " " * 24
    fields = [
        'MinimumCompatibleVersion = "1.0.0"',
        'CompatibleVersionAdditionalProperties= {"Omi_BaseResource:ConfigurationName"}',
        f'Author="{layout.AUTHOR}"',
        f'GenerationHost="{layout.AUTHOR}"',
        f"Name={layout.quoted(name)}",
    ]
    inner = "".join(f" {DOUBLE}{indent}{field};\n" for field in fields)
    return (
        f"instance of OMI_ConfigurationDocument\n{DOUBLE}{' ' * 20}{{\n"
        f' Version="2.0.0";\n{inner}{DOUBLE}{" " * 20}}};\n'
    )
