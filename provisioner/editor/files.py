"""The schema files of a project: which there are, what they are called, and their text.

The rule of the room: the same project gives the same bytes, so the files can be committed and compared.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from provisioner.editor.configuration import all_modules, configuration_schema, used_modules
from provisioner.editor.fragments import Schema
from provisioner.editor.inventory import inventory_schema
from provisioner.editor.lcm import lcm_schema
from provisioner.editor.role import role_schema, variable_values
from provisioner.roles.loader import RoleLibrary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from provisioner.catalogue.registry import Registry
    from provisioner.diagnostics import Diagnostics
    from provisioner.roles.model import Role

#: Folder of the files, below the project.
FOLDER: Final = "schemas"
#: Kinds of files there are schemas for.
KINDS: Final = ("inventory", "role", "configuration", "lcm")


def file_name(kind: str) -> str:
    """Return the name of the schema file for a kind of file."""
    return f"{kind}.schema.json"


def modeline(schema: str) -> str:
    """Return the line that tells an editor where the schema of a file is, relative to the file."""
    return f"# yaml-language-server: $schema={schema}\n"


def schema_texts(
    folders: Sequence[Path], registry: Registry, problems: Diagnostics, *, with_all: bool = False
) -> dict[str, str]:
    """Return the text of each schema file by kind.

    Args:
        folders: Project folders with the roles an editor shall know, the user's first.
        registry: The resource types there are.
        problems: Gets what is wrong with roles; these are left out.
        with_all: Whether the types of every module are offered, not only of those that roles use.
    """
    library = RoleLibrary(folders)
    roles = _roles(library, problems)
    files = {path.name for folder in folders for path in folder.glob("dsc_configs/*.dsc.yaml")}
    configurations = sorted(name.removesuffix(".dsc.yaml") for name in files)
    uses = [(use.name, use.version) for role in roles for use in role.modules.values()]
    modules = all_modules(uses, registry) if with_all else used_modules(uses, registry)
    schemas = {
        "inventory": inventory_schema(library.names, variable_values(roles)),
        "role": role_schema(library.names, configurations, registry),
        "configuration": configuration_schema(modules, registry),
        "lcm": lcm_schema(registry),
    }
    return {kind: _text(schemas[kind]) for kind in KINDS}


def _text(schema: Schema) -> str:
    """Return a schema as JSON with one definition a line, so that differences can be read."""
    definitions = schema.get("definitions")
    if not definitions:
        return json.dumps(schema, indent=1) + "\n"
    head = json.dumps({**schema, "definitions": {}}, indent=1)
    lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(part)}" for key, part in definitions.items())
    return head.replace('"definitions": {}', f'"definitions": {{\n{lines}\n }}') + "\n"


def _roles(library: RoleLibrary, problems: Diagnostics) -> list[Role]:
    found = []
    for name in library.names:
        role, wrong = library.load(name)
        problems.extend(wrong)
        if role is not None:
            found.append(role)
    return found
