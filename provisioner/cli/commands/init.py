"""``provision init``: a folder to start from."""

from __future__ import annotations

from pathlib import Path

import click

from provisioner.cli.commands.schema import write_schemas
from provisioner.cli.context import say, verb
from provisioner.cli.new_files import write_files
from provisioner.editor.files import FOLDER, KINDS, file_name, modeline
from provisioner.errors import UsageError
from provisioner.project import builtin_folder

_GITIGNORE = """\
# what runs leave behind, and the lab's generated passwords
.provisioner/
.secrets/
output/
"""

_ROLE_NOTE = f"""\
Your own roles: roles/<name>/role.yaml. A role here comes before a built-in one of the same name.

Begin the file with this line, and the editor knows its keys:

    {modeline(f"../../{FOLDER}/{file_name('role')}").rstrip()}
"""

_CONFIGURATION_NOTE = f"""\
Your own configurations: dsc_configs/<name>.dsc.yaml, in the shape of a DSC v3 configuration document.

Begin the file with this line, and the editor knows every resource type and its properties:

    {modeline(f"../{FOLDER}/{file_name('configuration')}").rstrip()}
"""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
@verb
def init(folder: Path) -> None:
    """Start a project in DIR: a lab inventory to try, room for your own roles, and schemas for the editor.

    Existing files are never changed.
    """
    example = builtin_folder() / "inventories" / "lab" / "inventory.yaml"
    files = {
        folder / "inventories" / "lab" / "inventory.yaml": example.read_text(encoding="utf-8"),
        folder / "roles" / "README.md": _ROLE_NOTE,
        folder / "dsc_configs" / "README.md": _CONFIGURATION_NOTE,
        folder / ".gitignore": _GITIGNORE,
    }
    schemas = [folder / FOLDER / file_name(kind) for kind in KINDS]
    taken = [path for path in [*files, *schemas] if path.exists()]
    if taken:
        raise UsageError(
            f"{taken[0]} exists already; nothing was written.",
            "Choose an empty folder, or remove the file first.",
        )
    write_files({path: text.encode() for path, text in files.items()})
    write_schemas(folder, folder / FOLDER, list(KINDS))
    inventory = Path("inventories/lab/inventory.yaml")
    say(f"Made {folder}. Try it without a Windows machine:")
    say(f"  cd {folder}")
    say(f"  provision lab up {inventory}")
    say(f"  provision apply {inventory} --yes")
    say("  provision lab down lab")
