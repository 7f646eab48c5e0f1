"""Print a MOF document that was read, or made, as instances: the same conventions, nothing added or left out.

Reading the text again gives equal instances. Unlike in a document compiled here, a carriage return before a line
feed stays one, because in a document that was read it is part of the value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.configuration.emit import layout
from provisioner.configuration.emit.layout import DOUBLE
from provisioner.configuration.emit.resource_text import IN_BOX_MODULES

if TYPE_CHECKING:
    from provisioner.configuration.instances import MofDocument, MofInstance, MofProperty


def write_document(document: MofDocument, node: str = "", *, is_meta: bool = False) -> str:
    """Return the text with the line ends of a file.

    Args:
        document: The instances, in the order to write.
        node: Name for the comment at the top; without it there is none.
        is_meta: Whether it is a metaconfiguration, whose last instance has a layout of its own.
    """
    parts = [layout.header(node)] if node else []
    for instance in document.instances:
        if instance.class_name.casefold() == layout.DOCUMENT_CLASS.casefold():
            block = layout.compact_block if is_meta else layout.document_block
            parts.append(block((each.name, _inline(each.value)) for each in instance.properties))
        else:
            parts.append(_instance(instance))
    return layout.file_text("".join(parts))


def _instance(instance: MofInstance) -> str:
    alias = f" as {instance.alias}" if instance.alias else ""
    head = f"instance of {instance.class_name}{alias}\n{{\n"
    ordinary, apart = _parts(instance)
    body = layout.properties(_spelled(ordinary))
    if not apart:
        return f"{head}{body}\n\n}};\n\n"
    found = dict(_spelled(apart))
    targets = instance.get("DependsOn") if "DependsOn" in found else ()
    ending = layout.ending(
        found.get("ModuleVersion", ""), [layout.value(each, exact=True) for each in targets]
    )
    return f"{head}{body}{ending}{found['ConfigurationName']};{DOUBLE}}};\n"


def _parts(instance: MofInstance) -> tuple[tuple[MofProperty, ...], tuple[MofProperty, ...]]:
    """Return the ordinary properties, and those at the end of a resource that have a layout of their own."""
    names = [each.name for each in instance.properties]
    if names[-1:] != ["ConfigurationName"] or len(set(names)) < len(names):
        return instance.properties, ()
    is_in_box = str(instance.get("ModuleName")).casefold() in IN_BOX_MODULES
    for apart in (["ModuleVersion", "DependsOn"], ["ModuleVersion"], ["DependsOn"]):
        count = len(apart) + 1
        is_there = names[-count:-1] == apart and (is_in_box or "ModuleVersion" not in apart)
        is_list = "DependsOn" not in apart or isinstance(instance.get("DependsOn"), tuple)
        if is_there and is_list and all(instance.get(name) not in {None, ()} for name in apart):
            return instance.properties[:-count], instance.properties[-count:]
    return instance.properties[:-1], instance.properties[-1:]


def _spelled(properties: tuple[MofProperty, ...]) -> list[tuple[str, str]]:
    return [(each.name, layout.value(each.value, exact=True)) for each in properties]


def _inline(value: Any) -> str:
    """Spell a value of the last instance, whose arrays stay on one line."""
    if not isinstance(value, tuple):
        return layout.value(value, exact=True)
    return f"{{{', '.join(layout.value(each, exact=True) for each in value)}}}"
