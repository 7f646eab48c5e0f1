"""``make module``: writes every file that follows from our DSC module and from the shipped roles.

What is half written is told and left out, so that one resource can be finished before another is.
"""

from __future__ import annotations

import sys
from pathlib import Path

from provisioner.catalogue.schema import ResourceType
from provisioner.cli.commands.roles import described_roles
from provisioner.cli.role_listing import markdown_page
from provisioner.diagnostics import Diagnostics
from provisioner.errors import InputError
from upkeep import example_cloud, releases
from upkeep.documented import Documented, read_documented
from upkeep.module import (
    CATALOGUE,
    LOCK,
    MANIFEST,
    ROOT,
    catalogue_text,
    lock_text,
    manifest_text,
    read_own_module,
    resource_names,
    script_of,
)
from upkeep.pages import (
    COMMANDS,
    DOCUMENTED,
    PAGES,
    SHARED,
    commands_text,
    modules_row,
    page_text,
    script_calls,
)
from upkeep.powershell import faults, parse


def main() -> int:
    """Write the files, say which ones changed, and return 1 when something is wrong."""
    try:
        documented = read_documented(DOCUMENTED)
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    problems: list[str] = []
    _write(MANIFEST, manifest_text())
    found = Diagnostics()
    module = read_own_module(found)
    problems += [f"{each.where}: {each.summary}: {each.detail}" for each in found]
    if module is not None:
        _write(CATALOGUE, catalogue_text(module))
        for resource in module.resources:
            problems += _write_page(PAGES / f"{resource.name}.md", resource)
        _write(COMMANDS, commands_text(module, documented))
        catalogue_page = ROOT / "docs/catalogue.md"
        _write(catalogue_page, modules_row(_read(catalogue_page), module))
    _write(LOCK, lock_text())
    problems += _write_roles()
    _write(releases.PAGE, releases.releases_text(problems))
    problems += _write_example()
    for path in [*map(script_of, resource_names()), SHARED]:
        problems += _script_problems(path, documented)
    for each in problems:
        print(each, file=sys.stderr)
    return 1 if problems else 0


def _script_problems(path: Path, documented: Documented) -> list[str]:
    broken = [f"{path.name}:{each}: this is no PowerShell" for each in faults(parse(path))]
    missing = [] if broken else documented.missing(script_calls(path))
    return [*broken, *(f"{path.name}: not documented in {DOCUMENTED.name}: {each}" for each in missing)]


def _write_page(page: Path, resource: ResourceType) -> list[str]:
    try:
        _write(page, page_text(_read(page), resource))
    except (OSError, ValueError) as error:
        return [f"{page.relative_to(ROOT)}: {error}"]
    return []


def _write_roles() -> list[str]:
    try:
        _write(ROOT / "docs/roles.md", markdown_page(described_roles([ROOT])))
    except InputError as error:
        return [f"docs/roles.md: {error}"]
    return []


def _write_example() -> list[str]:
    try:
        sites = example_cloud.sites()
        _write(example_cloud.PICTURE, example_cloud.picture_text(sites))
        _write(example_cloud.PAGE, example_cloud.page_text(_read(example_cloud.PAGE), sites))
    except (InputError, OSError, ValueError) as error:
        return [f"docs/example-cloud.md: {error}"]
    return []


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _write(path: Path, content: str) -> None:
    if not path.exists() or _read(path) != content:
        path.write_text(content, encoding="utf-8", newline="\n")
        print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
