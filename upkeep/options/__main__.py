"""``make options``: writes the option catalogues of the services, from the real packages.

With names of services only these are made.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from upkeep.options.environments import NoEnvironment, registered_options
from upkeep.options.recipes import RECIPES, Recipe

DATA = Path(__file__).resolve().parents[2] / "provisioner/options/data"


def main(services: list[str]) -> int:
    """Write the files, say which ones changed, and return 1 when one cannot be made."""
    failed = 0
    for recipe in RECIPES:
        if services and recipe.service not in services:
            continue
        path = DATA / f"{recipe.service}@{recipe.release}.json"
        try:
            content = catalogue_text(recipe, registered_options(recipe))
        except NoEnvironment as error:
            print(f"{path.name}: {error}", file=sys.stderr)
            failed = 1
            continue
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            path.parent.mkdir(exist_ok=True)
            path.write_text(content, encoding="utf-8", newline="\n")
            print(f"wrote {path.name}")
    return failed


def catalogue_text(recipe: Recipe, found: dict[str, Any]) -> str:
    """Return the file: what it was made from, then one line for each option, sorted."""
    head = {
        "service": recipe.service,
        "release": recipe.release,
        "packages": found["packages"],
        "namespaces": recipe.namespaces,
        "registers": recipe.registers,
        "dynamic": [asdict(each) for each in recipe.dynamic],
        "tolerated": recipe.tolerated,
    }
    lines = [f"{json.dumps(name)}: {_compact(value)}," for name, value in head.items()]
    lines += ['"options": ' + _listed(found["options"]) + ",", '"plugins": ' + _listed(found["plugins"])]
    return "{\n" + "\n".join(lines) + "\n}\n"


def _listed(sections: dict[str, dict[str, Any]]) -> str:
    told = []
    for name, options in sections.items():
        rows = ",\n".join(f"{json.dumps(each)}: {_compact(options[each])}" for each in sorted(options))
        told.append(f"{json.dumps(name)}: {{\n{rows}\n}}" if rows else f"{json.dumps(name)}: {{}}")
    return "{" + ",\n".join(told) + "}"


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
